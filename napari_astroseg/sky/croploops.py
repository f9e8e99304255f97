"""Crop loops: the compiled loops that resize crops and look for points of light in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled, inlined

Plane = NDArray[np.float32]
Line = NDArray[np.float32]
Whole = NDArray[np.int64]


@compiled
def over_ring(values: Plane, dx: Whole, dy: Whole, best: Plane, low: Plane, high: Plane) -> None:
    """Compare each pixel with those around it, and add what is found to three planes.

    `best` is raised to the brightest pair of opposite pixels, a pair being as bright as its fainter
    one; `low` and `high` are taken to the faintest and the brightest of all. Beyond an edge a pair
    is its other pixel.
    """
    rows, columns = values.shape
    for n in range(dx.size):
        start = min(abs(dx[n]), columns)
        stop = max(start, columns - start)
        for y in range(rows):
            if 0 <= y - dy[n] < rows and 0 <= y + dy[n] < rows:
                _inner(
                    values[y - dy[n], start - dx[n] : stop - dx[n]],
                    values[y + dy[n], start + dx[n] : stop + dx[n]],
                    best[y, start:stop],
                    low[y, start:stop],
                    high[y, start:stop],
                )
                for x in range(start):
                    _one(values, y, x, dx[n], dy[n], best, low, high)
                for x in range(stop, columns):
                    _one(values, y, x, dx[n], dy[n], best, low, high)
            else:
                for x in range(columns):
                    _one(values, y, x, dx[n], dy[n], best, low, high)


@compiled
def _inner(first: Line, second: Line, best: Line, low: Line, high: Line) -> None:
    """Pixels of a row whose pairs are whole, many at a time."""
    for x in range(best.size):
        a, b = first[x], second[x]
        fainter, brighter = min(a, b), max(a, b)
        best[x] = max(best[x], fainter)
        low[x] = min(low[x], fainter)
        high[x] = max(high[x], brighter)


@inlined
def _one(
    values: Plane, y: int, x: int, dx: int, dy: int, best: Plane, low: Plane, high: Plane
) -> None:
    """A pixel near the edge, and one pair."""
    rows, columns = values.shape
    pair = np.float32(np.inf)
    for sign in (-1, 1):
        row, column = y + sign * dy, x + sign * dx
        if 0 <= row < rows and 0 <= column < columns:
            value = values[row, column]
            pair = min(pair, value)
            low[y, x] = min(low[y, x], value)
            high[y, x] = max(high[y, x], value)
    if pair < np.inf:
        best[y, x] = max(best[y, x], pair)


@compiled
def spread(seen: NDArray[np.bool_], reach: int, mask: NDArray[np.bool_]) -> None:
    """Mark all pixels within `reach` of any that is seen."""
    rows, columns = seen.shape
    for y in range(rows):
        for x in range(columns):
            if seen[y, x]:
                for row in range(max(0, y - reach), min(rows, y + reach + 1)):
                    for column in range(max(0, x - reach), min(columns, x + reach + 1)):
                        if (row - y) ** 2 + (column - x) ** 2 <= reach * reach:
                            mask[row, column] = True


@compiled
def resample(
    values: Plane, firsts: tuple[Whole, Whole], weights: tuple[Plane, Plane], out: Plane
) -> None:
    """Weigh `values` (H, W) into `out` (h, w).

    Parameters
    ----------
    firsts
        For each row, and for each column, of `out` the first that it is made of.
    weights
        (h, taps) and (w, taps) of that one and those that follow it.
    """
    line = np.empty(values.shape[1], np.float32)
    for i in range(out.shape[0]):
        line[:] = 0
        for tap in range(weights[0].shape[1]):
            weight = weights[0][i, tap]
            source = values[firsts[0][i] + tap]
            for x in range(line.size):
                line[x] += weight * source[x]
        for j in range(out.shape[1]):
            total = np.float32(0)
            for tap in range(weights[1].shape[1]):
                total += weights[1][j, tap] * line[firsts[1][j] + tap]
            out[i, j] = total
