"""HipsTiles: the tiles of a HiPS, each read where it is looked at, the last ones kept."""

from __future__ import annotations

import io
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import is_url
from napari_astroseg.sky.files.far.patience import SIDE_BY_SIDE, NotThere
from napari_astroseg.sky.files.handle import open_handle

TileFormat = Literal["fits", "png", "jpg"]
KEPT = 192 * 2**20
"""Decoded tiles kept, bytes."""
_Tile = tuple[int, int]
"""Order and number of a tile."""


class HipsTiles:
    """The tiles of one HiPS.

    Parameters
    ----------
    place
        Its folder or URL.
    format
        Of the tiles: their ending.
    width
        Pixels along a tile.
    order, coarsest
        The finest order, and the coarsest one that has tiles.
    version
        Digest of what tells it from other HiPS.
    """

    def __init__(
        self, place: str, format: TileFormat, width: int, order: int, coarsest: int, version: str
    ) -> None:
        self._told = (place, format, width, order, coarsest, version)
        self.place, self.format, self.width, self.order, self.coarsest, self.version = self._told
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Tile, NDArray[Any] | None] = OrderedDict()
        self._held = 0

    def get(self, order: int, numbers: Iterable[int]) -> dict[int, NDArray[Any] | None]:
        """Tiles by number, each (bands, width, width), first row lowest; None where there is none.

        Raises
        ------
        ImageError
            When a tile is there and cannot be read.
        """
        wanted = list(numbers)
        if is_url(self.place) and len(wanted) > 1:
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                tiles = pool.map(lambda number: self._tile(order, number), wanted)
                return dict(zip(wanted, tiles, strict=True))
        return {number: self._tile(order, number) for number in wanted}

    def _tile(self, order: int, number: int) -> NDArray[Any] | None:
        with self._lock:
            if (order, number) in self._kept:
                self._kept.move_to_end((order, number))
                return self._kept[order, number]
        tile = self._read(order, number) if order >= self.coarsest else self._mean(order, number)
        with self._lock:
            if (order, number) not in self._kept:
                self._kept[order, number] = tile
                self._held += _bytes(tile)
            while self._held > KEPT and len(self._kept) > 1:
                self._held -= _bytes(self._kept.popitem(last=False)[1])
        return tile

    def _read(self, order: int, number: int) -> NDArray[Any] | None:
        folder = f"Norder{order}/Dir{number // 10000 * 10000}"
        bare, mark, query = (
            self.place.partition("?") if is_url(self.place) else (self.place, "", "")
        )
        place = f"{bare.rstrip('/')}/{folder}/Npix{number}.{self.format}{mark}{query}"
        if not is_url(place) and not Path(place).exists():
            return None
        try:
            handle = open_handle(place)
        except NotThere:
            return None
        if handle.size > 64 * self.width**2 + 2**20:
            raise ImageError(
                f"{handle.name}: {handle.size:,} bytes are too many for a tile of "
                f"{self.width} × {self.width} pixels; make the HiPS anew"
            )
        stored = np.empty(handle.size, np.uint8)
        handle.read(stored, 0)
        try:
            read = _numbers if self.format == "fits" else _colours
            return read(stored, self.width)
        except Exception as error:
            # Each format breaks in its own way; all of it is the tile's.
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            raise ImageError(
                f"{folder}/{handle.name} cannot be read as a tile ({reason}); fetch it again"
            ) from error

    def _mean(self, order: int, number: int) -> NDArray[Any] | None:
        """A tile of an order that is not there: the means of its four children."""
        half = self.width // 2
        children = [self._tile(order + 1, 4 * number + n) for n in range(4)]
        there = next((child for child in children if child is not None), None)
        if there is None or not half:
            return there
        tile = np.full(there.shape, np.nan, there.dtype)
        for n, child in enumerate(children):
            if child is not None:
                row, column = _QUARTERS[n]
                part = tile[:, row * half : (row + 1) * half, column * half : (column + 1) * half]
                part[:] = block_means(child, 2)
        return tile

    def __reduce__(self) -> tuple[type[HipsTiles], tuple[Any, ...]]:
        return HipsTiles, self._told


_QUARTERS = ((1, 0), (0, 0), (1, 1), (0, 1))
"""Row and column of a parent's quarter that each of its children fills."""


def _numbers(stored: NDArray[np.uint8], width: int) -> NDArray[Any]:
    """The one plane of a FITS tile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(stored.tobytes()), memmap=False) as hdus:
            hdu = next(each for each in hdus if len(each.shape) >= 2)
            _check(hdu.shape[::-1], width)  # before anything is unpacked
            data = np.asarray(hdu.data)
    kind = np.float32 if data.dtype.itemsize <= (4 if data.dtype.kind == "f" else 2) else np.float64
    return data.reshape(1, width, width).astype(kind)


def _colours(stored: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    """The three planes of a picture, first row lowest; NaN where it is transparent."""
    from PIL import Image

    with Image.open(io.BytesIO(stored.tobytes())) as picture:
        _check(picture.size, width)
        colours = np.asarray(picture.convert("RGBA"), np.float32)[::-1]
    planes = np.moveaxis(colours[..., :3], -1, 0).copy()
    planes[:, colours[..., 3] == 0] = np.nan
    return planes


def _check(sides: tuple[int, ...], width: int) -> None:
    if sides[:2] != (width, width) or any(n != 1 for n in sides[2:]):
        told = " × ".join(map(str, sides))
        raise ValueError(f"it is {told} pixels, and its HiPS has tiles of {width} × {width}")


def block_means(values: NDArray[Any], side: int) -> NDArray[Any]:
    """Means of blocks of the last two axes, missing values left out."""
    *before, height, width = values.shape
    blocks = values.reshape(*before, height // side, side, width // side, side)
    there = ~np.isnan(blocks)
    total = np.where(there, blocks, 0).sum(axis=(-3, -1))
    with np.errstate(invalid="ignore"):
        return (total / there.sum(axis=(-3, -1))).astype(values.dtype)


def _bytes(tile: NDArray[Any] | None) -> int:
    return 64 if tile is None else tile.nbytes
