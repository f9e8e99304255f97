"""FITS pixels: the values of a FITS image, plain or compressed by tile, read piece by piece."""

from __future__ import annotations

import math
import threading
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.handle import Handle
from napari_astroseg.sky.files.hdus import open_hdus
from napari_astroseg.sky.files.packed.tiled import TiledImage
from napari_astroseg.sky.files.stored import value_dtype
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest


@dataclass(frozen=True)
class FitsPixels(PlainPixels):
    """The data block of an uncompressed FITS image, decoded on the way out.

    Parameters
    ----------
    handle
        The file's bytes; planes of one file share it.
    offset
        The byte at which the (last two axes of the) array starts.
    shape
        (H, W).
    stored
        Big-endian dtype in the file.
    scale, zero, blank
        BSCALE, BZERO and BLANK: value = stored × scale + zero, BLANK becomes NaN.
    """

    handle: Handle
    offset: int
    shape: tuple[int, int]
    stored: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return value_dtype(self.stored)

    @property
    def identity(self) -> str:
        """A digest of the file's version and of where and how the values lie in it."""
        how = (self.offset, self.shape, self.stored, self.scale, self.zero, self.blank)
        return digest(self.handle.identity, *how)

    def __getitem__(self, key: Key) -> FloatArray:
        rows = range(*key[0].indices(self.shape[0]))
        columns = range(*key[1].indices(self.shape[1]))
        if not rows or not columns:
            return np.empty((len(rows), len(columns)), self.dtype)
        return self.decoded(self.stored_block(rows, columns))

    def stored_block(self, rows: range, columns: range) -> NDArray[Any]:
        """Rows × columns as they lie in the file; one read per run of neighbouring rows."""
        item, row_bytes = self.stored.itemsize, self.shape[1] * self.stored.itemsize
        first, last = min(columns[0], columns[-1]), max(columns[0], columns[-1])
        width = last - first + 1
        if rows.step == 1 and 2 * width > self.shape[1]:
            # One long read costs less than many that leave little out.
            lines = np.empty((len(rows), self.shape[1]), self.stored)
            self.handle.read(lines.reshape(-1), self.offset + rows[0] * row_bytes)
            block = lines[:, first : last + 1]
        else:
            block = np.empty((len(rows), width), self.stored)
            start = self.offset + rows[0] * row_bytes + first * item
            self.handle.read_lines(block, start, rows.step * row_bytes)
        return block if columns.step == 1 else block[:, [c - first for c in columns]]

    def stored_pairs(self, rows: range, columns: range) -> tuple[NDArray[Any], NDArray[Any]]:
        """Each of some rows, and the one after each, as they lie in the file.

        One read brings both rows of a pair; all pairs come in one where the file is far.
        """
        width = self.shape[1]
        block = np.empty((len(rows), width + len(columns)), self.stored)
        start = self.offset + (rows[0] * width + columns[0]) * self.stored.itemsize
        self.handle.read_lines(block, start, rows.step * width * self.stored.itemsize)
        return block[:, : len(columns)], block[:, width:]

    def decoded(self, block: NDArray[Any]) -> FloatArray:
        """The values of what lies in the file, any part of it."""
        values = block.astype(self.dtype)
        if self.scale != 1.0 or self.zero != 0.0:
            values *= self.dtype.type(self.scale)
            values += self.dtype.type(self.zero)
        if self.blank is not None:
            values[block == self.blank] = np.nan
        return values


@dataclass(frozen=True)
class FitsPlanes:
    """The planes of an uncompressed FITS cube: as many sources as planes, one handle for all."""

    first: FitsPixels
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> FitsPixels:
        height, width = self.first.shape
        plane = height * width * self.first.stored.itemsize
        return replace(self.first, offset=self.first.offset + range(self.count)[index] * plane)


class CompressedFile:
    """A file with tile-compressed images; how each lies in it is read once per process."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self._lock = threading.Lock()
        self._images: dict[int, TiledImage] = {}

    def read(self, hdu: int, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Unpack what `key` asks of an HDU; only the tiles under it.

        Raises
        ------
        ImageError
            When the file is damaged, or its tiles are too large.
        """
        try:
            return self._image(hdu).read(key)
        except ImageError:
            raise
        except MemoryError as error:
            raise ImageError(
                f"{self.handle.name}: {error or 'memory is short'}; "
                "unpack it with `funpack` and open the result"
            ) from error
        except Exception as error:
            # Each compression breaks in its own way; all of it is the file's.
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            raise ImageError(
                f"{self.handle.name}: a compressed tile cannot be unpacked ({reason}); "
                "the file is gone or damaged: fetch it again"
            ) from error

    def _image(self, hdu: int) -> TiledImage:
        with self._lock:
            if hdu not in self._images:
                with warnings.catch_warnings(), open_hdus(self.handle, tables=True) as hdus:
                    warnings.simplefilter("ignore")
                    self._images[hdu] = TiledImage(self.handle, hdus[hdu])
            return self._images[hdu]

    def __reduce__(self) -> tuple[type[CompressedFile], tuple[Handle]]:
        return CompressedFile, (self.handle,)


@dataclass(frozen=True)
class CompressedPixels(PlainPixels):
    """One plane of a tile-compressed FITS image; only the tiles under the asked slices are read.

    Parameters
    ----------
    file
        Shared by the planes and images of one file.
    hdu
        Number of the HDU.
    shape
        (H, W).
    stored
        Dtype of the values as compressed.
    plane
        Index on the axes before the last two.
    tile_rows
        Height of its tiles: rows that cost no more together than apart.
    tile_columns
        Their width.
    """

    file: CompressedFile
    hdu: int
    shape: tuple[int, int]
    stored: np.dtype[Any]
    plane: tuple[int, ...] = ()
    tile_rows: int = 1
    tile_columns: int = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return value_dtype(self.stored)

    @property
    def identity(self) -> str:
        """A digest of the file's version, HDU and plane."""
        return digest(self.file.handle.identity, self.hdu, self.plane)

    def __getitem__(self, key: Key) -> FloatArray:
        return self.file.read(self.hdu, (*self.plane, *key)).astype(self.dtype)


@dataclass(frozen=True)
class CompressedPlanes:
    """The planes of a tile-compressed cube; `axes` are the lengths before the last two axes."""

    first: CompressedPixels
    axes: tuple[int, ...]

    def __len__(self) -> int:
        return math.prod(self.axes)

    def __getitem__(self, index: int) -> CompressedPixels:
        place = np.unravel_index(range(len(self))[index], self.axes)
        return replace(self.first, plane=tuple(int(n) for n in place))
