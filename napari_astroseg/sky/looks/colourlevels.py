"""Colour levels: a colour picture at halved and halved-again resolution, made where it is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import Paint, Picture
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.pyramids.pyramid import levels


class Plane(Protocol):
    """What a colour level needs of each band's level."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns)."""

    def __getitem__(self, key: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class ColourLevel:
    """One level of a colour picture: an array of shape (rows, columns, 4), uint8, made on demand.

    Parameters
    ----------
    bands
        The same level of three images: red, green, blue.
    paint
        What makes colours of them.
    """

    bands: tuple[Plane, Plane, Plane]
    paint: Paint
    shape: tuple[int, int, int] = field(init=False)
    dtype = np.dtype(np.uint8)
    ndim = 3
    chunks = (CHUNK, CHUNK, 4)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", (*self.bands[0].shape[-2:], 4))

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __getitem__(self, key: Any) -> Any:
        """Colours for integers and slices on the first two axes; anything goes on the third."""
        parts = key if isinstance(key, tuple) else (key,)
        if Ellipsis in parts:
            at = parts.index(Ellipsis)
            parts = parts[:at] + (slice(None),) * (4 - len(parts)) + parts[at + 1 :]
        rows, columns, channel = parts + (slice(None),) * (3 - len(parts))
        seen = [np.atleast_1d(band[rows, columns]) for band in self.bands]
        lost = sum(not isinstance(each, slice) for each in (rows, columns))
        picture = self.paint(*seen)
        return (picture[0] if lost == 2 else picture)[..., channel]

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it: for the coarsest level, which thumbnails are made of."""
        return np.asarray(self[...], dtype=dtype, copy=copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> ColourLevel:
        return self  # it never changes: a duplicated layer may share it


def colour_levels(
    red: Sequence[Plane], green: Sequence[Plane], blue: Sequence[Plane], paint: Paint
) -> list[ColourLevel]:
    """Levels of a colour picture, finest first, from the levels of three images of one grid."""
    return [ColourLevel(bands, paint) for bands in zip(red, green, blue, strict=True)]


def is_native_colour(image: SkyImage) -> bool:
    """Whether an image's three planes are red, green and blue already."""
    return image.count == 3 and tuple(name.upper() for name in image.bands) == ("R", "G", "B")


def refuse_other_planes(image: SkyImage) -> None:
    """Refuse an image whose three planes are not red, green and blue."""
    if not is_native_colour(image):
        raise ImageError(
            f"{image.name} has no planes R, G and B; choose three of its bands for a colour picture"
        )


def native_colour_levels(image: SkyImage) -> list[ColourLevel]:
    """Levels of a picture that has its own colours, drawn unchanged.

    Raises
    ------
    ImageError
        When its planes are not red, green and blue.
    """
    refuse_other_planes(image)
    red, green, blue = (levels(image.plane(index)) for index in range(3))
    return colour_levels(red, green, blue, native)


def native(red: ArrayLike, green: ArrayLike, blue: ArrayLike) -> Picture:
    """Values that are colours already, 0 to 255, unchanged; transparent where one is missing."""
    planes = np.stack([np.asarray(each) for each in (red, green, blue)], axis=-1)
    picture = np.empty((*planes.shape[:-1], 4), np.uint8)
    picture[..., 3] = np.where(np.isfinite(planes).all(axis=-1), 255, 0)
    picture[..., :3] = np.rint(np.clip(np.nan_to_num(planes), 0.0, 255.0))
    return picture
