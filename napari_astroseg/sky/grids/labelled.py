"""Labelled: whether an image's values are labels, masks or flags, which must not be averaged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import PixelSource

_PLACES = 48
"""So many pairs of rows are looked at."""

_ALIKE = 0.4
"""Share of pairs of neighbours, not both 0, that are equal in structures; far more than in counts
of photons or on a plate, where a value repeats by chance."""

_ISLANDS = 0.5
"""Share of unequal neighbours of which one is 0: structures lie apart, a picture is smooth."""


def holds_labels(image: SkyImage) -> bool:
    """Whether an image numbers or marks structures: whole numbers, the same all over each.

    Only images that are kept as integers can be; of these some rows are read. Integers that are
    the steps of a detector or a photographic plate change from pixel to pixel, and are none.
    """
    stored = getattr(image.pixels, "stored", None)
    if not isinstance(stored, np.dtype) or stored.kind not in "iub":
        return False
    return _marked(_sampled(image.pixels))


def _sampled(pixels: PixelSource) -> NDArray[np.float64]:
    """Pairs of neighbouring rows from all over an image, (pairs, 2, W)."""
    height, width = pixels.shape
    if height < 2:
        return np.empty((0, 2, width))
    first = np.unique(np.linspace(0, height - 2, _PLACES).astype(int)).tolist()
    return np.stack([np.asarray(pixels[row : row + 2, 0:width], np.float64) for row in first])


def _marked(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    if not known.size or not np.array_equal(known, np.rint(known)):
        return False
    if len(np.unique(known)) <= 2:
        return True  # a mask
    across = values[..., :-1], values[..., 1:]
    up = values[:, 0], values[:, 1]
    return any(_islands(one.ravel(), other.ravel()) for one, other in (across, up))


def _islands(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether neighbours are mostly equal, and where they are not, one of them is mostly 0."""
    seen = np.isfinite(one) & np.isfinite(other) & ((one != 0) | (other != 0))
    one, other = one[seen], other[seen]
    equal = one == other
    if not equal.size or equal.mean() < _ALIKE:
        return False
    edges = ~equal
    return bool(not edges.any() or ((one == 0) | (other == 0))[edges].mean() >= _ISLANDS)
