"""Opening: from a folder in anyone's layout to a checked `Dataset`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError, VoteError
from napari_astroseg.sky.datasets import blended, galaxies, maps, sets, tiles
from napari_astroseg.sky.datasets.card import LayoutName, PartCounts
from napari_astroseg.sky.datasets.checking import Checked, checked, lacking, pickles
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.drawing import area_folds
from napari_astroseg.sky.datasets.split import AREA_PX, FOLDS, PARTS, Chosen, Part, parted
from napari_astroseg.sky.datasets.truth import Listing
from napari_astroseg.sky.progress import Progress, silent


@dataclass(frozen=True)
class Asked:
    """What was asked for beside the folder; see `open_dataset`."""

    threshold: int
    catalogue: Path | None
    progress: Progress


@dataclass(frozen=True)
class Reader:
    """One layout.

    Parameters
    ----------
    name
        What to call it.
    recognised
        Whether a folder looks like it.
    listed
        What it offers.
    looks
        What such a folder holds, for people.
    """

    name: LayoutName
    recognised: Callable[[Path], bool]
    listed: Callable[[Path, Asked], Listing]
    looks: str


READERS = (
    Reader(
        "bubbles",
        tiles.recognised,
        lambda folder, asked: tiles.listed(folder, asked.catalogue),
        "spitzer_LLLLL+0000_rgb/r.fits, g.fits, b.fits",
    ),
    Reader(
        "astro_rcnn",
        sets.recognised,
        lambda folder, _: sets.listed(folder),
        "set_0/img_g.fits … masks.fits",
    ),
    Reader(
        "blended",
        blended.recognised,
        lambda folder, _: blended.listed(folder),
        "stamps_WithNoise_NAME.npy and stamps_seg_NAME.npy",
    ),
    Reader(
        "four_maps",
        maps.recognised,
        lambda folder, _: maps.listed(folder),
        "001_image.fits and 001_target.fits",
    ),
    Reader(
        "gz3d",
        galaxies.recognised,
        lambda folder, asked: galaxies.listed(folder, asked.threshold, asked.progress),
        "gz3d_MANGAID_IFU_NUMBER.fits.gz",
    ),
)
"""All layouts, in the order in which they are tried."""


def open_dataset(
    folder: str | Path,
    layout: LayoutName | None = None,
    *,
    threshold: int = 3,
    catalogue: str | Path | None = None,
    validation: float | None = None,
    progress: Progress = silent,
) -> Dataset:
    """A folder to learn from, each of its images checked once.

    What is wrong with single files is told in `findings`, and the rest goes on.

    Parameters
    ----------
    layout
        Whose layout it is in; by default the first that it looks like.
    threshold
        Votes from which a pixel of Galaxy Zoo 3D belongs to a class.
    catalogue
        Of the bubbles on Spitzer tiles; by default the `.dat` file of the folder.
    validation
        The share of images kept for validation, 0 to below 1; by default as the authors of the
        layout keep. Four maps are parted by areas of sky instead, of which one in five validates.
    progress
        Hears of every image, and may end the check.

    Raises
    ------
    DataError
        When it is no folder, in no known layout, or what is asked for makes no sense.
    """
    folder = Path(folder)
    _require_sense(folder, threshold, validation)
    reader = _reader(folder, layout)
    asked = Asked(threshold, None if catalogue is None else Path(catalogue), progress)
    try:
        listing = reader.listed(folder, asked)
    except VoteError as error:
        raise DataError(str(error)) from error
    found = checked(folder, listing, progress)
    findings = (*listing.findings, *found.findings, *pickles(folder))
    items = Chosen(listing.items, found.usable)
    if reader.name == "four_maps":
        settings = {**listing.settings, "area_px": AREA_PX, "folds": FOLDS}
        whole = Dataset(folder, reader.name, items, (), {}, settings, findings)
        counts = _counts_by_area(whole, listing)
        findings += tuple(lacking(folder, counts))
        return Dataset(folder, reader.name, items, (), counts, settings, findings)
    share = listing.validation if validation is None else validation
    parts = parted(items, share)
    settings = {**listing.settings, "validation": share}
    counts = _counts(listing, found, parts)
    findings += tuple(lacking(folder, counts))
    return Dataset(folder, reader.name, items, parts, counts, settings, findings)


def _require_sense(folder: Path, threshold: int, validation: float | None) -> None:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; name the one that holds the images to learn from")
    if threshold < 1:
        raise DataError(f"{threshold} is no number of people; give a threshold from 1 up")
    if validation is not None and not 0 <= validation < 1:
        raise DataError(
            f"{validation:g} of the images cannot be kept for validation; give a share from 0 to "
            "below 1"
        )


def _reader(folder: Path, layout: str | None) -> Reader:
    """The layout that is asked for, or that a folder looks like."""
    if layout is not None:
        named = [reader for reader in READERS if reader.name == layout]
        if not named:
            names = ", ".join(reader.name for reader in READERS)
            raise DataError(f"no layout is called {layout!r}; use one of {names}")
        if not named[0].recognised(folder):
            raise DataError(f"{folder} holds nothing like {named[0].looks}; name the folder above")
        return named[0]
    for reader in READERS:
        if reader.recognised(folder):
            return reader
    if not any(folder.iterdir()):
        raise DataError(f"{folder} is empty; name the folder that holds the images to learn from")
    looks = "; ".join(f"{reader.looks} ({reader.name})" for reader in READERS)
    raise DataError(
        f"{folder} is in none of the known layouts: {looks}; name the folder that is, or make one "
        "with `astroseg simulate filaments --out DIR`"
    )


def _counts(listing: Listing, found: Checked, parts: tuple[Part, ...]) -> dict[Part, PartCounts]:
    """What each part holds, of those that hold anything."""
    own = np.array(parts)
    return {
        part: _sum(listing, found.counts[own == part], int((own == part).sum()))
        for part in PARTS
        if part in parts
    }


def _counts_by_area(dataset: Dataset, listing: Listing) -> dict[Part, PartCounts]:
    """What training and validation hold of maps that are parted by areas of sky."""
    rows: dict[Part, list[list[int]]] = {"training": [], "validation": []}
    part: Part
    for item, folds in zip(dataset.items, area_folds(dataset), strict=True):
        truth = item.truth()
        assert truth is not None  # four maps always have one
        for part, own in (("training", folds != 0), ("validation", folds == 0)):
            row = truth.within(own).counts(listing.classes, listing.kinds)
            rows[part].append(row)
    return {
        part: _sum(listing, np.array(told, np.int64), len(told))
        for part, told in rows.items()
        if told
    }


def _sum(listing: Listing, counts: NDArray[np.int64], items: int) -> PartCounts:
    """Rows of `Truth.counts` as one."""
    sums = counts.sum(0).tolist()
    classes = len(listing.classes)
    pixels = dict(zip(listing.classes, sums, strict=False))
    if classes and not (counts[:, classes] < 0).any():
        pixels["background"] = sums[classes]
    labelled, unlabelled = sums[classes + 1 : classes + 3]
    objects = dict(zip(listing.kinds, sums[classes + 3 :], strict=True))
    return PartCounts(
        items=items, pixels=pixels, labelled=labelled, unlabelled=unlabelled, objects=objects
    )
