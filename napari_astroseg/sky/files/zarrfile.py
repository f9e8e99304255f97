"""Zarr file: the store that a prediction leaves, opened as an image, read where it is looked at.

The group says where its maps lie on the sky in its attribute `fits_header`, FITS cards as text, and
what they are called in `maps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import ImageRef
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest

ARRAY = "probability"
HEADER, MAPS = "fits_header", "maps"


@dataclass(frozen=True, eq=False)
class ZarrPixels(PlainPixels):
    """One map of an array (maps, rows, columns)."""

    array: Any
    number: int
    version: str

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return int(self.array.shape[1]), int(self.array.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored, float32."""
        return np.dtype(self.array.dtype)

    @property
    def tile_rows(self) -> int:
        """Of a chunk."""
        return int(self.array.chunks[1])

    @property
    def tile_columns(self) -> int:
        """Of a chunk."""
        return int(self.array.chunks[2])

    @property
    def identity(self) -> str:
        """A digest of the work, and of how much of it was done."""
        return digest(self.version, self.number)

    def __getitem__(self, key: Key) -> FloatArray:
        return np.asarray(self.array[(self.number, *key)])


def is_store(place: str) -> bool:
    """Whether a folder is one of zarr's."""
    return (Path(place) / "zarr.json").is_file()


def open_store(place: str) -> SkyImage:
    """The maps of a prediction's store as an image, several as a stack.

    Raises
    ------
    ImageError
        When the folder holds no such maps.
    """
    import zarr

    try:
        group = zarr.open_group(place, mode="r")
        array, done, about = group[ARRAY], np.asarray(group["done"][:]), dict(group.attrs)
        if len(array.shape) != 3 or array.dtype.kind != "f":
            raise ValueError(f"an array of {array.shape}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(
            f"{place} holds no maps of a prediction ({error}); name the prediction.zarr that "
            "`astroseg predict` left, or a FITS file"
        ) from error
    told = about.get(HEADER)
    header = fits.Header.fromstring(told, sep="\n") if isinstance(told, str) else fits.Header()
    called = about.get(MAPS)
    count = int(array.shape[0])
    right = isinstance(called, list) and len(called) == count
    labels = tuple(map(str, called)) if right else tuple(f"map {n}" for n in range(count))  # type: ignore[arg-type]
    version = digest(place, about.get("work"), done.tobytes())
    sources = [ZarrPixels(array, number, version) for number in range(count)]
    return SkyImage(
        sources[0],
        WCS(header) if len(header) else None,
        header,
        "",
        Path(place).name,
        ImageRef(place, 0),
        (f"a zarr store in chunks of {sources[0].tile_rows} × {sources[0].tile_columns} pixels",),
        sources if count > 1 else None,
        Axis("plane", "map", labels) if count > 1 else None,
    )
