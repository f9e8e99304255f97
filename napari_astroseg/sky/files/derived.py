"""Derived: pixels that a file does not hold as such: errors from variances, constant images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_astroseg.sky.pixels import (
    FloatArray,
    Key,
    MadePixels,
    PixelSource,
    PlainPixels,
    Planes,
    digest,
)

Spread = Literal["deviation", "variance", "weight"]
"""How a file writes uncertainty: standard deviations, variances, or inverse variances."""


@dataclass(frozen=True)
class DeviationPixels(MadePixels):
    """Standard deviations of variances or weights, NaN where there is none.

    Parameters
    ----------
    source
        Variances, or weights (inverse variances).
    spread
        Which of them.
    """

    source: PixelSource
    spread: Spread

    @property
    def identity(self) -> str | None:
        """A digest of the source's and of what is made of it."""
        return self.made_of(self.spread)

    def __getitem__(self, key: Key) -> FloatArray:
        values = self.source[key]
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.spread == "variance":
                return np.sqrt(values)  # NaN below zero
            deviations: FloatArray = np.where(values > 0, 1.0 / np.sqrt(values), np.nan)
        return deviations.astype(self.dtype, copy=False)


@dataclass(frozen=True)
class DeviationPlanes:
    """The planes of a stack of variances or weights as standard deviations."""

    source: Planes
    spread: Spread

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> DeviationPixels:
        return DeviationPixels(self.source[index], self.spread)


@dataclass(frozen=True)
class ConstantPixels(PlainPixels):
    """An image of one value, as HST files keep it without its pixels (NPIX1, PIXVALUE)."""

    shape: tuple[int, int]
    value: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    @property
    def identity(self) -> str:
        """A digest of shape and value."""
        return digest("constant", self.shape, self.value)

    def __getitem__(self, key: Key) -> FloatArray:
        rows = range(*key[0].indices(self.shape[0]))
        columns = range(*key[1].indices(self.shape[1]))
        return np.full((len(rows), len(columns)), self.value, self.dtype)
