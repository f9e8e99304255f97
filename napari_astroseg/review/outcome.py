"""Outcome: what the vetters made of a list, as a catalogue and as regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, VettingError
from napari_astroseg.review.agreement import ANSWERS, Answers, answers_of
from napari_astroseg.review.consensus import Consensus, Rule, consensus
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.iau import iau_names
from napari_astroseg.review.standing import Standing, standings
from napari_astroseg.review.store import Known, Store
from napari_astroseg.sky.catalogue import FORMATS, Catalogue
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.shapes.ds9writing import ds9_lines
from napari_astroseg.sky.shapes.shape import Frame, Shape

Only = Literal["all", "judged", "accepted", "rejected", "unsure"]

ONLY: tuple[Only, ...] = ("all", "judged", "accepted", "rejected", "unsure")
_LONGEST_TEXT = 500


@dataclass(frozen=True, eq=False)
class Outcome:
    """A list, everybody's verdicts on it, and what they come down to.

    Parameters
    ----------
    detections
        Without those that were planted.
    standing
        Vetter → what stands.
    answers, agreed
        The same as a table, and one answer for each.
    names, known
        Of all, planted ones among them.
    """

    detections: Detections
    standing: dict[str, Standing]
    answers: Answers
    agreed: Consensus
    names: tuple[str, ...]
    known: tuple[Known, ...]

    @classmethod
    def of(cls, store: Store, number: int, rule: Rule = "majority") -> Outcome:
        """Of a list in a store."""
        everything, known = store.detections(number)
        own = everything.taken([row for row, told in enumerate(known) if not told])
        standing = standings(store.entries(number))
        answers = answers_of(standing, own.names)
        return cls(
            own, standing, answers, consensus(answers, rule), everything.names, known
        )  # fmt: skip

    def rows(self, only: Only = "all") -> NDArray[np.int64]:
        """Rows of the detections with that outcome."""
        wanted = {"accepted": "real", "rejected": "not", "unsure": "unsure"}
        if only == "all":
            return np.arange(len(self.detections))
        if only == "judged":
            return np.flatnonzero(self.agreed.answer >= 0)
        if only not in wanted:
            raise VettingError(f"{only!r} is no outcome; use one of {', '.join(ONLY)}")
        return np.flatnonzero(self.agreed.answer == ANSWERS.index(wanted[only]))

    def entries(self, row: int) -> list[Entry]:
        """Everybody's verdict on one."""
        name = self.detections.names[row]
        given = (each.of(name) for each in self.standing.values())
        return [entry for entry in given if entry is not None]


def shape_of(outcome: Outcome, row: int) -> Shape:
    """Where one lies: as it was last revised, else a circle, or a point of unknown size."""
    revised = [entry for entry in outcome.entries(row) if entry.shape is not None]
    name = outcome.detections.names[row]
    if revised:
        shape = max(revised, key=lambda entry: entry.time).shape
        assert shape is not None
        return shape
    each = outcome.detections[row]
    frames: dict[str | None, Frame] = {"galactic": "galactic", "fk5": "fk5", "fk4": "fk4"}
    on_sky = each.frame is not None and each.unit == "arcsec"
    usable = np.isfinite(each.radius) and each.radius > 0
    in_pixels = np.isfinite(each.x) and np.isfinite(each.y)
    usable = usable and (on_sky or in_pixels)
    if each.frame is not None and (on_sky or not usable):
        frame: Frame = frames.get(each.frame, "icrs")
        point = each.lon, each.lat
    else:
        frame, point = "pixel", (each.x, each.y)
        usable = usable and each.unit == "px"
    form, sizes = ("circle", (each.radius,)) if usable else ("point", ())
    return Shape(form, (point,), sizes, frame=frame, name=name)  # type: ignore[arg-type]


def catalogue_of(
    outcome: Outcome,
    only: Only = "all",
    *,
    prefix: str = "",
    reference: Detections | None = None,
    within_arcsec: float = 60.0,
) -> Catalogue:
    """A row for each detection with an outcome.

    Parameters
    ----------
    prefix
        Before names by position.
    reference, within_arcsec
        What is known already, and how near it counts as the same; gives `cross_id`, `cross_sep`.

    Returns
    -------
    Columns `id`, `name` (IAU-style), `lon`, `lat` (deg), `x`, `y` (px), `radius`, `score`,
    `uncertainty`, `kind`, `verdict`, `vetters` (how many judged), `fraction_real`, `fraction_not`,
    `fraction_unsure`, `fraction_duplicate`, `probability` (that it is real, by the rule of the
    outcome), `rating` (mean), `tags`, `notes`.
    """
    rows = outcome.rows(only)
    own = outcome.detections.taken(rows)
    entries = [outcome.entries(row) for row in rows.tolist()]
    table = QTable({"id": _texts(own.names)})
    if own.frame is not None:
        galactic = own.frame == "galactic"
        there = own.position if galactic else own.position.icrs if len(own) else None
        spherical = there.spherical if there is not None else None
        lon, lat = (spherical.lon.deg, spherical.lat.deg) if spherical is not None else ([], [])
        table["name"] = _texts(iau_names(lon, lat, galactic=galactic, prefix=prefix))
        table["lon"], table["lat"] = np.array(lon) * u.deg, np.array(lat) * u.deg
    table["x"], table["y"] = own.x, own.y
    table["radius"] = own.radius * (u.arcsec if own.unit == "arcsec" else u.pix)
    table["score"], table["uncertainty"] = own.score, own.uncertainty
    table["kind"] = _texts([_kind(own.kinds[at], each) for at, each in enumerate(entries)])
    answer = outcome.agreed.answer[rows]
    table["verdict"] = _texts([ANSWERS[code] if code >= 0 else "" for code in answer.tolist()])
    counts = outcome.answers.counts[rows]
    table["vetters"] = counts.sum(1)
    shares = counts / np.where(counts.sum(1, keepdims=True), counts.sum(1, keepdims=True), np.nan)
    for code, word in enumerate(ANSWERS):
        table[f"fraction_{word}"] = shares[:, code]
    table["probability"] = outcome.agreed.probability[rows, ANSWERS.index("real")]
    table["rating"] = [_mean_rating(each) for each in entries]
    table["tags"] = _texts(
        [" ".join(sorted({tag for entry in each for tag in entry.tags})) for each in entries]
    )
    table["notes"] = _texts(
        [" | ".join(f"{e.vetter}: {e.note}" for e in each if e.note) for each in entries]
    )
    if reference is not None:
        _add_cross(table, own, reference, within_arcsec)
    frame = None if own.frame is None else "galactic" if own.frame == "galactic" else "icrs"
    return Catalogue(table, frame)


def write_outcome(path: str | Path, outcome: Outcome, catalogue: Catalogue, only: Only) -> Path:
    """Write a catalogue by the file's ending, or with `.reg` the outlines for DS9.

    Raises
    ------
    CatalogueError
        When the ending names no format.
    OutputError
        When the disk refuses.
    """
    path = Path(path)
    if path.suffix.lower() == ".reg":
        shapes = [_marked(outcome, row, catalogue, at) for at, row in enumerate(outcome.rows(only))]
        with replacing(path) as temporary:
            temporary.write_text("\n".join(ds9_lines(shapes)) + "\n", encoding="utf-8")
        return path
    if path.suffix.lower() not in FORMATS:
        raise CatalogueError(
            f"{path.name}: nothing is written that ends in {path.suffix!r}; "
            f"use one of {', '.join(FORMATS)} or .reg"
        )
    if path.suffix.lower() == ".fits":  # it holds ASCII
        for name, column in catalogue.table.columns.items():
            if column.dtype.kind == "U":
                plain = [text.encode("ascii", "backslashreplace").decode() for text in column]
                catalogue.table.replace_column(name, _texts(plain))
    return catalogue.write(path)


def _marked(outcome: Outcome, row: int, catalogue: Catalogue, at: int) -> Shape:
    told: Any = catalogue.table[at]
    name = str(told["name"]) if "name" in catalogue.table.colnames else str(told["id"])
    tags = tuple(filter(None, (str(told["verdict"]),)))
    colours = {"real": "green", "not": "red", "unsure": "yellow", "duplicate": "cyan"}
    return replace(
        shape_of(outcome, row), name=name, class_name=str(told["kind"]), tags=tags,
        color=colours.get(str(told["verdict"]), ""),
    )  # fmt: skip


def _kind(own: str, entries: Sequence[Entry]) -> str:
    """The kind that most say it is; the list's own where nobody says another."""
    told = Counter(
        entry.kind if entry.verdict == "reclassify" else own
        for entry in entries
        if entry.verdict in ("real", "revise", "reclassify")
    )
    return told.most_common(1)[0][0] if told else own


def _mean_rating(entries: Sequence[Entry]) -> float:
    ratings = [entry.rating for entry in entries if entry.rating is not None]
    return float(np.mean(ratings)) if ratings else np.nan


def _texts(words: Sequence[str]) -> NDArray[np.str_]:
    return np.array([" ".join(word.split())[:_LONGEST_TEXT] for word in words], dtype="U")


def _add_cross(table: QTable, own: Detections, reference: Detections, within_arcsec: float) -> None:
    names, separations = [""] * len(own), np.full(len(own), np.nan)
    if len(own) and len(reference):
        nearest, separation, _ = own.position.match_to_catalog_sky(reference.position)
        separations = separation.to_value(u.arcsec)
        near = separations <= within_arcsec
        names = [
            reference.names[other] if close else ""
            for other, close in zip(nearest.tolist(), near.tolist(), strict=True)
        ]
        separations = np.where(near, separations, np.nan)
    table["cross_id"] = _texts(names)
    table["cross_sep"] = separations * u.arcsec
