"""Bulk: long lists into a database and out of it by columns, without a cost for each row's object.

What is written is the caller's own; what is read is raw, to be checked by whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from napari_astroseg.sky.progress import Progress, silent

ROWS = 2_000
"""At a time."""

Columns = Mapping[str, Sequence[Any]]


def insert_columns(
    connection: Connection, table: Table, columns: Columns, progress: Progress = silent
) -> None:
    """Add a row for each value of the columns, which are equally long lists of plain values."""
    count = len(next(iter(columns.values())))
    quoted = ", ".join(map(connection.dialect.identifier_preparer.quote, columns))
    copies = connection.dialect.name == "postgresql"
    marks = ", ".join("?" * len(columns))
    words = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"
    for first in range(0, count, ROWS):
        progress("keeping the list", first, count)
        rows = list(zip(*(each[first : first + ROWS] for each in columns.values()), strict=True))
        if copies:
            _copied(connection, f"COPY {table.name} ({quoted}) FROM STDIN", rows)
        else:
            connection.exec_driver_sql(words, rows)


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str
) -> None:
    """Add rows, but for those whose unique `key` is there already."""
    inserts = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        inserts(table).on_conflict_do_nothing(index_elements=[key]), [dict(row) for row in rows]
    )


def read_columns(connection: Connection, wanted: Select[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """What is selected, so many rows at a time: for each of its columns the values."""
    result = connection.execute(wanted)
    cursor = result.cursor
    assert cursor is not None
    while rows := cursor.fetchmany(ROWS):
        yield list(zip(*rows, strict=True))
    result.close()


def _copied(connection: Connection, words: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """PostgreSQL's own way in, ten times as fast as a statement for each row."""
    with connection.connection.cursor() as cursor:  # type: ignore[attr-defined]
        try:
            with cursor.copy(words) as copy:
                for row in rows:
                    copy.write_row(row)
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(words, None, error) from error
