"""Affine: where a grid's pixels lie on another as one straight map, with its error measured.

Over a small field two projections differ by little more than a turn, a stretch and a shift. How
much more is not guessed: the map is held against exact positions all over the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.grids.grid import Doubles, Grid
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.window import Window

Row = tuple[float, float, float]

_ACROSS = 65
"""Lattice points along a side of the frame, edges and corners among them."""

_ALONG = 513
"""Points along a side of an outline."""

_ENOUGH = 12
"""Fewer points on the other grid say too little about it."""

_EDGE = 1e-6
"""So far beyond an edge still counts as on it, px."""


@dataclass(frozen=True)
class Affine:
    """A turn, a stretch and a shift.

    Parameters
    ----------
    shape
        (H, W) of the grid that is mapped.
    x, y
        On the other grid: at pixel (0, 0), and what each column and each row adds.
    """

    shape: tuple[int, int]
    x: Row
    y: Row

    @classmethod
    def shift(cls, shape: tuple[int, int], x: int, y: int) -> Affine:
        """Whole pixels: the first one lies at (x, y) of the other grid."""
        return cls(shape, (float(x), 1.0, 0.0), (float(y), 0.0, 1.0))

    @property
    def identity(self) -> str:
        """A digest of its numbers."""
        return digest(self.shape, self.x, self.y)

    @property
    def slopes(self) -> Doubles:
        """What a column and a row add to x (first) and y, (2, 2)."""
        return np.array([self.x[1:], self.y[1:]])

    @property
    def ratio(self) -> float:
        """Side of a pixel in pixels of the other grid."""
        return float(np.sqrt(abs(np.linalg.det(self.slopes))))

    def at(self, columns: Doubles, rows: Doubles) -> tuple[Doubles, Doubles]:
        """Where places between pixels lie."""
        x, y = (of[0] + of[1] * columns + of[2] * rows for of in (self.x, self.y))
        return x, y

    def __call__(self, rows: range, columns: range) -> tuple[Doubles, Doubles]:
        """Where rows × columns lie, x and y on the other grid; it has no end."""
        return self.at(np.array(columns, float)[None, :], np.array(rows, float)[:, None])

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> Affine:
        """The same for the middles of blocks of `factor` × `factor` pixels."""
        middle = (factor - 1) / 2
        column = window.x * factor - corner[0] + middle
        row = window.y * factor - corner[1] + middle
        x, y = (
            (of[0] + of[1] * column + of[2] * row, of[1] * factor, of[2] * factor)
            for of in (self.x, self.y)
        )
        return Affine(window.shape, x, y)

    def inverse(self, shape: tuple[int, int]) -> Affine:
        """The way back, of a grid of `shape`."""
        (a, b), (c, d) = np.linalg.inv(self.slopes).tolist()
        x, y = self.x[0], self.y[0]
        return Affine(shape, (-a * x - b * y, a, b), (-c * x - d * y, c, d))


@dataclass(frozen=True, eq=False)
class Frame:
    """A grid's pixels and where they lie on another, exactly, on a dense lattice.

    It spans the outer edges of the outermost pixels; between the points of one lattice lie those
    of a second, so that what is fitted is also checked elsewhere. Along the outlines of both grids
    points lie closer, because an error is largest at an end of what they share.
    """

    target: Grid
    source: Grid

    @cached_property
    def points(self) -> tuple[Doubles, Doubles]:
        """Columns and rows of the target, (points,)."""
        steps = np.linspace(0.0, 1.0, 2 * _ACROSS - 1)
        height, width = self.target.shape
        lattices = [
            np.stack(np.meshgrid(width * some - 0.5, height * some - 0.5)).reshape(2, -1)
            for some in (steps[::2], steps[1::2])
        ]
        other = np.stack(self.source.onto(self.target, *_outline(self.source.shape)))
        other = other[:, _on(self.target.shape, *other)]
        columns, rows = np.concatenate([*lattices, _outline(self.target.shape), other], axis=1)
        return columns, rows

    @cached_property
    def exact(self) -> tuple[Doubles, Doubles]:
        """Where they lie on the source; NaN for nowhere."""
        return self.target.onto(self.source, *self.points)

    def fitted(self) -> Affine | None:
        """The affine that lies nearest to the exact positions on the source, by least squares.

        None where too few of them do, or all on a line.
        """
        here = _on(self.source.shape, *self.exact)
        if np.count_nonzero(here) < _ENOUGH:
            return None
        columns, rows = (each[here] for each in self.points)
        return affine_through(
            (columns, rows), (self.exact[0][here], self.exact[1][here]), self.target.shape
        )

    def error_px(self, affine: Affine) -> float:
        """The largest distance between an affine and the exact positions.

        In pixels of the target or of the source, whichever makes it more; infinite where the
        affine puts a value of the source that should have none. What lies off the source either
        way does not count.
        """
        x, y = affine.at(*self.points)
        seen = _on(self.source.shape, *self.exact) | _on(self.source.shape, x, y)
        off = np.stack([x - self.exact[0], y - self.exact[1]])[:, seen]
        if not off.size or not np.isfinite(off).all():
            return float("inf")
        in_target = np.linalg.solve(affine.slopes, off)
        return float(max(np.hypot(*off).max(), np.hypot(*in_target).max()))


def _outline(shape: tuple[int, int]) -> Doubles:
    """Points around the outer edges of a grid, x and y, (2, points)."""
    steps = np.linspace(0.0, 1.0, _ALONG)
    low, high = np.zeros(_ALONG), np.ones(_ALONG)
    x = np.concatenate([steps, steps, low, high]) * shape[1] - 0.5
    y = np.concatenate([low, high, steps, steps]) * shape[0] - 0.5
    return np.stack([x, y])


def _on(shape: tuple[int, int], x: Doubles, y: Doubles) -> NDArray[np.bool_]:
    """Which places lie on the pixels of a grid, up to their outer edges."""
    height, width = shape
    with np.errstate(invalid="ignore"):
        across, up = np.abs(x + 0.5 - width / 2), np.abs(y + 0.5 - height / 2)
        found: NDArray[np.bool_] = (across <= width / 2 + _EDGE) & (up <= height / 2 + _EDGE)
    return found


def affine_through(
    places: tuple[Doubles, Doubles], found: tuple[Doubles, Doubles], shape: tuple[int, int]
) -> Affine | None:
    """The affine that takes `places` (columns, rows) nearest to `found` (x, y), least squares.

    None where the places lie on a line, or all would be put on one.
    """
    middle = [float(each.mean()) for each in places]
    spread = max(float(np.ptp(each)) for each in places) or 1.0
    columns, rows = ((each - at) / spread for each, at in zip(places, middle, strict=True))
    powers = np.stack([np.ones_like(columns), columns, rows], axis=1)
    made, _, rank, _ = np.linalg.lstsq(powers, np.stack(found, axis=1), rcond=1e-9)
    made[1:] /= spread
    of = [
        (start - across * middle[0] - up * middle[1], across, up)
        for start, across, up in made.T.tolist()
    ]
    affine = Affine(shape, of[0], of[1])
    return affine if rank == 3 and affine.ratio > 0.0 else None
