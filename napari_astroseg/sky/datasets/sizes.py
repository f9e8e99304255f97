"""Sizes: a log-normal law of the sides of crops, fitted to the objects they are drawn beside.

The law is cut off where a crop would be of too few pixels, or larger than its image, and drawn from
there directly: no draw is thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from napari_astroseg.errors import DataError

_SCATTER = 0.85
"""Of the natural logarithm, where too few objects tell: that of the Milky Way Project's bubbles."""

_FEWEST = 5
"""Objects that tell a scatter."""


@dataclass(frozen=True)
class SizeLaw:
    """Log-normal sizes.

    Parameters
    ----------
    median
        Half of them are smaller; in any unit.
    scatter
        Standard deviation of the natural logarithm.
    """

    median: float
    scatter: float

    @classmethod
    def fitted(cls, sizes: Sequence[float] | NDArray[np.float64]) -> SizeLaw:
        """The law of some sizes: mean and standard deviation of their logarithms.

        Raises
        ------
        DataError
            When none is above 0.
        """
        known = np.asarray(sizes, float)
        logs = np.log(known[np.isfinite(known) & (known > 0)])
        if not logs.size:
            raise DataError(
                "no object has a size, so that none can be drawn beside them; give a catalogue "
                "with sizes"
            )
        scatter = float(logs.std(ddof=1)) if logs.size >= _FEWEST else _SCATTER
        return cls(float(np.exp(logs.mean())), scatter)

    def scaled(self, factor: float) -> SizeLaw:
        """The law of sizes so many times as large."""
        return SizeLaw(self.median * factor, self.scatter)

    def drawn(
        self, rng: np.random.Generator, count: int, least: int, most: int
    ) -> NDArray[np.int64]:
        """So many whole sizes, none below `least` or above `most`."""
        if self.scatter == 0 or least >= most:
            return np.full(count, np.clip(round(self.median), least, max(least, most)), np.int64)
        # Whole numbers are rounded from half a step on both sides.
        ends = (np.log([least - 0.5, most + 0.5]) - np.log(self.median)) / self.scatter
        side = -1.0 if ends[0] > 0 else 1.0  # the tail above is told more finely as one below
        low, high = ndtr(np.sort(side * ends))
        if low == high:  # so far out that no draw would ever come there
            return np.full(count, least if ends[0] > 0 else most, np.int64)
        waves = side * ndtri(rng.uniform(low, high, count))
        sizes = self.median * np.exp(self.scatter * waves)
        return np.clip(np.rint(np.nan_to_num(sizes, posinf=most)), least, most).astype(np.int64)
