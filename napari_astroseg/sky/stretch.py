"""Limits and stretches: from raw values to what the eye is shown.

With x = (raw − low) / (high − low), a display value is

* linear: x
* asinh: asinh(x / 0.1) / asinh(1 / 0.1)   (Lupton et al. 1999; astropy's AsinhStretch)
* log: sign(x) · log(1 + 1000 |x|) / log(1 + 1000)   (as DS9's, mirrored below the low limit)

All three grow with the raw value, give 0 and 1 at the limits, go on beyond them, and keep NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from astropy.visualization import ZScaleInterval
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramid import Level, levels

Kind = Literal["asinh", "log", "linear"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SAMPLE_SIDE = 400
"""A sample has at most this many rows and columns."""

ASINH_SOFTENING = 0.1
LOG_SCALE = 1000.0

FARTHEST = 1e6
"""Display values end at ± this many spans, so that one wild pixel stays drawable."""


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


@dataclass(frozen=True)
class Stretch:
    """A monotone map from raw to display values; the module's docstring has the formulas.

    Parameters
    ----------
    kind
        `asinh`, `log` or `linear`.
    limits
        The raw values that become 0 and 1.
    """

    kind: Kind
    limits: Limits

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ImageError(f"there is no stretch {self.kind!r}; choose one of {', '.join(KINDS)}")

    def __call__(self, raw: ArrayLike) -> NDArray[np.float32]:
        """Display values of raw ones, float32, same shape."""
        values = np.asarray(raw)
        limits = self.limits
        # float32 is enough for what is stored so, except where the span does not fit into it.
        small = values.dtype == np.float32 and 1e-30 < limits.span < 1e30
        kind = np.float32 if small else np.float64
        x = np.empty(values.shape, kind)  # all steps happen in it: fresh memory is what costs
        np.subtract(values, kind(limits.low), out=x, casting="same_kind")
        with np.errstate(over="ignore"):
            np.multiply(x, kind(1.0 / limits.span), out=x)
        np.clip(x, -FARTHEST, FARTHEST, out=x)
        self._bend(x)
        return x.astype(np.float32, copy=False)

    def inverse(self, display: ArrayLike) -> NDArray[np.float64]:
        """Raw values of display ones."""
        y = np.asarray(display, np.float64)
        if self.kind == "asinh":
            x = ASINH_SOFTENING * np.sinh(y * math.asinh(1.0 / ASINH_SOFTENING))
        elif self.kind == "log":
            x = np.copysign(np.expm1(np.abs(y) * math.log1p(LOG_SCALE)) / LOG_SCALE, y)
        else:
            x = y
        return np.asarray(self.limits.low + x * self.limits.span)

    def display_limits(self, limits: Limits) -> tuple[float, float]:
        """Where other raw limits lie among this stretch's display values."""
        low, high = self(np.array([limits.low, limits.high])).tolist()
        return (low, high) if low < high else (low, low + 1e-6)

    def raw_limits(self, low: float, high: float) -> Limits:
        """The raw values of two display values: `display_limits` the other way round."""
        raw = self.inverse([low, high])
        return Limits(float(raw[0]), float(raw[1]))

    def of_kind(self, kind: Kind) -> Stretch:
        """Another kind between the same limits."""
        return replace(self, kind=kind)

    def _bend(self, x: NDArray[Any]) -> None:
        """Turn linear fractions of the span into display values, in place."""
        if self.kind == "asinh":
            np.divide(x, ASINH_SOFTENING, out=x)
            np.arcsinh(x, out=x)
            np.divide(x, math.asinh(1.0 / ASINH_SOFTENING), out=x)
        elif self.kind == "log":
            negative = x < 0
            np.abs(x, out=x)
            np.multiply(x, LOG_SCALE, out=x)
            np.log1p(x, out=x)
            np.divide(x, math.log1p(LOG_SCALE), out=x)
            np.negative(x, out=x, where=negative)


def sampled_limits(image: SkyImage) -> Limits:
    """Limits of an image by zscale, from a sample of its coarsest level."""
    return zscale(sample(levels(image)[-1]))


def sample(level: Level) -> NDArray[np.float64]:
    """Finite values on a regular grid over a level: few enough to sort, spread over all of it."""
    values = np.asarray(level)
    step = max(1, -(-max(level.shape) // SAMPLE_SIDE))
    grid = values[step // 2 :: step, step // 2 :: step] if min(level.shape) > step else values
    finite = grid[np.isfinite(grid)]
    if not finite.size:  # sparse coverage: the grid may have missed all of it
        finite = values[np.isfinite(values)]
    return finite.astype(np.float64)


def zscale(values: NDArray[np.float64]) -> Limits:
    """IRAF's zscale of finite values; percentiles where its line fit finds no range."""
    if values.size >= 5:
        low, high = ZScaleInterval(n_samples=5000).get_limits(values)
        if _apart(low, high):
            return Limits(float(low), float(high))
    return percentile(values, 99.0)


def percentile(values: NDArray[np.float64], percent: float) -> Limits:
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


LIMIT_RULES: dict[str, Callable[[NDArray[np.float64]], Limits]] = {
    "zscale": zscale,
    "95 %": partial(percentile, percent=95.0),
    "99 %": partial(percentile, percent=99.0),
    "99.5 %": partial(percentile, percent=99.5),
    "99.9 %": partial(percentile, percent=99.9),
    "all": partial(percentile, percent=100.0),
}
"""Ways to choose limits from sampled values, by the names that users see."""


def _apart(low: float, high: float) -> bool:
    """Whether two limits differ by enough for float32 to tell values between them apart."""
    return bool(np.isfinite(high - low) and high - low > 1e-6 * max(abs(low), abs(high)))
