"""Tally: figures of regions, added up from the parts of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.window import Window

Figures = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sums:
    """One figure for each region, in the order of their numbers; NaN where nothing tells.

    Parameters
    ----------
    x, y
        Mean column and row of the whole image, weighted by the probability.
    area
        Pixels.
    mean, peak
        Of the image's values.
    score, uncertainty
        Mean of the probability, and of what tells how unsure it is, where that is known.
    """

    x: Figures
    y: Figures
    area: NDArray[np.int64]
    mean: Figures
    peak: Figures
    score: Figures
    uncertainty: Figures | None


class Tally:
    """Sums of `count` regions, part by part.

    Parameters
    ----------
    unsure
        Whether parts come with an uncertainty.
    """

    def __init__(self, count: int, unsure: bool) -> None:
        self._size, self._unsure = count + 1, unsure
        self._area = np.zeros(count + 1, np.int64)
        self._weighted = np.zeros((3, count + 1))  # weight, and times column and row
        self._means = np.zeros((3, 2, count + 1))  # values, probabilities, uncertainties
        self._peak = np.full(count + 1, -np.inf)

    def add(
        self,
        part: Window,
        labels: NDArray[np.int32],
        values: NDArray[Any],
        probability: NDArray[Any],
        deviation: NDArray[Any] | None = None,
    ) -> None:
        """Take a part in, each (h, w); NaN counts nowhere."""
        where = np.flatnonzero(labels)
        if not len(where):
            return
        number = labels.ravel()[where]
        self._area += np.bincount(number, minlength=self._size)
        rows, columns = np.divmod(where, part.width)
        told = probability.ravel()[where].astype(np.float64)
        weight = np.nan_to_num(told)
        places = columns + part.x, rows + part.y
        for which, each in enumerate((weight, *(weight * place for place in places))):
            self._weighted[which] += np.bincount(number, each, minlength=self._size)
        value = values.ravel()[where].astype(np.float64)
        self._mean(0, number, value)
        self._mean(1, number, told)
        if deviation is not None:
            self._mean(2, number, deviation.ravel()[where].astype(np.float64))
        finite = np.isfinite(value)
        np.maximum.at(self._peak, number[finite], value[finite])

    def _mean(self, which: int, number: NDArray[np.int32], value: Figures) -> None:
        finite = np.isfinite(value)
        self._means[which, 0] += np.bincount(number[finite], value[finite], minlength=self._size)
        self._means[which, 1] += np.bincount(number[finite], minlength=self._size)

    def sums(self) -> Sums:
        """All that was added up."""
        with np.errstate(invalid="ignore", divide="ignore"):
            x, y = self._weighted[1:, 1:] / self._weighted[0, 1:]
            mean, score, uncertainty = self._means[:, 0, 1:] / self._means[:, 1, 1:]
        peak = self._peak[1:]
        return Sums(
            x, y, self._area[1:], mean, np.where(np.isfinite(peak), peak, np.nan), score,
            uncertainty if self._unsure else None,
        )  # fmt: skip
