"""Codecs: one compressed tile of a FITS image, from bytes to values, never trusting the bytes.

The decoders of RICE, HCOMPRESS and PLIO are CFITSIO's, as astropy ships them. They were written
for sound input: what they take on trust (sizes in the stream, an end that is there) is looked at
here first, and what they read beyond an end is padding.
"""

from __future__ import annotations

import functools
import math
import threading
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORKING_LIMIT = 448 * 2**20
"""Memory that unpacking one tile may take, bytes."""

_KINDS = {"GZIP_1", "GZIP_2", "RICE_1", "RICE_ONE", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS"}
_HCOMPRESS = threading.Lock()
_HCOMPRESS_MAGIC = b"\xdd\x99"
_DITHERS = 10_000
_ZERO = -2147483646
"""Quantised value that stands for exactly zero in SUBTRACTIVE_DITHER_2."""
_STRETCH = 2**20


@dataclass(frozen=True)
class Codec:
    """How the tiles of an image are compressed.

    Parameters
    ----------
    kind
        ZCMPTYPE.
    stored
        Native dtype of the values (ZBITPIX).
    quantised
        Whether floats were scaled to integers first.
    block, item
        RICE's BLOCKSIZE and BYTEPIX.
    smooth
        HCOMPRESS's SMOOTH.
    dither
        0 for none, 1 or 2 for SUBTRACTIVE_DITHER_n.
    """

    kind: str
    stored: np.dtype[Any]
    quantised: bool = False
    block: int = 32
    item: int = 4
    smooth: int = 0
    dither: int = 0

    def check(self, pixels: int) -> None:
        """Raise where a tile of so many pixels cannot be unpacked, whatever it holds.

        Raises
        ------
        ValueError
            When nobody knows this compression.
        MemoryError
            When a tile takes too much memory.
        """
        if self.kind not in _KINDS:
            raise ValueError(f"a compression {self.kind!r} is not known")
        if self.kind.startswith("RICE") and not (self.item in {1, 2, 4} and 0 < self.block <= 4096):
            raise ValueError(f"RICE of {self.item} bytes in blocks of {self.block} is not known")
        if pixels * self._at_work() > WORKING_LIMIT:
            raise MemoryError(
                f"its tiles of {pixels * self.stored.itemsize / 2**20:,.0f} MiB are too large to "
                "be unpacked piece by piece"
            )

    def _at_work(self) -> int:
        """Bytes in memory for each pixel of a tile while it is unpacked."""
        width = self.stored.itemsize
        match self.kind:
            case "GZIP_2":
                return 2 * width
            case "HCOMPRESS_1":
                return 16
            case "RICE_1" | "RICE_ONE" | "PLIO_1":
                return 8 if width <= 4 else 12
            case _:
                return width

    def raw(self, packed: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
        """The values of a tile as they were compressed: integers, or floats that were not scaled.

        Raises
        ------
        ValueError
            When the bytes are no such tile.
        """
        count = math.prod(shape)
        match self.kind:
            case "GZIP_1" | "GZIP_2" | "NOCOMPRESS":
                values = self._plain(packed, count)
            case "RICE_1" | "RICE_ONE":
                values = _rice(packed, self.block, self.item, count)
            case "PLIO_1":
                values = _plio(packed, count)
            case _:
                values = _hcompress(packed, shape, self.smooth)
        if values.size < count:
            raise ValueError(f"{values.size} values instead of {count}")
        return values[:count].reshape(shape)

    def _plain(self, packed: bytes, count: int) -> NDArray[Any]:
        if self.kind == "NOCOMPRESS":
            values = np.frombuffer(packed, np.uint8)
        else:
            values = inflated(packed, 8 * count)
        width, rest = divmod(values.size, count)
        if rest or width not in {1, 2, 4, 8}:
            raise ValueError(f"{values.size} bytes for {count} values")
        floats = self.stored.kind == "f" and not self.quantised and width > 2
        kind = "u" if width == 1 else ("f" if floats else "i")
        if self.kind == "GZIP_2":
            values = np.ascontiguousarray(values.reshape(width, count).T).reshape(-1)
        return values.view(np.dtype(f">{kind}{width}"))

    def dequantised(
        self, values: NDArray[Any], scale: float, zero: float, blank: int | None, row: int
    ) -> NDArray[Any]:
        """Floats of quantised values, NaN where they are `blank`; in stretches, to spare memory.

        Parameters
        ----------
        row
            Number of the tile, ZDITHER0 added, which chooses the dither.

        Notes
        -----
        FITS standard 4.0, section 10.2 and appendix I.
        """
        flat = values.reshape(-1)
        same = flat.dtype.isnative and flat.dtype.itemsize == self.stored.itemsize
        here = flat if flat.flags.writeable or not same else flat.copy()
        floats = here.view(self.stored) if same else np.empty(flat.size, self.stored)
        dither = _Dither(row) if self.dither else None
        for start in range(0, flat.size, _STRETCH):
            part = here[start : start + _STRETCH].astype(np.int64)
            told = part.astype(np.float64)
            if dither is not None:
                told += 0.5
                told -= dither.take(part.size)
            told *= scale
            told += zero
            if self.dither == 2:
                told[part == _ZERO] = 0.0
            if blank is not None:
                told[part == blank] = np.nan
            with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite
                floats[start : start + _STRETCH] = told
        return floats.reshape(values.shape)


def inflated(packed: bytes, limit: int) -> NDArray[np.uint8]:
    """A gzip stream unpacked, of which no more than `limit` bytes are accepted.

    Raises
    ------
    ValueError
        When it is damaged, cut short, or longer.
    """
    stream = zlib.decompressobj(wbits=31)
    plain = np.empty(limit, np.uint8)  # what is not filled takes no memory
    filled = 0
    try:
        while not stream.eof:
            part = stream.decompress(packed, _STRETCH)
            packed = stream.unconsumed_tail
            if filled + len(part) > limit:
                raise ValueError("it is longer than its tile")
            if not part and not stream.eof:
                raise ValueError("it ends early")
            plain[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return plain[:filled]


def _padded(packed: bytes, pad: int, fill: int) -> NDArray[np.uint8]:
    """The bytes, with more behind their end that a decoder may run into."""
    room = np.full(len(packed) + pad, fill, np.uint8)
    room[: len(packed)] = np.frombuffer(packed, np.uint8)
    return room[: len(packed)]


def _rice(packed: bytes, block: int, item: int, count: int) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_rice_1_c

    if len(packed) < item + 1:
        raise ValueError("it ends early")
    # It looks for its end once in a block, and for the end of a run of zeros bit by bit.
    plain = decompress_rice_1_c(_padded(packed, 16 * block + 64, 0xFF), block, item, count)
    return np.frombuffer(plain, np.uint8 if item == 1 else f"i{item}")


def _plio(packed: bytes, count: int) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_plio_1_c

    words = np.frombuffer(packed[: len(packed) // 2 * 2], ">i2").astype(np.int16)
    if words.size < 3:
        raise ValueError("it ends early")
    length, first = int(words[2]), 3
    if length <= 0:
        if words.size < 5:
            raise ValueError("it ends early")
        length, first = (int(words[4]) << 15) + int(words[3]), int(words[1])
    if not (3 <= first <= length <= words.size):
        raise ValueError(f"a list of {length} words in {words.size}")
    room = _padded(words.tobytes(), 64, 0)
    return np.frombuffer(decompress_plio_1_c(room, count), np.int32)


def _hcompress(packed: bytes, shape: tuple[int, ...], smooth: int) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_hcompress_1_c

    rows, columns = (n for n in shape[-2:])
    if len(packed) < 25 or packed[:2] != _HCOMPRESS_MAGIC:
        raise ValueError("it does not start as HCOMPRESS does")
    if math.prod(shape[:-2]) != 1 or _sides(packed) != (rows, columns):
        raise ValueError(f"a tile of {_sides(packed)} in place of {shape}")
    if max(packed[22:25]) > 64:
        raise ValueError(f"{max(packed[22:25])} bit planes")
    # A bit plane ends where the pad's code, which is none, is met; one plane is read at most.
    room = _padded(packed, rows * columns // 2 + 1024, 0x55)
    with _HCOMPRESS:  # it keeps its place in the stream in globals
        plain = decompress_hcompress_1_c(room, rows, columns, 0, smooth, 8)
    return np.frombuffer(plain, np.int32)


def _sides(packed: bytes) -> tuple[int, int]:
    """Rows and columns as an HCOMPRESS stream has them."""
    first, second = np.frombuffer(packed[2:10], ">i4").tolist()
    return first, second


@functools.cache
def _randoms() -> NDArray[np.float32]:
    """The 10 000 pseudo-random numbers that the FITS standard prescribes (Park & Miller 1988)."""
    found, seed = np.empty(_DITHERS), 1
    for at in range(_DITHERS):
        seed = 16807 * seed % 2147483647
        found[at] = seed / 2147483647
    return found.astype(np.float32)


class _Dither:
    """The sequence of random numbers of one tile."""

    def __init__(self, row: int) -> None:
        self._seed = (row - 1) % _DITHERS
        self._next = self._start()

    def take(self, count: int) -> NDArray[np.float64]:
        """The next `count` of them."""
        taken = np.empty(count)
        done = 0
        while done < count:
            step = min(count - done, _DITHERS - self._next)
            taken[done : done + step] = _randoms()[self._next : self._next + step]
            done += step
            self._next += step
            if self._next == _DITHERS:
                self._seed = (self._seed + 1) % _DITHERS
                self._next = self._start()
        return taken

    def _start(self) -> int:
        return int(_randoms()[self._seed] * 500)
