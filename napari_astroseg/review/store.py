"""Store: lists of detections, and the verdicts on them as a log that only grows.

`append` returns when the verdicts are on disk: SQLite writes ahead and waits for the disk at each
commit, PostgreSQL does so unless its owner has told it not to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select

from napari_astroseg.errors import VettingError
from napari_astroseg.review import schema
from napari_astroseg.review.bulk import insert_columns, insert_missing, read_columns
from napari_astroseg.review.detections import MOST_DETECTIONS, Detections, Unit
from napari_astroseg.review.entry import Entry, parsed
from napari_astroseg.review.migrations import migrate
from napari_astroseg.review.place import (
    ERRORS,
    WAIT_S,
    check_tables,
    connected,
    is_file,
    place_of,
    spoken,
    trouble,
)
from napari_astroseg.sky.progress import Progress, silent

Known = Literal["", "real", "not"]

_NUMBERS = ("lon", "lat", "x", "y", "radius", "score", "uncertainty")


@dataclass(frozen=True)
class Listed:
    """A list that is in a store: its number there, where it came from, and how much there is."""

    number: int
    digest: str
    source: str
    detections: int
    vetters: int
    entries: int
    added: str


class Store:
    """A file of SQLite, or a PostgreSQL database.

    Parameters
    ----------
    place
        A file's name, or `postgresql://USER@HOST/DATABASE`; what is missing is made.
    wait_s
        How long to wait for another that writes.

    Raises
    ------
    VettingError
        When it cannot be opened, or holds something else.
    SetupError
        When PostgreSQL is asked for and its driver is not installed.
    """

    def __init__(self, place: str | Path, *, wait_s: float = WAIT_S) -> None:
        self.url = place_of(place)
        self._engine = connected(self.url, wait_s)
        try:
            with self._writing() as connection:
                if is_file(self.url):
                    check_tables(connection, self.url, set(schema.metadata.tables))
                migrate(connection)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What to call it."""
        return spoken(self.url)

    def close(self) -> None:
        """Let go of the file or the server."""
        self._engine.dispose()

    def lists(self) -> list[Listed]:
        """What is in it, in the order in which it came."""
        found = schema.detections.c.list, func.count()
        log = schema.verdicts.c
        with self._reading() as connection:
            counts = {
                row[0]: row[1] for row in connection.execute(select(*found).group_by(found[0]))
            }
            told = {
                row[0]: (row[1], row[2])
                for row in connection.execute(
                    select(log.list, func.count(log.vetter.distinct()), func.count()).group_by(
                        log.list
                    )
                )
            }
            rows = connection.execute(select(schema.lists).order_by(schema.lists.c.id)).all()
        return [
            Listed(
                row.id, row.digest, row.source, counts.get(row.id, 0), *told.get(row.id, (0, 0)),
                row.added,
            )
            for row in rows
        ]  # fmt: skip

    def add(self, detections: Detections, progress: Progress = silent) -> int:
        """Keep a list; gives its number. One that is there already is not kept twice."""
        digest = detections.digest
        found = self.number_of(digest)
        if found is not None:
            return found
        try:
            with self._writing() as connection:
                made = connection.execute(
                    insert(schema.lists)
                    .values(
                        digest=digest,
                        source=detections.source[:1000],
                        frame=detections.frame,
                        unit=detections.unit,
                        added=datetime.now(UTC).isoformat(),
                    )
                    .returning(schema.lists.c.id)
                )
                number = int(made.scalar_one())
                _insert(connection, number, detections, 0, "", progress)
        except VettingError:  # another may have added it at the same time
            found = self.number_of(digest)
            if found is None:
                raise
            return found
        return number

    def plant(self, number: int, planted: Detections, known: Known) -> None:
        """Hide more among the detections of a list, of which it is known what they are."""
        with self._writing() as connection:
            rows = schema.detections.c
            last = connection.execute(
                select(func.max(rows.number)).where(rows.list == number)
            ).scalar()
            _insert(connection, number, planted, int(-1 if last is None else last) + 1, known)

    def number_of(self, digest: str) -> int | None:
        """The number of a list; None when it is not there."""
        with self._reading() as connection:
            return connection.execute(
                select(schema.lists.c.id).where(schema.lists.c.digest == digest)
            ).scalar()

    def detections(self, number: int) -> tuple[Detections, tuple[Known, ...]]:
        """A list, with all that was planted in it, and what is known of each."""
        columns = schema.detections.c
        with self._reading() as connection:
            about = connection.execute(
                select(schema.lists).where(schema.lists.c.id == number)
            ).first()
            if about is None:
                raise VettingError(f"{self.name} has no list {number}; see astroseg vet list")
            wanted = (
                select(
                    columns.name, columns.kind, columns.planted,
                    *(columns[name] for name in _NUMBERS),
                )
                .where(columns.list == number)
                .order_by(columns.number)
                .limit(MOST_DETECTIONS + 1)
            )  # fmt: skip
            words: tuple[list[str], ...] = ([], [], [])
            parts: list[NDArray[np.float64]] = []
            for told in read_columns(connection, wanted):
                for kept, more in zip(words, told, strict=False):
                    kept.extend(more)
                try:
                    parts.append(np.array(told[len(words) :], np.float64))
                except (TypeError, ValueError) as error:  # SQLite keeps any text among numbers
                    raise trouble(self.url, VettingError("malformed")) from error
        if not parts:
            raise VettingError(f"list {number} of {self.name} is empty; add its detections again")
        names, kinds, planted = words
        found = Detections.of(
            len(names), names=names, kinds=kinds, frame=about.frame,
            unit=cast(Unit, about.unit), source=about.source,
            **dict(zip(_NUMBERS, np.concatenate(parts, axis=1), strict=True)),
        )  # fmt: skip
        return found, tuple(cast(list[Known], planted))

    def append(self, number: int, entries: Sequence[Entry]) -> None:
        """Keep entries of the log of a list, all or none; those that it has are left out.

        Raises
        ------
        VettingError
            When they cannot be kept, and why.
        """
        if not entries:
            return
        rows = [_row(number, entry) for entry in entries]
        with self._writing() as connection:
            insert_missing(connection, schema.verdicts, rows, "uid")

    def entries(self, number: int, vetter: str | None = None, after: int = 0) -> list[Entry]:
        """The log of a list in its order, or one vetter's, or what came after an entry's number."""
        return [entry for _, entry in self.numbered(number, vetter, after)]

    def numbered(
        self,
        number: int,
        vetter: str | None = None,
        after: int = 0,
        detection: str | None = None,
    ) -> Iterator[tuple[int, Entry]]:
        """As `entries`, or those on one detection, each with its number in the log."""
        log = schema.verdicts.c
        wanted = select(log.id, log.told).where(log.list == number, log.id > after)
        if vetter is not None:
            wanted = wanted.where(log.vetter == vetter)
        if detection is not None:
            wanted = wanted.where(log.detection == detection)
        with self._reading() as connection:
            for row in connection.execute(wanted.order_by(log.id)):
                yield row.id, Entry.from_json(parsed(row.told))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except ERRORS as error:
            raise trouble(self.url, error) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with (
                self._engine.connect().execution_options(writes=True) as connection,
                connection.begin(),
            ):
                yield connection
        except ERRORS as error:
            raise trouble(self.url, error) from error


def _insert(
    connection: Connection,
    number: int,
    detections: Detections,
    start: int,
    planted: Known,
    progress: Progress = silent,
) -> None:
    count = len(detections)
    columns: dict[str, Sequence[Any]] = {
        "list": [number] * count,
        "number": range(start, start + count),
        "name": detections.names,
        "kind": detections.kinds,
        "planted": [planted] * count,
        **{name: getattr(detections, name).tolist() for name in _NUMBERS},
    }
    insert_columns(connection, schema.detections, columns, progress)


def _row(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "uid": entry.uid,
        "list": number,
        "vetter": entry.vetter,
        "detection": entry.detection,
        "time": entry.time.isoformat(),
        "act": entry.act,
        "verdict": entry.verdict,
        "told": json.dumps(entry.to_json(), allow_nan=False),
    }
