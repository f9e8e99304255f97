"""Pixels: where an image's values come from, read piece by piece and never all at once.

A source has a shape, a native dtype and `source[rows, columns]`. It deliberately has no `copy`:
dask copies whatever can be copied, and these may be far larger than memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Key = tuple[slice, slice]
FloatArray = NDArray[np.floating[Any]]


class PixelSource(Protocol):
    """Anything two-dimensional that gives native floating-point values for two slices."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""

    @property
    def ndim(self) -> int:
        """Always 2."""

    @property
    def tile_rows(self) -> int:
        """Rows that cost no more together than apart."""

    @property
    def tile_columns(self) -> int:
        """Columns that cost no more together than apart."""

    @property
    def identity(self) -> str | None:
        """A digest that is the same for the same values only; None for what is in memory."""

    def __getitem__(self, key: Key) -> FloatArray: ...


@runtime_checkable
class Reducible(Protocol):
    """A source with a quicker way to less resolution than reading all of it."""

    def reduced(self, factor: int) -> PixelSource:
        """The same sky in blocks of `factor` × `factor` pixels, a power of two, for pixels.

        Block (0, 0) starts where pixel (0, 0) does; the last blocks may be partly beyond it.
        """


class Planes(Protocol):
    """The planes of a stack, each a source of its own, all of one shape."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> PixelSource: ...


def digest(*told: object) -> str:
    """A short digest of what is told."""
    text = "\0".join(str(each) for each in told)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


class PlainPixels:
    """What a source is unless it says otherwise: two axes, and no tiles."""

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    @property
    def tile_rows(self) -> int:
        """Rows that cost no more together than apart."""
        return 1

    @property
    def tile_columns(self) -> int:
        """Columns that cost no more together than apart."""
        return 1


class MadePixels(PlainPixels):
    """Pixels made of another source's, one of one: all but the values is as there."""

    source: PixelSource

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the source."""
        return self.source.dtype

    @property
    def tile_rows(self) -> int:
        """As the source's."""
        return self.source.tile_rows

    @property
    def tile_columns(self) -> int:
        """As the source's."""
        return self.source.tile_columns

    def made_of(self, *told: object) -> str | None:
        """A digest of the source's identity and of what is made of it; None where it has none."""
        own = self.source.identity
        return None if own is None else digest(own, *told)


@dataclass(frozen=True)
class ArrayPixels(PlainPixels):
    """An array already in memory, shape (H, W), offered without a way to copy it.

    Parameters
    ----------
    array
        The values.
    stored
        Dtype that they had before they were made floats; None where that is not known.
    """

    array: FloatArray
    stored: np.dtype[Any] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.array.shape[0], self.array.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return self.array.dtype

    @property
    def identity(self) -> None:
        """Nothing tells it from other arrays."""
        return None

    def __getitem__(self, key: Key) -> FloatArray:
        return self.array[key]
