"""Sampling: what a level shows until its block means have landed, from a few pixels of each block.

These are the four pixels around the block's middle, whose centre of mass is the block's centre.
Of large blocks in a file on disk only one of the two middle rows is read, the lower and the
upper in turn: half as much to read, and still within half a pixel of the image.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.fitspixels import FitsPixels
from napari_astroseg.sky.files.handle import LocalHandle
from napari_astroseg.sky.pixels import ArrayPixels, PixelSource, Reducible
from napari_astroseg.sky.pyramids.chunks import Floats, as_slice
from napari_astroseg.sky.window import Window

_BAND = 64
"""Level rows sampled at a time: keeps working memory small for any image width."""

_READ_BYTES = 16 * 2**20
"""Most that is read at once for the sake of tall tiles."""

_TOGETHER = 2**20
"""Bytes of a file's rows that are sampled together: few steps, and little memory."""

_ONE_ROW = 16
"""From this factor on a block is large."""

_READERS_OF_MEMORY = 2
_READERS_OF_DISK = 4
"""Threads that sample a file. A disk that is asked for several rows at once gives more; what the
system still has in memory comes so fast that more threads would only wait for one another."""

_DISK_BYTES_S = 7e8
"""Rows that come slower than this come from a disk."""


def sampled(pixels: PixelSource, factor: int, area: Window) -> Floats:
    """Values of the blocks in `area`, float32; NaN where missing, and beyond the high sides.

    Sources that know a quicker way to less resolution are asked for it (`Reducible`).

    Parameters
    ----------
    factor
        Side of a block, image pixels: a power of two, at least 2.
    area
        Blocks.

    Raises
    ------
    ImageError
        When the file is gone, has changed, or cannot be read.
    """
    if isinstance(pixels, Reducible):
        return _padded(pixels.reduced(factor), area)
    means = np.empty(area.shape, np.float32)
    tall = max(_BAND, _blocks_per_read(pixels, factor))
    bands = [
        Window(area.x, area.y + top, area.width, min(tall, area.height - top))
        for top in range(0, area.height, tall)
    ]

    def sample(band: Window) -> None:
        with np.errstate(over="ignore"):
            taps = _taps(pixels, factor, band)
            means[band.y - area.y : band.y_end - area.y] = _mean_of_present(taps)

    if isinstance(pixels, FitsPixels) and len(bands) > 1:
        begun = time.perf_counter()
        sample(bands[0])
        read = bands[0].height * pixels.shape[1] * pixels.stored.itemsize
        slow = read < _DISK_BYTES_S * (time.perf_counter() - begun)
        with ThreadPoolExecutor(_READERS_OF_DISK if slow else _READERS_OF_MEMORY) as readers:
            deque(readers.map(sample, bands[1:]), maxlen=0)
    else:
        deque(map(sample, bands), maxlen=0)
    return means


def _taps(pixels: PixelSource, factor: int, band: Window) -> NDArray[np.floating[Any]]:
    """The pixels that stand for every block, shape (2, 1 or 2, rows, columns).

    The first axis is left and right of the middle, the second below and above it, or either.
    """
    width = pixels.shape[1]
    left = band.x * factor + factor // 2 - 1
    columns = range(left, min(left + (band.width - 1) * factor + 2, width))
    if isinstance(pixels, FitsPixels) and columns:
        far = not isinstance(pixels.handle, LocalHandle)
        if factor >= _ONE_ROW and not far:
            return _row_taps(pixels, factor, band, columns)
        if factor > 2 or far:  # or else these rows lie side by side
            return _pair_taps(pixels, factor, band, columns, far)
    taps = _nothing(pixels, 2, band)
    if columns:
        _block_taps(pixels, factor, band, columns, taps, 0)
    return taps


def _nothing(pixels: PixelSource, ends: int, band: Window) -> NDArray[np.floating[Any]]:
    return np.full((2, ends, *band.shape), np.nan, pixels.dtype)


def _row_taps(
    pixels: FitsPixels, factor: int, band: Window, columns: range
) -> NDArray[np.floating[Any]]:
    """One row of every block of a file: below the middle of one, above that of the next."""
    taps = _nothing(pixels, 1, band)
    low = band.y * factor + factor // 2 - 1
    item, width = pixels.stored.itemsize, pixels.shape[1]
    several = max(1, _TOGETHER // (len(columns) * item))
    buffer = np.empty((several, len(columns)), pixels.stored)
    for upper in (0, 1):
        first = low + upper * (factor + 1)
        rows = range(first, min(low + band.height * factor, pixels.shape[0]), 2 * factor)
        for start in range(0, len(rows), several):
            some = rows[start : start + several]
            lines = buffer[: len(some)]
            begin = pixels.offset + (some[0] * width + columns[0]) * item
            pixels.handle.read_lines(lines, begin, 2 * factor * width * item)
            where = slice(upper + 2 * start, upper + 2 * (start + len(some)), 2)
            for side in (0, 1):
                found = pixels.decoded(lines[:, side::factor])
                taps[side, 0, where, : found.shape[1]] = found
    return taps


def _pair_taps(
    pixels: FitsPixels, factor: int, band: Window, columns: range, far: bool
) -> NDArray[np.floating[Any]]:
    """Both middle rows of every block of a file; all in one read where it is far."""
    taps = _nothing(pixels, 2, band)
    low = band.y * factor + factor // 2 - 1
    rows = range(low, min(low + band.height * factor, pixels.shape[0] - 1), factor)
    pair_bytes = 2 * pixels.shape[1] * pixels.stored.itemsize
    several = len(rows) if far else max(1, _TOGETHER // pair_bytes)
    for start in range(0, len(rows), several or 1):
        some = rows[start : start + several]
        if far or 2 * len(columns) > pixels.shape[1]:
            ends = pixels.stored_pairs(some, columns)
        else:
            after = range(some.start + 1, some.stop + 1, factor)
            ends = pixels.stored_block(some, columns), pixels.stored_block(after, columns)
        for end, lines in enumerate(ends):
            for side in (0, 1):
                found = pixels.decoded(lines[:, side::factor])
                taps[side, end, start : start + len(some), : found.shape[1]] = found
    _block_taps(pixels, factor, band, columns, taps, len(rows))
    return taps


def _block_taps(
    pixels: PixelSource,
    factor: int,
    band: Window,
    columns: range,
    taps: NDArray[np.floating[Any]],
    done: int,
) -> None:
    """Fill the taps of any source from row `done` of the band on: all between comes along."""
    step = _blocks_per_read(pixels, factor)
    for row in range(done, band.height, step):
        low = (band.y + row) * factor + factor // 2 - 1
        if low >= pixels.shape[0]:
            break  # the rest of the band is padding
        high = low + (min(step, band.height - row) - 1) * factor + 2
        lines = pixels[low : min(high, pixels.shape[0]), as_slice(columns)]
        for side in (0, 1):
            for end in (0, 1):
                found = lines[end::factor, side::factor]
                taps[side, end, row : row + found.shape[0], : found.shape[1]] = found


def _blocks_per_read(pixels: PixelSource, factor: int) -> int:
    """How many rows of blocks to read at once."""
    if isinstance(pixels, ArrayPixels) or factor == 2:
        return _BAND
    rows = min(pixels.tile_rows, _READ_BYTES // (4 * pixels.shape[1]))
    return max(1, rows // factor)


def _padded(pixels: PixelSource, area: Window) -> Floats:
    """The values in `area`, which may reach beyond the high sides: NaN there."""
    values = np.full(area.shape, np.nan, np.float32)
    inside = area.overlap(Window.whole(pixels.shape))
    if inside is not None:
        values[inside.moved(-area.x, -area.y).slices] = pixels[inside.slices]
    return values


def _mean_of_present(taps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Mean over the first two axes, leaving NaN out; NaN where there is nothing else."""
    taps = taps.reshape(-1, *taps.shape[2:])
    with np.errstate(invalid="ignore"):
        total = taps[0].astype(np.float64)
        for tap in taps[1:]:
            total += tap
        if not np.isnan(total).any():
            return np.divide(total, len(taps), out=total)
        total[...] = 0.0
        count = np.zeros(total.shape)
        for tap in taps:
            present = ~np.isnan(tap)
            np.add(total, tap, out=total, where=present)
            count += present
        return np.divide(total, count, out=total)
