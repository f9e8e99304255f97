"""Warp: one image's values on other pixels, read and computed only where they are looked at.

Values are taken as surface brightness: they are averaged, never summed, so a unit such as MJy/sr
keeps its meaning on pixels of any size, and counts per pixel must be scaled by the ratio of pixel
areas. Where the new pixels are larger than the image's, means over blocks of about a new pixel
are interpolated, so that nothing between the sample points is lost.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from napari_astroseg.sky.grids.grid import Doubles
from napari_astroseg.sky.grids.pixelmap import CELL, Places, within
from napari_astroseg.sky.pixels import FloatArray, Key, PixelSource, PlainPixels, digest
from napari_astroseg.sky.window import Window

Sampling = Literal["bilinear", "nearest"]

_SOURCE_SIDE = 2048
"""About the side of the largest source window that is read at once, px."""

_FINEST_PIECE = 16

_SHORT = 2**14
"""Rows shorter than this are read all, because leaving some out costs more, bytes."""

BLOCK = 64
"""Pixels along a block's side that are averaged; larger blocks are sampled this densely."""

HURRIED = 4
"""The same for overviews, which are wanted at once."""

_WORKERS = min(4, os.cpu_count() or 1)
_ALONE = 2**18
"""So few pixels are filled sooner than threads are started."""


@dataclass(frozen=True, eq=False)
class WarpedPixels(PlainPixels):
    """Pixels filled with the values of `source` at given places.

    Parameters
    ----------
    source
        Where the values come from.
    places
        Where on it each pixel lies.
    sampling
        Between the four nearest pixels, or the nearest alone (labels and flags must not be
        averaged).
    block
        Most source pixels along a side that are averaged for one value; where there are more,
        they are evenly left out.
    """

    source: PixelSource
    places: Places
    sampling: Sampling = "bilinear"
    block: int = BLOCK

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.places.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the source."""
        return self.source.dtype

    @cached_property
    def identity(self) -> str | None:
        """A digest of the source's identity and of how it is seen; None where it has none."""
        told = self.source.identity
        return told and digest(told, self.places.identity, self.sampling, self.block)

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> WarpedPixels:
        """Overview: blocks of `factor` × `factor` of these pixels, those that are in `window`.

        Blocks are counted from where this one's `corner` (x, y) is counted from.
        """
        coarse = self.places.coarser(factor, window, corner)
        return replace(self, places=coarse, block=min(self.block, HURRIED))

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(n)[part] for n, part in zip(self.shape, key, strict=True))
        upside, mirrored = (slice(None, None, 1 if n.step > 0 else -1) for n in (rows, columns))
        rows, columns = rows[upside], columns[mirrored]
        values = np.full((len(rows), len(columns)), np.nan, self.dtype)

        def fill(place: tuple[slice, slice]) -> None:
            self._fill(rows[place[0]], columns[place[1]], values[place])

        pieces = list(self._pieces(rows, columns))
        if values.size < _ALONE or len(pieces) < 2:
            deque(map(fill, pieces), maxlen=0)
        else:
            with ThreadPoolExecutor(_WORKERS, "astroseg-warp") as pool:
                deque(pool.map(fill, pieces), maxlen=0)
        return values[upside, mirrored]

    def _pieces(self, rows: range, columns: range) -> Iterator[tuple[slice, slice]]:
        """Parts small enough that the source under each fits in memory."""
        side = int(_SOURCE_SIDE * self._steps[0] / self.places.ratio)
        side = max(_FINEST_PIECE, min(CELL, side))
        of_columns = list(_cuts(columns, side))
        for of_rows in _cuts(rows, side):
            for part in of_columns:
                yield of_rows, part

    def _fill(self, rows: range, columns: range, values: FloatArray) -> None:
        """Values of one piece."""
        from napari_astroseg.sky.grids.resample import bilinear, nearest  # it loads numba

        seen, x, y = self._under(*self.places(rows, columns))
        if seen.size:
            fill = nearest if self.sampling == "nearest" else bilinear
            fill(seen, x, y, values)

    def _under(
        self, x: Doubles, y: Doubles, margin: int = 0
    ) -> tuple[FloatArray, Doubles, Doubles]:
        """The source around places, block by block, and the places on that, px.

        `margin` more blocks are seen on every side. Without any value where there is no source.
        The places that come in are written over.
        """
        thin, block = self._steps
        height, width = self.source.shape
        of_x, of_y = (
            _span(at, length, thin * block, margin) for at, length in ((x, width), (y, height))
        )
        if of_x is None or of_y is None:
            return np.empty((0, 0), self.dtype), x, y
        (left, right), (low, high) = of_x, of_y
        seen = self._thinned(slice(low, high), slice(left, right), thin)
        if not seen.size:
            return seen, x, y
        x -= left
        y -= low
        if thin > 1 or block > 1:
            seen = _means(seen, block)
            side = thin * block
            late = 0.0 if thin % 2 else 0.5  # an even number has no middle one
            x, y = ((each + 0.5 - late) / side - 0.5 for each in (x, y))
            if late:
                seen = _led(seen)
                x, y = (np.where(each < -0.5 - late / side, np.nan, each + 1) for each in (x, y))
        return np.ascontiguousarray(seen), x, y

    def _thinned(self, rows: slice, columns: slice, thin: int) -> FloatArray:
        """Every `thin`-th row and column of a source window: of an even number, past the middle."""
        of_columns = slice(columns.start + thin // 2, columns.stop, thin)
        if (columns.stop - columns.start) * self.dtype.itemsize < _SHORT:
            return self.source[rows, of_columns][thin // 2 :: thin]
        return self.source[rows.start + thin // 2 : rows.stop : thin, of_columns]

    @cached_property
    def _steps(self) -> tuple[int, int]:
        """Every how many source pixels are read, and how many of those make a block's side."""
        if self.sampling == "nearest" or self.places.ratio < 1.5:
            return 1, 1
        side = round(self.places.ratio)
        thin = -(-side // self.block)
        return thin, max(1, round(side / thin))


def _means(values: FloatArray, side: int) -> FloatArray:
    from napari_astroseg.sky.grids.resample import block_means

    means = np.empty([-(-n // side) for n in values.shape], values.dtype)
    block_means(np.ascontiguousarray(values), side, means)
    return means


def _led(values: FloatArray) -> FloatArray:
    """With a row and a column before the first, in line with the first two."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.pad(values, ((1, 0), (1, 0)), "reflect", reflect_type="odd")


def _cuts(places: range, side: int) -> Iterator[slice]:
    """The places, cut at every `side` px."""
    at = 0
    while at < len(places):
        end = within(places, 0, (places[at] // side + 1) * side).stop
        yield slice(at, end)
        at = end


def _span(places: Doubles, length: int, block: int, margin: int) -> tuple[int, int] | None:
    """First and past-last source pixel that interpolation at these places reads, whole blocks."""
    with np.errstate(invalid="ignore"):
        present = places[(places >= -0.5 - block) & (places <= length - 0.5 + block)]
    if not present.size:
        return None
    first = int(np.floor(present.min() / block)) - 1 - margin
    last = int(np.floor(present.max() / block)) + 2 + margin
    low, high = max(0, first * block), min(length, last * block)
    return (low, high) if high > low else None
