"""Dice: how unlike probabilities and classes are, each class by its own weight."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_SMOOTH = 1.0
"""Pixels added to both sides, so that a class that is nowhere counts as met where none is seen."""


def weighted_dice(
    probability: Tensor, truth: Tensor, weight: Tensor, class_weights: Sequence[float]
) -> Tensor:
    """One minus the Dice of each class, averaged by the weights of the classes.

    Pixels of all stamps are summed before they are compared: most stamps hold no overlap and many
    no galaxy, and by itself such a stamp would say nothing but "none".

    Parameters
    ----------
    probability, truth
        (n, classes, h, w), background first; `truth` is 1 in the class of a pixel.
    weight
        (n, 1, h, w): 1 where a pixel counts.
    """
    counted, seen = (weight * each.float() for each in (probability, truth))
    shared = (counted * seen).sum((0, 2, 3))
    both = (counted + seen).sum((0, 2, 3))
    dice = (2.0 * shared + _SMOOTH) / (both + _SMOOTH)
    weights = torch.as_tensor(class_weights, dtype=dice.dtype, device=dice.device)
    return (weights * (1.0 - dice)).sum() / weights.sum()
