"""Pictures: what an image shows at one structure, and the outlines to lay over it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import approximate_polygon, find_contours

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

LARGEST = 320
"""Pixels along a picture's longer side; of larger structures every second one, or third, … ."""

_LEAST = 48
"""Pixels of sky along a picture's sides, however small its structure."""

_AROUND = 0.35
"""Sky on each side of a structure, as a fraction of its extent."""

_MISSING = (90, 90, 90)

_CUT = (1.0, 99.0)
"""Percentiles that are drawn black and white: stars and dead pixels lie beyond."""


def windows_of(labels: NDArray[np.integer[Any]], ids: Iterable[int]) -> dict[int, Window]:
    """A square window around each structure, clipped to the map."""
    from scipy import ndimage

    boxes = ndimage.find_objects(labels)
    shape = (labels.shape[0], labels.shape[1])
    found = {}
    for label in ids:
        box = boxes[label - 1] if 0 < label <= len(boxes) else None
        if box is None:
            continue
        rows, columns = box
        extent = max(rows.stop - rows.start, columns.stop - columns.start)
        side = max(_LEAST, round(extent * (1.0 + 2.0 * _AROUND)))
        x, y = (columns.start + columns.stop - side) // 2, (rows.start + rows.stop - side) // 2
        found[label] = Window(x, y, side, side).clipped(shape)
    return found


def write_picture(path: Path, image: SkyImage, window: Window, colours: str) -> Path:
    """A cut-out as PNG, row 0 at the bottom, missing pixels grey.

    Parameters
    ----------
    colours
        Name of a colour map of matplotlib.
    """
    from matplotlib import colormaps
    from PIL import Image

    step = -(-max(window.shape) // LARGEST)
    values = image.plane(0).cutout(window)[np.ix_(*(_evenly(side, step) for side in window.shape))]
    finite = np.isfinite(values)
    low, high = np.percentile(values[finite], _CUT) if finite.any() else (0.0, 1.0)
    scaled = np.clip((values - low) / (high - low if high > low else 1.0), 0.0, 1.0)
    shown = colormaps[colours](np.where(finite, scaled, 0.0), bytes=True)[..., :3].copy()
    shown[~finite] = _MISSING
    with replacing(path) as temporary:
        Image.fromarray(shown[::-1]).save(temporary, format="PNG", optimize=True)
    return path


def _evenly(side: int, step: int) -> NDArray[np.intp]:
    """About every `step`-th pixel of a side, each the middle of its part of the picture."""
    count = -(-side // step)
    return ((np.arange(count) + 0.5) * side / count).astype(np.intp)


def outline_path(mask: NDArray[np.bool_]) -> str:
    """The outline of a mask as the `d` of an SVG path, row 0 at the bottom."""
    height = mask.shape[0]
    parts = []
    for line in find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
        points = approximate_polygon(line, 0.3)[:-1]
        # The padding's pixel, and half a one: SVG counts from edges, not from centres.
        words = (f"{x - 0.5:.1f},{height - (y - 0.5):.1f}" for y, x in points)
        parts.append("M" + "L".join(words) + "Z")
    return "".join(parts)
