"""Maskfile: FITS masks and labels brought into marks, on the same grid or from another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.grids.align import align
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.draft import Draft
from napari_astroseg.sky.mosaics.together import one_grid
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

_BAND = 512
_MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class MaskFile:
    """A map of labels on an image's pixels.

    Parameters
    ----------
    image
        Its values there, NaN where it does not reach.
    how
        How they came there, a sentence.
    """

    image: SkyImage
    how: str


def open_mask(
    path: str | Path | Address, onto: SkyImage, *, progress: Progress = silent
) -> MaskFile:
    """A FITS mask or map of labels on the pixels of an image; nothing is read yet.

    Parameters
    ----------
    path
        A file, or `FILE[2]`.
    onto
        The image that is marked.

    Returns
    -------
    The same pixels where the grids are one, or neither says where it lies and the shapes are equal;
    else the nearest label to each pixel by position.

    Raises
    ------
    ImageError
        When it cannot be opened, or lies elsewhere on the sky.
    MarkError
        When nothing tells where it belongs.
    """
    image = open_image(path, progress=progress)
    if image.count > 1:
        raise MarkError(
            f"{image.name} is a stack of {image.count} planes; name an HDU with one mask, FILE[n]"
        )
    if one_grid([image, onto]):
        return MaskFile(image, "the same pixels, placed as they are")
    if image.wcs is not None and onto.wcs is not None:
        aligned = align(image, onto, sampling="nearest")
        return MaskFile(aligned.image, aligned.how.told)
    lost = image.name if image.wcs is None else onto.name
    if image.shape != onto.shape:
        (height, width), (other_height, other_width) = image.shape, onto.shape
        raise MarkError(
            f"{image.name} is {width} × {height} px and {onto.name} {other_width} × {other_height},"
            f" and {lost} has no sky coordinates to place it by; give a mask on the same pixels"
        )
    return MaskFile(image, f"pixel on pixel, as {lost} has no sky coordinates")


def mark_mask(
    draft: Draft, mask: MaskFile, label: int | None = None, *, progress: Progress = silent
) -> int:
    """Set labels where a mask is above 0; elsewhere all stays.

    Parameters
    ----------
    draft
        Of whose annotator the labels are.
    label
        For all of it; by default its own values are the labels.

    Returns
    -------
    How many pixels were set.

    Raises
    ------
    MarkError
        When its values are no labels.
    ImageError
        When it cannot be read.
    """
    height, width = mask.image.shape
    count = 0
    for top in range(0, height, _BAND):
        progress(f"reading {mask.image.name}", top, height)
        rows = slice(top, min(top + _BAND, height))
        values = _labels(np.asarray(mask.image.pixels[rows, slice(0, width)]), mask.image.name)
        columns = np.flatnonzero(values.any(axis=0))
        if not columns.size:
            continue
        first, last = int(columns[0]), int(columns[-1]) + 1
        window = Window(first, top, last - first, rows.stop - top)
        values = values[:, first:last]
        drawn = values > 0
        own = draft.read(window)
        own[drawn] = values[drawn] if label is None else label
        draft.write(window, own)
        count += int(np.count_nonzero(drawn))
    return count


def _labels(values: NDArray[Any], name: str) -> NDArray[np.uint16]:
    """Values as labels; missing ones are none."""
    known = np.nan_to_num(values, nan=0.0, posinf=-1.0, neginf=-1.0)
    if not np.array_equal(known, np.rint(known)):
        raise MarkError(
            f"{name} is an image, not a mask: it holds values between whole numbers; "
            "give a map of labels, or of 0 and 1"
        )
    if known.min(initial=0) < 0 or known.max(initial=0) > _MOST:
        raise MarkError(
            f"{name} holds values from {known.min():g} to {known.max():g}; "
            f"labels go from 0 to {_MOST:,}, so renumber them"
        )
    return known.astype(np.uint16)
