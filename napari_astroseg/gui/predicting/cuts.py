"""Cuts: from which probability on pixels count, what that makes, in words and as a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.gui.predicting.extramaps import LARGEST
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.known import Rule, mark_known
from napari_astroseg.sky.structures import label_structures, measure
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class Cut:
    """Which pixels count as a region: probability at or above, in at least so many pixels.

    Where uncertainties are known, only pixels no less sure than `most_unsure`, of which `LARGEST`
    is no limit.
    """

    threshold: float
    min_area_px: int
    most_unsure: float = LARGEST


@dataclass(frozen=True)
class Summary:
    """How much was found; `count` is None where structures are not numbered."""

    count: int | None
    area_px: int


@dataclass(frozen=True)
class Known:
    """What was known before: its catalogue, and by which rule a detection is one of it."""

    catalogue: Path
    rule: Rule


def labelled(
    probability: NDArray[np.float32], deviation: NDArray[np.float32] | None, cut: Cut
) -> NDArray[np.int32]:
    """Numbered structures (H, W) of what is likely enough and, where it is known, sure enough."""
    if deviation is not None and cut.most_unsure < LARGEST:
        with np.errstate(invalid="ignore"):
            probability = np.where(deviation > cut.most_unsure, np.float32(0), probability)
    return label_structures(probability, cut.threshold, cut.min_area_px)


def found_words(found: Summary | None, window: Window, image: SkyImage) -> tuple[str, str]:
    """How many regions there are and how large, and which share of the window that is."""
    if found is None:
        return "", ""
    share = found.area_px / (window.width * window.height)
    regions = {None: "", 1: "1 region, "}.get(found.count, f"{found.count} regions, ")
    words = regions + _area(found.area_px, image)
    return words, f"{share:.1%} of the window is above the threshold"


def write_catalogue(
    probability: NDArray[np.float32],
    deviation: NDArray[np.float32] | None,
    cut: Cut,
    image: SkyImage,
    window: Window,
    uncertain: str,
    known: Known | None,
    path: Path,
) -> str:
    """Measure the regions of a window, write them, and say so."""
    labels = labelled(probability, deviation, cut)
    spread = None if deviation is None else deviation[None]
    catalogue: Any = measure(labels, probability, image, window, spread, uncertain)
    return written(catalogue, "region", image, known, path)


def written(
    catalogue: Catalogue, what: str, image: SkyImage, known: Known | None, path: Path
) -> str:
    """Write a catalogue, with what is known in it marked, and say so."""
    told = ""
    if known is not None:
        found = mark_known(catalogue, known.catalogue, image, known.rule)
        told = f", {found} known and {len(catalogue) - found} new,"
    catalogue.write(path)
    count = len(catalogue)
    return f"{count} {what}{'s' * (count != 1)}{told} written to {path}"


def _area(pixels: int, image: SkyImage) -> str:
    """An area on the sky where the image knows its scale, else in pixels."""
    scale = image.pixel_scale_arcsec
    if scale is None:
        return f"{pixels:,} px"
    arcmin2 = pixels * (scale / 60.0) ** 2
    return f"{arcmin2 / 3600:.3g} deg²" if arcmin2 > 3600 else f"{arcmin2:.3g} arcmin²"
