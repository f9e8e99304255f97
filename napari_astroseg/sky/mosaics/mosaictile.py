"""Mosaic tile: one image in its place on a mosaic, brought to its unit and level."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.grids.pixelmap import Lattice
from napari_astroseg.sky.grids.warp import WarpedPixels
from napari_astroseg.sky.mosaics.taper import Taper
from napari_astroseg.sky.pixels import FloatArray, PixelSource
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class Level:
    """What is added to a tile so that it agrees with its neighbours.

    Parameters
    ----------
    offset
        At the corner of the mosaic, in its unit.
    slope_x, slope_y
        Per pixel of the mosaic.
    """

    offset: float = 0.0
    slope_x: float = 0.0
    slope_y: float = 0.0

    def coarser(self, factor: int) -> Level:
        """The same for blocks of `factor` × `factor` pixels, at their middles."""
        middle = (factor - 1) / 2
        offset = self.offset + middle * (self.slope_x + self.slope_y)
        return Level(offset, self.slope_x * factor, self.slope_y * factor)

    def over(self, rows: range, columns: range) -> float | NDArray[np.float64]:
        """What is added to rows × columns of the mosaic."""
        if self.slope_x == self.slope_y == 0.0:
            return self.offset
        x, y = np.array(columns, float)[None, :], np.array(rows, float)[:, None]
        return self.offset + self.slope_x * x + self.slope_y * y


@dataclass(frozen=True, eq=False)
class Tile:
    """One image's values on the pixels of a mosaic.

    Parameters
    ----------
    name
        For sentences.
    pixels
        Its values, of the shape of `window`.
    window
        Its place on the mosaic.
    factor
        From its unit to the mosaic's.
    level
        Added after that.
    place
        The file it is in; "" for none.
    hdu
        Number of its HDU there.
    """

    name: str
    pixels: PixelSource
    window: Window
    factor: float = 1.0
    level: Level = Level()
    place: str = ""
    hdu: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def unchanged(self) -> bool:
        """Whether its values are taken as they are."""
        return self.factor == 1.0 and self.level == Level()

    @property
    def told(self) -> str:
        """Name, place and what was done to it, for a log."""
        words = [f"tile {self.name} at ({self.window.x}, {self.window.y})"]
        if self.factor != 1.0:
            words.append(f"times {self.factor:.9g}")
        if self.level != Level():
            words.append(f"plus {self.level.offset:.9g}")
        if self.level.slope_x or self.level.slope_y:
            words.append(f"plus {self.level.slope_x:.9g} x plus {self.level.slope_y:.9g} y")
        return " ".join(words)

    def values(self, rows: range, columns: range) -> FloatArray:
        """Its values for rows × columns of the mosaic, all within its window (ascending)."""
        found = self.pixels[_key(rows, self.window.y), _key(columns, self.window.x)]
        if self.factor != 1.0:
            found = found * found.dtype.type(self.factor)
        if self.level != Level():
            found = (found + self.level.over(rows, columns)).astype(found.dtype)
        return found

    def coarser(self, factor: int) -> Tile:
        """Overview of it, on blocks of `factor` × `factor` pixels of the mosaic."""
        w = self.window
        left, low = w.x // factor, w.y // factor
        right, high = -(-w.x_end // factor), -(-w.y_end // factor)
        window = Window(left, low, right - left, high - low)
        fine = self.pixels if isinstance(self.pixels, WarpedPixels) else None
        if fine is None:
            fine = WarpedPixels(self.pixels, Lattice(self.pixels.shape))
        pixels = fine.coarser(factor, window, corner=(w.x, w.y))
        return replace(self, pixels=pixels, window=window, level=self.level.coarser(factor))

    def weights(self, rows: range, columns: range) -> NDArray[np.float32]:
        """Its weights there, above 0."""
        with self._lock:
            taper = self._taper
        return taper(_moved(rows, -self.window.y), _moved(columns, -self.window.x))

    @cached_property
    def _taper(self) -> Taper:
        return Taper(self.pixels)

    def __reduce__(self) -> tuple[Any, ...]:
        own = (self.name, self.pixels, self.window, self.factor)
        return Tile, (*own, self.level, self.place, self.hdu)


def _key(places: range, start: int) -> slice:
    moved = _moved(places, -start)
    return slice(moved.start, moved.stop, moved.step)


def _moved(places: range, by: int) -> range:
    return range(places.start + by, places.stop + by, places.step)
