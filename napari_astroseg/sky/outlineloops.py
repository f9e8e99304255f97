"""Outline loops: the compiled loop that leaves vertices of a line out, by Douglas and Peucker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled, inlined

Line = NDArray[np.float64]


def simplified(line: Line, tolerance: float) -> Line:
    """A line (N, 2) without vertices that lie within `tolerance` of what is left of it."""
    keep = np.zeros(len(line), np.bool_)
    _mark(np.ascontiguousarray(line, np.float64), tolerance**2, keep)
    kept: Line = line[keep]
    return kept


@compiled
def _mark(line: Line, limit: float, keep: NDArray[np.bool_]) -> None:
    """Mark the vertices that are kept; `limit` is a squared distance."""
    last = line.shape[0] - 1
    keep[0] = keep[last] = True
    waiting = np.empty((line.shape[0] + 1, 2), np.int64)
    waiting[0, 0], waiting[0, 1] = 0, last
    count = 1
    while count:
        count -= 1
        start, end = waiting[count, 0], waiting[count, 1]
        far, which = limit, -1
        for n in range(start + 1, end):
            away = _apart(line, n, start, end)
            if away > far:
                far, which = away, n
        if which >= 0:
            keep[which] = True
            waiting[count, 0], waiting[count, 1] = which, end
            waiting[count + 1, 0], waiting[count + 1, 1] = start, which
            count += 2


@inlined
def _apart(line: Line, n: int, start: int, end: int) -> float:
    """Squared distance of a vertex from the straight line between two others."""
    across, along = line[end, 0] - line[start, 0], line[end, 1] - line[start, 1]
    x, y = line[n, 0] - line[start, 0], line[n, 1] - line[start, 1]
    length = across * across + along * along
    share = 0.0
    if length > 0.0:
        share = min(1.0, max(0.0, (x * across + y * along) / length))
    return (x - share * across) ** 2 + (y - share * along) ** 2
