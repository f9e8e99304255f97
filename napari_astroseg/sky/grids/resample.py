"""Resample: values at positions between pixels, missing ones left out of the weights.

A place has a value where the pixel under it has one: the footprint is that of the nearest pixel.
The four pixels around it are weighted by nearness; those that are missing or outside lose their
weight to the others.
"""

from __future__ import annotations

import numpy as np

from napari_astroseg.sky.compiled import compiled
from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.pixels import FloatArray


@compiled
def bilinear(values: FloatArray, x: Doubles, y: Doubles, out: FloatArray) -> None:
    """Fill `out` with `values` at the places (x, y), px from their first pixel."""
    height, width = values.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.nan
            px, py = x[i, j], y[i, j]
            if not (px >= -0.5 and py >= -0.5 and px <= width - 0.5 and py <= height - 0.5):
                continue
            left, low = int(np.floor(px)), int(np.floor(py))
            fx, fy = px - left, py - low
            column = min(max(left + (1 if fx >= 0.5 else 0), 0), width - 1)
            row = min(max(low + (1 if fy >= 0.5 else 0), 0), height - 1)
            if np.isnan(values[row, column]):
                continue
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
            out[i, j] = total / weight


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
