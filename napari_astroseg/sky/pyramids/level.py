"""Level: one image at one resolution, read by chunks where it is looked at.

Values are block means where these have landed, and sampled until then (see `pyramid.py`). Each
request is answered wholly from one of the two, whatever lands meanwhile.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.fitspixels import FitsPixels
from napari_astroseg.sky.files.handle import LocalHandle
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels, PixelSource, Reducible
from napari_astroseg.sky.pyramids.chunks import (
    CHUNK,
    ArrayFace,
    ChunkCache,
    Floats,
    as_slice,
    axes,
    extent,
    runs,
)  # fmt: skip
from napari_astroseg.sky.pyramids.grown import Means
from napari_astroseg.sky.pyramids.pyramidfile import Store
from napari_astroseg.sky.window import Window

_READ_BYTES = 16 * 2**20
"""Most that is read at once for the sake of tall tiles, bytes."""
_BAND = 64
"""Level rows sampled at a time: keeps working memory small for any image width."""

_MOST_ALONG = 64
"""Chunks read at once because they share tiles with others: 64 MiB."""

_TOGETHER = 2**20
"""Bytes of a file's rows that are sampled together: few steps, and little memory."""

_READERS = 4
"""Threads that sample a file: a disk that is asked for several rows at once gives more."""


@dataclass(frozen=True, eq=False)
class Level(ArrayFace):
    """One level of an image or of a stack's plane: a value per block of image pixels.

    Parameters
    ----------
    image
        Where the values come from.
    factor
        Side of a block, image pixels: a power of two.
    shape
        (rows, columns) of the level.
    cache
        Shared by all levels of the image.
    means
        Where the block means are, once they have landed; None for sampled values throughout.
    number
        Of the plane, which tells its chunks from other planes' in the cache.
    """

    image: SkyImage
    factor: int
    shape: tuple[int, int]
    cache: ChunkCache = field(repr=False)
    means: Means | None = field(default=None, repr=False)
    number: int = 0

    def __getitem__(self, key: Any) -> Any:
        """Values for integers and slices of any step, float32, NaN where missing.

        Raises
        ------
        ImageError
            When the file is gone, has changed, or cannot be read.
        """
        rows, columns = axes(key)
        (top, height, of_rows), (left, width, of_columns) = (
            extent(rows, self.shape[0]),
            extent(columns, self.shape[1]),
        )
        if height == 0 or width == 0:
            return np.empty((height, width), self.dtype)[of_rows, of_columns]
        return self._region(Window(left, top, width, height))[of_rows, of_columns]

    def plane(self, index: int) -> Level:
        """Itself: so that levels of images and of stacks can be asked alike."""
        return (self,)[index]

    @property
    def store(self) -> Store | None:
        """Where the block means of this level are; None while its values are read or sampled."""
        store = self.means.store if self.means is not None and self.factor > 1 else None
        return store if store is not None and self.factor in store.layout.factors else None

    def kept(self, row: int, column: int, store: Store | None) -> Floats | None:
        """A chunk if it is in memory: of the means in `store`, or of pixels where that is None."""
        return self.cache.get(self._address(row, column, store))

    def read_chunks(self, row: int, columns: range) -> dict[int, Floats]:
        """Read neighbouring chunks of one chunk row from the best there is, and keep them."""
        store = self.store
        means = None if store is None else self._read_means(row, columns, store)
        return self._read_pixels(row, columns) if means is None else means

    def _region(self, window: Window) -> Floats:
        """The values in a window, put together from chunks."""
        if isinstance(self.image.pixels, ArrayPixels) and self.factor == 1:
            return self.image.cutout(window)  # already in memory: a second copy helps nobody
        values = np.empty(window.shape, np.float32)
        store = self.store
        if store is None or not self._fill(values, window, store):
            self._fill(values, window, None)
        return values

    def _fill(self, values: Floats, window: Window, store: Store | None) -> bool:
        """Put a window's values in place, all from the store or none; False if it has gone."""
        columns = range(window.x // CHUNK, -(-window.x_end // CHUNK))
        for row in range(window.y // CHUNK, -(-window.y_end // CHUNK)):
            chunks = self._chunks(row, columns, store)
            if chunks is None:
                return False
            for column, chunk in chunks.items():
                part = Window(column * CHUNK, row * CHUNK, *chunk.shape[::-1])
                inside = part.overlap(window)
                if inside is not None:
                    seen = chunk[inside.moved(-part.x, -part.y).slices]
                    values[inside.moved(-window.x, -window.y).slices] = seen
        return True

    def _chunks(self, row: int, columns: range, store: Store | None) -> dict[int, Floats] | None:
        """Chunks of one chunk row, kept or read; neighbours are read together."""
        found = {}
        for column in columns:
            chunk = self.cache.get(self._address(row, column, store))
            if chunk is not None:
                found[column] = chunk
        for run in runs([column for column in columns if column not in found]):
            read = self._read_means(row, run, store) if store else self._read_pixels(row, run)
            if read is None:
                return None
            found.update(read)
        return found

    def _address(self, row: int, column: int, store: Store | None) -> tuple[int, ...]:
        """Of a chunk in the cache: sampled values are never taken for means."""
        return (self.number, self.factor, int(store is not None), row, column)

    def _read_means(self, row: int, columns: range, store: Store) -> dict[int, Floats] | None:
        """Chunks of block means, kept; None if the store has gone."""
        chunks = {}
        for column in columns:
            chunk = store.chunk(self.factor, row, column)
            if chunk is None:
                if self.means is not None:
                    self.means.lose(store)
                return None
            chunks[column] = self._keep(row, column, store, chunk)
        return chunks

    def _read_pixels(self, row: int, columns: range) -> dict[int, Floats]:
        """Chunks made of image pixels, kept: these themselves, or sampled values.

        Whatever lies in the same compressed tiles comes along, since it was unpacked with them.
        """
        columns = self._sharing_tiles(columns)
        area = Window(columns.start * CHUNK, row * CHUNK, len(columns) * CHUNK, CHUNK)
        area = area.clipped(self.shape)
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is drawn saturated
            values = self.image.cutout(area) if self.factor == 1 else self._sampled(area)
        chunks = {}
        for column in columns:
            start = (column - columns.start) * CHUNK
            chunk = np.ascontiguousarray(values[:, start : start + CHUNK])
            chunks[column] = self._keep(row, column, None, chunk)
        return chunks

    def _sharing_tiles(self, columns: range) -> range:
        """Chunk columns, and those in the same tiles of the file, as far as can be kept."""
        tile = self.image.pixels.tile_columns
        across = -(-tile // (self.factor * CHUNK))
        if across < 2:
            return columns
        start = columns.start // across * across
        stop = min(-(-columns.stop // across) * across, -(-self.shape[1] // CHUNK))
        spare = max(0, _MOST_ALONG - len(columns))
        return range(
            max(start, columns.start - spare // 2), min(stop, columns.stop + spare - spare // 2)
        )

    def _keep(self, row: int, column: int, store: Store | None, chunk: Floats) -> Floats:
        chunk.setflags(write=False)
        self.cache.put(self._address(row, column, store), chunk)
        return chunk

    def _sampled(self, area: Window) -> Floats:
        """The mean of the four middle pixels of every block in `area`.

        Sources that know a quicker way to less resolution are asked for it (`Reducible`).
        """
        if isinstance(self.image.pixels, Reducible):
            return _padded(self.image.pixels.reduced(self.factor), area)
        means = np.empty(area.shape, np.float32)
        step = self._blocks_per_read()
        tall = max(step, _BAND)
        bands = [
            Window(area.x, area.y + top, area.width, min(tall, area.height - top))
            for top in range(0, area.height, tall)
        ]

        def sample(band: Window) -> None:
            with np.errstate(over="ignore"):
                means[band.y - area.y : band.y_end - area.y] = mean_of_present(
                    self._taps(band, step)
                )

        if isinstance(self.image.pixels, FitsPixels) and len(bands) > 1:
            with ThreadPoolExecutor(_READERS) as readers:
                deque(readers.map(sample, bands), maxlen=0)
        else:
            for band in bands:
                sample(band)
        return means

    def _taps(self, band: Window, step: int) -> NDArray[np.floating[Any]]:
        """The four middle pixels of every block, shape (2, 2, rows, columns).

        The first axis is left and right, the second low and high; `step` rows of blocks are
        read at once. Of the rows of a file only what is taken is decoded.
        """
        pixels, f = self.image.pixels, self.factor
        height, width = pixels.shape
        taps = np.full((2, 2, *band.shape), np.nan, pixels.dtype)
        left = band.x * f + f // 2 - 1
        columns = range(left, min(left + (band.width - 1) * f + 2, width))
        for row in range(self._file_taps(taps, band, columns), band.height, step):
            low = (band.y + row) * f + f // 2 - 1
            if low >= height or left >= width:
                break  # the rest of the band is padding
            high = low + (min(step, band.height - row) - 1) * f + 2
            rows = range(low, min(high, height))
            if isinstance(pixels, FitsPixels):
                lines = pixels.stored_block(rows, columns)
            else:
                lines = pixels[as_slice(rows), as_slice(columns)]
            for side in (0, 1):
                for end in (0, 1):
                    found = lines[end::f, side::f]
                    if isinstance(pixels, FitsPixels):
                        found = pixels.decoded(found)
                    taps[side, end, row : row + found.shape[0], : found.shape[1]] = found
        return taps

    def _file_taps(self, taps: NDArray[Any], band: Window, columns: range) -> int:
        """Fill the taps of an uncompressed file; how many rows of blocks that were.

        Several rows of blocks at a time; all in one read where the file is far.
        """
        pixels, f = self.image.pixels, self.factor
        if not isinstance(pixels, FitsPixels) or not columns:
            return 0
        far = not isinstance(pixels.handle, LocalHandle)
        if f == 2 and not far:
            return 0  # these rows lie side by side
        low = band.y * f + f // 2 - 1
        rows = range(low, min(low + band.height * f, pixels.shape[0] - 1), f)
        pair_bytes = 2 * pixels.shape[1] * pixels.stored.itemsize
        several = len(rows) if far else max(1, _TOGETHER // pair_bytes)
        for start in range(0, len(rows), several or 1):
            some = rows[start : start + several]
            if far or 2 * len(columns) > pixels.shape[1]:
                ends = pixels.stored_pairs(some, columns)
            else:
                after = range(some.start + 1, some.stop + 1, f)
                ends = pixels.stored_block(some, columns), pixels.stored_block(after, columns)
            for end, lines in enumerate(ends):
                for side in (0, 1):
                    found = pixels.decoded(lines[:, side::f])
                    taps[side, end, start : start + len(some), : found.shape[1]] = found
        return len(rows)

    def _blocks_per_read(self) -> int:
        """How many rows of blocks to read at once: all rows between come along."""
        pixels = self.image.pixels
        if isinstance(pixels, ArrayPixels) or self.factor == 2:
            return _BAND
        rows = min(pixels.tile_rows, _READ_BYTES // (4 * pixels.shape[1]))
        return max(1, rows // self.factor)


def _padded(pixels: PixelSource, area: Window) -> Floats:
    """The values in `area`, which may reach beyond the high sides: NaN there."""
    values = np.full(area.shape, np.nan, np.float32)
    inside = area.overlap(Window.whole(pixels.shape))
    if inside is not None:
        values[inside.moved(-area.x, -area.y).slices] = pixels[inside.slices]
    return values


def mean_of_present(taps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
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
