"""Tile writing: a tile-compressed FITS image made part by part, so that no memory holds all of it.

FITS standard 4.0, section 10: a table with a line for each tile says where in the heap after it
the tile's bytes lie. Parts may come in any order. Floats are packed by GZIP_2, integers by RICE,
without loss; headers, and RICE, are astropy's.
"""

from __future__ import annotations

import gzip
import io
import math
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import image_header, replacing
from napari_astroseg.sky.window import Window

TILE = 256
"""Pixels along a side of a tile."""

_KINDS = {"f": "GZIP_2", "i": "RICE_1"}
_MOST_WAITING = 4
"""Parts that are packed while others are made."""

_EFFORT = 4
"""Of gzip: at 9, which astropy takes, it is four times slower for a hundredth less."""

_FAR = 2**30
"""From so many bytes on, places in the heap get eight bytes each; packed noise may take more."""


class _Packed(NamedTuple):
    """Tiles of a part: (n, 2) length and place of each, and their bytes."""

    places: NDArray[np.int64]
    heap: bytes


class TileWriter:
    """Takes parts of an image; made by `tile_writer`."""

    def __init__(
        self, file: IO[bytes], shape: tuple[int, ...], header: fits.Header, pool: Executor
    ) -> None:
        self._file, self._shape, self._header, self._pool = file, shape, header, pool
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU()])
        hdus.update_extend()
        self._first = hdus[0].header
        self._across, self._down = (-(-side // TILE) for side in (shape[-1], shape[-2]))
        planes = math.prod(shape[:-2])
        self._places = np.zeros((planes * self._down * self._across, 2), np.int64)
        self._waiting: deque[tuple[NDArray[np.int64], Future[_Packed]]] = deque()
        self._length = self._longest = 0
        self._finish()  # the places are kept free for what is known at last

    def put(self, part: Window, values: NDArray[Any], plane: int = 0) -> None:
        """Write a part (h, w) of a plane; its corner lies on a multiple of `TILE` pixels."""
        rows = np.arange(part.y // TILE, -(-part.y_end // TILE))
        columns = np.arange(part.x // TILE, -(-part.x_end // TILE))
        tiles = (plane * self._down + rows[:, None]) * self._across + columns
        self._waiting.append(
            (tiles.ravel(), self._pool.submit(_packed, np.ascontiguousarray(values)))
        )
        while len(self._waiting) > _MOST_WAITING:
            self._store()

    def close(self) -> None:
        """Write what is left, and where all of it lies."""
        while self._waiting:
            self._store()
        assert self._places[:, 0].all(), "a tile was not given"
        self._file.write(bytes(-self._file.tell() % 2880))
        self._finish()

    def _store(self) -> None:
        tiles, waiting = self._waiting.popleft()
        packed = waiting.result()
        self._places[tiles] = packed.places
        self._places[tiles, 1] += self._length
        self._length += len(packed.heap)
        self._longest = max(self._longest, int(packed.places[:, 0].max()))
        self._file.write(packed.heap)

    def _finish(self) -> None:
        """The header and the table, at the beginning of the file."""
        letter, kind = ("P", ">i4") if math.prod(self._shape) * 4 < _FAR else ("Q", ">i8")
        table = self._places.astype(kind)
        self._header.update(
            NAXIS1=table.strides[0], NAXIS2=len(table), PCOUNT=self._length,
            TFORM1=f"1{letter}B({self._longest})",
        )  # fmt: skip
        self._file.seek(0)
        for header in (self._first, self._header):
            self._file.write(header.tostring(sep="", endcard=True, padding=True).encode("ascii"))
        self._file.write(table.tobytes())


@contextmanager
def tile_writer(
    path: Path,
    shape: tuple[int, ...],
    dtype: type[np.number[Any]],
    pool: Executor,
    cards: fits.Header | None = None,
    notes: dict[str, str | int | float] | None = None,
) -> Iterator[TileWriter]:
    """What takes an image part by part; the file is there when all went well, or not at all.

    Parameters
    ----------
    shape
        (H, W) or (planes, H, W).
    dtype
        float32, or int32.
    pool
        Threads that pack.
    cards, notes
        As `sky.files.writing.write_image` takes them.

    Raises
    ------
    OutputError
        When the folder cannot be written to or the disk is full; `path` is as it was.
    """
    header = _header(shape, np.dtype(dtype), image_header(cards, notes=notes))
    with replacing(path) as temporary, temporary.open("wb") as file:
        writer = TileWriter(file, shape, header, pool)
        yield writer
        writer.close()


def _header(shape: tuple[int, ...], dtype: np.dtype[Any], cards: fits.Header) -> fits.Header:
    """The header of the table, as astropy writes it for one tile."""
    tile = (*(1 for _ in shape[:-2]), *(min(TILE, side) for side in shape[-2:]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        with _table(np.zeros(tile, dtype), tile, cards) as (table, _):
            header: fits.Header = table.header.copy()
    for axis, side in enumerate(reversed(shape), start=1):
        header[f"ZNAXIS{axis}"] = side
    return header


def _packed(values: NDArray[Any]) -> _Packed:
    if values.dtype.kind == "f":
        tiles = [_gzip2(values[tile.slices]) for tile in Window.whole(values.shape).parts(TILE)]
        sizes = np.array([len(tile) for tile in tiles], np.int64)
        return _Packed(np.stack([sizes, np.cumsum(sizes) - sizes], axis=1), b"".join(tiles))
    tile = min(TILE, values.shape[0]), min(TILE, values.shape[1])
    with _table(values, tile, fits.Header()) as (table, file):
        count, start = table.header["NAXIS2"], table.fileinfo()["datLoc"]
        assert table.header["TFORM1"].startswith("1PB")
        places = np.frombuffer(file, ">i4", 2 * count, start).reshape(-1, 2).astype(np.int64)
        heap = start + 8 * count
        return _Packed(places, file[heap : heap + table.header["PCOUNT"]])


def _gzip2(values: NDArray[Any]) -> bytes:
    """The first bytes of all values, then the second ones and so on, packed."""
    stored = values.astype(values.dtype.newbyteorder(">"))
    sides = stored.view(np.uint8).reshape(-1, stored.itemsize).T
    return gzip.compress(sides.tobytes(), _EFFORT, mtime=0)


@contextmanager
def _table(
    values: NDArray[Any], tile: tuple[int, ...], cards: fits.Header
) -> Iterator[tuple[fits.BinTableHDU, bytes]]:
    """The table that astropy packs values into, and the file that it is in."""
    kind = _KINDS[values.dtype.kind]
    hdu: Any = fits.CompImageHDU(
        values, cards, compression_type=kind, quantize_level=0, tile_shape=tile
    )
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(written)
    written.seek(0)
    with fits.open(written, disable_image_compression=True) as hdus:
        yield hdus[1], written.getvalue()
