"""Merging: the verdicts of people who worked apart, in one store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import URL

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.place import WAIT_S, is_file, place_of
from napari_astroseg.review.store import Known, Store
from napari_astroseg.sky.progress import Progress, silent


@dataclass(frozen=True)
class Merged:
    """What came of one store: lists that were new, and entries that were."""

    source: str
    lists: int
    entries: int


def merge(into: Store, sources: Sequence[str | Path], progress: Progress = silent) -> list[Merged]:
    """Bring lists and verdicts of other stores into one; what it has already is left out.

    Raises
    ------
    VettingError
        When one of them is not there, or is none.
    """
    found = []
    for place in sources:
        url = place_of(place)
        if is_file(url) and not Path(str(url.database)).is_file():
            raise VettingError(f"{place} is not there; check its name")
        if url == into.url:
            raise VettingError(f"{into.name} cannot be merged into itself; name another store")
        with _opened(url, place) as source:
            found.append(_merge(into, source, progress))
    return found


@contextmanager
def _opened(url: URL, place: str | Path) -> Iterator[Store]:
    """A store to read from; of a file a copy, so that a stranger's is not touched."""
    with TemporaryDirectory(prefix="astroseg-") as folder:
        if is_file(url):
            there = Path(str(url.database))
            place = Path(folder) / there.name
            _copy(there, place)
        source = Store(place)
        try:
            yield source
        finally:
            source.close()


def _copy(there: Path, place: Path) -> None:
    """A file of SQLite as it stood at one moment, whoever writes to it meanwhile."""
    try:
        with (
            closing(sqlite3.connect(f"{there.as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as live,
            closing(sqlite3.connect(place)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error:
        # Where not even the index of what was written last can be made, nobody writes; and what is
        # no store is told by whoever opens the copy.
        for ending in ("", "-wal"):
            part = there.with_name(there.name + ending)
            if part.is_file():
                shutil.copyfile(part, place.with_name(place.name + ending))


def _merge(into: Store, source: Store, progress: Progress) -> Merged:
    lists = entries = 0
    for listed in source.lists():
        progress(f"merging {source.name}", listed.number, None)
        detections, known = source.detections(listed.number)
        own = detections.taken(_rows(known, ""))
        there = into.number_of(own.digest)
        lists += there is None
        number = into.add(own, progress)
        _plant(into, number, detections, known)
        before = sum(each.entries for each in into.lists() if each.number == number)
        into.append(number, source.entries(listed.number))
        after = sum(each.entries for each in into.lists() if each.number == number)
        entries += after - before
    return Merged(source.name, lists, entries)


def _plant(into: Store, number: int, detections: Detections, known: Sequence[Known]) -> None:
    """Those that were hidden there, and are not yet here."""
    there, _ = into.detections(number)
    here = {name: row for row, name in enumerate(there.names)}
    for row, name in enumerate(detections.names):
        if name in here and not _alike(detections, row, there, here[name]):
            raise VettingError(
                f"{name} is one thing in {into.name} and another in what is merged; "
                "plant the same objects in both"
            )
    truths: tuple[Known, ...] = ("real", "not")
    for truth in truths:
        rows = [row for row in _rows(known, truth) if detections.names[row] not in here]
        if rows:
            into.plant(number, detections.taken(rows), truth)


def _alike(some: Detections, row: int, others: Detections, other: int) -> bool:
    """Whether two lie in one place: to 1e-6 deg or px, wherever on the sky or the image."""
    one, two = (
        [each.lon[at], each.lat[at], each.x[at], each.y[at]]
        for each, at in ((some, row), (others, other))
    )
    return bool(np.allclose(one, two, rtol=0.0, atol=1e-6, equal_nan=True))


def _rows(known: Sequence[Known], truth: Known) -> list[int]:
    return [row for row, told in enumerate(known) if told == truth]
