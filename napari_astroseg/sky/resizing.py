"""Resizing: an image on fewer or more pixels, each the nearest one of the image.

A pixel of the resized image is the one whose square holds its centre, as TensorFlow resizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, PixelSource, PlainPixels, digest
from napari_astroseg.sky.window import Window


def nearest(length: int, count: int) -> NDArray[np.intp]:
    """For each of `count` pixels along an axis, which of `length` lies under its centre."""
    # Whole numbers: a centre on an edge belongs to the pixel after it, on every machine.
    return ((2 * np.arange(count) + 1) * length // (2 * count)).astype(np.intp)


@dataclass(frozen=True)
class _Resized(PlainPixels):
    """A source on other pixels, read where it is looked at."""

    source: PixelSource
    shape: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.source.dtype

    @property
    def identity(self) -> str | None:
        own = self.source.identity
        return None if own is None else digest(own, "nearest", *self.shape)

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (
            nearest(length, count)[part]
            for length, count, part in zip(self.source.shape, self.shape, key, strict=True)
        )
        if not (rows.size and columns.size):
            return np.empty((rows.size, columns.size), self.dtype)
        block = self.source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return block[np.ix_(rows - rows[0], columns - columns[0])]


@dataclass(frozen=True)
class _Planes:
    """The planes of a stack, resized."""

    planes: Sequence[PixelSource]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.planes)

    def __getitem__(self, index: int) -> PixelSource:
        return _Resized(self.planes[index], self.shape)


@dataclass(frozen=True, eq=False)
class Resizing:
    """An image resized, and the way back to its own pixels.

    Parameters
    ----------
    image
        The image as it is.
    shape
        (H, W) wanted, each at least 1.
    """

    image: SkyImage
    shape: tuple[int, int]

    @property
    def resized(self) -> SkyImage:
        """The image on the pixels wanted, read where it is looked at; without sky coordinates."""
        planes = None
        if self.image.planes is not None:
            own = [self.image.planes[index] for index in range(self.image.count)]
            planes = _Planes(own, self.shape)
        return replace(
            self.image,
            pixels=_Resized(self.image.pixels, self.shape),
            planes=planes,
            wcs=None,
            header=fits.Header(),
            reference=None,
            uncertainty=None,
            mask=None,
        )

    def there(self, window: Window) -> Window:
        """The resized pixels that those of a window of the image take their values from."""
        (y, y_end), (x, x_end) = (
            (int(owners[first]), int(owners[end - 1]) + 1)
            for owners, first, end in zip(
                self._owners, (window.y, window.x), (window.y_end, window.x_end), strict=True
            )
        )
        return Window(x, y, x_end - x, y_end - y)

    def back(
        self, window: Window, values: NDArray[np.float32]
    ) -> tuple[Window, NDArray[np.float32]] | None:
        """Values (classes, h, w) of a resized window, on the image's own pixels.

        Returns
        -------
        The pixels of the image that lie nearest to those of the window, and their values; no
        pixel of the image belongs to two windows that do not overlap. None where there are none.
        """
        (y, rows), (x, columns) = (
            (int(start), owners[start:end] - corner)
            for owners, corner, start, end in (
                (owners, corner, *np.searchsorted(owners, (corner, corner_end)))
                for owners, corner, corner_end in zip(
                    self._owners,
                    (window.y, window.x),
                    (window.y_end, window.x_end),
                    strict=True,
                )
            )
        )
        if not (len(rows) and len(columns)):
            return None
        return Window(x, y, len(columns), len(rows)), values[:, rows[:, None], columns]

    @property
    def _owners(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For each row and each column of the image, its nearest resized one."""
        rows, columns = (
            nearest(count, length)
            for length, count in zip(self.image.shape, self.shape, strict=True)
        )
        return rows, columns
