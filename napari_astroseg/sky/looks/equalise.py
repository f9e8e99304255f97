"""Histogram equalisation: brightness by rank, as a curve that never turns back.

The curve is the share of an image's sampled values that lie below a raw value. It is frozen
once made, so that a value looks the same wherever one pans, and it has an inverse, so that raw
limits and a colour bar's ticks can be told. Between knots it is linear in asinh((raw − middle) /
width): knots so spaced are close together where most values are, and reach every outlier. A
hundredth of the rise is shared out evenly over all knots: where an image has no values, the
curve still grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_KNOTS = 1024
_EVEN_SHARE = 0.01
_BEYOND = 1e6


@dataclass(frozen=True)
class Curve:
    """A strictly growing map, linear between knots that are evenly spaced in asinh.

    Parameters
    ----------
    middle, width
        Of the image's values: their median and the half-width of their bulk.
    start, step
        Position of the first knot and distance of the knots, in asinh((raw − middle) / width).
    heights
        What the curve is at each knot, at least two.
    """

    middle: float
    width: float
    start: float
    step: float
    heights: tuple[float, ...]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Curve:
        """The curve of finite values: 0 at the least, 1 at the greatest.

        Of no values, or of equal ones, it is nearly straight around them.
        """
        if not values.size:
            values = np.array([0.0, 1.0])
        low, middle, high = (float(each) for each in np.percentile(values, [16.0, 50.0, 84.0]))
        least, most = float(values.min()), float(values.max())
        width = (high - low) / 2 or (most - least) / 2 or abs(middle) / 2 or 0.5
        width = max(width, 1e-6 * max(abs(least), abs(most)), 1e-300)
        first = math.asinh((least - middle) / width)
        last = max(math.asinh((most - middle) / width), first + 1e-3)
        knots = np.linspace(first, last, _KNOTS)
        ranks = np.sort(np.arcsinh((values - middle) / width))
        # A value that many share rises in the middle of its share.
        below = np.searchsorted(ranks, knots, "left") + np.searchsorted(ranks, knots, "right")
        shares = below / (2.0 * ranks.size)
        shares = (shares - shares[0]) / ((shares[-1] - shares[0]) or 1.0)
        heights = (1 - _EVEN_SHARE) * shares + _EVEN_SHARE * np.linspace(0.0, 1.0, _KNOTS)
        return cls(middle, width, first, float(knots[1] - knots[0]), tuple(heights.tolist()))

    def __call__(self, raw: ArrayLike) -> NDArray[np.float32]:
        """The curve at raw values; beyond its knots it goes on as steeply as it ended."""
        values = np.asarray(raw)
        small = values.dtype == np.float32 and 1e-30 < self.width < 1e30
        kind = np.float32 if small else np.float64
        x: NDArray[Any] = np.asarray(values - kind(self.middle), kind)
        with np.errstate(over="ignore"):
            np.multiply(x, kind(1.0 / self.width), out=x)
        np.arcsinh(x, out=x)
        x -= kind(self.start)
        x *= kind(1.0 / self.step)
        heights, rises = self._table
        missing = np.isnan(x)
        np.copyto(x, kind(0), where=missing)
        knot = np.clip(x, 0, len(rises) - 1).astype(np.intp)
        x -= knot
        x *= rises.take(knot)
        x += heights.take(knot)
        np.copyto(x, np.nan, where=missing)
        return np.clip(x, -_BEYOND, _BEYOND).astype(np.float32, copy=False)

    def inverse(self, heights: ArrayLike) -> NDArray[np.float64]:
        """The raw values at which the curve has these heights."""
        y = np.asarray(heights, np.float64)
        known = np.asarray(self.heights)
        knot = np.clip(np.searchsorted(known, y, "right") - 1, 0, known.size - 2)
        place = knot + (y - known[knot]) / (known[knot + 1] - known[knot])
        return self.middle + self.width * np.sinh(self.start + self.step * place)

    def between(self, low: float, high: float) -> Curve:
        """The same curve, moved and scaled so that it is 0 and 1 at two raw values."""
        bottom, top = (float(each) for each in self._exact(np.array([low, high])))
        heights = (np.asarray(self.heights) - bottom) / (top - bottom)
        return Curve(self.middle, self.width, self.start, self.step, tuple(heights.tolist()))

    @cached_property
    def _table(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Heights at the knots, and the rise to the next one."""
        heights = np.asarray(self.heights)
        return heights[:-1].astype(np.float32), np.diff(heights).astype(np.float32)

    def _exact(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """The curve in double precision."""
        heights = np.asarray(self.heights)
        place = (np.arcsinh((raw - self.middle) / self.width) - self.start) / self.step
        knot = np.clip(place, 0, heights.size - 2).astype(np.intp)
        return heights[knot] + (place - knot) * (heights[knot + 1] - heights[knot])
