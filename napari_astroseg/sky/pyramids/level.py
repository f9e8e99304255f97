"""Level: one image at one resolution, read by chunks where it is looked at.

Values are block means where these have landed, and sampled until then (see `pyramid.py`). Each
request is answered wholly from one of the two, whatever lands meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_astroseg.sky.files.fitspixels import FitsPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.pyramids.chunks import (
    CHUNK,
    ArrayFace,
    ChunkCache,
    Floats,
    axes,
    extent,
    runs,
)  # fmt: skip
from napari_astroseg.sky.pyramids.grown import Means
from napari_astroseg.sky.pyramids.pyramidfile import Store
from napari_astroseg.sky.pyramids.sampling import sampled
from napari_astroseg.sky.window import Window

_MOST_TOGETHER = 16
"""Chunks sampled in one go: 16 MiB."""

_MOST_ALONG = 64
"""Chunks read at once because they share tiles with others: 64 MiB."""


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
            self._sample_together(window)
            self._fill(values, window, None)
        return values

    def _sample_together(self, window: Window) -> None:
        """Keep the chunks under a window that takes several rows of them, sampled in one go.

        A disk that is asked for all at once is done sooner.
        """
        if self.factor == 1 or not isinstance(self.image.pixels, FitsPixels):
            return
        rows = range(window.y // CHUNK, -(-window.y_end // CHUNK))
        columns = range(window.x // CHUNK, -(-window.x_end // CHUNK))
        places = [(row, column) for row in rows for column in columns]
        kept = (self.kept(*place, None) is not None for place in places)
        if len(rows) == 1 or len(places) > _MOST_TOGETHER or any(kept):
            return
        left, top = columns.start * CHUNK, rows.start * CHUNK
        area = Window(left, top, len(columns) * CHUNK, len(rows) * CHUNK).clipped(self.shape)
        with np.errstate(over="ignore"):
            values = sampled(self.image.pixels, self.factor, area)
        for row, column in places:
            part = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK).clipped(self.shape)
            chunk = np.ascontiguousarray(values[part.moved(-left, -top).slices])
            self._keep(row, column, None, chunk)

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
            if self.factor == 1:
                values = self.image.cutout(area)
            else:
                values = sampled(self.image.pixels, self.factor, area)
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
