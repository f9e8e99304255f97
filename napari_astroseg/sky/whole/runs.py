"""Runs: the pixels of regions as stretches of rows, however large the map that they lie on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.window import Window

Labels = NDArray[np.int32]


class Runs:
    """Pixels of regions, taken in part by part; 16 bytes for each stretch of a row."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.int32]] = [np.zeros((4, 0), np.int32)]

    def add(self, labels: Labels, part: Window) -> None:
        """Take in the numbers (h, w) of a part; 0 is no region."""
        edges = np.zeros((labels.shape[0], labels.shape[1] + 1), bool)
        edges[:, 1:-1] = labels[:, 1:] != labels[:, :-1]
        edges[:, 0] = edges[:, -1] = True
        inside = labels > 0
        rows, starts = np.nonzero(edges[:, :-1] & inside)
        _, ends = np.nonzero(edges[:, 1:] & inside)
        told = labels[rows, starts], rows + part.y, starts + part.x, ends + 1 + part.x
        self._parts.append(np.stack(told).astype(np.int32))

    def masks(self) -> Iterator[tuple[int, Window, NDArray[np.bool_]]]:
        """Number, surrounding window and mask of each region, in the order of their numbers."""
        self._parts = [np.concatenate(self._parts, axis=1)]
        self._parts = [self._parts[0][:, np.argsort(self._parts[0][0], kind="stable")]]
        (runs,) = self._parts
        numbers, begins = np.unique(runs[0], return_index=True)
        for number, own in zip(numbers, np.split(runs, begins[1:], axis=1), strict=False):
            _, rows, starts, ends = own  # of no region at all there is one empty piece
            x, y = int(starts.min()), int(rows.min())
            window = Window(x, y, int(ends.max()) - x, int(rows.max()) + 1 - y)
            yield int(number), window, _filled(window, rows, starts, ends)


def _filled(
    window: Window, rows: NDArray[np.int32], starts: NDArray[np.int32], ends: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """The mask (h, w) of stretches of the rows of a window."""
    steps = np.zeros((window.height, window.width + 1), np.int8)
    # Two stretches of a row may meet: the one's end is the other's start, and they cancel.
    np.add.at(steps, (rows - window.y, starts - window.x), 1)
    np.add.at(steps, (rows - window.y, ends - window.x), -1)
    np.cumsum(steps, axis=1, out=steps)
    return steps[:, :-1].view(bool)
