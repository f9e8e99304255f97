"""Raster: the pixels inside rings, row by row, by where their outline crosses each row.

A pixel is inside when its centre is, by the even-odd rule: two rings leave a hole. It costs a
step for each pixel and each crossing, however many vertices a polygon has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.shapes.outline import Ring, bounds
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]

_SHRINK = 1e-9
"""By which centred shapes are smaller: a centre just on the outline is outside on every side."""
_CROSSINGS = 2**22
"""Worked out at once."""


def reach(outline: Sequence[Ring], shape: tuple[int, int]) -> Window | None:
    """The pixels of an image (H, W) that rings may mark; None where there are none."""
    box = bounds(outline)
    if box is None:
        return None
    x, y = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
    x_end, y_end = min(math.ceil(box[2]) + 1, shape[1]), min(math.ceil(box[3]) + 1, shape[0])
    return Window(x, y, x_end - x, y_end - y) if x < x_end and y < y_end else None


def marked(shape: Shape, outline: Sequence[Ring], window: Window) -> Mask:
    """The pixels of a window that a shape marks, (height, width).

    A point marks the pixel it lies in, a line those along it, a text none, all else what is inside.
    """
    if shape.form in ("point", "line"):
        return _along(outline, window)
    if shape.form == "text" or not outline:
        return np.zeros(window.shape, bool)
    if shape.centred:
        middle = np.mean([ring.mean(0) for ring in outline], axis=0)
        outline = [middle + (ring - middle) * (1.0 - _SHRINK) for ring in outline]
    return filled(outline, window)


def filled(outline: Sequence[Ring], window: Window) -> Mask:
    """The pixels of a window whose centres lie inside rings, (height, width)."""
    changes = np.zeros((window.height, window.width + 1), np.uint8)
    corner = np.array([window.x, window.y])
    for ring in outline:
        start = ring - corner
        end = np.roll(start, -1, axis=0)
        low = np.minimum(start[:, 1], end[:, 1])
        high = np.maximum(start[:, 1], end[:, 1])
        first = np.clip(np.ceil(low), 0, window.height).astype(np.int64)
        last = np.clip(np.ceil(high), 0, window.height).astype(np.int64)  # the row after it
        rows = last - first
        own = np.flatnonzero(rows)
        so_far = np.cumsum(rows[own])
        cuts = np.searchsorted(so_far, np.arange(_CROSSINGS, so_far[-1:].sum(), _CROSSINGS))
        for part in np.split(own, cuts):
            _cross(changes, start[part], end[part], first[part], rows[part])
    return (np.cumsum(changes[:, :-1], axis=1, dtype=np.uint8) & 1).astype(bool)


def _cross(
    changes: NDArray[np.uint8],
    start: Ring,
    end: Ring,
    first: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    """Note where edges cross the rows that they cross."""
    if not rows.size:
        return
    edge = np.repeat(np.arange(len(rows)), rows)
    row = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows) + first[edge]
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    x = x0 + (row - y0) * ((x1 - x0) / (y1 - y0))
    column = np.clip(np.ceil(x), 0, changes.shape[1] - 1).astype(np.int64)
    np.add.at(changes, (row, column), np.uint8(1))


def _along(outline: Sequence[Ring], window: Window) -> Mask:
    """The pixels under points, and along the line between two."""
    inside = np.zeros(window.shape, bool)
    corner = np.array([window.x, window.y])
    sides = np.array([window.width, window.height])
    for ring in outline:
        start, end = ring[0], ring[-1]
        # One pixel for each step along the longer way, told by the whole line: so it goes on
        # unbroken from one window to the next.
        long = int(np.argmax(np.abs(end - start)))
        if end[long] < start[long]:
            start, end = end, start
        first = max(_nearest(start[long]), corner[long])
        last = min(_nearest(end[long]), corner[long] + sides[long] - 1)
        steps = np.arange(first, last + 1)
        length = end[long] - start[long]
        share = np.clip((steps - start[long]) / length, 0.0, 1.0) if length else 0.0 * steps
        places = np.empty((len(steps), 2), np.int64)
        places[:, long] = steps
        across = 1 - long
        places[:, across] = _nearest(start[across] + share * (end[across] - start[across]))
        places -= corner
        own = places[((places >= 0) & (places < sides)).all(1)]
        inside[own[:, 1], own[:, 0]] = True
    return inside


def _nearest(place: Any) -> Any:
    """The whole number nearest to a place; of two, the larger one."""
    return np.floor(np.asarray(place) + 0.5).astype(np.int64)
