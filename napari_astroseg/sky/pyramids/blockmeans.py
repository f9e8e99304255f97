"""Block means: every coarser level of a strip of rows in one pass over its bytes.

A level's value is the mean of all pixels of its 2^k × 2^k block that are not missing; NaN where
all of them are. Sums and counts, not means, are carried from level to level, in double
precision: a mean of means would weigh pixels by how many of their neighbours are missing.
Infinite values are no missing data: they make their block infinite (NaN where both signs meet).

The kernels undo byte order, BSCALE, BZERO and BLANK on the way, two rows at a time, so that the
bytes are touched once while they are in the processor's cache. They hold no lock: threads work
side by side. numba is imported here, so import this module where growing begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.extending import intrinsic
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled
from napari_astroseg.sky.pyramids.chunks import CHUNK, Floats


@dataclass(frozen=True)
class Encoding:
    """How values lie in memory.

    Parameters
    ----------
    stored
        Their dtype, of either byte order.
    scale, zero
        value = stored × scale + zero.
    blank
        The stored integer that stands for missing data; None without one.
    """

    stored: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None


class Reducer:
    """Block means of strips of one width, level by level; one for each thread.

    Parameters
    ----------
    encoding
        Of the strips' values.
    width
        Of a strip, pixels.
    count
        How many levels: the coarsest has blocks of 2^count × 2^count pixels.
    finest
        The first level to write out, from 1 on; finer ones are only passed through.
    """

    def __init__(self, encoding: Encoding, width: int, count: int, finest: int = 1) -> None:
        self._encoding = encoding
        self._count, self._finest = count, finest
        halves = -(-width // 2**count) * 2**count // 2
        self._sums = np.zeros((count + 1, 2, halves))
        self._counts = np.zeros((count + 1, 2, halves), np.float32)
        self._native = encoding.stored.newbyteorder("=")
        self._bits = np.dtype(f"u{encoding.stored.itemsize}")
        self._pair = np.empty((2, 2 * CHUNK), self._native)
        marked = encoding.blank is not None and self._native.kind in "iu"
        self._blank = self._native.type(encoding.blank) if marked else None
        self._scale = None if (encoding.scale, encoding.zero) == (1.0, 0.0) else encoding.scale

    def reduce(
        self,
        strip: NDArray[Any],
        into: Floats,
        starts: NDArray[np.int64],
        above: int = 0,
        more: bool = False,
    ) -> None:
        """Write the means of a strip, or of the next part of one.

        Parameters
        ----------
        strip
            Encoded values, C order, shape (rows, width); what lacks to whole blocks below
            the last row is missing data.
        into
            Flat: a row of chunks for each level, chunk after chunk of `CHUNK` × `CHUNK` values.
        starts
            For each level from 1 on, where in `into` the strip's first row of it begins; entry 0
            is not used.
        above
            How many rows of the strip earlier parts brought; even.
        more
            Whether more parts of the strip follow; the rows of this one are even in number.
        """
        block = 2**self._count
        end = above + strip.shape[0]
        end = end if more else -(-end // block) * block
        arguments = (
            *(strip.view(self._bits), strip.view(self._native), not self._encoding.stored.isnative),
            *(self._pair.view(self._bits), self._pair),
            *(self._scale, self._encoding.zero, self._blank),
            *(self._sums, self._counts, self._count, self._finest, into, starts, above, end),
        )
        try:
            _reduce(*arguments)
        except OSError:  # numba could not keep what it compiled; but it has it now
            _reduce(*arguments)


@intrinsic
def _turned(_: Any, bits: Any) -> Any:
    """An unsigned integer with its bytes the other way round."""

    def built(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return values[0] if bits.bitwidth == 8 else builder.bswap(values[0])

    return bits(bits), built


@compiled
def _reduce(  # noqa: PLR0913, PLR0917 (compiled code takes no records)
    bits: NDArray[Any], values: NDArray[Any], swapped: bool,
    pair_bits: NDArray[Any], pair: NDArray[Any],
    scale: float | None, zero: float, blank: Any,
    sums: NDArray[Any], counts: NDArray[Any], count: int, finest: int,
    into: NDArray[Any], starts: NDArray[Any], above: int, end: int,
) -> None:  # fmt: skip
    """Go down a strip by pairs of rows; whenever two rows of a level are done, join them.

    A pair is taken a chunk's width at a time, which stays in the processor's first cache.
    """
    height, width = bits.shape
    halves = sums.shape[2]
    for row in range(0, end - above, 2):
        at, rows = (above + row) // 2, max(0, min(2, height - row))
        row_sums, row_counts = sums[1, at % 2], counts[1, at % 2]
        for first in range(0, halves, CHUNK):
            last = min(first + CHUNK, halves)
            left = min(2 * first, width)
            right = min(2 * last, width)
            upper, lower = pair[0, : right - left], pair[1, : right - left]
            if swapped:
                for below in range(rows):
                    _turn(bits[row + below, left:right], pair_bits[below])
            elif rows:
                upper, lower = values[row, left:right], values[row + rows - 1, left:right]
            some_sums, some_counts = row_sums[first:last], row_counts[first:last]
            _add_up(upper, lower, rows, scale, zero, blank, some_sums, some_counts)
            if finest == 1:
                start = starts[1] + at * CHUNK + first * CHUNK
                _write_means(some_sums, some_counts, into[start : start + CHUNK])
        level = 1
        while at % 2 == 1 and level < count:
            at //= 2
            level += 1
            level_sums, level_counts = sums[level, at % 2], counts[level, at % 2]
            _join(sums[level - 1], level_sums, halves >> (level - 1))
            _join(counts[level - 1], level_counts, halves >> (level - 1))
            if level >= finest:
                start = starts[level] + at * CHUNK
                for first in range(0, halves >> (level - 1), CHUNK):
                    last = min(first + CHUNK, halves >> (level - 1))
                    line = into[start + first * CHUNK : start + first * CHUNK + CHUNK]
                    _write_means(level_sums[first:last], level_counts[first:last], line)


@compiled
def _turn(bits: NDArray[Any], into: NDArray[Any]) -> None:
    for place in range(bits.size):
        into[place] = _turned(bits[place])


@compiled
def _add_up(
    upper: NDArray[Any], lower: NDArray[Any], rows: int,
    scale: float | None, zero: float, blank: Any,
    sums: NDArray[Any], counts: NDArray[Any],
) -> None:  # fmt: skip
    """Sum the values present in every 2 × 2 of two rows, or fewer, and count them."""
    whole = upper.size // 2 if rows == 2 else 0
    for half in range(whole):
        p, has_p = _decoded(upper[2 * half], scale, zero, blank)
        q, has_q = _decoded(upper[2 * half + 1], scale, zero, blank)
        r, has_r = _decoded(lower[2 * half], scale, zero, blank)
        s, has_s = _decoded(lower[2 * half + 1], scale, zero, blank)
        sums[half] = (p + q) + (r + s)
        counts[half] = (has_p + has_q) + (has_r + has_s)
    sums[whole:] = 0.0
    counts[whole:] = 0.0
    for row in range(rows):
        line = lower if row else upper
        for column in range(2 * whole, line.size):
            value, has = _decoded(line[column], scale, zero, blank)
            sums[column // 2] += value
            counts[column // 2] += has


@compiled
def _decoded(stored: Any, scale: float | None, zero: float, blank: Any) -> Any:
    """A value and 1; 0 and 0 where it is missing. What is None is compiled away."""
    value = np.float64(stored)
    if scale is not None:
        value = value * scale + zero
    has = not np.isnan(value)
    if blank is not None:
        has = has and stored != blank
    return (value, np.float32(1.0)) if has else (0.0, np.float32(0.0))


@compiled
def _join(two: NDArray[Any], into: NDArray[Any], width: int) -> None:
    """Add every 2 × 2 of two rows."""
    for place in range(width):
        into[place] = (two[0, 2 * place] + two[0, 2 * place + 1]) + (
            two[1, 2 * place] + two[1, 2 * place + 1]
        )


@compiled
def _write_means(sums: NDArray[Any], counts: NDArray[Any], line: NDArray[Any]) -> None:
    for place in range(sums.size):
        line[place] = sums[place] / counts[place]
