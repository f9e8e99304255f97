"""Harvest: verdicts as a folder to learn from: what is real as truth, what is not as negatives.

For Spitzer tiles with a catalogue of bubbles. What was accepted is added to the catalogue, with the
outline to which it was revised; what was rejected is taken out of it, and is one of two classes of
non-bubbles that a network is shown, beside such as are drawn anywhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import OutputError, VettingError
from napari_astroseg.review.outcome import Outcome, shape_of
from napari_astroseg.sky.augment.views import OF_BOX
from napari_astroseg.sky.clusters.choice import Choice, CropClass, Place
from napari_astroseg.sky.datasets.bubblecatalogue import BOX, Bubble, read_bubbles
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.negatives import draw_negatives
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.tiles import boxes
from napari_astroseg.sky.files.writing import replacing, replacing_folder
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.placing import in_frame
from napari_astroseg.sky.window import Window

CATALOGUE = "vetted.dat"
COUNT = 2000
_SAME = 0.5
"""Semi-major axes within which a bubble of the catalogue is the one that was judged."""


@dataclass(frozen=True)
class Harvest:
    """What came of it.

    Parameters
    ----------
    folder
        To learn from.
    bubbles
        In its catalogue.
    added, replaced, removed
        Bubbles that are new there, have another outline, or are there no more.
    negatives
        Crops of what was rejected; where bubbles lie beside it, they are told.
    notes
        What the user should know, one sentence each.
    """

    folder: Path
    bubbles: int
    added: int
    replaced: int
    removed: int
    negatives: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Judged:
    """One that was judged: Galactic position, deg, semi-axes, arcmin; and whether revised."""

    lon: float
    lat: float
    major: float
    minor: float
    revised: bool


def harvest(
    outcome: Outcome,
    data: str | Path,
    out: str | Path,
    *,
    count: int = COUNT,
    weight: float = 1.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Harvest:
    """Write a folder like `data`, with what was accepted as truth and rejected as negatives.

    Parameters
    ----------
    data
        Folder of Spitzer tiles with a catalogue of bubbles, as `astroseg train` reads it.
    out
        Folder to make; its tiles are linked where the disk can, else copied.
    count
        Crops without bubbles that are drawn anywhere.
    weight
        How often a rejected one is shown for each of those.

    Raises
    ------
    VettingError
        When nothing was accepted or rejected, or where is not known.
    DataError
        When `data` is none, or of another layout.
    OutputError
        When `out` is there already, or cannot be written.
    """
    out = Path(out)
    if out.exists():
        raise OutputError(f"{out} is there already; name another folder")
    accepted, notes = _judged(outcome, "accepted")
    rejected, more = _judged(outcome, "rejected")
    if not accepted and not rejected:
        raise VettingError("nothing was accepted or rejected yet; judge some first")
    source = open_dataset(data, "bubbles", progress=progress)
    if not source.items:
        raise VettingError(f"{data} has no tile that can be used; see astroseg dataset {data}")
    found, _ = read_bubbles(source.items[0].files[-1], source.folder)
    rows, counts = _merged(found, accepted, rejected)
    with replacing_folder(out) as making:
        _link_tiles(source, making)
        text = "\n".join(map(_row, rows)) + "\n"
        with replacing(making / CATALOGUE) as temporary:
            temporary.write_text(text, encoding="ascii")
    made = open_dataset(out, "bubbles", progress=progress)
    places, off = _crops(made, rejected)
    if off:
        notes = (*notes, f"{off:,} rejected ones show no negative: they lie on no tile that "
                 "is trained on, or are larger than it")  # fmt: skip
    if places:
        drawn = draw_negatives(made, count, seed=seed, progress=progress)
        names = [item.name for item in made.items]
        anywhere = tuple(
            dict.fromkeys(
                (names[n.item], n.window.x, n.window.y, n.window.width) for n in drawn.stamps
            )
        )
        classes = (
            CropClass(crops=tuple(place for place in anywhere if place not in places)),
            CropClass(crops=tuple(places), weight=weight),
        )
        Choice(data=made.unparted_digest, count=count, seed=seed, classes=classes).write(out)
        notes = (*notes, *drawn.notes)
    return Harvest(out, len(rows), *counts, len(places), (*notes, *more))


def _judged(outcome: Outcome, which: str) -> tuple[list[_Judged], tuple[str, ...]]:
    """Those with an outcome, on the sky and with a size."""
    found, unknown = [], 0
    for row in outcome.rows(which).tolist():  # type: ignore[arg-type]
        shape = shape_of(outcome, row)
        if not shape.on_sky or not shape.sizes:
            unknown += 1
            continue
        (there,) = in_frame([shape], "galactic")
        lon, lat = there.points[0]
        sizes = sorted(size / 60.0 for size in there.sizes[-2:])
        if there.form == "box":
            sizes = [side / 2 / BOX for side in sizes]
        revised = any(entry.shape is not None for entry in outcome.entries(row))
        found.append(_Judged(lon % 360.0, lat, sizes[-1], sizes[0], revised))
    words = f"{unknown:,} {which} ones are left out: their place or size on the sky is not known"
    return found, (words,) if unknown else ()


def _merged(
    found: Sequence[Bubble], accepted: Sequence[_Judged], rejected: Sequence[_Judged]
) -> tuple[list[Bubble], tuple[int, int, int]]:
    """The catalogue with what was judged, and how many are added, replaced, removed."""
    rows: dict[str, Bubble] = {each.name: each for each in found}
    same = _meant(found, accepted)
    meant = {at for at in _meant(found, rejected) if at is not None}
    # Of two detections of one bubble, one may have been rejected: it is a bubble all the same.
    removed = {found[at].name for at in meant.difference(same)}
    for name in removed:
        del rows[name]
    added = replaced = 0
    for each, at in zip(accepted, same, strict=True):
        name = f"VET2G{round(each.lon * 1e4) % 3600000:07d}{each.lat * 1e5:+08.0f}"
        new = Bubble(
            name, each.lon, each.lat, np.nan, each.major, each.minor,
            float(np.sqrt(each.major * each.minor)), np.nan, np.nan,
        )  # fmt: skip
        if at is None:
            added += name not in rows
            rows[name] = new
        elif each.revised and found[at].name in rows:
            del rows[found[at].name]
            rows[name] = new
            replaced += 1
    if not rows:
        raise VettingError("no bubble is left to learn from; accept some first")
    return list(rows.values()), (added, replaced, len(removed))


def _meant(found: Sequence[Bubble], judged: Sequence[_Judged]) -> list[int | None]:
    """Which bubble of the catalogue each judged one is; None for a new one."""
    if not found or not judged:
        return [None] * len(judged)
    nearest, separation, _ = _positions(judged).match_to_catalog_sky(_positions(found))
    arcmin = separation.to_value(u.arcmin)
    return [
        int(at) if far <= _SAME * found[int(at)].major else None
        for at, far in zip(nearest, arcmin, strict=True)
    ]


def _positions(of: Sequence[Bubble] | Sequence[_Judged]) -> SkyCoord:
    lon, lat = [each.lon for each in of], [each.lat for each in of]
    return SkyCoord(lon, lat, unit="deg", frame="galactic")


def _row(bubble: Bubble) -> str:
    """A row in the columns of the Milky Way Project's second release."""
    angle = "" if np.isnan(bubble.angle) else f"{bubble.angle:3.0f}"
    minor = bubble.major if np.isnan(bubble.minor) else bubble.minor
    radius = bubble.major if np.isnan(bubble.radius) else bubble.radius
    words = (
        f"{bubble.name:<20.20}", f"{round(bubble.lon, 4) % 360.0:8.4f}", f"{bubble.lat:8.4f}",
        " " * 5, f"{bubble.major:5.2f}", f"{minor:5.2f}", f"{radius:5.2f}", " " * 5, angle,
    )  # fmt: skip
    return "\t".join(words).ljust(150)


def _link_tiles(source: Dataset, making: Path) -> None:
    """The images of all tiles, linked or else copied."""
    for item in source.items:
        for path in item.files[:-1]:
            place = making / path.parent.name / path.name
            place.parent.mkdir(exist_ok=True)
            try:
                place.hardlink_to(path.resolve())
            except (OSError, NotImplementedError):  # a disk or a system without links
                shutil.copyfile(path, place)


def _crops(made: Dataset, rejected: Sequence[_Judged]) -> tuple[list[Place], int]:
    """Crops of what was rejected, as large as those of bubbles; and how many have none."""
    if not rejected:
        return [], 0
    as_bubbles = [
        Bubble("", each.lon, each.lat, np.nan, each.major, each.minor, np.nan, np.nan, np.nan)
        for each in rejected
    ]
    places: dict[Place, None] = {}
    used = np.zeros(len(rejected), bool)
    for number in made.of("training").tolist():
        image, name = made.items[number].image, made.items[number].name
        edges = boxes(image, as_bubbles)
        for at in np.flatnonzero(np.isfinite(edges).all(1)).tolist():
            crop = _around(edges[at], image.shape)
            if crop is not None:
                places[(name, crop.x, crop.y, crop.width)] = None
                used[at] = True
    return list(places), int((~used).sum())


def _around(edges: NDArray[np.float64], shape: tuple[int, int]) -> Window | None:
    """The crop that shows a box whole, moved inside a tile; None where it lies beyond it."""
    left, low, right, top = edges.tolist()
    middle, (rows, columns) = ((left + right) / 2, (low + top) / 2), shape
    side = max(1, round(OF_BOX * max(right - left, top - low)))
    if side > min(shape) or not (0 <= middle[0] < columns and 0 <= middle[1] < rows):
        return None
    crop = Window.around(*middle, side)
    x, y = min(max(crop.x, 0), columns - side), min(max(crop.y, 0), rows - side)
    return Window(x, y, side, side)
