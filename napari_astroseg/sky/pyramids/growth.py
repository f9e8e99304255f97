"""Growth: one pass over an image that leaves the block means of all its levels.

Reading is what costs, so the bytes are read once, in strips a few MB high that stay in the
processor's cache while every level is made of them, by two threads where the source lets two
read at once. Each level fills a row of chunks; full rows go to disk from a third thread while
the next ones fill. The threads have low priority and hold no lock of Python's for long, so a
window in the same process stays alive. Memory is two rows of chunks per level: 110 MB for an
image 40 000 pixels wide; of one so wide that this would exceed `BUFFER_BYTES`, the finest levels
are not made, and where a strip would exceed its own bound, it is read part by part.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.cache import remove
from napari_astroseg.sky.files.fitspixels import FitsPixels
from napari_astroseg.sky.pixels import ArrayPixels, PixelSource
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.pyramids.blockmeans import Encoding, Reducer
from napari_astroseg.sky.pyramids.chunks import CHUNK, Floats
from napari_astroseg.sky.pyramids.grown import CACHE, Means
from napari_astroseg.sky.pyramids.pyramidfile import FileWriter, Layout, MemoryStore

BUFFER_BYTES = 320 * 2**20
"""Most that the rows of chunks being filled and written may take."""

MEMORY_BYTES = 256 * 2**20
"""Most that the means of one plane may take where they cannot be kept on disk."""

THREADS = 2
"""More would wait for memory."""

_STRIP_BYTES = 4 * 2**20
_TALLEST_STRIP_BYTES = 64 * 2**20
_DOING = "averaging"


def grow_plane(pixels: PixelSource, means: Means, progress: Progress) -> tuple[str, ...]:
    """Make the means of a plane and let them land; sentences to tell the user.

    On disk where there is an identity to find them by and room; or else in memory, without the
    finest levels if these would take more than `MEMORY_BYTES`.
    """
    with means.growing:
        if means.store is not None or means.land_from_cache():
            return ()
        if means.identity is None:
            _grow_in_memory(pixels, means, progress)
            return ()
        try:
            grow_on_disk(pixels, means, means.identity, progress)
        except OutputError as error:
            _grow_in_memory(pixels, means, progress)
            return (f"Overviews are kept in memory for now: {error}",)
        return ()


def grow_on_disk(
    pixels: PixelSource,
    means: Means,
    identity: str,
    progress: Progress,
    threads: int = THREADS,
) -> None:
    """Make the means of a plane in the cache, and let them land.

    Parameters
    ----------
    progress
        While it takes its time, hardly anything is read.
    threads
        At most so many, besides the one that writes.

    Raises
    ------
    OutputError
        When the cache cannot take them.
    """
    room = CACHE.room()
    layout = _within(means.layout, lambda each: each.size <= room) or means.layout
    stale = CACHE.find(means.name)
    if stale is not None:
        remove(stale)  # it did not open: of an older version, or damaged
    with (
        CACHE.making(means.name, layout.size) as path,
        contextlib.closing(FileWriter(path, layout, identity)) as file,
    ):
        _fill(pixels, layout, file.put, progress, threads)
    if not means.land_from_cache():
        raise OutputError(
            f"the overview {means.name} vanished from the cache {CACHE.folder} at once; "
            "give the cache more room or set ASTROSEG_CACHE to another folder"
        )


def _grow_in_memory(pixels: PixelSource, means: Means, progress: Progress) -> None:
    layout = _within(means.layout, lambda each: each.size <= MEMORY_BYTES)
    if layout is not None:
        store = MemoryStore(layout)
        _fill(pixels, layout, store.put, progress)
        means.land(store)


def _within(layout: Layout, fits: Callable[[Layout], bool]) -> Layout | None:
    """The layout without those finest levels that would be too much; None if nothing is left."""
    small = (each for each in layout.shallower() if _row_bytes(each) <= BUFFER_BYTES)
    return next(filter(fits, small), None)


def _row_bytes(layout: Layout) -> int:
    """What two rows of chunks of each level take."""
    return sum(2 * layout.grid(factor)[1] * CHUNK * CHUNK * 4 for factor in layout.factors)


Put = Callable[[int, int, Floats], None]


def _fill(
    pixels: PixelSource, layout: Layout, put: Put, progress: Progress, threads: int = THREADS
) -> None:
    """Go over the pixels once and put every level's rows of chunks.

    All rows that fill one row of chunks of the finest level are a band; its strips are reduced
    in any order.
    """
    strips = _strips(pixels)
    height = layout.level_shape(1)[0]
    tall, part = _strip_rows(pixels, layout)
    threads = min(threads, strips.threads)
    with contextlib.ExitStack() as stack:
        workers = stack.enter_context(_threads(threads))
        rows = ChunkRows(layout, put, stack.enter_context(_threads(1)))
        hands: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        for _ in range(threads):
            hands.put(_Hand(strips, layout, part))

        def reduce(top: int) -> int:
            hand = hands.get()
            try:
                hand.reduce(top, min(top + tall, layout.shape[0]), rows)
            finally:
                hands.put(hand)
            return min(top + tall, layout.shape[0])

        band = CHUNK * layout.finest
        for start in range(0, height, band):
            end = min(start + band, height)
            for done in _ahead(workers, reduce, range(start, end, tall), 2 * threads):
                progress(_DOING, done, layout.shape[0])
            rows.filled_to(end)
        rows.finish()


def _ahead(
    workers: ThreadPoolExecutor, work: Callable[[int], int], items: range, most: int
) -> Iterator[int]:
    """Results in order; work on at most so many is begun before they are taken."""
    begun: deque[Future[int]] = deque()
    for item in items:
        begun.append(workers.submit(work, item))
        if len(begun) >= most:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


class ChunkRows:
    """The row of chunks that each level fills at the moment, and the one that is written out.

    Parameters
    ----------
    layout
        The levels.
    put
        Where full rows go.
    writer
        Which thread takes them there.
    """

    def __init__(self, layout: Layout, put: Put, writer: ThreadPoolExecutor) -> None:
        self._layout, self._put, self._writer = layout, put, writer
        self._sizes = {f: layout.grid(f)[1] * CHUNK * CHUNK for f in layout.factors}
        self._starts: dict[int, int] = {}
        self._at: dict[int, int] = dict.fromkeys(layout.factors, 0)
        self._writing: dict[int, Future[None]] = {}
        length = 0
        for factor, size in self._sizes.items():
            self._starts[factor] = length
            length += 2 * size
        self.values = np.full(length, np.nan, np.float32)

    def starts(self, top: int) -> NDArray[np.int64]:
        """Where the values of a strip that begins at image row `top` go, level by level."""
        count = self._layout.top.bit_length() - 1
        starts = np.zeros(count + 1, np.int64)
        for factor in self._layout.factors:
            row = top // factor % CHUNK
            starts[factor.bit_length() - 1] = self._filling(factor) + row * CHUNK
        return starts

    def filled_to(self, end: int) -> None:
        """Write out the rows of chunks that end at image row `end`, and turn to fresh ones."""
        last = end == self._layout.level_shape(1)[0]
        for factor in self._layout.factors:
            if last or end % (CHUNK * factor) == 0:
                self._finish(factor)
                start = self._filling(factor)
                chunks = self.values[start : start + self._sizes[factor]]
                row = (end - 1) // (CHUNK * factor)
                self._writing[factor] = self._writer.submit(
                    self._put, factor, row, chunks.reshape(-1, CHUNK, CHUNK)
                )
                self._at[factor] = 1 - self._at[factor]

    def finish(self) -> None:
        """Wait until all is written."""
        for factor in self._layout.factors:
            self._finish(factor)

    def _filling(self, factor: int) -> int:
        return self._starts[factor] + self._at[factor] * self._sizes[factor]

    def _finish(self, factor: int) -> None:
        if factor in self._writing:
            self._writing.pop(factor).result()


class _Hand:
    """What one thread needs to itself: the bytes of a part of a strip and the sums over it."""

    def __init__(self, strips: _Strips, layout: Layout, part: int) -> None:
        width = layout.shape[1]
        count, finest = (f.bit_length() - 1 for f in (layout.top, layout.finest))
        self._strips = strips
        self._reducer = Reducer(strips.encoding, width, count, finest)
        self._part = part
        self._buffer = strips.buffer(min(part, layout.shape[0]))

    def reduce(self, top: int, end: int, rows: ChunkRows) -> None:
        """Read the image's rows from `top` to `end`, and leave their means in `rows`."""
        starts = rows.starts(top)
        for row in range(top, end, self._part):
            last = min(row + self._part, end)
            part = self._strips.read(row, last, self._buffer)
            self._reducer.reduce(part, rows.values, starts, row - top, last < end)


class _Strips(Protocol):
    """Whole rows of pixels as they come."""

    encoding: Encoding
    threads: int

    def buffer(self, rows: int) -> NDArray[Any]:
        """Memory for that many rows."""

    def read(self, top: int, end: int, buffer: NDArray[Any]) -> NDArray[Any]:
        """Rows from `top` to `end`, C order; in `buffer`, if that is of use."""


class _FileStrips:
    """The bytes of an uncompressed image, read into place."""

    def __init__(self, pixels: FitsPixels) -> None:
        self.encoding = Encoding(pixels.stored, pixels.scale, pixels.zero, pixels.blank)
        self.threads = THREADS
        self._pixels = pixels

    def buffer(self, rows: int) -> NDArray[Any]:
        return np.empty((rows, self._pixels.shape[1]), self._pixels.stored)

    def read(self, top: int, end: int, buffer: NDArray[Any]) -> NDArray[Any]:
        pixels, strip = self._pixels, buffer[: end - top]
        row_bytes = pixels.shape[1] * pixels.stored.itemsize
        pixels.handle.read(strip.reshape(-1), pixels.offset + top * row_bytes)
        return strip


class _AnyStrips:
    """Rows of any source, decoded by it."""

    def __init__(self, pixels: PixelSource) -> None:
        self.encoding = Encoding(pixels.dtype)
        self.threads = THREADS if isinstance(pixels, ArrayPixels) else 1
        self._pixels = pixels

    def buffer(self, rows: int) -> NDArray[Any]:
        return np.empty((0, self._pixels.shape[1]), self._pixels.dtype)

    def read(self, top: int, end: int, buffer: NDArray[Any]) -> NDArray[Any]:
        whole = slice(0, self._pixels.shape[1])
        return np.ascontiguousarray(self._pixels[top:end, whole], self._pixels.dtype)


def _strips(pixels: PixelSource) -> _Strips:
    return _FileStrips(pixels) if isinstance(pixels, FitsPixels) else _AnyStrips(pixels)


def _strip_rows(pixels: PixelSource, layout: Layout) -> tuple[int, int]:
    """Rows of a strip, which are whole coarsest blocks, and how many of them to read at once.

    Both are powers of two. Rows of compressed tiles come together, so several rows of tiles are
    read at once.
    """
    row_bytes = layout.shape[1] * pixels.dtype.itemsize
    wanted = max(_STRIP_BYTES // row_bytes, 4 * pixels.tile_rows)
    wanted = min(wanted, _TALLEST_STRIP_BYTES // row_bytes, CHUNK * layout.finest)
    part = 2 ** (max(2, wanted).bit_length() - 1)
    return max(layout.top, part), part


@contextlib.contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that give way to others; what waits for them is dropped at the end."""
    pool = ThreadPoolExecutor(count, "astroseg-grow", initializer=_give_way)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _give_way() -> None:
    """Lower this thread's priority, where threads have one of their own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
