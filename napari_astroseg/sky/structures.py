"""Structures: from a map of probabilities to labelled regions and a catalogue of them."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import find_contours

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.spines import spine_lengths
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.tally import Sums, Tally
from napari_astroseg.sky.window import Window

EIGHT = np.ones((3, 3), bool)
"""Pixels that touch by a corner belong together."""

_CORE = np.ones((2, 2), bool)
"""A structure must hold a square of 2 × 2 pixels: thinner ones are noise on a beam of 3."""

_STRAIGHT = 0.3
"""Pixels by which an outline may be smoothed; well below what is known of an edge."""

_PIECE = 4096
"""Pixels along a side of what is traced at once."""

_COLUMNS = {
    "id": "number of the structure in the map of regions",
    "x": "column of its centre, pixels from 0",
    "y": "row of its centre, pixels from 0",
    "area": "area above the threshold",
    "length": "length of the spine, the longest way along the skeleton",
    "mean_value": "mean of the image over the structure",
    "peak_value": "highest value of the image in the structure",
    "score": "mean probability over the structure",
}

Labels = NDArray[np.int32]


def any_class(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability (…, H, W) of any class, of that of each (…, classes, H, W); NaN where missing."""
    if probability.shape[-3] == 1:
        return probability[..., 0, :, :]
    total: NDArray[np.float32] = np.minimum(probability.sum(-3), np.float32(1))
    return total


def label_structures(probability: NDArray[Any], threshold: float, min_area_px: int = 0) -> Labels:
    """Label the connected regions where the probability reaches `threshold`.

    Parameters
    ----------
    probability
        (H, W); NaN counts as no.
    min_area_px
        Regions of fewer pixels are dropped, as are those that vanish under an erosion by
        2 × 2 pixels (erosion and morphological reconstruction, as Zavagno+2023 clean theirs).

    Returns
    -------
    (H, W) int32, 0 outside, 1… inside, 8-connected.
    """
    with np.errstate(invalid="ignore"):
        mask = probability >= threshold
    labels, count = ndimage.label(mask, EIGHT, output=np.int32)
    if not count:
        return np.asarray(labels, np.int32)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    keep = area >= max(1, min_area_px)
    solid = np.zeros(count + 1, bool)
    solid[labels[ndimage.binary_erosion(mask, _CORE)]] = True
    keep &= solid
    keep[0] = False
    renumbered = np.cumsum(keep, dtype=np.int32)
    renumbered[~keep] = 0
    return renumbered[labels]


def measure(
    labels: Labels,
    probability: NDArray[Any],
    image: SkyImage,
    window: Window,
    deviation: NDArray[Any] | None = None,
    uncertain: str = "standard deviation of the probability",
) -> Catalogue:
    """One row per structure: where it is, how large, how long, how sure.

    Parameters
    ----------
    labels, probability
        (H, W) of `window`.
    image
        Gives positions and values, of a stack their mean; the window is read from it once.
    deviation
        (classes, H, W) how uncertain the probability is, where it is known.
    uncertain
        What that is, in words.

    Returns
    -------
    Columns `id`, `lon`, `lat` (deg, Galactic where the image is, else ICRS; left out without sky
    coordinates), `x`,
    `y` (0-based pixels of the whole image), `area` (arcmin2, or pix2), `length` of the spine
    (arcmin, or pix), `mean_value` and `peak_value` (image unit), `score` (mean probability), and
    where it is known `uncertainty` (mean deviation, in each pixel of the least sure class).
    """
    tally = Tally(int(labels.max(initial=0)), deviation is not None)
    unsure = None if deviation is None else deviation.max(0)
    tally.add(window, labels, flattened(image).cutout(window), probability, unsure)
    return tabulated(tally.sums(), spine_lengths(labels), image, uncertain)


def tabulated(
    sums: Sums, lengths: NDArray[np.float64], image: SkyImage, uncertain: str = ""
) -> Catalogue:
    """The catalogue, as `measure` gives it, of structures whose figures are known.

    Parameters
    ----------
    lengths
        Of their spines, pixels.
    """
    table = QTable({"id": np.arange(1, len(lengths) + 1)})
    scale, frame = 1.0 * u.pix, None
    if image.wcs is not None:
        position = image.sky(sums.x, sums.y)
        # Others depend on an equinox, which a table would lose.
        position = position if position.frame.name == "galactic" else position.icrs
        frame = str(position.frame.name)
        table["lon"] = position.spherical.lon.to(u.deg)
        table["lat"] = position.spherical.lat.to(u.deg)
        scale = (image.pixel_scale_arcsec or 0.0) / 60.0 * u.arcmin
    table["x"], table["y"] = sums.x, sums.y
    table["area"] = sums.area * scale**2
    table["length"] = lengths * scale
    unit = image.physical_unit or u.dimensionless_unscaled
    table["mean_value"] = sums.mean * unit
    table["peak_value"] = sums.peak * unit
    table["score"] = sums.score
    if sums.uncertainty is not None:
        table["uncertainty"] = sums.uncertainty
        table["uncertainty"].info.description = f"mean over the structure of the {uncertain}"
    for name in table.colnames:
        if name in _COLUMNS:
            table[name].info.description = _COLUMNS[name]
    return Catalogue(table, frame)


def outlines(labels: Labels, window: Window) -> dict[int, list[NDArray[np.float64]]]:
    """Closed outlines of each structure, as (N, 2) arrays of 0-based (x, y) of the whole image.

    Straight runs keep their ends only; no vertex moves by more than `_STRAIGHT` pixels.
    """
    found: dict[int, list[NDArray[np.float64]]] = {}
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        rows, columns = place
        x, y = columns.start + window.x, rows.start + window.y
        found[number] = outline(labels[place] == number, x, y)
    return found


def outline(mask: NDArray[np.bool_], x: int = 0, y: int = 0) -> list[NDArray[np.float64]]:
    """Closed outlines of a mask (h, w) whose corner is the pixel (x, y), as `outlines` gives them.

    A mask beyond `_PIECE` pixels is told in pieces that lie side by side: tracing takes memory.
    """
    from napari_astroseg.sky.outlineloops import simplified  # it is compiled

    found = []
    for part in Window.whole(mask.shape).parts(_PIECE):
        padded = np.pad(mask[part.slices], 1).astype(np.float32)
        corner = np.array([part.y - 1 + y, part.x - 1 + x])
        lines = (simplified(line, _STRAIGHT) for line in find_contours(padded, 0.5))
        found += [(line + corner)[:, ::-1] for line in lines]
    return found
