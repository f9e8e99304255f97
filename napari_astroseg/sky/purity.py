"""Purity: which share of what is marked is real, if probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 2000
_ROWS = 1024


def lowest_cut(values: NDArray[Any], purity: float) -> float:
    """The lowest cut from which up the mean of probabilities is at least `purity`.

    That mean is the share expected to be real. It is found to 1/2000, never too low; 1 where no
    value is high enough.

    Parameters
    ----------
    values
        Probabilities (N,) or (height, width), 0 to 1, looked at strip by strip; NaN where missing.
    """
    counts, sums = np.zeros(_BINS), np.zeros(_BINS)
    for start in range(0, len(values), _ROWS):
        part = np.asarray(values[start : start + _ROWS], np.float64).ravel()
        part = part[part >= 0]
        place = np.minimum((part * _BINS).astype(np.int64), _BINS - 1)
        counts += np.bincount(place, minlength=_BINS)
        sums += np.bincount(place, part, minlength=_BINS)
    counts, sums = np.cumsum(counts[::-1])[::-1], np.cumsum(sums[::-1])[::-1]
    pure = (counts > 0) & (sums >= purity * counts)
    return float(np.argmax(pure)) / _BINS if pure.any() else 1.0
