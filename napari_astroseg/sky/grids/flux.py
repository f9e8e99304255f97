"""Flux: values that are sums over a pixel, on pixels of another size, with none lost.

A pixel is given the mean over all of it, times its area in the source's pixels. The mean is taken
over places a third of a source pixel apart, because a star between two sample points would
otherwise count for more or less than it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.grids.pixelmap import Places, within
from napari_astroseg.sky.grids.warp import BLOCK, HURRIED, WarpedPixels
from napari_astroseg.sky.pixels import FloatArray, digest
from napari_astroseg.sky.window import Window

_AROUND = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
"""A pixel, those after and before it in its row, and those in its column: rows, columns."""

_DENSE = 3.0
"""Places along a source pixel, or along a block of them."""

_FINE = 4
"""Blocks along a pixel, at least: they are averaged first where a pixel covers very many."""


@dataclass(frozen=True, eq=False)
class FluxPixels(WarpedPixels):
    """Pixels filled with the values of `source` at given places, times the ratio of areas.

    Parameters
    ----------
    share
        Of each pixel's area: an overview's pixel has the mean flux of the pixels it stands for.
    """

    share: float = 1.0

    @cached_property
    def identity(self) -> str | None:
        """A digest of the source's identity and of how it is seen; None where it has none."""
        told = super().identity
        return told and digest("flux", told, self.share)

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> FluxPixels:
        """Overview: the mean flux of pixels, on blocks of `factor` × `factor` of them."""
        coarse = self.places.coarser(factor, window, corner)
        share = self.share / factor**2
        return replace(self, places=coarse, block=min(self.block, HURRIED), share=share)

    def _fill(self, rows: range, columns: range, values: FloatArray) -> None:
        """Values of one piece."""
        from napari_astroseg.sky.grids.resample import pixel_means  # it loads numba

        sides = sides_of(self.places, rows, columns)
        if self.block < BLOCK:  # an overview
            super()._fill(rows, columns, values)
        else:
            thin, block = self._steps
            wide = np.nanmax(np.abs(sides[:, np.abs(sides).max(axis=0) < 1e3]), initial=1.0)
            margin = int(np.ceil(wide / (thin * block)))
            seen, x, y = self._under(*self.places(rows, columns), margin)
            if seen.size:
                pixel_means(seen, x, y, sides / (thin * block), _DENSE, values)
        values *= self.share * np.abs(sides[0] * sides[3] - sides[1] * sides[2])

    @cached_property
    def _steps(self) -> tuple[int, int]:
        """Every how many source pixels are read, and how many of those make a block's side."""
        if self.block < BLOCK:
            return super()._steps
        side = max(1, int(self.places.ratio / _FINE))
        thin = -(-side // self.block)
        return thin, max(1, round(side / thin))


def sides_of(places: Places, rows: range, columns: range) -> Doubles:
    """The sides of pixels as the other grid's (x, y): of a column's width, a row's height.

    (4, rows, columns); see `resample.pixel_sides`.
    """
    from napari_astroseg.sky.grids.resample import pixel_sides  # it loads numba

    around = np.full((2, 5, len(rows), len(columns)), np.nan)
    for place, (down, right) in enumerate(_AROUND):
        next_rows = range(rows.start + down, rows.stop + down, rows.step)
        next_columns = range(columns.start + right, columns.stop + right, columns.step)
        of_rows = within(next_rows, 0, places.shape[0])
        of_columns = within(next_columns, 0, places.shape[1])
        there = places(next_rows[of_rows], next_columns[of_columns])
        around[:, place, of_rows, of_columns] = there
    sides = np.empty((4, len(rows), len(columns)))
    pixel_sides(around[0], around[1], places.ratio, sides)
    return sides
