"""Calibration: whether of pixels told with probability p a fraction p is as told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 20
"""Of probability, from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Counts by bin of probability; they add up.

    Parameters
    ----------
    sums
        (bins, 3): pixels, sum of their probabilities, how many are what they are told to be.
    """

    sums: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        probability: NDArray[Any],
        hit: NDArray[np.bool_],
        counts: NDArray[Any] | None = None,
    ) -> Reliability:
        """That of pixels of any one shape, or of so many pixels each."""
        told = probability.ravel().astype(np.float64)
        bins = np.minimum((told * BINS).astype(np.intp), BINS - 1)
        each = np.ones_like(told) if counts is None else counts.ravel().astype(np.float64)
        columns = (each, told * each, hit.ravel() * each)
        return cls(np.stack([np.bincount(bins, column, BINS) for column in columns], 1))

    def error(self) -> float:
        """Expected calibration error: mean distance of the two, by pixels; NaN without any."""
        count, told, hits = self.sums.T
        return float(np.abs(told - hits).sum() / count.sum()) if count.sum() else float("nan")

    def curve(self) -> list[dict[str, float]]:
        """Of each bin that holds pixels: how many, their mean probability, the fraction hit."""
        return [
            {
                "pixels": float(count),
                "probability": float(told / count),
                "true": float(hits / count),
            }
            for count, told, hits in self.sums
            if count
        ]
