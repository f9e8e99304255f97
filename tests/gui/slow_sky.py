"""Skies that take their time, or break, for tests of a window that does not wait for them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.pixels import PlainPixels


@dataclass
class SlowPixels(PlainPixels):
    """An array behind a slow disk: each read sleeps, is counted, and fails while `broken`."""

    array: NDArray[np.float32]
    pause_s: float = 0.0
    broken: bool = False
    reads: list[tuple[slice, slice]] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array.shape[0], self.array.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def identity(self) -> None:
        return None

    @property
    def tile_rows(self) -> int:
        """Reading a band of rows takes one pause, not one for each row."""
        return 4096

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.float32]:
        self.reads.append(key)
        time.sleep(self.pause_s)
        if self.broken:
            raise ImageError("slow.fits is gone; open it again")
        return self.array[key]


def slow_sky(side: int = 4200, pause_s: float = 0.0) -> tuple[SkyImage, SlowPixels]:
    """Noise of `side` × `side` pixels behind a slow disk."""
    values = np.random.default_rng(side).normal(10.0, 1.0, (side, side)).astype(np.float32)
    pixels = SlowPixels(values, pause_s)
    return SkyImage(pixels, name="slow", unit="K"), pixels


def slow_stack(planes: int = 3, side: int = 600, pause_s: float = 0.0) -> SkyImage:
    """Planes of noise around 0, 10, 20 … behind a slow disk."""
    rng = np.random.default_rng(planes)
    each = [
        SlowPixels(rng.normal(10.0 * n, 1.0, (side, side)).astype(np.float32), pause_s)
        for n in range(planes)
    ]
    labels = tuple(f"{n} km/s" for n in range(planes))
    return SkyImage(each[0], name="stack", planes=each, axis=Axis("plane", "VRAD", labels))
