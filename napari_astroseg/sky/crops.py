"""Crops: squares of sky of any size as a network for objects is shown them, all of one side.

Each plane is resized, then put between 0 and 1 by `normalise.peaks_clipped` with its stars left out
of the statistics. A crop with a missing pixel is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import peaks_clipped
from napari_astroseg.sky.stars import star_mask
from napari_astroseg.sky.window import Window

Planes = NDArray[np.float32]

STAR_REACH_PX = 4
"""Where a star's light has faded, in pixels of the image: of GLIMPSE and MIPSGAL at 1.2 arcsec."""

_LEAST_REACH = 2


def crop(
    image: SkyImage,
    window: Window,
    side: int,
    bands: Sequence[int] | None = None,
    star_reach_px: int = STAR_REACH_PX,
) -> Planes | None:
    """A window of an image as (bands, side, side), 0 to 1; None where a pixel is missing.

    Parameters
    ----------
    bands
        Which planes, by number; all of them by default.
    star_reach_px
        See `star_mask`, in pixels of the image.
    """
    raw = raw_crop(image, window, bands)
    if raw is None:
        return None
    return prepared(resized(raw, side), star_reach_px * side / max(window.width, window.height))


def raw_crop(image: SkyImage, window: Window, bands: Sequence[int] | None = None) -> Planes | None:
    """The values (bands, height, width) of a window; None where a pixel is missing."""
    numbers = range(image.count) if bands is None else bands
    planes = []
    for number in numbers:
        values = image.plane(number).cutout(window)
        if not np.isfinite(values).all():
            return None
        planes.append(values)
    return np.stack(planes)


def prepared(planes: Planes, star_reach_px: float = STAR_REACH_PX) -> Planes:
    """Finite values (bands, H, W) between 0 and 1, each band by itself."""
    reach = max(_LEAST_REACH, round(star_reach_px))
    every = np.ones(planes.shape[1:], bool)
    return np.stack([peaks_clipped(each, every, star_mask(each, reach)) for each in planes])


def resized(planes: NDArray[Any], side: int) -> Planes:
    """Planes (N, H, W) on (N, side, side) pixels, bilinear.

    Where pixels become fewer, each is a mean of all that it covers, so that nothing is skipped.
    """
    from napari_astroseg.sky.croploops import resample  # it loads numba

    given = np.ascontiguousarray(planes, np.float32)
    if given.shape[1:] == (side, side):
        return given
    firsts, weights = zip(*(_taps(length, side) for length in given.shape[1:]), strict=True)
    made = np.empty((len(given), side, side), np.float32)
    for plane, out in zip(given, made, strict=True):
        resample(plane, firsts, weights, out)
    return made


@lru_cache(64)
def _taps(length: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What each of `count` pixels is made of: the first of `length`, and weights (count, taps)."""
    scale = length / count
    support = max(1.0, scale)
    middle = (np.arange(count) + 0.5) * scale - 0.5
    taps = min(int(np.floor(2 * support)) + 1, length)
    first = np.clip(np.ceil(middle - support), 0, length - taps).astype(np.int64)
    places = first[:, None] + np.arange(taps)
    weights = np.maximum(0.0, 1.0 - np.abs(places - middle[:, None]) / support)
    return first, (weights / weights.sum(1, keepdims=True)).astype(np.float32)
