"""TableColumns: chosen values of a binary table's columns, read page by page.

A HEALPix map may be a table larger than memory, of which a picture needs values from here and
there: pages of rows are read where values are wanted, and the last ones kept.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.handle import Handle
from napari_astroseg.sky.files.stored import value_dtype
from napari_astroseg.sky.pixels import FloatArray, digest

_PAGE = 256 * 2**10
_RUN = 16 * 2**20
"""Read at once, bytes."""
KEPT = 256 * 2**20
"""Pages kept, bytes: a whole map of NSIDE 2048 in single precision."""

_TFORM = re.compile(r"(\d*)([LXBIJKAEDCMPQ])")
_BYTES = dict(zip("LBIJKAEDCMPQ", (1, 1, 2, 4, 8, 1, 4, 8, 8, 16, 8, 16), strict=True))
_NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}


@dataclass(frozen=True)
class Column:
    """Where a column of numbers lies in a row, and what its numbers mean.

    Parameters
    ----------
    name, unit
        TTYPE and TUNIT.
    at
        First byte in a row.
    repeat
        Values in a row.
    stored
        Dtype in the file.
    scale, zero, null
        TSCAL, TZERO and TNULL: value = stored × scale + zero, TNULL becomes NaN.
    """

    name: str
    unit: str
    at: int
    repeat: int
    stored: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    null: int | None = None

    @property
    def end(self) -> int:
        """The byte in a row after its last."""
        return self.at + self.repeat * self.stored.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return value_dtype(self.stored)

    def values(self, stored: NDArray[Any]) -> FloatArray:
        """What stored numbers mean."""
        values = stored.astype(self.dtype)
        if self.scale != 1.0 or self.zero != 0.0:
            values *= self.dtype.type(self.scale)
            values += self.dtype.type(self.zero)
        if self.null is not None:
            values[stored == self.null] = np.nan
        return values


def columns_of(header: fits.Header) -> list[Column]:
    """The columns of plain numbers of a binary table; others are passed over."""
    found, at = [], 0
    for n in range(1, int(header.get("TFIELDS", 0)) + 1):
        told = _TFORM.match(str(header.get(f"TFORM{n}", "")).strip())
        if told is None:
            break  # nobody knows where the next one starts
        repeat, code = int(told[1] or 1), told[2]
        if code in _NUMBERS and repeat:
            stored = np.dtype(_NUMBERS[code])
            scale, zero = float(header.get(f"TSCAL{n}", 1.0)), float(header.get(f"TZERO{n}", 0.0))
            null = header.get(f"TNULL{n}") if stored.kind in "iu" else None
            name = str(header.get(f"TTYPE{n}", f"column {n}")).strip()
            unit = str(header.get(f"TUNIT{n}", "")).strip()
            found.append(Column(name, unit, at, repeat, stored, scale, zero, null))
        at += -(-repeat // 8) if code == "X" else repeat * _BYTES[code]
    return found


class TablePages:
    """The rows of a binary table in pages; columns and threads share them.

    Parameters
    ----------
    handle
        The file's bytes.
    offset
        Where the first row starts.
    row_bytes, rows
        Size of the table.
    """

    def __init__(self, handle: Handle, offset: int, row_bytes: int, rows: int) -> None:
        self.handle = handle
        self.rows = rows
        self._offset = offset
        self._row_bytes = row_bytes
        self._page_rows = max(1, _PAGE // row_bytes)
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    @property
    def identity(self) -> str:
        """A digest of the file's version and of where the table lies in it."""
        return digest(self.handle.identity, self._offset, self._row_bytes, self.rows)

    def take(self, column: Column, places: NDArray[np.int64]) -> FloatArray:
        """The values at `places` of a column, counted through its rows; memory is bounded.

        Parameters
        ----------
        column
            Which.
        places
            One axis; in any order.

        Raises
        ------
        ImageError
            When the file cannot be read.
        """
        rows, within = np.divmod(places, column.repeat)
        pages, row = np.divmod(rows, self._page_rows)
        touched = np.zeros(-(-self.rows // self._page_rows), bool)
        touched[pages] = True
        values = np.empty(places.shape, column.dtype)
        batches = list(self._batches(np.flatnonzero(touched)))
        for batch in batches:
            slot = np.zeros(len(touched), np.intp)
            slot[batch] = np.arange(len(batch))
            stored = self._column(column, self._pages(batch))
            if len(batches) == 1:
                return column.values(stored[slot[pages], row, within])
            here = np.flatnonzero((pages >= batch[0]) & (pages <= batch[-1]))
            found = stored[slot[pages[here]], row[here], within[here]]
            values[here] = column.values(found)
        return values

    def whole(self, column: Column) -> NDArray[Any]:
        """All whole numbers of a column, native: for the short ones that say which pixel.

        Those stored as unsigned become int64.
        """
        parts = []
        for first in range(0, -(-self.rows // self._page_rows), _RUN // _PAGE):
            last = min(first + _RUN // _PAGE, -(-self.rows // self._page_rows))
            pages = np.empty((last - first, self._page_rows * self._row_bytes), np.uint8)
            self._read(range(first, last), pages)
            stored = self._column(column, pages)
            parts.append(stored.reshape(-1).astype(column.stored.newbyteorder("=")))
        numbers = np.concatenate(parts)[: self.rows * column.repeat]
        if column.zero == 0.0:
            return numbers
        # Modulo 2^64, for 2^63 itself, which unsigned ones are stored without, is no int64.
        wide = numbers.astype(np.int64).view(np.uint64)
        return (wide + np.uint64(int(column.zero) % 2**64)).view(np.int64)

    def _batches(self, pages: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        many = max(1, _RUN * 4 // (self._page_rows * self._row_bytes))
        for start in range(0, len(pages), many):
            yield pages[start : start + many]

    def _column(self, column: Column, pages: NDArray[np.uint8]) -> NDArray[Any]:
        """A column of pages as they lie in the file: (page, row, within the row)."""
        shape = (len(pages), self._page_rows, column.repeat)
        strides = (pages.strides[0], self._row_bytes, column.stored.itemsize)
        return np.ndarray(shape, column.stored, pages, column.at, strides)

    def _pages(self, numbers: NDArray[np.intp]) -> NDArray[np.uint8]:
        """These pages, one after the other: kept ones, and others read in runs."""
        pages = np.empty((len(numbers), self._page_rows * self._row_bytes), np.uint8)
        missing = []
        with self._lock:
            for slot, number in enumerate(numbers.tolist()):
                page = self._kept.get(number)
                if page is None:
                    missing.append(slot)
                else:
                    self._kept.move_to_end(number)
                    pages[slot] = page
        start = 0
        for end in range(1, len(missing) + 1):
            first = missing[start]
            if end < len(missing) and end - start < _RUN // _PAGE:
                step = numbers[missing[end]] - numbers[first]
                if missing[end] - first == end - start == step:
                    continue
            run = range(int(numbers[first]), int(numbers[first]) + end - start)
            self._read(run, pages[first : first + len(run)])
            self._keep(run, pages[first : first + len(run)])
            start = end
        return pages

    def _read(self, run: range, into: NDArray[np.uint8]) -> None:
        """Neighbouring pages; what comes after the last row is left as it is."""
        first = run.start * into.shape[1]
        count = min(run.stop * into.shape[1], self.rows * self._row_bytes) - first
        self.handle.read(into.reshape(-1)[:count], self._offset + first)

    def _keep(self, run: range, pages: NDArray[np.uint8]) -> None:
        most = max(1, KEPT // pages.shape[1])
        with self._lock:
            for number, page in zip(run, pages, strict=True):
                self._kept[number] = page.copy()
            while len(self._kept) > most:
                self._kept.popitem(last=False)

    def __reduce__(self) -> tuple[type[TablePages], tuple[Any, ...]]:
        return TablePages, (self.handle, self._offset, self._row_bytes, self.rows)


def table_of(hdu: fits.BinTableHDU, handle: Handle) -> tuple[TablePages, list[Column]]:
    """The pages of an open file's table, and its columns of numbers.

    Raises
    ------
    ImageError
        When the file ends before the table does, or rows are too long to be read in pages.
    """
    offset = int(hdu.fileinfo()["datLoc"])
    row_bytes, rows = int(hdu.header["NAXIS1"]), int(hdu.header["NAXIS2"])
    end = offset + row_bytes * rows
    if row_bytes <= 0 or rows <= 0:
        raise ImageError(f"{handle.name}: its table has no rows; fetch the file with the data")
    if end > handle.size:
        raise ImageError(
            f"{handle.name}: its header promises {end:,} bytes and the file holds "
            f"{handle.size:,}; it was cut short: fetch it again"
        )
    columns = [each for each in columns_of(hdu.header) if each.end <= row_bytes]
    if len(columns) == 1 and columns[0].end - columns[0].at == row_bytes:
        # Alone in its rows, however long: the values lie one after the other.
        rows, row_bytes = rows * columns[0].repeat, columns[0].stored.itemsize
        columns = [replace(columns[0], repeat=1)]
    if row_bytes > _RUN:
        raise ImageError(
            f"{handle.name}: its table's rows are {row_bytes / 2**20:,.1f} MiB long, which cannot "
            "be read piece by piece; write it with one value in a row (`1E`)"
        )
    return TablePages(handle, offset, row_bytes, rows), columns
