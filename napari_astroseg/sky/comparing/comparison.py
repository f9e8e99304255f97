"""Comparison: a prediction, the images it is held against, and what they say of its structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.columns import add_contrast, keys_of
from napari_astroseg.sky.comparing.contrast import SURE, Contrast, contrast
from napari_astroseg.sky.comparing.coverage import Coverage, add_coverage, coverage
from napari_astroseg.sky.comparing.regionmap import Prediction, labels_of
from napari_astroseg.sky.comparing.words import percent
from napari_astroseg.sky.grids.align import Aligned, align, match_pixels
from napari_astroseg.sky.grids.warp import Sampling
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class Seen:
    """One comparison image on the prediction's pixels, and what it shows there.

    Parameters
    ----------
    key
        Of its columns.
    placed
        The image there, read where it is looked at, and how it came there.
    contrast
        A row for each structure.
    """

    key: str
    placed: Aligned
    contrast: Contrast

    @property
    def image(self) -> SkyImage:
        """On the prediction's pixels."""
        return self.placed.image

    @property
    def darker(self) -> int:
        """Structures that are surely darker than their surroundings."""
        return int((self.contrast.significance < -SURE).sum())

    @property
    def brighter(self) -> int:
        """Structures that are surely brighter."""
        return int((self.contrast.significance > SURE).sum())

    @property
    def contrasted(self) -> int:
        """Structures that have a contrast."""
        return int(np.isfinite(self.contrast.contrast).sum())

    @property
    def middle(self) -> float:
        """Median contrast of these; NaN where none has one."""
        known = self.contrast.contrast[np.isfinite(self.contrast.contrast)]
        return float(np.median(known)) if known.size else float("nan")

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        typical = f" (their median {percent(self.middle)})" if self.contrasted else ""
        return (
            f"{self.image.name}: {self.contrast.measured} of {len(self.contrast)} structures "
            f"measured, {self.contrasted} with a contrast{typical}; {self.darker} darker and "
            f"{self.brighter} brighter than their surroundings beyond {SURE:g} standard errors"
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that is known of a prediction's structures from other images.

    Parameters
    ----------
    prediction
        As it was opened.
    catalogue
        Its catalogue, with the columns of every comparison.
    seen
        The images.
    coverage, original
        Against regions known before, and these as labels on the same pixels, if there are some.
    """

    prediction: Prediction
    catalogue: Catalogue
    seen: tuple[Seen, ...]
    coverage: Coverage | None = None
    original: NDArray[np.int32] | None = None


def compare(
    prediction: Prediction,
    images: Sequence[SkyImage],
    original: SkyImage | None = None,
    *,
    gap_px: float = 2.0,
    ring_px: float | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Measure every structure in every image, and cover it with the original regions.

    Parameters
    ----------
    images
        Wherever they lie on the sky; each is put on the prediction's pixels.
    original
        A map of regions known before.
    gap_px, ring_px
        See `contrast`.

    Raises
    ------
    ImageError
        When an image is a stack, or does not overlap the prediction; or when `original` holds no
        labels.
    """
    labels, catalogue = prediction.labels, prediction.catalogue
    keys = keys_of(_stem(image.name) for image in images)
    titled = _titled(images)
    placed = [_placed(image, prediction.regions, "bilinear") for image in titled]
    seen = []
    for key, each in zip(keys, placed, strict=True):
        found = contrast(
            labels, each.image.pixels, gap_px=gap_px, ring_px=ring_px, progress=progress
        )
        catalogue = add_contrast(catalogue, each.image.name, found, each.image.unit, key)
        seen.append(Seen(key, each, found))
    if original is None:
        return Comparison(prediction, catalogue, tuple(seen))
    known, unknown = labels_of(_placed(original, prediction.regions, "nearest").image)
    covered = coverage(known, labels, _pixel_area(prediction.regions), unknown | prediction.missing)
    return Comparison(prediction, add_coverage(catalogue, covered), tuple(seen), covered, known)


def _titled(images: Sequence[SkyImage]) -> list[SkyImage]:
    """The images, those whose name another has had already with a number behind it."""
    names: list[str] = []
    for image in images:
        number, name = 1, image.name
        while name in names:
            number += 1
            name = f"{image.name} ({number})"
        names.append(name)
    return [replace(image, name=name) for image, name in zip(images, names, strict=True)]


def _placed(image: SkyImage, onto: SkyImage, sampling: Sampling) -> Aligned:
    """By the sky; by pixels where neither has any and the shapes are one."""
    if image.count > 1:
        raise ImageError(
            f"{image.name} is a stack of {image.count} planes, of which only one can be compared; "
            "write that to a file with `astroseg align --plane`"
        )
    if image.wcs is None and onto.wcs is None and image.shape == onto.shape:
        return match_pixels(image.plane(0), onto)
    return align(image.plane(0), onto, sampling=sampling)


def _pixel_area(image: SkyImage) -> u.Quantity:
    side = image.pixel_scale_arcsec
    return 1.0 * u.pix**2 if side is None else (side / 60.0 * u.arcmin) ** 2


def _stem(name: str) -> str:
    """A name without the endings of a file."""
    lower = name.lower()
    for ending in (".gz", ".fz", ".fits", ".fit"):
        if lower.endswith(ending):
            name, lower = name[: -len(ending)], lower[: -len(ending)]
    return name
