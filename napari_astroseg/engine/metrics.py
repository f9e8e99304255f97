"""Metrics: how well probabilities and masks agree with truth, counted exactly and in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 1000
"""Probabilities are counted to a thousandth, so every threshold on that grid is exact."""


class PixelCounts:
    """Counts of probabilities on and off target, from which every pixel figure follows.

    They add up: feed it map after map or batch after batch.

    Parameters
    ----------
    on, off
        Counts (1001,) to begin with; none by default.
    """

    def __init__(
        self, on: NDArray[np.int64] | None = None, off: NDArray[np.int64] | None = None
    ) -> None:
        self.on = np.zeros(BINS + 1, np.int64) if on is None else on
        self.off = np.zeros(BINS + 1, np.int64) if off is None else off

    def add(
        self, probability: NDArray[Any], target: NDArray[np.bool_], counted: NDArray[np.bool_]
    ) -> None:
        """Count the pixels where `counted`; all arrays of one shape."""
        binned = np.floor(probability[counted].astype(np.float64) * BINS + 1e-4).astype(np.int64)
        hit = target[counted]
        self.on += np.bincount(binned[hit], minlength=BINS + 1)
        self.off += np.bincount(binned[~hit], minlength=BINS + 1)

    def _at_least(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """True and false positives at each threshold 0, 0.001 … 1."""
        return _from_the_top(self.on), _from_the_top(self.off)

    def dice(self, threshold: float) -> float:
        """2·TP / (2·TP + FP + FN) of `probability >= threshold`; NaN without any positive."""
        return float(self._dice()[round(threshold * BINS)])

    def best(self) -> tuple[float, float]:
        """The threshold with the highest Dice, and that Dice."""
        dice = np.nan_to_num(self._dice()[1:BINS], nan=-1.0)
        top = np.nonzero(dice == dice.max())[0]
        chosen = int(top[len(top) // 2]) + 1  # the middle of a plateau
        return chosen / BINS, float(dice[chosen - 1])

    def recovery(self, threshold: float) -> float:
        """Fraction of target pixels found."""
        hits, _ = self._at_least()
        return _ratio(hits[round(threshold * BINS)], hits[0])

    def background_recovery(self, threshold: float) -> float:
        """Fraction of background pixels left alone."""
        _, false = self._at_least()
        return 1.0 - _ratio(false[round(threshold * BINS)], false[0])

    def jaccard(self, threshold: float) -> float:
        """TP / (TP + FP + FN); NaN without any positive."""
        hits, false = self._at_least()
        at = round(threshold * BINS)
        return _ratio(hits[at], hits[0] + false[at])

    def precision(self, threshold: float) -> float:
        """Fraction of the found pixels that are on target; NaN where none is found."""
        hits, false = self._at_least()
        at = round(threshold * BINS)
        return _ratio(hits[at], hits[at] + false[at])

    def accuracy(self, threshold: float) -> float:
        """Fraction of all pixels that are told rightly."""
        hits, false = self._at_least()
        at = round(threshold * BINS)
        return _ratio(hits[at] + false[0] - false[at], hits[0] + false[0])

    def average_precision(self) -> float:
        """Area under precision against recall, summed over thresholds."""
        hits, false = self._at_least()
        if not hits[0]:
            return float("nan")
        recall = np.append(hits / hits[0], 0.0)
        with np.errstate(invalid="ignore"):
            precision = np.nan_to_num(hits / (hits + false))
        return float(-(np.diff(recall) * precision).sum())

    def roc_auc(self) -> float:
        """Probability that a target pixel scores above a background one; ties count half."""
        hits, false = self._at_least()
        if not hits[0] or not false[0]:
            return float("nan")
        x, y = np.append(false / false[0], 0.0), np.append(hits / hits[0], 0.0)
        return float(-np.trapezoid(y, x))

    def _dice(self) -> NDArray[np.float64]:
        hits, false = self._at_least()
        total = hits[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            return 2 * hits / (hits + false + total)


def _from_the_top(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts[::-1].cumsum()[::-1].astype(np.float64)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
