"""Limits: between which raw values an image is drawn, and the rules that choose them.

Rules work on a sample of the coarsest level: few enough values to sort, spread over the whole
image, missing and infinite ones left out. The sample holds that level's extremes, too. Where an
image has one level only, these are the image's own; a coarser level shows means of pixels, whose
extremes lie a little inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramids.pyramid import AnyLevel, levels

Values = NDArray[np.float64]

SAMPLE_SIDE = 400
"""A sample has at most this many rows and columns."""

SAMPLED_PLANES = 5
"""A sample of a stack takes at most this many of its planes, the first one among them."""

_SAMPLED_PIXELS = 2**26
"""Beyond this many full-size pixels in a stack, fewer planes: each costs a pass over a file."""

_FEW_LABELS = 32


@dataclass(frozen=True)
class Limits:
    """Two raw values, the lower one first, between which an image is drawn."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ImageError(
                f"{self.low:g} and {self.high:g} are no limits; "
                "give two finite numbers, the lower one first"
            )

    @property
    def span(self) -> float:
        """From low to high."""
        return self.high - self.low

    def close_to(self, other: Limits) -> bool:
        """Whether no eye could tell the two apart."""
        room = 1e-4 * max(self.span, other.span)
        return abs(self.low - other.low) <= room and abs(self.high - other.high) <= room


def sampled_limits(image: SkyImage) -> Limits:
    """Limits of an image by zscale, from a sample of its coarsest level."""
    return zscale(sample(levels(image)[-1]))


def sample(level: AnyLevel) -> Values:
    """Finite values on a regular grid over a level, and its extremes; empty where none is finite.

    Of a level with planes, some planes are taken, spread over all of them.
    """
    if len(level.shape) == 2:
        return _sample(np.asarray(level))
    count, pixels = level.shape[0], math.prod(level.image.shape)
    some = max(1, min(count, SAMPLED_PLANES, _SAMPLED_PIXELS // pixels))
    taken = np.unique(np.linspace(0, count - 1, some).round().astype(int)) if some > 1 else [0]
    return np.concatenate([_sample(np.asarray(level[int(plane)])) for plane in taken])


def zscale(values: Values) -> Limits:
    """IRAF's zscale of finite values; percentiles where its line fit finds no range.

    A mask, or an image of a few integer labels, has no sky to fit: it gets its extremes.
    """
    if values.size >= 5 and not _labels(values):
        from astropy.visualization import ZScaleInterval  # with all of Matplotlib

        low, high = ZScaleInterval(n_samples=5000).get_limits(values)
        if _apart(low, high):
            return Limits(float(low), float(high))
    return percentile(values, 99.0)


def percentile(values: Values, percent: float) -> Limits:
    """Limits that hold the middle `percent` of finite values; wider where these are all equal."""
    if not values.size:
        return Limits(0.0, 1.0)
    for share in (percent, 99.9, 100.0):
        low, high = np.percentile(values, [50.0 - share / 2, 50.0 + share / 2])
        if _apart(low, high):
            return Limits(float(low), float(high))
    middle = float(np.median(values))
    half = abs(middle) / 2 or 0.5
    return Limits(middle - half, middle + half)


PERCENTILES = ("95 %", "99 %", "99.5 %", "99.9 %")

LIMIT_RULES: dict[str, Callable[[Values], Limits]] = {
    "zscale": zscale,
    **{name: partial(percentile, percent=float(name[:-2])) for name in PERCENTILES},
    "min–max": partial(percentile, percent=100.0),
}
"""Ways to choose limits from sampled values, by the names that users see."""


def _sample(values: NDArray[Any]) -> Values:
    """One plane's finite values on a grid, and its extremes."""
    step = max(1, -(-max(values.shape) // SAMPLE_SIDE))
    grid = values[step // 2 :: step, step // 2 :: step] if min(values.shape) > step else values
    finite = grid[np.isfinite(grid)]
    if not finite.size and grid is not values:  # sparse coverage: the grid may have missed all
        finite = values[np.isfinite(values)]
    elif step > 1 and finite.size:
        finite = np.append(finite, _extremes(values))
    return finite.astype(np.float64)


def _extremes(values: NDArray[Any]) -> NDArray[Any]:
    """The least and the greatest finite value."""
    found = np.array([np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)])
    if np.isfinite(found).all():
        return found
    finite = values[np.isfinite(values)]
    return np.array([finite.min(), finite.max()])


def _labels(values: Values) -> bool:
    """Whether these are a few integers, as of a mask."""
    few = np.unique(values[:: max(1, values.size // 2000)])
    return few.size <= _FEW_LABELS and bool((few == np.round(few)).all()) and _whole(values)


def _whole(values: Values) -> bool:
    return bool((values == np.round(values)).all())


def _apart(low: float, high: float) -> bool:
    """Whether two limits differ by enough for float32 to tell values between them apart."""
    return bool(np.isfinite(high - low) and high - low > 1e-6 * max(abs(low), abs(high)))
