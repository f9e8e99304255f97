"""Pixels: where an image's values come from, read piece by piece and never all at once.

A source has a shape, a native dtype and `source[rows, columns]`. It deliberately has no `copy`:
dask copies whatever can be copied, and these may be far larger than memory.
Reads go through positioned reads of the file, not a memory map, so that a file that
shrinks or vanishes gives a sentence instead of a bus error.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError

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

    def __getitem__(self, key: Key) -> FloatArray: ...


def value_dtype(stored: np.dtype[Any]) -> np.dtype[Any]:
    """The native float that holds every stored value exactly (64-bit integers excepted)."""
    significant = 2 if stored.kind in "iub" else 4
    return np.dtype(np.float32 if stored.itemsize <= significant else np.float64)


@dataclass(frozen=True)
class ArrayPixels:
    """An array already in memory, shape (H, W), offered without a way to copy it."""

    array: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.array.shape[0], self.array.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def __getitem__(self, key: Key) -> FloatArray:
        return self.array[key]


@dataclass(frozen=True)
class FitsPixels:
    """The data block of an uncompressed FITS image, decoded on the way out.

    Parameters
    ----------
    path, offset
        The file, and the byte at which the (last two axes of the) array starts.
    shape
        (H, W).
    stored
        Big-endian dtype in the file.
    scale, zero, blank
        BSCALE, BZERO and BLANK: value = stored × scale + zero, BLANK becomes NaN.
    """

    path: Path
    offset: int
    shape: tuple[int, int]
    stored: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None
    _handle: _Handle = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_handle", _Handle(self.path))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return value_dtype(self.stored)

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def __getitem__(self, key: Key) -> FloatArray:
        rows = range(*key[0].indices(self.shape[0]))
        columns = range(*key[1].indices(self.shape[1]))
        if not rows or not columns:
            return np.empty((len(rows), len(columns)), self.dtype)
        return self._decoded(self._stored_block(rows, columns))

    def _stored_block(self, rows: range, columns: range) -> NDArray[Any]:
        """Rows × columns as they lie in the file; one read per run of neighbouring rows."""
        item, row_bytes = self.stored.itemsize, self.shape[1] * self.stored.itemsize
        first, last = min(columns[0], columns[-1]), max(columns[0], columns[-1])
        width = last - first + 1
        if rows.step == 1 and 2 * width > self.shape[1]:
            # One long read costs less than many that leave little out.
            lines = np.empty((len(rows), self.shape[1]), self.stored)
            self._handle.read(lines.reshape(-1), self.offset + rows[0] * row_bytes)
            block = lines[:, first : last + 1]
        else:
            block = np.empty((len(rows), width), self.stored)
            for line, row in zip(block, rows, strict=True):
                self._handle.read(line, self.offset + row * row_bytes + first * item)
        return block if columns.step == 1 else block[:, [c - first for c in columns]]

    def _decoded(self, block: NDArray[Any]) -> FloatArray:
        values = block.astype(self.dtype)
        if self.scale != 1.0 or self.zero != 0.0:
            values *= self.dtype.type(self.scale)
            values += self.dtype.type(self.zero)
        if self.blank is not None:
            values[block == self.blank] = np.nan
        return values


@dataclass(frozen=True)
class CompressedPixels:
    """A tile-compressed FITS image; only the tiles under the asked slices are unpacked.

    `tile_rows` is the height of its tiles: rows that cost no more together than apart.
    """

    path: Path
    hdu: int
    shape: tuple[int, int]
    stored: np.dtype[Any]
    leading: int = 0
    tile_rows: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _open: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return value_dtype(self.stored)

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def __getitem__(self, key: Key) -> FloatArray:
        # astropy's sections share one file position: one reader at a time.
        with self._lock:
            try:
                block = self._section()[(0,) * self.leading + tuple(key)]
            except Exception as error:
                # Each compression breaks in its own way; all of it is the file's.
                reason = " ".join(str(error).split())[:160] or type(error).__name__
                raise ImageError(
                    f"{self.path.name}: a compressed tile cannot be unpacked ({reason}); "
                    "the file is gone or damaged: fetch it again"
                ) from error
        return np.asarray(block).astype(self.dtype)

    def _section(self) -> Any:
        """Astropy's lazy view, by plain reads: a memory map of a file that shrinks is fatal."""
        if "hdus" not in self._open:
            self._open["hdus"] = fits.open(self.path, memmap=False)
        return self._open["hdus"][self.hdu].section

    def __del__(self) -> None:
        for hdus in self._open.values():
            hdus.close()

    def __getstate__(self) -> dict[str, Any]:
        kept = ("path", "hdu", "shape", "stored", "leading", "tile_rows")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class _Handle:
    """A file opened once per process and read at given positions by any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: Any = None

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from `offset` on."""
        view = into.view(np.uint8).data
        try:
            got = self._read_at(view, offset)
        except OSError as error:
            raise ImageError(
                f"{self._path.name}: reading failed ({error.strerror}); "
                "check that the disk is mounted and the file is still there"
            ) from error
        if got != len(view):
            raise ImageError(
                f"{self._path.name}: the file ends before its image does; it was cut short "
                "or changed while open: fetch it again and reopen it"
            )

    def _read_at(self, view: memoryview, offset: int) -> int:
        got = 0
        positioned = getattr(os, "preadv", None)
        with self._lock:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            if positioned is None:  # no positioned reads on this system: seek under the lock
                self._file.seek(offset)
                while got < len(view) and (n := self._file.readinto(view[got:])):
                    got += n
                return got
        number = self._file.fileno()
        while got < len(view) and (n := positioned(number, [view[got:]], offset + got)):
            got += n
        return got

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def __reduce__(self) -> tuple[type[_Handle], tuple[Path]]:
        return _Handle, (self._path,)
