"""Placed: a structure's footprint put elsewhere on the sky around it, to see what is there.

The scatter of what is measured there is the error of what is measured here, whatever the noise is
made of: a beam that correlates it, stars, and the clouds of the Galaxy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled

WANTED = 32
"""Places after which no more are looked for."""

TRIED = 96
"""Places that are looked at for them."""

_ENOUGH = 0.5
"""Share of a footprint that must fall on clear sky for a place to count."""

PixelLists = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

_TURN = math.pi * (3.0 - math.sqrt(5.0))


@compiled
def slopes(
    values: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[float, float]:
    """Slope of the plane through some pixels, per row and per column, by least squares.

    Pixels that lie in a line, or to one side, say little of the slope across: a standing weight
    of a pixel squared keeps it small then.
    """
    n = len(rows)
    y0, x0, v0 = 0.0, 0.0, 0.0
    for j in range(n):
        y0 += rows[j]
        x0 += columns[j]
        v0 += values[rows[j], columns[j]]
    y0, x0, v0 = y0 / n, x0 / n, v0 / n
    yy, xx, xy, yv, xv = float(n), float(n), 0.0, 0.0, 0.0
    for j in range(n):
        y, x, v = rows[j] - y0, columns[j] - x0, values[rows[j], columns[j]] - v0
        yy += y * y
        xx += x * x
        xy += x * y
        yv += y * v
        xv += x * v
    whole = yy * xx - xy * xy
    return (yv * xx - xv * xy) / whole, (xv * yy - yv * xy) / whole


@compiled
def levels(
    values: NDArray[Any],
    calm: NDArray[Any],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    ring_rows: NDArray[np.int64],
    ring_columns: NDArray[np.int64],
    scatter: bool,
) -> tuple[float, float, float]:
    """Medians inside and of the ring, the slope of the ring taken off, and the ring's scatter.

    Parameters
    ----------
    values, calm
        (H, W), and the same with stars cut down, from which the slope is.
    scatter
        Whether the ring's is wanted; else it is 0.

    Returns
    -------
    All in the unit of the values; the ring's median is that at the middle of the structure, its
    scatter a robust standard deviation.
    """
    down, right = slopes(calm, ring_rows, ring_columns)
    y0, x0 = rows.mean(), columns.mean()
    inside, ring = np.empty(len(rows)), np.empty(len(ring_rows))
    for j in range(len(rows)):
        y, x = rows[j], columns[j]
        inside[j] = values[y, x] - down * (y - y0) - right * (x - x0)
    for j in range(len(ring_rows)):
        y, x = ring_rows[j], ring_columns[j]
        ring[j] = values[y, x] - down * (y - y0) - right * (x - x0)
    level = float(np.median(ring))
    spread = 1.4826 * float(np.median(np.abs(ring - level))) if scatter else 0.0
    return float(np.median(inside)), level, spread


@compiled
def differences(
    values: NDArray[Any],
    calm: NDArray[Any],
    sky: NDArray[np.bool_],
    structures: PixelLists,
    rings: PixelLists,
    step_px: NDArray[np.float64],
    reach_px: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `levels` gives for each structure, and inside less ring at places around it.

    Parameters
    ----------
    values, calm, sky
        (H, W) of a block, with stars cut down, and where it shows sky without a structure.
    structures, rings
        Rows and columns of their pixels, one structure's after another's, and where each starts.
    step_px, reach_px
        The places lie between these distances, on a spiral that covers them evenly.

    Returns
    -------
    (structures, 3), NaN for those without pixels, and (structures, WANTED), NaN where there were
    fewer places with half the footprint on clear sky. Where a part of it is, the difference is
    scaled to the scatter that all of it would have.
    """
    rows, columns, starts = structures
    ring_rows, ring_columns, ring_starts = rings
    count = len(starts) - 1
    here, found = np.full((count, 3), np.nan), np.full((count, WANTED), np.nan)
    height, width = sky.shape
    for i in range(count):
        own = slice(starts[i], starts[i + 1])
        around = slice(ring_starts[i], ring_starts[i + 1])
        n, m = starts[i + 1] - starts[i], ring_starts[i + 1] - ring_starts[i]
        if n == 0 or m == 0:
            continue
        here[i] = levels(
            values, calm, rows[own], columns[own], ring_rows[around], ring_columns[around], True
        )
        in_y, in_x = np.empty(n, np.int64), np.empty(n, np.int64)
        ring_y, ring_x = np.empty(m, np.int64), np.empty(m, np.int64)
        near, far = step_px[i] ** 2, reach_px[i] ** 2
        places = 0
        for k in range(TRIED):
            away = math.sqrt(near + (far - near) * k / TRIED)
            down = round(away * math.sin(_TURN * k))
            right = round(away * math.cos(_TURN * k))
            a, b = 0, 0
            for j in range(starts[i], starts[i + 1]):
                y, x = rows[j] + down, columns[j] + right
                if 0 <= y < height and 0 <= x < width and sky[y, x]:
                    in_y[a], in_x[a] = y, x
                    a += 1
            if a < _ENOUGH * n:
                continue
            for j in range(ring_starts[i], ring_starts[i + 1]):
                y, x = ring_rows[j] + down, ring_columns[j] + right
                if 0 <= y < height and 0 <= x < width and sky[y, x]:
                    ring_y[b], ring_x[b] = y, x
                    b += 1
            if b < _ENOUGH * m:
                continue
            inside, ring, _ = levels(
                values, calm, in_y[:a], in_x[:a], ring_y[:b], ring_x[:b], False
            )
            less = math.sqrt((1.0 / n + 1.0 / m) / (1.0 / a + 1.0 / b))
            found[i, places] = less * (inside - ring)
            places += 1
            if places == WANTED:
                break
    return here, found


@compiled
def calmed(
    values: NDArray[Any], sky: NDArray[np.bool_], cell_px: int, spread: float
) -> NDArray[np.float32]:
    """The values, cut at so many robust standard deviations from the median of their cell.

    Parameters
    ----------
    values, sky
        (H, W), and which of them are sky: medians are of these.
    cell_px, spread
        Side of the square cells, and where to cut.
    """
    height, width = values.shape
    calm = np.zeros((height, width), np.float32)
    kept = np.empty(cell_px * cell_px)
    for top in range(0, height, cell_px):
        for left in range(0, width, cell_px):
            bottom, right = min(top + cell_px, height), min(left + cell_px, width)
            n = 0
            for y in range(top, bottom):
                for x in range(left, right):
                    if sky[y, x]:
                        kept[n] = values[y, x]
                        n += 1
            if n == 0:
                continue
            middle = np.median(kept[:n])
            reach = spread * 1.4826 * np.median(np.abs(kept[:n] - middle))
            for y in range(top, bottom):
                for x in range(left, right):
                    if sky[y, x]:
                        calm[y, x] = min(max(values[y, x], middle - reach), middle + reach)
    return calm
