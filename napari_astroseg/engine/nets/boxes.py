"""Boxes: how far a box is from its prior, as a network tells it, and which boxes are one object.

A prior is (middle x, middle y, width, height), a box (x_min, y_min, x_max, y_max), both in units of
the side. Offsets are in units of the prior's size and of the variances of Liu+2016.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from napari_astroseg.sky.objects import Objects

Found = TypeVar("Found", bound=Objects)

_PLACE, _SIZE = 0.1, 0.2
"""Variances: what an offset of 1 stands for."""

_LARGEST = 20.0
"""Size offset beyond which a box is no larger: e^4 priors."""


def corners(priors: Tensor) -> Tensor:
    """Priors (…, 4) as boxes."""
    middles, sides = priors.chunk(2, -1)
    return torch.cat((middles - sides / 2, middles + sides / 2), -1)


def encoded(boxes: Tensor, priors: Tensor) -> Tensor:
    """Offsets (…, 4) of boxes from their priors."""
    low, high = boxes.chunk(2, -1)
    middles, sides = priors.chunk(2, -1)
    place = ((low + high) / 2 - middles) / (_PLACE * sides)
    return torch.cat((place, torch.log((high - low) / sides) / _SIZE), -1)


def decoded(offsets: Tensor, priors: Tensor) -> Tensor:
    """Boxes (…, 4) at offsets from their priors; the inverse of `encoded`."""
    place, size = offsets.chunk(2, -1)
    middles, sides = priors.chunk(2, -1)
    wide = sides * torch.exp(_SIZE * size.clamp(max=_LARGEST))
    return corners(torch.cat((middles + _PLACE * place * sides, wide), -1))


def strongest(objects: Found, overlap: float) -> Found:
    """Objects of which none overlaps a stronger one of its class by more; strongest first.

    Overlap is the area shared over the area of either (IoU). A score cut may come before or after:
    only stronger ones decide.
    """
    from torchvision.ops import batched_nms  # takes longer to load than torch itself

    kept = batched_nms(
        torch.from_numpy(objects.boxes),
        torch.from_numpy(objects.scores),
        torch.from_numpy(objects.classes),
        overlap,
    )
    return objects[kept.numpy()]
