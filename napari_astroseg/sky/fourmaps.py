"""FourMaps: a sky image with its regions of interest, its certain background, its gaps.

The layout of the Hi-GAL filament networks (Zavagno+2023): `*image*.fits` with, of the same name
otherwise, `*target*.fits` (or mask, roi), and where there are any `*background*.fits` and
`*missing*.fits` (1 = valid).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError, ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]

_TARGETS = ("target", "mask", "roi")


@dataclass(frozen=True, eq=False)
class FourMaps:
    """One field to learn from; all arrays (H, W).

    Attributes
    ----------
    values
        Float32, NaN where missing.
    target, background, valid
        On a structure; certainly background; carries data.
    conservative
        Whether `background` is a map of its own rather than all that is not target.
    """

    name: str
    image: SkyImage
    values: NDArray[np.float32]
    target: Mask
    background: Mask
    valid: Mask
    conservative: bool

    @property
    def labelled(self) -> Mask:
        """Pixels that teach: valid, and either target or background."""
        return (self.target | self.background) & self.valid


def open_four_maps(data: Path, background: str = "auto", floor: float = 0.1) -> list[FourMaps]:
    """All fields in a folder (or the one of an image file), sorted by name.

    Parameters
    ----------
    background
        `conservative`, `one_vs_all`, or `auto` (the first where there is a background map).
    floor
        Values below it count as missing.

    Raises
    ------
    DataError
        When nothing is found, a map does not fit its image, or a map asked for is not there.
    """
    return [_open_field(path, background, floor) for path in _images_in(data)]


def digest(data: Path) -> str:
    """Sixteen hexadecimal digits that change when any map of `data` does."""
    total = hashlib.sha256()
    for path in _images_in(data):
        for part in (path, *filter(None, map(_find(path), ("target", "background", "missing")))):
            total.update(part.name.encode())
            with part.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def maps_of(image: Path) -> dict[str, Path]:
    """`target`, `background` and `missing` → the file beside an image, for those there are."""
    found = {role: _find(image)(role) for role in ("target", "background", "missing")}
    return {role: path for role, path in found.items() if path is not None}


def _images_in(data: Path) -> list[Path]:
    if data.is_file():
        return [data]
    images = sorted(
        path for path in data.glob("*.fits") if "image" in path.stem and _find(path)("target")
    )
    if not data.exists():
        raise DataError(f"{data} is not there; check the name of the data folder")
    if not images:
        raise DataError(
            f"{data} holds no pair such as 001_image.fits and 001_target.fits; point at the "
            "folder that does, or make one with `astroseg simulate filaments --out DIR`"
        )
    return images


def _find(image: Path) -> Any:
    """A finder of the maps that belong to `image`."""

    def find(role: str) -> Path | None:
        for word in _TARGETS if role == "target" else (role,):
            path = image.with_name(image.name.replace("image", word))
            if path != image and path.exists():
                return path
        return None

    return find


def _open_field(path: Path, background: str, floor: float) -> FourMaps:
    find = _find(path)
    target_path, background_path, missing_path = map(find, ("target", "background", "missing"))
    if target_path is None and "image" not in path.name:
        raise DataError(
            f"{path.name} has no `image` in its name, from which its mask's would follow; name "
            "the pair as 001_image.fits and 001_target.fits are"
        )
    if target_path is None:
        raise DataError(
            f"{path.name} has no mask beside it; add {path.name.replace('image', 'target')}"
        )
    if background == "conservative" and background_path is None:
        raise DataError(
            f"{path.name} has no background map beside it; add it, or set data.background to "
            "one_vs_all"
        )
    try:
        image = _open_single(path)
        values = image.cutout(Window.whole(image.shape))
        target = _mask(target_path, image)
        valid = valid_pixels(values, floor)
        if missing_path is not None:
            valid &= _mask(missing_path, image)
        conservative = background != "one_vs_all" and background_path is not None
        certain = _mask(background_path, image) & ~target if conservative else ~target
    except ImageError as error:
        raise DataError(str(error)) from error
    return FourMaps(path.stem, image, values, target, certain, valid, conservative)


def _mask(path: Path | None, image: SkyImage) -> Mask:
    assert path is not None
    mask = _open_single(path)
    if mask.shape != image.shape:
        raise DataError(
            f"{path.name} is {mask.shape[1]} × {mask.shape[0]} pixels but {image.name} is "
            f"{image.shape[1]} × {image.shape[0]}; put both on one grid"
        )
    if image.wcs is not None and mask.wcs is not None and apart_px(mask, image) > 1.0:
        raise DataError(
            f"{path.name} lies elsewhere on the sky than {image.name}; put both on one grid"
        )
    return np.nan_to_num(mask.cutout(Window.whole(mask.shape))) > 0


def _open_single(path: Path) -> SkyImage:
    image = open_image(path)
    if image.count > 1:
        raise ImageError(
            f"{path.name} holds {image.count} planes where one map is wanted; "
            "write the one you want to a file of its own"
        )
    return image


def apart_px(mask: SkyImage, image: SkyImage) -> float:
    """How far apart on the sky the corners of two images of one shape lie, pixels of the second."""
    height, width = image.shape
    x, y = np.array([0, width - 1, 0, width - 1]), np.array([0, 0, height - 1, height - 1])
    there_x, there_y = image.pixel(mask.sky(x, y))
    apart = np.hypot(there_x - x, there_y - y)
    return float(np.nanmax(apart)) if np.isfinite(apart).any() else 0.0
