"""Tiled: a tile-compressed FITS image, of which only the tiles under a window are unpacked.

FITS standard 4.0, section 10. Tiles are read at positions, by any number of threads.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.sky.files.handle import Handle
from napari_astroseg.sky.files.packed.codecs import Codec, inflated
from napari_astroseg.sky.files.packed.kepttiles import kept
from napari_astroseg.sky.files.stored import value_dtype

_LARGE = 2**24
"""Tiles of more bytes than this are unpacked one at a time."""
_TABLE_BYTES = 2**23
"""A table of tiles up to this size is read as a whole, bytes."""
_WIDTHS = {
    "L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16,
    "P": 8, "Q": 16,
}  # fmt: skip
_FORMAT = re.compile(r"^\s*(\d*)([LXBIJKAEDCMPQ])(?:\(?([A-Z])?)")
_DITHER_NUMBER = {"SUBTRACTIVE_DITHER_1": 1, "SUBTRACTIVE_DITHER_2": 2}
_NUMBERS = {"I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}


@dataclass(frozen=True)
class _Column:
    """Where a column lies in the table's rows, and what it holds."""

    offset: int
    letter: str
    element: str


class TiledImage:
    """The tiles of one image of a file.

    Parameters
    ----------
    handle
        The file's bytes.
    table
        The binary table that holds the tiles, opened as a table.

    Raises
    ------
    ValueError
        When the table is no sound tile-compressed image.
    MemoryError
        When its tiles are too large to unpack one at a time.
    """

    def __init__(self, handle: Handle, table: fits.BinTableHDU) -> None:
        header = table.header
        self._handle = handle
        axes = range(int(header["ZNAXIS"]), 0, -1)
        self.shape = tuple(int(header[f"ZNAXIS{n}"]) for n in axes)
        self.tile = tuple(_tile_side(header, n) for n in axes)
        if min(self.shape, default=0) < 1 or min(self.tile) < 1:
            raise ValueError(f"an image of {self.shape} in tiles of {self.tile}")
        self._grid = tuple(-(-n // t) for n, t in zip(self.shape, self.tile, strict=True))
        self._row_bytes, self._rows = int(header["NAXIS1"]), int(header["NAXIS2"])
        if self._rows < math.prod(self._grid):
            raise ValueError(f"{self._rows} tiles instead of {math.prod(self._grid)}")
        self._columns = _columns(header)
        start = int(table.fileinfo()["datLoc"])
        self._table = start
        self._heap = start + int(header.get("THEAP", self._row_bytes * self._rows))
        quantised = "ZSCALE" in self._columns or "ZSCALE" in header
        self._codec = _codec(header, quantised)
        pixels = math.prod(min(n, t) for n, t in zip(self.shape, self.tile, strict=True))
        self._codec.check(pixels)
        self._tile_bytes = pixels * self._codec.stored.itemsize
        self._one_at_a_time = threading.Lock()
        self._header = header
        self._seed = int(header.get("ZDITHER0", 0))
        self._blank = _integer(header, "ZBLANK", "BLANK")
        whole = self._codec.stored.kind in "iu"
        self._null = _integer(header, "BLANK", "ZBLANK") if whole else None
        self._scale = float(header.get("BSCALE", 1.0))
        self._zero = float(header.get("BZERO", 0.0))
        self._read_rows: NDArray[np.uint8] | None = None

    def read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Physical values, NaN where missing, of as many integers and slices as there are axes."""
        ranges = [
            range(*k.indices(n)) if isinstance(k, slice) else range(k, k + 1)
            for k, n in zip(key, self.shape, strict=True)
        ]
        values = np.empty([len(each) for each in ranges], self._codec.stored)
        along = [_tiles_along(each, side) for each, side in zip(ranges, self.tile, strict=True)]
        for parts in itertools.product(*along):
            tile = self._tile(tuple(part.tile for part in parts))
            values[tuple(part.wanted for part in parts)] = tile[tuple(p.inside for p in parts)]
        dropped = tuple(0 if isinstance(k, int) else slice(None) for k in key)
        return self._physical(values[dropped])

    def _physical(self, values: NDArray[Any]) -> NDArray[Any]:
        """Scaled values; integers that are BLANK become NaN."""
        if (self._scale, self._zero) == (1.0, 0.0) and self._null is None:
            return values
        physical = values.astype(value_dtype(self._codec.stored))
        physical *= physical.dtype.type(self._scale)
        physical += physical.dtype.type(self._zero)
        if self._null is not None:
            physical[values == self._null] = np.nan
        return physical

    def _tile(self, where: tuple[int, ...]) -> NDArray[Any]:
        """One tile, unpacked or still kept."""
        row = int(np.ravel_multi_index(where, self._grid))
        found = kept.get((id(self), row))
        if found is not None:
            return found
        with self._one_at_a_time if self._tile_bytes > _LARGE else contextlib.nullcontext():
            found = kept.get((id(self), row))
            if found is None:
                kept.make_room(self._tile_bytes)
                found = self._unpacked(row, where)
                kept.put((id(self), row), found)
            return found

    def __del__(self) -> None:
        kept.forget(id(self))

    def _unpacked(self, row: int, where: tuple[int, ...]) -> NDArray[Any]:
        sides = zip(self.shape, self.tile, where, strict=True)
        shape = tuple(min(t, n - t * at) for n, t, at in sides)
        codec = self._codec
        packed = self._packed(row, "COMPRESSED_DATA")
        if packed is None:
            return self._fallback(row, shape)
        values = codec.raw(packed, shape)
        own = self._number(row, "ZBLANK")
        blank = self._blank if own is None else int(own)
        if codec.quantised:
            scale = self._number(row, "ZSCALE") or float(self._header.get("ZSCALE", 0.0))
            zero = self._number(row, "ZZERO") or float(self._header.get("ZZERO", 0.0))
            return codec.dequantised(values, scale, zero, blank, row + self._seed)
        if blank is not None and blank != self._null and self._null is not None:
            values = np.where(values == blank, self._null, values)
        if values.dtype.newbyteorder("=") == codec.stored:
            return values  # of whatever byte order: what is asked for is copied on the way
        return values.astype(codec.stored)

    def _fallback(self, row: int, shape: tuple[int, ...]) -> NDArray[Any]:
        """A tile that would not quantise, and was kept as it is."""
        stored = self._codec.stored
        count = math.prod(shape)
        packed = self._packed(row, "GZIP_COMPRESSED_DATA")
        if packed is not None:
            plain = inflated(packed, count * stored.itemsize)
        else:
            told = self._packed(row, "UNCOMPRESSED_DATA") or b""
            plain = np.frombuffer(told, np.uint8)
        if plain.size != count * stored.itemsize:
            raise ValueError("a tile is empty")
        return plain.view(stored.newbyteorder(">")).reshape(shape)

    def _packed(self, row: int, name: str) -> bytes | None:
        """What a row's descriptor in a column points to; None for nothing."""
        column = self._columns.get(name)
        if column is None:
            return None
        kind, width = (">i4", 8) if column.letter == "P" else (">i8", 16)
        count, offset = np.frombuffer(self._cell(row, column, width), kind).tolist()
        size = count * _WIDTHS.get(column.element, 1)
        if size == 0:
            return None
        at = self._heap + offset
        if size < 0 or offset < 0 or at + size > self._handle.size:
            raise ValueError("it lies outside the file")
        packed = np.empty(size, np.uint8)
        self._handle.read(packed, at)
        return packed.tobytes()

    def _number(self, row: int, name: str) -> float | None:
        column = self._columns.get(name)
        if column is None or column.letter not in _NUMBERS:
            return None
        kind = np.dtype(_NUMBERS[column.letter])
        return float(np.frombuffer(self._cell(row, column, kind.itemsize), kind)[0])

    def _cell(self, row: int, column: _Column, width: int) -> bytes:
        """Some bytes of a row of the table."""
        if self._row_bytes * self._rows > _TABLE_BYTES:
            cell = np.empty(width, np.uint8)
            self._handle.read(cell, self._table + row * self._row_bytes + column.offset)
            return cell.tobytes()
        if self._read_rows is None:
            table = np.empty(self._row_bytes * self._rows, np.uint8)
            self._handle.read(table, self._table)
            self._read_rows = table
        start = row * self._row_bytes + column.offset
        return self._read_rows[start : start + width].tobytes()


@dataclass(frozen=True)
class _Part:
    """What one tile gives to a range: where in the range, where in the tile, which tile."""

    wanted: slice
    inside: slice
    tile: int


def _tiles_along(wanted: range, side: int) -> list[_Part]:
    """The tiles that a range touches along one axis."""
    if wanted.step < 0:
        size = len(wanted)
        parts = _tiles_along(wanted[::-1], side)
        return [replace(p, wanted=_reversed(p.wanted, size)) for p in parts]
    found = []
    at = 0
    while at < len(wanted):
        tile = wanted[at] // side
        last = (tile + 1) * side - 1
        stop = min(len(wanted), at + (last - wanted[at]) // wanted.step + 1)
        inside = slice(wanted[at] - tile * side, wanted[stop - 1] - tile * side + 1, wanted.step)
        found.append(_Part(slice(at, stop), inside, tile))
        at = stop
    return found


def _reversed(part: slice, size: int) -> slice:
    """The same places of a sequence of that size, counted from its end."""
    stop = size - 1 - part.stop
    return slice(size - 1 - part.start, None if stop < 0 else stop, -1)


def _tile_side(header: fits.Header, axis: int) -> int:
    """ZTILEn: by default a tile is one row."""
    return int(header.get(f"ZTILE{axis}", header["ZNAXIS1"] if axis == 1 else 1))


def _integer(header: fits.Header, *names: str) -> int | None:
    """The first of these cards that is there."""
    return next((int(header[name]) for name in names if name in header), None)


def _columns(header: fits.Header) -> dict[str, _Column]:
    found, offset = {}, 0
    for number in range(1, int(header["TFIELDS"]) + 1):
        told = _FORMAT.match(str(header[f"TFORM{number}"]))
        if told is None:
            raise ValueError(f"a column of format {header[f'TFORM{number}']!r}")
        repeat = int(told[1] or 1)
        name = str(header.get(f"TTYPE{number}", "")).strip().upper()
        found[name] = _Column(offset, told[2], told[3] or "B")
        offset += -(-repeat // 8) if told[2] == "X" else repeat * _WIDTHS[told[2]]
    if offset > int(header["NAXIS1"]):
        raise ValueError("its columns are wider than its rows")
    if "COMPRESSED_DATA" not in found:
        raise ValueError("it has no column COMPRESSED_DATA")
    return found


def _codec(header: fits.Header, quantised: bool) -> Codec:
    named = {
        str(header[f"ZNAME{n}"]).strip().upper(): header.get(f"ZVAL{n}")
        for n in range(1, 20)
        if f"ZNAME{n}" in header
    }
    return Codec(
        str(header["ZCMPTYPE"]).strip(),
        np.dtype(fits.BITPIX2DTYPE[header["ZBITPIX"]]),
        quantised,
        int(named.get("BLOCKSIZE", 32)),
        int(named.get("BYTEPIX", 4)),
        int(named.get("SMOOTH", 0)),
        _DITHER_NUMBER.get(str(header.get("ZQUANTIZ", "")).strip(), 0),
    )
