"""Verdictfile: verdicts that somebody wrote into a table, beside the names of what they judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from napari_astroseg.errors import VettingError
from napari_astroseg.review.entry import VERDICTS, Entry, Verdict
from napari_astroseg.review.reading import catalogue_in, names_told
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.store import Store
from napari_astroseg.sky.catalogue import FORMATS
from napari_astroseg.sky.shapes.cataloguefile import read_table
from napari_astroseg.sky.shapes.columns import Columns

_REVISED = "revise"


def has_verdicts(source: str | Path) -> bool:
    """Whether a table has a column `verdict` with a word in it."""
    columns = _columns(source)
    return columns is not None and any(word.strip() for word in columns.text("verdict"))


def take_verdicts(store: Store, number: int, source: str | Path, vetter: str) -> int:
    """Keep the verdicts of a table as a vetter's; those that stand already are left out.

    Parameters
    ----------
    number
        Of the list that they are on.
    source
        A catalogue with a column `verdict` (`real`, `not`, `unsure`, `duplicate`, `reclassify`, or
        empty), and if need be `same_as` or `kind`; `note`, `tags` and `rating` are taken, too.

    Returns
    -------
    How many are new.

    Raises
    ------
    VettingError
        When there are none, or a row's is none; nothing is kept then.
    """
    columns = _columns(source)
    if columns is None or "verdict" not in columns:
        raise VettingError(
            f"{Path(source).name} has no column verdict; write one, with "
            f"{', '.join(word for word in VERDICTS if word != _REVISED)} or nothing in each row"
        )
    detections, _ = store.detections(number)
    there, given = set(detections.names), Standing(store.entries(number, vetter))
    entries = []
    for row, entry in _entries(columns, vetter):
        if entry.detection not in there:
            raise VettingError(
                f"row {row + 1:,} of {Path(source).name}: {entry.detection} is none of list "
                f"{number}; give the names of the list"
            )
        if not _stands(given.of(entry.detection), entry):
            entries.append(entry)
    store.append(number, entries)
    return len(entries)


def _entries(columns: Columns, vetter: str) -> list[tuple[int, Entry]]:
    """The verdicts of the rows that have one, each with its row."""
    names, words = names_told(columns), columns.text("verdict")
    texts = {name: columns.text(name) for name in ("kind", "same_as", "note", "tags")}
    ratings = columns.values("rating")
    found = []
    for row, word in enumerate(words):
        if not word.strip():
            continue
        said = cast(Verdict, word.strip().lower())
        if said == _REVISED:
            raise VettingError(
                f"row {row + 1:,}: a table holds no outline, so nothing can be revised in it; "
                "write real, and revise it in the window"
            )
        told: dict[str, Any] = {}
        if said == "reclassify":
            told["kind"] = texts["kind"][row].strip()
        if said == "duplicate":
            told["same_as"] = texts["same_as"][row].strip()
        if ratings is not None and np.isfinite(ratings[row]):
            told["rating"] = round(float(ratings[row]))
        try:
            entry = Entry(
                names[row], vetter, verdict=said, note=texts["note"][row].strip(),
                tags=tuple(texts["tags"][row].split()), **told,
            )  # fmt: skip
        except VettingError as error:
            raise VettingError(f"row {row + 1:,}: {error}") from error
        found.append((row, entry))
    return found


def _stands(given: Entry | None, entry: Entry) -> bool:
    """Whether a vetter has said just this, and not taken it back."""
    if given is None:
        return False
    alike = ("verdict", "kind", "same_as", "note", "tags", "rating")
    return all(getattr(given, name) == getattr(entry, name) for name in alike)


def _columns(source: str | Path) -> Columns | None:
    """The columns of a table or of the one in a prediction's folder; None of other files."""
    path = Path(source)
    if path.is_dir():
        path = catalogue_in(path)
    if path.suffix.lower() not in FORMATS:
        return None
    return Columns(read_table(path), path.name, {}, {})
