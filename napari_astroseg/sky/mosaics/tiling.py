"""Tiling: tiles in their places on one grid, put together where they are looked at.

Where one tile has a value alone, the mosaic has exactly that value. Where several have, it is
their mean, weighted by how far inside its tile the pixel lies (see `mosaics.taper`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.grids.pixelmap import within
from napari_astroseg.sky.mosaics.mosaictile import Tile
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest

PIECE = 1024
"""Most rows and columns that are put together at once: bounds the memory of any window."""

Place = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class TiledPixels(PlainPixels):
    """The pixels of a mosaic; tiles are read only where they touch what is asked.

    Parameters
    ----------
    tiles
        In any order; it decides nothing but rounding.
    shape
        (H, W).
    """

    tiles: tuple[Tile, ...]
    shape: tuple[int, int]
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _overviews: dict[int, TiledPixels] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """float32, or float64 where a tile needs it."""
        return np.result_type(*(tile.pixels.dtype for tile in self.tiles))

    @cached_property
    def identity(self) -> str | None:
        """A digest of all tiles, their places and levels; None where a tile has none."""
        told = [(t.pixels.identity, t.window, t.factor, t.level) for t in self.tiles]
        return digest(self.shape, *told) if all(each[0] for each in told) else None

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(n)[part] for n, part in zip(self.shape, key, strict=True))
        upside, mirrored = (slice(None, None, 1 if n.step > 0 else -1) for n in (rows, columns))
        rows, columns = rows[upside], columns[mirrored]
        values = np.full((len(rows), len(columns)), np.nan, self.dtype)
        for top in range(0, len(rows), PIECE):
            for left in range(0, len(columns), PIECE):
                place = slice(top, top + PIECE), slice(left, left + PIECE)
                self._fill(rows[place[0]], columns[place[1]], values[place])
        return values[upside, mirrored]

    def reduced(self, factor: int) -> TiledPixels:
        """Overview: a value for each block of `factor` × `factor` pixels, made of a few of them.

        The last blocks may hang over the edge.
        """
        with self._lock:
            if factor not in self._overviews:
                tiles = tuple(tile.coarser(factor) for tile in self.tiles)
                shape = -(-self.shape[0] // factor), -(-self.shape[1] // factor)
                self._overviews[factor] = TiledPixels(tiles, shape)
            return self._overviews[factor]

    def _fill(self, rows: range, columns: range, values: FloatArray) -> None:
        """One piece; `values` is NaN as it comes in."""
        touched = list(self.touched(rows, columns))
        if len(touched) == 1:
            tile, place = touched[0]
            values[place] = tile.values(rows[place[0]], columns[place[1]])
        elif touched:
            blended = Blend(values)
            for tile, place in touched:
                under = rows[place[0]], columns[place[1]]
                blended.add(tile.values(*under), tile.weights(*under), place)
            blended.finish()

    def touched(self, rows: range, columns: range) -> Iterator[tuple[Tile, Place]]:
        """The tiles with pixels among rows × columns (ascending), and which those are."""
        if not rows or not columns:
            return
        left, low, right, high = self._edges
        apart = (left > columns[-1]) | (right <= columns[0]) | (low > rows[-1]) | (high <= rows[0])
        for number in np.nonzero(~apart)[0]:
            tile = self.tiles[number]
            of_rows = within(rows, tile.window.y, tile.window.y_end)
            of_columns = within(columns, tile.window.x, tile.window.x_end)
            if of_rows.stop > of_rows.start and of_columns.stop > of_columns.start:
                yield tile, (of_rows, of_columns)

    @cached_property
    def _edges(self) -> NDArray[np.int64]:
        """First column and row, and those after the last, of every tile: (4, tiles)."""
        windows = (tile.window for tile in self.tiles)
        return np.array([(w.x, w.y, w.x_end, w.y_end) for w in windows]).T

    def __reduce__(self) -> tuple[Any, ...]:
        return TiledPixels, (self.tiles, self.shape)


@dataclass(frozen=True, eq=False)
class FootprintPixels(PlainPixels):
    """How many tiles have a value at each pixel of a mosaic."""

    mosaic: TiledPixels

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.mosaic.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32, as every picture that is drawn."""
        return np.dtype(np.float32)

    @property
    def identity(self) -> str | None:
        """A digest made from the mosaic's."""
        return self.mosaic.identity and digest("footprint", self.mosaic.identity)

    def reduced(self, factor: int) -> FootprintPixels:
        """Overview: how many tiles have a value in each block of `factor` × `factor` pixels."""
        return FootprintPixels(self.mosaic.reduced(factor))

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(n)[part] for n, part in zip(self.shape, key, strict=True))
        upside, mirrored = (slice(None, None, 1 if n.step > 0 else -1) for n in (rows, columns))
        rows, columns = rows[upside], columns[mirrored]
        counts = np.zeros((len(rows), len(columns)), np.float32)
        for tile, (of_rows, of_columns) in self.mosaic.touched(rows, columns):
            for top in range(of_rows.start, of_rows.stop, PIECE):
                part = slice(top, min(top + PIECE, of_rows.stop))
                found = tile.values(rows[part], columns[of_columns])
                counts[part, of_columns] += ~np.isnan(found)
        return counts[upside, mirrored]


class Blend:
    """A weighted mean that is exact where all values are the same.

    Parameters
    ----------
    values
        NaN throughout; filled in at the end.
    """

    def __init__(self, values: FloatArray) -> None:
        self._first = values
        self._more = np.zeros_like(values)
        self._weight = np.zeros_like(values)

    def add(self, values: FloatArray, weights: NDArray[np.float32], place: Place) -> None:
        """Count these values, NaN excepted, at `place`."""
        present = ~np.isnan(values)
        first, more, weight = self._first[place], self._more[place], self._weight[place]
        np.copyto(first, values, where=present & np.isnan(first))
        with np.errstate(invalid="ignore", over="ignore"):
            beyond = values - first
            endless = np.isinf(first)
            if endless.any():  # infinities stay what they are, and two opposite ones are nothing
                beyond[endless] = np.where(values == -first, np.nan, 0.0)[endless]
            np.add(more, weights * beyond, out=more, where=present)
        np.add(weight, weights, out=weight, where=present)

    def finish(self) -> None:
        """Turn sums into means."""
        several = self._weight > 0
        self._first[several] += self._more[several] / self._weight[several]
