"""Occupied: where an image's objects and its missing pixels are, asked of many squares at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Fill = Literal["circle", "box"]

Whole = NDArray[np.int64]

_CELL = 8
"""Side of the cells in which missing pixels are told, px: a hundredth of the memory of a map."""

_STRIP = 512
"""Rows read together; whole cells."""

_PAIRS = 2**20
"""Squares times objects compared at once."""


@dataclass(frozen=True, eq=False)
class Occupied:
    """The objects on an image, each a circle (an ellipse where pixels are not square), or a box.

    Parameters
    ----------
    edges
        (N, 4) of their boxes: x_min, y_min, x_max, y_max, px, pixel centres at whole numbers.
    fill
        Whether the circle in the box is taken, or all of the box.
    """

    edges: NDArray[np.float64]
    fill: Fill = "circle"

    @classmethod
    def on(
        cls, shape: tuple[int, int], edges: NDArray[np.float64], fill: Fill = "circle"
    ) -> Occupied:
        """Those of many objects that reach into an image of `shape`; NaN lies nowhere."""
        high = np.array(shape[::-1]) - 0.5
        near = ((edges[:, 2:] > -0.5) & (edges[:, :2] < high)).all(1)
        return cls(edges[near], fill)

    def __len__(self) -> int:
        return len(self.edges)

    def touched(self, x: Whole, y: Whole, size: Whole) -> NDArray[np.bool_]:
        """Whether squares of `size` with first pixels (x, y), all (M,), share sky with any."""
        at_once = max(1, _PAIRS // max(1, len(self)))
        parts = (slice(start, start + at_once) for start in range(0, len(x), at_once))
        found = [self._touched(x[part], y[part], size[part]) for part in parts]
        return np.concatenate([np.zeros(0, bool), *found])

    def blanked(self, values: NDArray[Any], window: Window) -> NDArray[Any]:
        """A copy of the values (…, H, W) of a window with NaN at all pixels on objects."""
        blank = np.array(values)
        columns = np.arange(window.x, window.x_end, dtype=float)
        rows = np.arange(window.y, window.y_end, dtype=float)[:, None]
        middle, radius = self._circles()
        for (x, y), (across, up), edge in zip(middle, radius, self.edges, strict=True):
            if self.fill == "box":
                left, low, right, top = edge
                inside = (columns > left) & (columns < right) & (rows > low) & (rows < top)
            else:
                inside = ((columns - x) / across) ** 2 + ((rows - y) / up) ** 2 < 1
            blank[..., inside] = np.nan
        return blank

    def _touched(self, x: Whole, y: Whole, size: Whole) -> NDArray[np.bool_]:
        low = np.stack((x, y), 1)[:, None] - 0.5
        high = low + size[:, None, None]
        if self.fill == "box":
            meets = (self.edges[:, 2:] > low) & (self.edges[:, :2] < high)
            return np.asarray((meets[..., 0] & meets[..., 1]).any(1))
        middle, radius = self._circles()
        nearest = np.clip(middle, low, high)
        away = ((nearest - middle) / radius) ** 2
        return np.asarray((away.sum(2) < 1).any(1))

    def _circles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Middles (N, 2) and radii (N, 2)."""
        return (
            (self.edges[:, 2:] + self.edges[:, :2]) / 2,
            (self.edges[:, 2:] - self.edges[:, :2]) / 2,
        )


class Gaps:
    """Where pixels of an image are missing, told in cells of 8 × 8: a cell with one is all missing.

    Parameters
    ----------
    cells
        (rows, columns) whether each cell misses a pixel.
    """

    def __init__(self, cells: NDArray[np.bool_]) -> None:
        table = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), np.int64)
        table[1:, 1:] = cells.cumsum(0, dtype=np.int64).cumsum(1)
        self._table = table

    @classmethod
    def of(
        cls,
        image: SkyImage,
        bands: Sequence[int],
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Gaps:
        """The gaps of some planes of an image, which are read once, strip by strip.

        Parameters
        ----------
        progress
            Hears how many rows have been read, of all planes together.

        Raises
        ------
        ImageError
            When a plane cannot be read.
        """
        height, width = image.shape
        cells = np.zeros((-(-height // _CELL), -(-width // _CELL)), bool)
        done = 0
        for band in bands:
            pixels = image.plane(band).pixels
            for top in range(0, height, _STRIP):
                missing = ~np.isfinite(pixels[top : min(top + _STRIP, height), 0:width])
                first = top // _CELL
                found = _coarser(missing)
                cells[first : first + len(found)] |= found
                done += len(missing)
                progress(done)
        return cls(cells)

    def touched(self, x: Whole, y: Whole, size: Whole) -> NDArray[np.bool_]:
        """Whether squares of `size` with first pixels (x, y) inside, all (M,), may miss a pixel."""
        table = self._table
        left, low = x // _CELL, y // _CELL
        right, top = (x + size - 1) // _CELL + 1, (y + size - 1) // _CELL + 1
        inside = table[top, right] - table[low, right] - table[top, left] + table[low, left]
        return np.asarray(inside > 0)


def _coarser(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether any pixel of each cell is true."""
    rows = np.logical_or.reduceat(missing, np.arange(0, missing.shape[0], _CELL), 0)
    return np.asarray(np.logical_or.reduceat(rows, np.arange(0, missing.shape[1], _CELL), 1))
