"""Holes: small patches of missing pixels, such as saturated stars, filled with what rims them.

A hole takes the largest value beside it: a star that saturates is a flat top, not the edge of a
survey. Larger gaps stay missing. What a pixel becomes does not depend on how much is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, MadePixels, PixelSource

_TOUCHING = np.ones((3, 3), bool)
"""Pixels that touch at a corner are one hole."""


@dataclass(frozen=True)
class _Filled(MadePixels):
    """A source whose holes of up to `side` pixels are filled, where it is looked at."""

    source: PixelSource
    side: int

    @property
    def identity(self) -> str | None:
        return self.made_of("filled", self.side)

    def __getitem__(self, key: Key) -> FloatArray:
        values = self.source[key]
        bounds = [part.indices(length) for part, length in zip(key, self.shape, strict=True)]
        if np.isfinite(values).all() or any(step != 1 for *_, step in bounds):
            return values
        margin = self.side + 1  # as far as a hole that reaches in can reach out, and its rim
        (top, low, _), (left, right, _) = bounds
        first, start = max(0, top - margin), max(0, left - margin)
        grown = np.array(self.source[first : low + margin, start : right + margin])
        _fill(grown, self.side)
        return grown[top - first : low - first, left - start : right - start]


@dataclass(frozen=True)
class _Planes:
    each: tuple[PixelSource, ...]

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, index: int) -> PixelSource:
        return self.each[index]


def filled(image: SkyImage, side: int) -> SkyImage:
    """An image whose holes of up to `side` pixels, along either axis, are filled; lazily."""
    pixels = _Filled(image.pixels, side)
    if image.planes is None:
        return replace(image, pixels=pixels, reference=None)
    planes = _Planes(tuple(_Filled(image.planes[n], side) for n in range(image.count)))
    return replace(image, pixels=pixels, planes=planes, reference=None)


def _fill(values: FloatArray, side: int) -> None:
    """Fill the small holes of an array in place."""
    labels, count = ndimage.label(~np.isfinite(values), _TOUCHING)
    for number, place in enumerate(ndimage.find_objects(labels, count), start=1):
        if place is None or any(part.stop - part.start > side for part in place):
            continue
        around = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in place)
        hole = labels[around] == number
        rim = ndimage.binary_dilation(hole, _TOUCHING) & ~hole
        beside = values[around][rim]
        beside = beside[np.isfinite(beside)]
        if beside.size:
            values[around][hole] = beside.max()
