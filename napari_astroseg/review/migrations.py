"""Migrations: from the tables of an older version to today's, one step after another.

A step is never changed once it has been released: a change of `schema` comes with a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, text, update

from napari_astroseg.errors import VettingError
from napari_astroseg.review.schema import about, metadata

Step = Callable[[Connection], None]


def _make_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(about).values(name="version", value="0"))


STEPS: Sequence[Step] = (_make_tables,)
"""The n-th leads from version n to n + 1."""


def version_of(connection: Connection) -> int:
    """Of the tables that are there; 0 without any.

    Raises
    ------
    VettingError
        When they are no tables of ours.
    """
    if not inspect(connection).has_table(about.name):
        return 0
    told = connection.execute(select(about.c.value).where(about.c.name == "version")).scalar()
    if told is None or not told.isdecimal() or len(told) > 9:
        raise VettingError("its version cannot be read; restore the store from a copy")
    return int(told)


def migrate(connection: Connection, steps: Sequence[Step] = STEPS) -> int:
    """Bring the tables up to date, within the transaction of the connection; gives the version.

    Raises
    ------
    VettingError
        When they were made by a newer program.
    """
    if connection.dialect.name == "postgresql":  # two that begin at once make tables once
        connection.execute(text("SELECT pg_advisory_xact_lock(7017239)"))
    version = version_of(connection)
    if version > len(steps):
        raise VettingError(
            f"it was made by a newer version (tables {version}, and {len(steps)} are known); "
            "update napari-astroseg"
        )
    for number, step in enumerate(steps[version:], version + 1):
        step(connection)
        connection.execute(update(about).where(about.c.name == "version").values(value=str(number)))
    return len(steps)
