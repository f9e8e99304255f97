"""Stretches: from raw values to what the eye is shown.

With x = (raw − low) / (high − low), a display value is

* linear: x
* sqrt: sign(x) · √|x|
* log: sign(x) · log(1 + 1000 |x|) / log(1 + 1000)   (as DS9's, mirrored below the low limit)
* asinh: asinh(x / 0.1) / asinh(1 / 0.1)   (Lupton et al. 1999; astropy's AsinhStretch)
* histogram: the share of the image's values below raw, between the shares below low and high
  (see `napari_astroseg.sky.looks.equalise`)

All grow with the raw value, give 0 and 1 at the limits, go on beyond them, and keep NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.looks.equalise import Curve
from napari_astroseg.sky.looks.limits import Limits

Kind = Literal["asinh", "log", "sqrt", "linear", "histogram"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ASINH_SOFTENING = 0.1
LOG_SCALE = 1000.0

FARTHEST = 1e6
"""Display values end at ± this many spans, so that one wild pixel stays drawable."""

_BLOCK = 2**16
"""Values worked on at a time: they stay in the processor's cache from step to step."""


@dataclass(frozen=True)
class Stretch:
    """A monotone map from raw to display values; the module's docstring has the formulas.

    Parameters
    ----------
    kind
        `asinh`, `log`, `sqrt`, `linear` or `histogram`.
    limits
        The raw values that become 0 and 1.
    curve
        How the image's values are spread; `histogram` needs it, the others do not look at it.

    Raises
    ------
    ImageError
        When there is no such kind, or `histogram` is asked for without a curve.
    """

    kind: Kind
    limits: Limits
    curve: Curve | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ImageError(f"there is no stretch {self.kind!r}; choose one of {', '.join(KINDS)}")
        if self.kind == "histogram" and self.curve is None:
            raise ImageError("a histogram stretch needs the image's values; give a curve of them")

    def __call__(self, raw: ArrayLike) -> NDArray[np.float32]:
        """Display values of raw ones, float32, same shape."""
        values = np.asarray(raw)
        display = np.empty(values.shape, np.float32)
        if values.size <= _BLOCK:
            self._draw(np.atleast_1d(values), np.atleast_1d(display))
            return display
        rows = max(1, _BLOCK * len(values) // values.size)
        for top in range(0, len(values), rows):
            self._draw(values[top : top + rows], display[top : top + rows])
        return display

    def inverse(self, display: ArrayLike) -> NDArray[np.float64]:
        """Raw values of display ones."""
        y = np.asarray(display, np.float64)
        if self._equaliser is not None:
            return self._equaliser.inverse(y)
        if self.kind == "asinh":
            x = ASINH_SOFTENING * np.sinh(y * math.asinh(1.0 / ASINH_SOFTENING))
        elif self.kind == "log":
            x = np.copysign(np.expm1(np.abs(y) * math.log1p(LOG_SCALE)) / LOG_SCALE, y)
        elif self.kind == "sqrt":
            x = y * np.abs(y)
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

    @cached_property
    def _equaliser(self) -> Curve | None:
        """The curve, made 0 and 1 at the limits, where this is a histogram stretch."""
        if self.kind != "histogram" or self.curve is None:
            return None
        return self.curve.between(self.limits.low, self.limits.high)

    def _draw(self, values: NDArray[Any], display: NDArray[np.float32]) -> None:
        """Fill `display`."""
        if self._equaliser is not None:
            display[...] = self._equaliser(values)
            return
        limits = self.limits
        # float32 is enough for what is stored so, except where the span does not fit into it.
        small = values.dtype == np.float32 and 1e-30 < limits.span < 1e30
        kind = np.float32 if small else np.float64
        x = display if small else np.empty(values.shape, np.float64)
        np.subtract(values, kind(limits.low), out=x, casting="same_kind")
        with np.errstate(over="ignore"):
            np.multiply(x, kind(1.0 / limits.span), out=x)
        np.clip(x, -FARTHEST, FARTHEST, out=x)
        self._bend(x)
        if x is not display:
            display[...] = x

    def _bend(self, x: NDArray[Any]) -> None:
        """Turn linear fractions of the span into display values, in place."""
        if self.kind == "asinh":
            np.multiply(x, 1.0 / ASINH_SOFTENING, out=x)
            np.arcsinh(x, out=x)
            np.multiply(x, 1.0 / math.asinh(1.0 / ASINH_SOFTENING), out=x)
        elif self.kind in ("log", "sqrt"):
            size = np.abs(x)
            if self.kind == "log":
                np.multiply(size, LOG_SCALE, out=size)
                np.log1p(size, out=size)
                np.multiply(size, 1.0 / math.log1p(LOG_SCALE), out=size)
            else:
                np.sqrt(size, out=size)
            np.copysign(size, x, out=x)
