"""Pyramid: an image at halved and halved-again resolution, read only where it is drawn.

A level is a light array-like object over the file: no graph, nothing kept but a bounded number
of decoded chunks. Level k shows blocks of 2^k × 2^k pixels. Its values are *sampled*: the mean
of the four pixels around the middle of every block, missing ones left out. Their centre of mass
is the block's centre, so every level shows the same sky at the same place, and only two rows of
a block need reading. For blocks of 2 × 2 it is the true block mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.chunks import CHUNK, ArrayFace, ChunkCache, Floats, axes, extent, runs
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window

if TYPE_CHECKING:
    from napari_astroseg.sky.stretch import Stretch

COARSEST = 1024
"""The coarsest level's longer side is at least this and less than twice this, so that it still
fills a canvas: a viewer would otherwise read the next finer level at once."""

CACHE_BYTES = 256 * 2**20
"""Decoded chunks kept per image."""

_BAND = 64
"""Level rows sampled at a time: keeps working memory small for any image width."""


def levels(image: SkyImage) -> list[Level]:
    """The image's levels, finest first; nothing is read yet.

    Level 0 is the image itself, padded with missing data on its high sides to a multiple of
    the coarsest block, so that the levels' pixel *edges* coincide exactly.
    """
    count = max(0, (max(image.shape) // COARSEST).bit_length() - 1)
    block = 2**count
    height, width = (-(-n // block) * block for n in image.shape)
    cache = ChunkCache(CACHE_BYTES)
    return [Level(image, 2**k, (height >> k, width >> k), cache) for k in range(count + 1)]


@dataclass(frozen=True, eq=False)
class Level(ArrayFace):
    """One level: raw values, one per block of `factor` × `factor` image pixels.

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
    """

    image: SkyImage
    factor: int
    shape: tuple[int, int]
    cache: ChunkCache = field(repr=False)

    def __getitem__(self, key: Any) -> Any:
        """Values for integers and slices of any step, float32, NaN where missing."""
        rows, columns = axes(key)
        (top, height, of_rows), (left, width, of_columns) = (
            extent(rows, self.shape[0]),
            extent(columns, self.shape[1]),
        )
        if height == 0 or width == 0:
            return np.empty((height, width), self.dtype)[of_rows, of_columns]
        return self._region(Window(left, top, width, height))[of_rows, of_columns]

    def _region(self, window: Window) -> Floats:
        """The values in a window, put together from chunks."""
        if isinstance(self.image.pixels, ArrayPixels) and self.factor == 1:
            return self.image.cutout(window)  # already in memory: a second copy helps nobody
        values = np.empty(window.shape, np.float32)
        for part, chunk in self._chunks_over(window):
            inside = part.overlap(window)
            if inside is not None:
                seen = chunk[inside.moved(-part.x, -part.y).slices]
                values[inside.moved(-window.x, -window.y).slices] = seen
        return values

    def _chunks_over(self, window: Window) -> Iterator[tuple[Window, Floats]]:
        """Chunks that touch a window, each with its place; neighbours are read together."""
        columns = range(window.x // CHUNK, -(-window.x_end // CHUNK))
        for row in range(window.y // CHUNK, -(-window.y_end // CHUNK)):
            found = {column: self.cache.get((self.factor, row, column)) for column in columns}
            for run in runs([column for column in columns if found[column] is None]):
                found.update(self._read_run(row, run))
            for column, chunk in found.items():
                if chunk is not None:
                    yield Window(column * CHUNK, row * CHUNK, *chunk.shape[::-1]), chunk

    def _read_run(self, row: int, columns: range) -> dict[int, Floats]:
        """Read neighbouring chunks of one chunk row in one go, and keep them."""
        area = Window(columns.start * CHUNK, row * CHUNK, len(columns) * CHUNK, CHUNK)
        area = area.clipped(self.shape)
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is drawn saturated
            values = self.image.cutout(area) if self.factor == 1 else self._sampled(area)
        chunks = {}
        for column in columns:
            start = (column - columns.start) * CHUNK
            chunk = chunks[column] = np.ascontiguousarray(values[:, start : start + CHUNK])
            chunk.setflags(write=False)
            self.cache.put((self.factor, row, column), chunk)
        return chunks

    def _sampled(self, area: Window) -> Floats:
        """The mean of the four middle pixels of every block in `area`."""
        means = np.empty(area.shape, np.float32)
        step = self._blocks_per_read()
        tall = max(step, _BAND)
        for top in range(0, area.height, tall):
            band = Window(area.x, area.y + top, area.width, min(tall, area.height - top))
            means[top : top + band.height] = mean_of_present(self._taps(band, step))
        return means

    def _taps(self, band: Window, step: int) -> NDArray[np.floating[Any]]:
        """The four middle pixels of every block, shape (2, 2, rows, columns).

        The first axis is left and right, the second low and high; `step` rows of blocks are
        read at once.
        """
        pixels, f = self.image.pixels, self.factor
        height, width = pixels.shape
        taps = np.full((2, 2, *band.shape), np.nan, pixels.dtype)
        left = band.x * f + f // 2 - 1
        columns = slice(left, min(left + (band.width - 1) * f + 2, width))
        for row in range(0, band.height, step):
            low = (band.y + row) * f + f // 2 - 1
            if low >= height or left >= width:
                break  # the rest of the band is padding
            high = low + (min(step, band.height - row) - 1) * f + 2
            lines = pixels[low : min(high, height), columns]
            for side in (0, 1):
                for end in (0, 1):
                    found = lines[end::f, side::f]
                    taps[side, end, row : row + found.shape[0], : found.shape[1]] = found
        return taps

    def _blocks_per_read(self) -> int:
        """How many rows of blocks to read at once: all rows between come along."""
        pixels = self.image.pixels
        if isinstance(pixels, ArrayPixels) or self.factor == 2:
            return _BAND
        return max(1, getattr(pixels, "tile_rows", 1) // self.factor)


@dataclass(frozen=True, eq=False)
class DisplayLevel(ArrayFace):
    """A level as it is drawn: its values through a stretch, computed where it is looked at."""

    level: Level
    stretch: Stretch

    shape: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", self.level.shape)

    def __getitem__(self, key: Any) -> Any:
        """Display values, float32: 0 and 1 at the stretch's limits, NaN where missing."""
        return self.stretch(self.level[key])


def mean_of_present(taps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Mean over the first two axes, leaving NaN out; NaN where there is nothing else."""
    taps = taps.reshape(-1, *taps.shape[2:])
    with np.errstate(invalid="ignore", over="ignore"):
        mean = taps.mean(axis=0, dtype=np.float64)
        gaps = np.isnan(mean)
        if gaps.any():
            few = taps[:, gaps].astype(np.float64)
            present = ~np.isnan(few)
            total = np.where(present, few, 0.0).sum(axis=0)
            mean[gaps] = np.divide(total, present.sum(axis=0))
    return mean
