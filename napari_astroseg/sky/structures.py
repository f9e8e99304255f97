"""Structures: from a map of probabilities to labelled regions and a catalogue of them."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skimage.measure import approximate_polygon, find_contours
from skimage.morphology import skeletonize

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.window import Window

EIGHT = np.ones((3, 3), bool)
"""Pixels that touch by a corner belong together."""

_CORE = np.ones((2, 2), bool)
"""A structure must hold a square of 2 × 2 pixels: thinner ones are noise on a beam of 3."""

_STRAIGHT = 0.3
"""Pixels by which an outline may be smoothed; well below what is known of an edge."""

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
    count = int(labels.max(initial=0))
    ids = np.arange(1, count + 1)
    values = flattened(image).cutout(window)
    rows, columns = _centres(labels, probability, ids)
    x, y = columns + window.x, rows + window.y
    table = QTable({"id": ids})
    scale, frame = 1.0 * u.pix, None
    if image.wcs is not None:
        position = image.sky(x, y)
        # Others depend on an equinox, which a table would lose.
        position = position if position.frame.name == "galactic" else position.icrs
        frame = str(position.frame.name)
        table["lon"] = position.spherical.lon.to(u.deg)
        table["lat"] = position.spherical.lat.to(u.deg)
        scale = (image.pixel_scale_arcsec or 0.0) / 60.0 * u.arcmin
    table["x"], table["y"] = x, y
    table["area"] = np.bincount(labels.ravel(), minlength=count + 1)[1:] * scale**2
    table["length"] = spine_lengths(labels) * scale
    unit = image.physical_unit or u.dimensionless_unscaled
    table["mean_value"] = _over(np.nanmean, values, labels, ids) * unit
    table["peak_value"] = _over(np.nanmax, values, labels, ids) * unit
    table["score"] = _over(np.nanmean, probability, labels, ids)
    if deviation is not None:
        table["uncertainty"] = _over(np.nanmean, deviation.max(0), labels, ids)
        table["uncertainty"].info.description = f"mean over the structure of the {uncertain}"
    for name in table.colnames:
        if name in _COLUMNS:
            table[name].info.description = _COLUMNS[name]
    return Catalogue(table, frame)


def spine_lengths(labels: Labels) -> NDArray[np.float64]:
    """Length of each structure's spine, pixels: the longest way along its skeleton, plus one."""
    count = int(labels.max(initial=0))
    spine = skeletonize(labels > 0)
    rows, columns = np.nonzero(spine)
    node = np.full(np.add(labels.shape, 2), -1)
    node[rows + 1, columns + 1] = np.arange(len(rows))
    links = [_links(node, rows, columns, step) for step in ((0, 1), (1, 0), (1, 1), (1, -1))]
    start, end, length = (np.concatenate(part) for part in zip(*links, strict=True))
    graph = sparse.coo_array((length, (start, end)), shape=(len(rows), len(rows))).tocsr()
    owner = labels[rows, columns]
    first = _farthest(graph, np.unique(owner, return_index=True)[1], owner, count)[0]
    _, far = _farthest(graph, first, owner, count)
    lengths = np.ones(count)
    lengths[np.unique(owner) - 1] = far + 1.0
    return lengths


def outlines(labels: Labels, window: Window) -> dict[int, list[NDArray[np.float64]]]:
    """Closed outlines of each structure, as (N, 2) arrays of 0-based (x, y) of the whole image.

    Straight runs keep their ends only; no vertex moves by more than `_STRAIGHT` pixels.
    """
    found: dict[int, list[NDArray[np.float64]]] = {}
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        mask = np.pad(labels[place] == number, 1).astype(np.float32)
        corner = np.array([place[0].start - 1 + window.y, place[1].start - 1 + window.x])
        lines = (approximate_polygon(line, _STRAIGHT) for line in find_contours(mask, 0.5))
        found[number] = [(line + corner)[:, ::-1] for line in lines]
    return found


def _centres(
    labels: Labels, probability: NDArray[Any], ids: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability-weighted mean row and column of each structure."""
    weight = np.nan_to_num(probability.astype(np.float64))
    centres = np.array(ndimage.center_of_mass(weight, labels, ids)).reshape(-1, 2)
    return centres[:, 0], centres[:, 1]


def _over(
    function: Any, values: NDArray[Any], labels: Labels, ids: NDArray[Any]
) -> NDArray[np.float64]:
    """A figure of the finite values of each structure; NaN where it has none."""
    finite = np.where(np.isfinite(values), labels, 0)
    present = np.isin(ids, finite)
    result = np.full(len(ids), np.nan)
    if present.any():
        result[present] = ndimage.labeled_comprehension(
            values, finite, ids[present], function, np.float64, np.nan
        )
    return result


def _links(
    node: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], step: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Pairs of skeleton pixels one `step` apart, both ways, and their distance."""
    here = node[rows + 1, columns + 1]
    there = node[rows + 1 + step[0], columns + 1 + step[1]]
    a, b = here[there >= 0], there[there >= 0]
    distance = np.full(2 * len(a), np.hypot(*step))
    return np.concatenate((a, b)), np.concatenate((b, a)), distance


def _farthest(
    graph: Any, sources: NDArray[Any], owner: NDArray[Any], count: int
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """For each structure, the skeleton pixel farthest from its source, and how far.

    One search serves all: structures do not touch, so each is reached from its own source only.
    """
    if not len(sources):
        return sources, np.zeros(0)
    distance = csgraph.dijkstra(graph, indices=sources, min_only=True)
    order = np.lexsort((distance, owner))
    last = np.append(np.nonzero(np.diff(owner[order]))[0], len(order) - 1)
    return order[last], distance[order[last]]
