"""Running boxes: a mean under several boxes in a row, and what stands out from it.

Rows are summed first, then columns in strips so narrow that all sums under way stay in the
processor's cache: each value is read and written once for each direction, however many boxes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled

_STRIP = 64
"""Columns that are summed together."""

Floats = NDArray[np.float64]


def above_mean(
    values: NDArray[Any], counted: NDArray[np.bool_], side: int, passes: int, unit: float
) -> NDArray[np.float32]:
    """Values (H, W) less the mean of those that count, in units of `unit`; 0 where none counts.

    Parameters
    ----------
    values
        float32 or float64; 0 where they do not count.
    side, passes
        The mean is under so many boxes in a row, of odd `side` px; beyond the edge nothing counts.
    """
    half = side // 2
    sums, weights = (_rows(plane, half, passes) for plane in (values, counted))
    result = np.empty(values.shape, np.float32)
    for left in range(0, values.shape[1], _STRIP):
        strip = slice(left, min(left + _STRIP, values.shape[1]))
        _columns(sums[:, strip], half, passes)
        _columns(weights[:, strip], half, passes)
        _told(values[:, strip], counted[:, strip], sums[:, strip], weights[:, strip], unit,
              result[:, strip])  # fmt: skip
    return result


@compiled
def _rows(plane: NDArray[Any], half: int, passes: int) -> Floats:
    """Means along the rows of a plane."""
    rows, columns = plane.shape
    result = np.empty((rows, columns), np.float64)
    # Nothing lies beyond either end, so that no step asks where it is.
    padded = np.zeros((2, columns + 2 * half + 1), np.float64)
    for y in range(rows):
        source, there = padded[0], padded[1]
        for x in range(columns):
            source[x + half + 1] = plane[y, x]
        for number in range(passes):
            total = 0.0
            for x in range(half + 1, 2 * half + 1):
                total += source[x]
            out = result[y] if number == passes - 1 else there[half + 1 : half + 1 + columns]
            for x in range(columns):
                total += source[x + 2 * half + 1] - source[x]
                out[x] = total / (2 * half + 1)
            source, there = there, source
    return result


@compiled
def _columns(plane: Floats, half: int, passes: int) -> None:
    """Means along the columns of a narrow plane, in its place."""
    rows, columns = plane.shape
    side = 2 * half + 1
    # What each pass was given last, and the sums of it; a pass tells row y when it has y + half.
    given = np.zeros((passes, side, columns), np.float64)
    totals = np.zeros((passes, columns), np.float64)
    row = np.empty(columns, np.float64)
    for y in range(rows + passes * half):
        for x in range(columns):
            row[x] = plane[y, x] if y < rows else 0.0
        at = y
        for number in range(passes):
            oldest = given[number, at % side]
            total = totals[number]
            # A row beyond the last is no row of what the pass before has told.
            for x in range(columns):
                value = row[x] if at < rows else 0.0
                total[x] += value - oldest[x]
                oldest[x] = value
                row[x] = total[x] / side
            at -= half
            if at < 0:
                break
        if at >= 0:
            for x in range(columns):
                plane[at, x] = row[x]


@compiled
def _told(
    values: NDArray[Any],
    counted: NDArray[np.bool_],
    sums: Floats,
    weights: Floats,
    unit: float,
    out: NDArray[np.float32],
) -> None:
    rows, columns = values.shape
    for y in range(rows):
        for x in range(columns):
            if counted[y, x]:  # its own weight is far above the rounding of the sums
                out[y, x] = (values[y, x] - sums[y, x] / weights[y, x]) / unit
            else:
                out[y, x] = 0.0
