"""PixelMap: where a grid's pixels lie on another grid, fast, within a stated distance of exact.

The grid is cut into cells. In each the position is a polynomial of the fifth degree along either
axis through 6 × 6 exact positions, and is checked at points between them; a cell that is not
good enough is cut in four, and where nothing smooth will do (a wrap, a pole, the edge of a
projection) positions are exact pixel by pixel. Cells are made when they are first looked at,
and the last ones kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from napari_astroseg.sky.grids.grid import Doubles, Grid
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.window import Window

TOLERANCE_PX = 1e-6
"""Largest difference from the exact position, source pixels, at the points that are checked."""

CELL = 512
"""Side of a cell, px."""

CELLS_KEPT = 20_000
"""Of one map, those last looked at: about 30 MB."""

_SMALLEST = 16
"""A cell no wider than this is not cut again."""

_POINTS = np.array([0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0])
"""Places across a cell: nodes, and checks in the outer intervals and in the middle."""

_NODES = np.array([0, 2, 3, 5, 6, 8])
_POWERS = np.linalg.inv(np.vander(_POINTS[_NODES]))
"""From the values at the nodes to the coefficients of a polynomial."""


@dataclass(frozen=True)
class _Cell:
    """A part of the grid, with its polynomials; without, its positions are exact or nowhere."""

    window: Window
    x: Doubles | None = None
    y: Doubles | None = None
    outside: bool = False

    @property
    def lattice(self) -> tuple[Doubles, Doubles]:
        """The exact positions that it is made and checked from, px of the grid."""
        w = self.window
        return w.x - 0.5 + _POINTS * w.width, w.y - 0.5 + _POINTS * w.height


class Places(Protocol):
    """For every pixel of one grid, where it lies on another."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the grid that is mapped."""

    @property
    def identity(self) -> str:
        """A digest of all answers."""

    @property
    def ratio(self) -> float:
        """Side of a pixel in pixels of the other grid."""

    def __call__(self, rows: range, columns: range) -> tuple[Doubles, Doubles]:
        """Where rows × columns (ascending) lie, x and y on the other grid; NaN for nowhere."""

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> Places:
        """The same for blocks of `factor` × `factor` pixels, those that are in `window`.

        Pixels and blocks are counted from one origin; `corner` is the place (x, y) of the first
        pixel.
        """


@dataclass(frozen=True)
class Lattice:
    """Pixels that are blocks of `step` × `step` of the other grid's.

    Parameters
    ----------
    shape
        (H, W).
    corner
        (x, y) on the other grid of the first pixel of the first block.
    step
        Side of a block.
    """

    shape: tuple[int, int]
    corner: tuple[int, int] = (0, 0)
    step: int = 1

    @property
    def identity(self) -> str:
        """A digest of its three numbers."""
        return digest(self.shape, self.corner, self.step)

    @property
    def ratio(self) -> float:
        """The step."""
        return float(self.step)

    def __call__(self, rows: range, columns: range) -> tuple[Doubles, Doubles]:
        """The middles of the blocks."""
        spare = (self.step - 1) / 2
        x = np.array(columns, float) * self.step + self.corner[0] + spare
        y = np.array(rows, float) * self.step + self.corner[1] + spare
        return np.tile(x, (len(rows), 1)), np.repeat(y[:, None], len(columns), axis=1)

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> Lattice:
        """Larger blocks."""
        x, y = window.x * factor - corner[0], window.y * factor - corner[1]
        first = self.corner[0] + x * self.step, self.corner[1] + y * self.step
        return Lattice(window.shape, first, self.step * factor)


class PixelMap:
    """Positions on `source` of the pixels of `target`.

    Parameters
    ----------
    target, source
        From which pixels to which.
    """

    def __init__(self, target: Grid, source: Grid) -> None:
        self.target, self.source = target, source
        self._cells: OrderedDict[tuple[int, int], list[_Cell]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the target."""
        return self.target.shape

    @property
    def identity(self) -> str:
        """A digest of both grids."""
        return digest(self.target.identity, self.source.identity)

    @cached_property
    def ratio(self) -> float:
        """Side of a target pixel in source pixels: the median over a few places."""
        height, width = self.target.shape
        x, y = np.meshgrid(width * np.linspace(0.1, 0.9, 5), height * np.linspace(0.1, 0.9, 5))
        to_x, to_y = self.target.onto(self.source, np.stack([x, x + 1, x]), np.stack([y, y, y + 1]))
        ax, bx, ay, by = to_x[1] - to_x[0], to_x[2] - to_x[0], to_y[1] - to_y[0], to_y[2] - to_y[0]
        area = np.abs(ax * by - ay * bx)
        area = area[np.isfinite(area) & (area > 0)]
        return float(np.sqrt(np.median(area))) if area.size else 1.0

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> PixelMap:
        """The same sky on larger pixels."""
        return PixelMap(self.target.coarser(factor, window, corner), self.source)

    def __call__(self, rows: range, columns: range) -> tuple[Doubles, Doubles]:
        """Source x and y of rows × columns (ascending); NaN where there is nothing of it."""
        x = np.full((len(rows), len(columns)), np.nan)
        y = np.full_like(x, np.nan)
        unsmooth = np.zeros(x.shape, bool)
        for cell in self._under(rows, columns):
            window = cell.window
            of_rows = within(rows, window.y, window.y_end)
            of_columns = within(columns, window.x, window.x_end)
            place = of_rows, of_columns
            if cell.x is not None and cell.y is not None:
                down = _basis(rows[of_rows], window.y, window.height)
                across = _basis(columns[of_columns], window.x, window.width).T
                np.matmul(down @ cell.x, across, out=x[place])
                np.matmul(down @ cell.y, across, out=y[place])
            elif not cell.outside:
                unsmooth[place] = True
        if unsmooth.any():
            row, column = np.nonzero(unsmooth)
            exact = self.target.onto(
                self.source, np.array(columns, float)[column], np.array(rows, float)[row]
            )
            x[unsmooth], y[unsmooth] = exact
        return x, y

    def _under(self, rows: range, columns: range) -> list[_Cell]:
        """The cells that rows × columns touch, made where they are not yet."""
        if not rows or not columns:
            return []
        keys = [
            (i, j)
            for i in range(rows[0] // CELL, rows[-1] // CELL + 1)
            for j in range(columns[0] // CELL, columns[-1] // CELL + 1)
        ]
        with self._lock:
            self._make([key for key in keys if key not in self._cells])
            found = [cell for key in keys for cell in self._cells[key]]
            self._forget(keys)
        return [cell for cell in found if _touches(cell.window, rows, columns)]

    def _forget(self, used: list[tuple[int, int]]) -> None:
        """Let those go that were not looked at for longest, until few enough are kept."""
        for key in used:
            self._cells.move_to_end(key)
        held = sum(map(len, self._cells.values()))
        while held > CELLS_KEPT:
            held -= len(self._cells.popitem(last=False)[1])

    def _make(self, keys: list[tuple[int, int]]) -> None:
        """Cells for places on the grid: all that are to be cut again are looked at together."""
        pending = []
        for i, j in keys:
            window = Window(j * CELL, i * CELL, CELL, CELL).clipped(self.target.shape)
            pending.append(((i, j), _Cell(window)))
            self._cells[i, j] = []
        while pending:
            lattices = [np.meshgrid(*cell.lattice) for _, cell in pending]
            exact = self.target.onto(
                self.source,
                np.stack([lattice[0] for lattice in lattices]),
                np.stack([lattice[1] for lattice in lattices]),
            )
            again = []
            for (key, cell), x, y in zip(pending, *exact, strict=True):
                done = self._judged(cell, x, y)
                if done is None:
                    again += [(key, _Cell(part)) for part in _quarters(cell.window)]
                else:
                    self._cells[key].append(done)
            pending = again

    def _judged(self, cell: _Cell, x: Doubles, y: Doubles) -> _Cell | None:
        """A cell with its polynomials, or without where they cannot be; None: cut it in four."""
        height, width = self.source.shape
        if _outside(x, width) or _outside(y, height):
            return _Cell(cell.window, outside=True)
        of_x, of_y = _polynomial(x), _polynomial(y)
        basis = np.vander(_POINTS, len(_NODES))
        with np.errstate(invalid="ignore"):
            good = all(
                bool(np.all(np.abs(basis @ made @ basis.T - exact) <= TOLERANCE_PX))
                for made, exact in ((of_x, x), (of_y, y))
            )
        if good:
            return _Cell(cell.window, of_x, of_y)
        return cell if max(cell.window.shape) <= _SMALLEST else None

    def __reduce__(self) -> tuple[type[PixelMap], tuple[Grid, Grid]]:
        return PixelMap, (self.target, self.source)


def within(asked: range, start: int, stop: int) -> slice:
    """Which members of an ascending range lie in [start, stop)."""
    first = max(0, -(-(start - asked.start) // asked.step))
    last = min(len(asked), -(-(stop - asked.start) // asked.step))
    return slice(first, max(first, last))


def _touches(window: Window, rows: range, columns: range) -> bool:
    of_rows = within(rows, window.y, window.y_end)
    of_columns = within(columns, window.x, window.x_end)
    return of_rows.stop > of_rows.start and of_columns.stop > of_columns.start


def _basis(places: range, start: int, length: int) -> Doubles:
    """Powers of each place's share of the way across its cell, (places, 4)."""
    return np.vander((np.array(places, float) - start + 0.5) / length, len(_NODES))


def _polynomial(exact: Doubles) -> Doubles:
    """Coefficients of the polynomial through the values at the nodes."""
    return _POWERS @ exact[np.ix_(_NODES, _NODES)] @ _POWERS.T


def _outside(places: Doubles, length: int) -> bool:
    """Whether a cell lies off [0, length) by more than it is wide itself, or nowhere at all."""
    present = places[np.isfinite(places)]
    if not present.size:
        return True
    low, high = float(present.min()), float(present.max())
    spread = high - low + 2.0
    return low - spread > length or high + spread < 0


def _quarters(window: Window) -> list[Window]:
    halves = [(start, length // 2, length - length // 2) for start, length in
              ((window.x, window.width), (window.y, window.height))]  # fmt: skip
    (x, left, right), (y, low, high) = halves
    columns = [(x, left), (x + left, right)]
    lines = [(y, low), (y + low, high)]
    return [Window(a, b, w, h) for b, h in lines for a, w in columns if w and h]
