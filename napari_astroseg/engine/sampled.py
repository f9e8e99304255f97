"""Sampled: what a network with many answers says of stamps, as a mean and a spread."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.nets.sampling import SamplingNet
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.recipe import Recipe

Maps = NDArray[np.float32]

_SHIFT = 2**31
"""Added to a stamp's corner, which may lie beyond the image's first pixel: seeds are positive."""


def draws_for(net: Network, recipe: Recipe, name: str, asked: int | None) -> int | None:
    """How many draws a prediction takes; None of a network that has one answer only.

    Raises
    ------
    MisfitError
        When draws are asked of one that has none, or too few for a spread.
    """
    if not isinstance(net, SamplingNet):
        if asked is not None:
            raise MisfitError(f"{name} is deterministic and draws no samples; leave out --samples")
        return None
    if asked is None:
        return int(getattr(recipe.family, "samples", 50))
    if asked < 2:
        raise MisfitError(f"{asked} samples tell no uncertainty; ask for 2 or more with --samples")
    return asked


def noise_at(corners: list[tuple[int, int]], draws: int, latent: int, seed: int) -> torch.Tensor:
    """Standard normal noise (draws, stamps, latent) of stamps with these corners (x, y).

    A stamp's noise depends on its place alone, so an answer does not depend on how the work was
    cut.
    """
    each = [
        np.random.default_rng([seed, x + _SHIFT, y + _SHIFT]).standard_normal(
            (draws, latent), np.float32
        )
        for x, y in corners
    ]
    return torch.from_numpy(np.stack(each, 1))


def moments(net: SamplingNet, planes: Maps, noise: torch.Tensor, device: torch.device) -> Maps:
    """Mean of each class, then variance of each class: (n, 2 × classes, h, w)."""
    with torch.inference_mode():
        given = torch.from_numpy(np.ascontiguousarray(planes)).to(device)
        mean, variance = net.moments(given, noise.to(device))
        told: Maps = torch.cat((mean, variance), 1).float().cpu().numpy()
    return told
