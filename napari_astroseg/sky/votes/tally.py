"""Tally: the compiled loops that count equal values, many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled

Bytes = NDArray[np.uint8]
Bins = NDArray[np.int64]

_LANES = 64
"""Bytes compared side by side."""

_ROWS = 32
"""Of lanes, in a block; a lane counts no further than 255."""

_BLOCK = _ROWS * _LANES

_FEW = 24
"""Comparing with each count is quicker than counting byte by byte for so many."""


@compiled
def tally(values: NDArray[Any], bins: Bins) -> tuple[int, int]:
    """Count flat native `values` into `bins`; how many are NaN, and where the first bad one is.

    -1 where none is bad: negative, beyond the bins, or over 0.001 from a whole number.
    """
    missing = 0
    start = 0
    total = values.size
    while start < total:
        value = values[start]
        stop = start + 1
        while stop < total and values[stop] == value:
            stop += 1
        if np.isnan(value):  # each a run of its own
            missing += 1
            bins[0] += 1
        else:
            if not (value >= 0 and value < bins.size - 0.5):
                return missing, start
            count = int(value + 0.5)
            if abs(value - count) > 1e-3:
                return missing, start
            bins[count] += stop - start
        start = stop
    return missing, -1


@compiled
def tally_bytes(values: Bytes, bins: Bins) -> None:
    """Count flat bytes into `bins`, block by block.

    A block of one value, told by its words, is counted at once; one of few different counts by
    comparing all its bytes with each, many at a time; any other byte by byte.
    """
    words = values[: values.size // 8 * 8].view(np.uint64)
    lanes = np.empty(_LANES, np.uint8)
    start = 0
    while start + _BLOCK <= values.size:
        block = values[start : start + _BLOCK]
        if _uniform(words[start // 8 : (start + _BLOCK) // 8], block[0]):
            bins[block[0]] += _BLOCK
        else:
            _tally_block(block, lanes, bins)
        start += _BLOCK
    for i in range(start, values.size):
        bins[values[i]] += 1


@compiled
def _uniform(words: NDArray[np.uint64], value: np.uint8) -> bool:
    """Whether all bytes of the words have that value."""
    same = np.uint64(value) * np.uint64(0x0101010101010101)
    mixed = np.uint64(0)
    for i in range(words.size):
        mixed |= words[i] ^ same
    return bool(mixed == 0)


@compiled
def _tally_block(block: Bytes, lanes: Bytes, bins: Bins) -> None:
    """Count one block of bytes."""
    low, high = block[0], block[0]
    for i in range(_BLOCK):
        low = min(low, block[i])
        high = max(high, block[i])
    if high - low > _FEW:
        for i in range(_BLOCK):
            bins[block[i]] += 1
        return
    above = _BLOCK
    for count in range(low, high):
        lanes[:] = 0
        limit = np.uint8(count)
        for row in range(_ROWS):
            for lane in range(_LANES):
                lanes[lane] += np.uint8(block[row * _LANES + lane] > limit)
        more = 0
        for lane in range(_LANES):
            more += lanes[lane]
        bins[count] += above - more
        above = more
    bins[high] += above
