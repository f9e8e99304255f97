"""Suppressed: a probability and how unsure it is as one colour, of fewer the less sure it is.

A palette that suppresses values (Correll, Moritz & Heer 2018): sixteen colours from dark to light
where the probability is sure, eight, four and two where it is less so, ever paler and greyer. So
nobody reads a difference that is none. Lightness orders the colours, for every eye.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEPS, ROWS = 16, 4
"""Colours where it is sure; each of the rows after that has half as many."""

DEVIATIONS = (0.05, 0.1, 0.2)
"""Standard deviations of a probability from which the next row begins."""

ENTROPIES = (0.5, 0.8, 0.95)
"""The same of an entropy, bits: probabilities of 0.11, 0.24 and 0.37, or as far below 1."""

_FIRST = tuple(1 + sum(STEPS >> row for row in range(below)) for below in range(ROWS))
"""Code of the first colour of each row; 0 is where nothing is known."""

COUNT = _FIRST[-1] + (STEPS >> (ROWS - 1))
"""Codes, that of nothing included."""

_GREY = np.array([0.86, 0.86, 0.86])
_PALE = (0.0, 0.4, 0.7, 0.95)
_OPAQUE = (0.0, 0.35, 0.6, 0.8)
"""Of each row: how far it has become grey, and how opaque it is however small the probability."""

_MOST_OPAQUE, _OPAQUE_FROM = 0.9, 0.5


class Cell(NamedTuple):
    """A colour: its code, its row, and the probabilities that it stands for."""

    code: int
    row: int
    low: float
    high: float


def codes(
    probability: NDArray[np.float32], unsure: NDArray[np.float32], bounds: Sequence[float]
) -> NDArray[np.uint8]:
    """The code of each pixel, 0 where either is missing.

    Parameters
    ----------
    probability, unsure
        Of one shape.
    bounds
        From which value of `unsure` on a pixel is of the second row, the third, the last.
    """
    known = np.isfinite(probability) & np.isfinite(unsure)
    step = np.clip(np.where(known, probability, 0) * STEPS, 0, STEPS - 1).astype(np.uint8)
    row = np.zeros(probability.shape, np.uint8)
    for bound in bounds:
        row += unsure >= np.float32(bound)
    told: NDArray[np.uint8] = np.array(_FIRST, np.uint8)[row] + (step >> row)
    told[~known] = 0
    return told


def cells() -> Iterator[Cell]:
    """All colours, row by row."""
    for row, first in enumerate(_FIRST):
        count = STEPS >> row
        for number in range(count):
            yield Cell(first + number, row, number / count, (number + 1) / count)


def colours() -> NDArray[np.float64]:
    """(codes, 4) red, green, blue and opacity of each code, 0 to 1."""
    from matplotlib import colormaps

    told = np.zeros((COUNT, 4))
    for code, row, low, high in cells():
        middle = (low + high) / 2
        plain = np.array(colormaps["viridis"](middle)[:3])
        told[code, :3] = plain + _PALE[row] * (_GREY - plain)
        shown = _MOST_OPAQUE * min(low / _OPAQUE_FROM, 1.0)
        told[code, 3] = max(shown, _OPAQUE[row])
    return told
