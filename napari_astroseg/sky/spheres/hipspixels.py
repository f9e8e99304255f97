"""HipsPixels: the picture of a HiPS, put together from its tiles where it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest
from napari_astroseg.sky.spheres.hipstiles import HipsTiles, block_means


@dataclass(frozen=True, eq=False)
class HipsPixels(PlainPixels):
    """One order of a HiPS, one band of it, on the HPX grid turned by 45 degrees.

    Parameters
    ----------
    tiles
        Of the HiPS.
    order
        Whose pixels these are.
    band
        Which band of its tiles.
    double
        Whether its numbers need double precision.
    shrunk
        Blocks of so many pixels along a side are averaged: for less than order 0 has.
    """

    tiles: HipsTiles
    order: int
    band: int = 0
    double: bool = False
    shrunk: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        side = -(-5 * self.tiles.width * 2**self.order // self.shrunk)
        return side, side

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return np.dtype(np.float64 if self.double else np.float32)

    @property
    def identity(self) -> str:
        """A digest of the HiPS, the order and the band."""
        return digest(self.tiles.version, self.tiles.place, self.order, self.band, self.shrunk)

    def reduced(self, factor: int) -> HipsPixels:
        """The same sky in blocks of `factor` pixels, a power of two: a lower order, as a rule."""
        steps = min(self.order, factor.bit_length() - 1)
        return replace(self, order=self.order - steps, shrunk=self.shrunk * (factor >> steps))

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(*part.indices(n)) for part, n in zip(key, self.shape, strict=True))
        if not rows or not columns:
            return np.empty((len(rows), len(columns)), self.dtype)
        top, left = min(rows[0], rows[-1]), min(columns[0], columns[-1])
        bottom, right = max(rows[0], rows[-1]) + 1, max(columns[0], columns[-1]) + 1
        s = self.shrunk
        block = self._block(top * s, bottom * s, left * s, right * s)
        block = block_means(block, s) if s > 1 else block
        return block if rows.step == columns.step == 1 else _stepped(block, rows, columns)

    def _block(self, top: int, bottom: int, left: int, right: int) -> FloatArray:
        """Rows and columns of this order, put together from tiles."""
        width = self.tiles.width
        block = np.full((bottom - top, right - left), np.nan, self.dtype)
        down = np.arange(top // width, -(-bottom // width))
        across = np.arange(left // width, -(-right // width))
        numbers = self._numbers(down, across)
        tiles = self.tiles.get(self.order, np.unique(numbers[numbers >= 0]).tolist())
        for (i, j), number in np.ndenumerate(numbers):
            tile = tiles.get(int(number))
            if tile is None:
                continue
            y, x = int(down[i]) * width, int(across[j]) * width
            rows = slice(max(top, y), min(bottom, y + width))
            columns = slice(max(left, x), min(right, x + width))
            part = tile[
                self.band, rows.start - y : rows.stop - y, columns.start - x : columns.stop - x
            ]
            place = block[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]
            place[:] = part
            self._cut_at_the_seam(place, rows, columns)
        return block

    def _numbers(self, down: NDArray[np.int64], across: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the tiles at places of the grid of tiles; -1 off the sky."""
        from astropy_healpix import HEALPix

        lattice = HEALPix(nside=2**self.order, order="nested")
        numbers = np.full((len(down), len(across)), -1, np.int64)
        for share in (0.25, 0.75):  # of a tile that the seam cuts, one of them is on the sky
            lon, lat = _sphere(
                (across[None, :] + share) / 2**self.order - 2.5,
                (down[:, None] + share) / 2**self.order - 2.5,
            )
            found = np.isfinite(lon)
            numbers[found] = lattice.lonlat_to_healpix(lon[found] << u.deg, lat[found] << u.deg)
        return numbers

    def _cut_at_the_seam(self, values: FloatArray, rows: slice, columns: slice) -> None:
        """Take away what lies beyond longitude 180, where a tile is shown at both ends."""
        side = self.shape[0] * self.shrunk
        x = np.arange(columns.start, columns.stop) - (side - 1) / 2
        y = np.arange(rows.start, rows.stop) - (side - 1) / 2
        most = 4 * self.tiles.width * 2**self.order
        corner = max(abs(x[0] + y[0]), abs(x[-1] + y[-1]))
        if corner > most:
            values[np.abs(x[None, :] + y[:, None]) > most] = np.nan


def _stepped(block: FloatArray, rows: range, columns: range) -> FloatArray:
    """Rows and columns with steps, of a block that starts at the lowest of each."""
    low, left = min(rows[0], rows[-1]), min(columns[0], columns[-1])
    return block[np.subtract(rows, low)[:, None], np.subtract(columns, left)]


def _sphere(
    across: NDArray[np.float64], up: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude, degrees, of places on the turned grid; NaN off the sky.

    The inverse of the HPX projection (Calabretta & Roukema 2007, MNRAS 381, 865) for H = 4,
    K = 3.

    Parameters
    ----------
    across, up
        From the middle of the grid, in sides of the twelve largest pixels.
    """
    x, y = -45.0 * (across + up), 45.0 * (across - up)
    sigma = np.clip(2.0 - np.abs(y) / 45.0, 0.0, 1.0)  # 1 in the equatorial belt
    middle = 90.0 * np.floor(x / 90.0) + 45.0
    polar = sigma < 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        lon = np.where(polar, middle + (x - middle) / sigma, x)
    z = np.where(polar, np.sign(y) * (1.0 - sigma**2 / 3.0), np.clip(y / 67.5, -1.0, 1.0))
    off = (np.abs(x) > 180.0) | (np.abs(y) > 90.0) | (polar & (np.abs(x - middle) > 45.0 * sigma))
    lon = np.where(off, np.nan, lon)
    return lon, np.where(off, np.nan, np.rad2deg(np.arcsin(z)))
