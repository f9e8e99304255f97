"""LZW: the stream of the old Unix `compress` (`.Z`), unpacked with a few hundred kilobytes.

Welch (1984), with the codes of growing width and the padding of `compress` 4.0.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_CODES = 1 << 16
_CLEAR = 256
_FIRST_WIDTH = 9
_READ = 2**18

_WIDTH, _FREE, _OLD, _LAST, _BIT, _GROUP = range(6)
"""Places in the decoder's state: bits of a code, the next free code, the code before, the first
byte of its string, the bit to go on at, and the bit at which codes of this width began."""


class LzwReader(io.RawIOBase):
    """The unpacked bytes of an LZW stream.

    Parameters
    ----------
    packed
        The stream, at its start.

    Raises
    ------
    ValueError
        When it is no such stream, here or in `read`.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        head = packed.read(3)
        self._most = head[2] & 0x1F if len(head) == 3 else 0
        if head[:2] != b"\x1f\x9d" or not _FIRST_WIDTH <= self._most <= 16:
            raise ValueError("it does not start as an LZW stream does")
        self._clears = bool(head[2] & 0x80)
        self._packed = packed
        self._data = np.empty(0, np.uint8)
        self._ended = False
        self._prefix = np.zeros(_CODES, np.int32)
        self._suffix = np.zeros(_CODES, np.uint8)
        self._suffix[:256] = np.arange(256)
        self._state = np.array([_FIRST_WIDTH, 256 + self._clears, -1, 0, 0, 0], np.int64)
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, into: Any) -> int:
        """Fill some of `into`; 0 at the end of the stream."""
        while not self._ready and not (self._ended and self._spent()):
            self._ready = self._more()
        view = memoryview(into).cast("B")
        part = self._ready[: len(view)]
        view[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _spent(self) -> bool:
        """Whether no whole code is left."""
        return int(self._state[_BIT] + self._state[_WIDTH]) > 8 * self._data.size

    def _more(self) -> bytes:
        """What the next codes stand for."""
        if not self._ended and 8 * self._data.size - self._state[_BIT] < 8 * _READ:
            self._refill()
        room = np.empty(8 * _CODES, np.uint8)
        filled = _decode()(
            self._data, self._ended, self._state, self._prefix, self._suffix, room,
            self._most, self._clears,
        )  # fmt: skip
        if filled < 0:
            raise ValueError("a code stands for nothing")
        return room[:filled].tobytes()

    def _refill(self) -> None:
        """Drop whole bytes that were decoded, and read on."""
        done = int(self._state[_BIT]) // 8
        self._state[_BIT] -= 8 * done
        self._state[_GROUP] -= 8 * done
        more = self._packed.read(_READ)
        self._ended = not more
        self._data = np.concatenate([self._data[done:], np.frombuffer(more, np.uint8)])


def _decode_codes(  # noqa: PLR0912, PLR0915 (one loop, for the compiler)
    data: NDArray[np.uint8],
    ended: bool,
    state: NDArray[np.int64],
    prefix: NDArray[np.int32],
    suffix: NDArray[np.uint8],
    room: NDArray[np.uint8],
    most: int,
    clears: bool,
) -> int:
    """Decode until `room` may not hold the next string, or the data are short.

    Returns
    -------
    Bytes filled; -1 for a code that stands for nothing.
    """
    width, free, old, last, bit, group = state
    bits = 8 * data.size
    end = bits if ended else bits - 256  # what is skipped at a change of width must be there
    stack = np.empty(65536 + 1, np.uint8)
    at = 0
    while at + 65536 < room.size:
        grows = free >= (1 << width) and width < most
        if grows:
            bit = group + -(-(bit - group) // (8 * width)) * 8 * width
            group = bit
            width += 1
        if bit + width > end:
            break
        code = np.int64(0)
        for n in range(3):
            place = (bit >> 3) + n
            if place < data.size:
                code |= np.int64(data[place]) << (8 * n)
        code = (code >> (bit & 7)) & ((1 << width) - 1)
        bit += width
        if old < 0:
            if code > 255:
                return -1
            old = last = code
            room[at] = code
            at += 1
            continue
        if clears and code == 256:
            bit = group + -(-(bit - group) // (8 * width)) * 8 * width
            group = bit
            width = 9
            free = 256
            continue
        height = 0
        string = code
        if code >= free:
            if code > free:
                return -1
            stack[0] = last
            height = 1
            string = old
        while string >= 256:
            stack[height] = suffix[string]
            height += 1
            string = np.int64(prefix[string])
        last = np.int64(suffix[string])
        room[at] = last
        at += 1
        for n in range(height):
            room[at + n] = stack[height - 1 - n]
        at += height
        if free < (1 << most):
            prefix[free] = old
            suffix[free] = last
            free += 1
        old = code
    state[:] = (width, free, old, last, bit, group)
    return at


@functools.cache
def _decode() -> Callable[..., int]:
    """The loop, compiled when it is first needed."""
    from napari_astroseg.sky.compiled import compiled  # it costs an import of numba

    return compiled(_decode_codes)
