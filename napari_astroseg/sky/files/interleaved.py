"""Interleaved: pictures whose pixels do not lie side by side, as colours or spectra put first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_astroseg.sky.files.fitspixels import CompressedPixels, FitsPixels
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest


@dataclass(frozen=True)
class InterleavedPixels(PlainPixels):
    """One plane of an uncompressed array that has other axes between or below the picture's.

    Parameters
    ----------
    lines
        The whole array as rows of values: every axis down to the picture's columns, but for
        those below the columns, makes the rows; the others make the columns.
    shape
        (H, W) of the picture.
    first, step
        Where in `lines` its first pixel lies, and how far apart its rows and its columns are.
    """

    lines: FitsPixels
    shape: tuple[int, int]
    first: tuple[int, int]
    step: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return self.lines.dtype

    @property
    def stored(self) -> np.dtype[Any]:
        """Big-endian dtype in the file."""
        return self.lines.stored

    @property
    def identity(self) -> str:
        """A digest of the file's version and of where the plane's values lie in it."""
        return digest(self.lines.identity, self.shape, self.first, self.step)

    def __getitem__(self, key: Key) -> FloatArray:
        rows = range(*key[0].indices(self.shape[0]))
        columns = range(*key[1].indices(self.shape[1]))
        values = np.empty((len(rows), len(columns)), self.dtype)
        if not values.size:
            return values
        ahead = columns if columns.step > 0 else columns[::-1]
        first, last = (self.first[1] + self.step[1] * column for column in (ahead[0], ahead[-1]))
        across = slice(first, last + 1, self.step[1] * ahead.step)
        for line, row in zip(values, rows, strict=True):  # one line at a time bounds the memory
            at = self.first[0] + self.step[0] * row
            line[:] = self.lines[at : at + 1, across][0]
        return values if columns.step > 0 else values[:, ::-1]


@dataclass(frozen=True)
class InterleavedPlanes:
    """The planes of an uncompressed array of which some axes lie between or below the picture's.

    Parameters
    ----------
    lines
        See `InterleavedPixels`.
    shape
        (H, W) of every plane.
    axes
        How many planes lie above the picture's rows, between rows and columns, and below.
    """

    lines: FitsPixels
    shape: tuple[int, int]
    axes: tuple[int, int, int]

    def __len__(self) -> int:
        return math.prod(self.axes)

    def __getitem__(self, index: int) -> InterleavedPixels:
        above, between, below = _place(index, self.axes)
        first = above * self.shape[0] * self.axes[1] + between, below
        return InterleavedPixels(self.lines, self.shape, first, self.axes[1:])


@dataclass(frozen=True)
class InterleavedTiles(PlainPixels):
    """One plane of a tile-compressed array whose picture is not on the last two axes.

    Parameters
    ----------
    source
        The last two axes of the array, at any row of the picture.
    height
        Number of rows.
    row_axis
        Which of the axes before the last two is the rows'.
    across
        Whether the last axis is the columns'; else the one before it is.
    fixed
        Index on the other one.
    """

    source: CompressedPixels
    height: int
    row_axis: int
    across: bool
    fixed: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.height, self.source.shape[1 if self.across else 0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return self.source.dtype

    @property
    def stored(self) -> np.dtype[Any]:
        """Dtype of the values as compressed."""
        return self.source.stored

    @property
    def identity(self) -> str:
        """A digest of the file's version, HDU and plane."""
        return digest(self.source.identity, self.row_axis, self.across, self.fixed)

    def __getitem__(self, key: Key) -> FloatArray:
        rows = range(*key[0].indices(self.shape[0]))
        values = np.empty((len(rows), len(range(*key[1].indices(self.shape[1])))), self.dtype)
        here = slice(self.fixed, self.fixed + 1)
        for line, row in zip(values, rows, strict=True):
            plane = list(self.source.plane)
            plane[self.row_axis] = row
            there = replace(self.source, plane=tuple(plane))
            line[:] = there[here, key[1]][0] if self.across else there[key[1], here][:, 0]
        return values


@dataclass(frozen=True)
class InterleavedTilePlanes:
    """The planes of a tile-compressed array whose picture is not on the last two axes.

    Parameters
    ----------
    first
        The first of them.
    axes
        Lengths of all axes but the picture's.
    """

    first: InterleavedTiles
    axes: tuple[int, ...]

    def __len__(self) -> int:
        return math.prod(self.axes)

    def __getitem__(self, index: int) -> InterleavedTiles:
        *before, fixed = _place(index, self.axes)
        before.insert(self.first.row_axis, 0)  # each row puts its own number there
        return replace(
            self.first, source=replace(self.first.source, plane=tuple(before)), fixed=fixed
        )


def _place(index: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Where plane number `index` lies on each axis; `IndexError` beyond the last."""
    return tuple(int(n) for n in np.unravel_index(range(math.prod(axes))[index], axes))
