"""Checking: every item of a dataset read once, so that training meets no surprise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import AstroSegError, DataError
from napari_astroseg.sky.datasets.card import PartCounts
from napari_astroseg.sky.datasets.finding import Finding, below
from napari_astroseg.sky.datasets.split import PARTS, Part
from napari_astroseg.sky.datasets.truth import Item, Listing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress

_BAND = 512
"""Rows looked at together."""

_PICKLES = (".pkl", ".pickle", ".p", ".joblib", ".pt", ".pth")
_PLAIN = (".fits", ".fit", ".fts", ".gz", ".fz", ".npy", ".json", ".csv", ".txt", ".dat", ".md")


@dataclass(frozen=True, eq=False)
class Checked:
    """What a check found.

    Parameters
    ----------
    usable
        Numbers of the items that can be used.
    counts
        `Truth.counts` of each of them, (usable, columns); zero where there is no truth.
    findings
        What is wrong with the others, or with parts of any.
    """

    usable: NDArray[np.intp]
    counts: NDArray[np.int64]
    findings: tuple[Finding, ...]


def checked(folder: Path, listing: Listing, progress: Progress) -> Checked:
    """Read every item of a listing once, unless its counts are known; who fails is left out."""
    if listing.known is not None:
        empty = _empty_classes(folder, listing, listing.known)
        return Checked(np.arange(len(listing.items)), listing.known, tuple(empty))
    usable: list[int] = []
    rows: list[list[int]] = []
    findings: list[Finding] = []
    columns = len(listing.classes) + 3 + len(listing.kinds)
    for number in range(len(listing.items)):
        progress(f"checking {folder.name}", number, len(listing.items))
        item = listing.items[number]
        try:
            row, told = _counted(item, listing)
        except (AstroSegError, OSError) as error:
            findings.append(Finding.of(item.name, error))
            continue
        usable.append(number)
        rows.append(row or [0] * columns)
        findings += told
    counts = np.array(rows, np.int64).reshape(-1, columns)
    findings += _empty_classes(folder, listing, counts)
    return Checked(np.array(usable, np.intp), counts, tuple(findings))


def lacking(folder: Path, counts: Mapping[Part, PartCounts]) -> list[Finding]:
    """A finding for each class and kind that one part shows and another lacks wholly."""
    teaching = {part: counts[part] for part in PARTS[:2] if part in counts}
    told = {part: {**each.pixels, **each.objects} for part, each in teaching.items()}
    return [
        Finding(
            folder.resolve().name,
            f"nothing of the class {name!r} is in what is kept for {part}",
            "add images that show some",
            left_out=False,
        )
        for part, own in told.items()
        for name, total in own.items()
        if not total and any(other.get(name) for other in told.values())
    ]


def pickles(folder: Path) -> list[Finding]:
    """The pickles in a folder and below it; none of them is ever opened."""
    return [
        Finding(
            below(path, folder),
            "is a pickle, which can run any program when it is read, and was not opened",
            "take it out of the folder, or save what it holds as FITS or plain NumPy numbers",
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _pickled(path)
    ]


def _pickled(path: Path) -> bool:
    """Whether a file is a pickle by its name or its first bytes."""
    suffix = path.suffix.lower()
    if suffix in _PICKLES or suffix in _PLAIN:
        return suffix in _PICKLES
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError:
        return False
    return len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def _counted(item: Item, listing: Listing) -> tuple[list[int], tuple[Finding, ...]]:
    """Counts and findings of one item; no counts without truth."""
    _require_values(item.image)
    truth = item.truth()
    if truth is None:
        return [], ()
    return truth.counts(listing.classes, listing.kinds), truth.findings


def _require_values(image: SkyImage) -> None:
    """Refuse an image of which a plane is all NaN."""
    for index in range(image.count):
        plane = image.plane(index)
        tops = range(0, plane.shape[0], _BAND)
        across = slice(0, plane.shape[1])
        if not any(np.isfinite(plane.pixels[top : top + _BAND, across]).any() for top in tops):
            raise DataError(
                f"{plane.name} holds no value at all, every pixel is NaN; "
                "fetch it again, or take it out of the folder"
            )


def _empty_classes(folder: Path, listing: Listing, counts: NDArray[np.int64]) -> list[Finding]:
    """A finding for each class and kind of which there is nothing."""
    totals = counts.sum(0).tolist()
    if not counts.any():  # nothing is usable, or nothing has truth: other findings tell that
        return []
    columns: Sequence[str] = (*listing.classes, "", "", "", *listing.kinds)
    unit = dict.fromkeys(listing.classes, "pixel") | dict.fromkeys(listing.kinds, "object")
    return [
        Finding(
            folder.resolve().name,
            f"no {unit[name]} in it is of the class {name!r}",
            "add images that show some, or learn without that class",
            left_out=False,
        )
        for name, total in dict(zip(columns, totals, strict=True)).items()
        if name and not total
    ]
