"""Stars: which pixels of an image belong to points of light, so that statistics can leave them out.

A pixel is compared with those around it on a ring. A line or a rim is about as bright on two
opposite sides of it; a point of light is brighter than one of any two. From there on outwards its
light has faded, where a broad peak falls farther.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_DIRECTIONS = 8
_SIGMAS = 5.0
_SHARE = 0.5
"""Of the contrast within two rings, a point of light has so much to itself."""

_STEP = 3
"""The noise is estimated from every third pixel along both axes."""

_TO_SIGMA = 1.4826
"""Standard deviation of a normal law over its median absolute deviation."""


def star_mask(values: NDArray[Any], reach_px: int) -> Mask:
    """Pixels (H, W) on points of light, and up to half of `reach_px` around them.

    Parameters
    ----------
    values
        (H, W), finite.
    reach_px
        Distance at which a point's light has faded, 1 or more; what is wider is none.
    """
    from napari_astroseg.sky.croploops import over_ring, spread  # they load numba

    plane = np.ascontiguousarray(values, np.float32)
    best, low, high = np.full_like(plane, -np.inf), plane.copy(), plane.copy()
    over_ring(plane, *_ring(reach_px), best, low, high)
    excess = plane - np.where(np.isfinite(best), best, plane)  # smaller than the ring: no excess
    beyond = np.empty_like(plane)  # the second ring tells the contrast alone
    over_ring(plane, *_ring(2 * reach_px), beyond, low, high)
    sample = excess[::_STEP, ::_STEP]
    middle = float(np.median(sample))
    sigma = _TO_SIGMA * float(np.median(np.abs(sample - middle)))
    seen = (excess > middle + _SIGMAS * sigma) & (excess > _SHARE * (high - low)) & (excess > 0)
    mask = np.zeros(plane.shape, np.bool_)
    spread(seen, max(1, reach_px // 2), mask)
    return mask


@lru_cache(64)
def _ring(radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps along x and y to one pixel of each pair."""
    angles = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    dx, dy = (np.rint(radius * wave(angles)).astype(np.int64) for wave in (np.cos, np.sin))
    return dx, dy
