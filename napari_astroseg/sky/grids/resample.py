"""Resample: values at positions between pixels, missing ones left out of the weights.

A place has a value where the pixel under it has one: the footprint is that of the nearest pixel.
The four pixels around it are weighted by nearness; those that are missing or outside lose their
weight to the others.
"""

from __future__ import annotations

import numpy as np

from napari_astroseg.sky.compiled import compiled, inlined
from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.pixels import FloatArray


@compiled
def _between(values: FloatArray, px: float, py: float) -> float:
    """The value at any place; NaN where the pixel under it has none, or there is no pixel."""
    height, width = values.shape
    if not (px >= -0.5 and py >= -0.5 and px <= width - 0.5 and py <= height - 0.5):
        return np.nan
    left, low = int(np.floor(px)), int(np.floor(py))
    fx, fy = px - left, py - low
    column = min(max(left + (1 if fx >= 0.5 else 0), 0), width - 1)
    row = min(max(low + (1 if fy >= 0.5 else 0), 0), height - 1)
    if np.isnan(values[row, column]):
        return np.nan
    total, weight = 0.0, 0.0
    for down in range(2):
        for across in range(2):
            row, column = low + down, left + across
            w = (fy if down else 1.0 - fy) * (fx if across else 1.0 - fx)
            if w > 0.0 and 0 <= row < height and 0 <= column < width:
                value = values[row, column]
                if not np.isnan(value):
                    total += w * value
                    weight += w
    return total / weight


@inlined
def _among_four(values: FloatArray, px: float, py: float) -> float:
    """The value at a place with four neighbours; not finite where one of them is not."""
    left, low = int(px), int(py)
    fx, fy = px - left, py - low
    below = (1.0 - fx) * values[low, left] + fx * values[low, left + 1]
    above = (1.0 - fx) * values[low + 1, left] + fx * values[low + 1, left + 1]
    return (1.0 - fy) * below + fy * above


@compiled
def bilinear(values: FloatArray, x: Doubles, y: Doubles, out: FloatArray) -> None:
    """Fill `out` with `values` at the places (x, y), px from their first pixel."""
    height, width = values.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            px, py = x[i, j], y[i, j]
            if px >= 0.0 and py >= 0.0 and px < width - 1 and py < height - 1:
                value = _among_four(values, px, py)
                if np.isfinite(value):  # nearly everywhere
                    out[i, j] = value
                    continue
            out[i, j] = _between(values, px, py)


@compiled
def pixel_means(
    values: FloatArray, x: Doubles, y: Doubles, sides: Doubles, dense: float, out: FloatArray
) -> None:
    """The same averaged over pixels: parallelograms about (x, y).

    `sides` is how x and y change along a column's width, then along a row's height, (4, …). At
    least `dense` places along each px of `values` are looked at; a pixel whose middle has no
    value has none.
    """
    height, width = values.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            px, py = x[i, j], y[i, j]
            ax, ay, bx, by = sides[0, i, j], sides[1, i, j], sides[2, i, j], sides[3, i, j]
            longest = max(abs(ax), abs(ay), abs(bx), abs(by))
            n = max(1, int(np.ceil(dense * longest))) if longest < 1e3 else 1
            wide, high = (abs(ax) + abs(bx)) / 2, (abs(ay) + abs(by)) / 2
            inside = px >= wide and px + wide < width - 1 and py >= high and py + high < height - 1
            if inside:
                total = 0.0
                for down in range(n):
                    v = (down + 0.5) / n - 0.5
                    for across in range(n):
                        u = (across + 0.5) / n - 0.5
                        total += _among_four(values, px + u * ax + v * bx, py + u * ay + v * by)
                if np.isfinite(total):  # nearly everywhere
                    out[i, j] = total / n**2
                    continue
            out[i, j] = np.nan
            if np.isnan(_between(values, px, py)):
                continue
            total, count = 0.0, 0
            for down in range(n):
                v = (down + 0.5) / n - 0.5
                for across in range(n):
                    u = (across + 0.5) / n - 0.5
                    value = _between(values, px + u * ax + v * bx, py + u * ay + v * by)
                    if not np.isnan(value):
                        total += value
                        count += 1
            if count:
                out[i, j] = total / count


@compiled
def pixel_sides(x: Doubles, y: Doubles, ratio: float, out: Doubles) -> None:
    """Fill `out` with the sides of pixels, as `pixel_means` takes them.

    Places are those of (5, …) pixels: itself, after and before it in its row, and in its column.
    Of the neighbours on either side the nearer counts, so that a wrap stretches nothing. A pixel
    with neighbours on one axis alone is taken for a square, and one with none for a square of
    side `ratio`.
    """
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            for axis in range(2):
                shortest = np.inf
                for other in range(1 + 2 * axis, 3 + 2 * axis):
                    forward = 1.0 if other % 2 else -1.0
                    side_x = forward * (x[other, i, j] - x[0, i, j])
                    side_y = forward * (y[other, i, j] - y[0, i, j])
                    length = np.hypot(side_x, side_y)
                    if length < shortest:
                        shortest = length
                        out[2 * axis, i, j], out[2 * axis + 1, i, j] = side_x, side_y
                if shortest == np.inf:
                    out[2 * axis, i, j] = out[2 * axis + 1, i, j] = np.nan
            if np.isnan(out[0, i, j]) and np.isnan(out[2, i, j]):
                out[0, i, j], out[1, i, j], out[2, i, j], out[3, i, j] = ratio, 0.0, 0.0, ratio
            elif np.isnan(out[0, i, j]):
                out[0, i, j], out[1, i, j] = out[3, i, j], -out[2, i, j]
            elif np.isnan(out[2, i, j]):
                out[2, i, j], out[3, i, j] = -out[1, i, j], out[0, i, j]


@compiled
def nearest(values: FloatArray, x: Doubles, y: Doubles, out: FloatArray) -> None:
    """The same with the value of the pixel under each place."""
    height, width = values.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.nan
            px, py = x[i, j], y[i, j]
            if not (px >= -0.5 and py >= -0.5 and px <= width - 0.5 and py <= height - 0.5):
                continue
            column = min(int(np.floor(px + 0.5)), width - 1)
            row = min(int(np.floor(py + 0.5)), height - 1)
            out[i, j] = values[row, column]


@compiled
def block_means(values: FloatArray, side: int, out: FloatArray) -> None:
    """Fill `out` with means over blocks of `side` × `side`, missing values left out.

    The last blocks may be cut short; NaN where a block has no value.
    """
    height, width = values.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total, count = 0.0, 0
            for row in range(i * side, min((i + 1) * side, height)):
                for column in range(j * side, min((j + 1) * side, width)):
                    value = values[row, column]
                    if not np.isnan(value):
                        total += value
                        count += 1
            out[i, j] = total / count if count else np.nan
