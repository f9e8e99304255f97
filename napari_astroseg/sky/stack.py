"""Stack: several images on one grid as the bands of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import takewhile

import numpy as np

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import ImageRef
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, MadePixels, PixelSource

_APART_PX = 0.1
"""Pixels by which grids may differ and still be one."""


@dataclass(frozen=True)
class Sources:
    """Planes that lie in files or HDUs of their own, and where that is."""

    each: tuple[PixelSource, ...]
    references: tuple[ImageRef | None, ...]

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, index: int) -> PixelSource:
        return self.each[index]


@dataclass(frozen=True)
class _Mean(MadePixels):
    """The mean of several sources."""

    source: PixelSource
    others: tuple[PixelSource, ...]

    @property
    def identity(self) -> str | None:
        told = [other.identity for other in self.others]
        return None if None in told else self.made_of("mean", *told)

    def __getitem__(self, key: Key) -> FloatArray:
        sum_of_all = reduce(np.add, (other[key] for other in self.others), self.source[key])
        return sum_of_all / np.asarray(1 + len(self.others), sum_of_all.dtype)


def flattened(image: SkyImage) -> SkyImage:
    """The mean of an image's planes, NaN where any of them is; a single image is itself."""
    if image.planes is None:
        return image
    planes = [image.planes[index] for index in range(image.count)]
    mean = _Mean(planes[0], tuple(planes[1:]))
    return replace(
        image, pixels=mean, planes=None, axis=None, reference=None, uncertainty=None, mask=None
    )


def stacked(images: Sequence[SkyImage], labels: Sequence[str], name: str) -> SkyImage:
    """One image of several bands, from one image of each.

    Raises
    ------
    ImageError
        When they are not on one grid.
    """
    first = images[0]
    for other in images[1:]:
        _require_one_grid(first, other)
    units = {image.unit for image in images}
    notes = dict.fromkeys(note for image in images for note in image.notes)
    if len(units) > 1:
        notes["its bands have different units"] = None
    errors = [image.uncertainty for image in images if image.uncertainty is not None]
    masks = [image.mask for image in images if image.mask is not None]
    return SkyImage(
        first.pixels,
        first.wcs,
        first.header,
        first.unit if len(units) == 1 else "",
        name,
        None,  # it lies in several places
        tuple(notes),
        Sources(
            tuple(image.pixels for image in images), tuple(image.reference for image in images)
        ),
        Axis("band", "band", tuple(labels)),
        stacked(errors, labels, f"{name} uncertainty") if len(errors) == len(images) else None,
        stacked(masks, labels, f"{name} mask") if len(masks) == len(images) else None,
    )


def band_labels(told: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Names of bands: as told, else what tells the files apart, else numbers."""
    for names in (tuple(told), _differences(files)):
        if all(names) and len(set(names)) == len(names):
            return names
    return tuple(str(n) for n in range(1, len(told) + 1))


def common_start(words: Sequence[str]) -> str:
    """The letters that all words begin with."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*words, strict=False))
    return "".join(letters[0] for letters in alike)


def _differences(files: Sequence[str]) -> tuple[str, ...]:
    """What is left of file names without their common start and end: `g`, `r` of `img_g.fits`."""
    stems = [file.partition(".")[0] for file in files]
    start = len(common_start(stems))
    end = len(common_start([stem[start:][::-1] for stem in stems]))
    return tuple(stem[start : len(stem) - end].strip(" _-") for stem in stems)


def _require_one_grid(first: SkyImage, other: SkyImage) -> None:
    if other.shape != first.shape:
        raise ImageError(
            f"{other.name} is {other.shape[1]} × {other.shape[0]} pixels and {first.name} "
            f"{first.shape[1]} × {first.shape[0]}; bands need one grid: open them as layers instead"
        )
    if first.wcs is None or other.wcs is None:
        return
    height, width = first.shape
    x, y = np.array([0, width - 1, 0, width - 1]), np.array([0, 0, height - 1, height - 1])
    there_x, there_y = first.pixel(other.sky(x, y))
    apart = np.hypot(there_x - x, there_y - y)
    if np.isfinite(apart).any() and np.nanmax(apart) > _APART_PX:
        raise ImageError(
            f"{other.name} lies up to {np.nanmax(apart):.2g} px away from {first.name} on the sky; "
            "bands need one grid: open them as layers instead"
        )
