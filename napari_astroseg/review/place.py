"""Place: where verdicts are kept, a file of SQLite or a PostgreSQL server, and what is wrong there.

A file may be a stranger's. It is opened with nothing of it trusted: functions in its schema are not
called, triggers and views make it no store of ours, and what a cell may hold is bounded.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from napari_astroseg.errors import SetupError, VettingError

WAIT_S = 3.0
"""For another process that writes, or a server that does not answer."""

_LONGEST_CELL = 2**24
_CACHE_KIB = 2**16
_HEAD = b"SQLite format 3\0"


def place_of(told: str | Path) -> URL:
    """A file's name or a URL as SQLAlchemy's.

    Raises
    ------
    VettingError
        When it is neither a file nor PostgreSQL.
    """
    if isinstance(told, Path) or "://" not in str(told):
        return URL.create("sqlite", database=str(Path(told).expanduser().absolute()))
    try:
        url = make_url(str(told))
    except (ArgumentError, ValueError) as error:
        raise VettingError(
            "that is no address of a store; give a file, or postgresql://USER@HOST/DATABASE"
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return URL.create("sqlite", database=str(Path(str(url.database)).absolute()))
    raise VettingError(
        f"verdicts cannot be kept in {backend}; give a file, or postgresql://USER@HOST/DATABASE"
    )


def spoken(url: URL) -> str:
    """What to call it; never with a password."""
    return (
        Path(str(url.database)).name if is_file(url) else url.render_as_string(hide_password=True)
    )


def is_file(url: URL) -> bool:
    """Whether it is a file of SQLite."""
    return url.get_backend_name() == "sqlite"


def connected(url: URL, wait_s: float = WAIT_S) -> Engine:
    """An engine whose commits are on disk when they return.

    Raises
    ------
    SetupError
        When the driver is not installed.
    VettingError
        When a file is there and is no database.
    """
    try:
        if is_file(url):
            _check_file(Path(str(url.database)))
            engine = create_engine(url, connect_args={"timeout": wait_s})
            event.listen(engine, "connect", _harden)
            event.listen(engine, "begin", _begin)
            return engine
        waits = {"connect_timeout": max(2, round(wait_s)), "client_encoding": "utf8"}
        return create_engine(url, pool_pre_ping=True, pool_size=2, connect_args=waits)
    except (ImportError, NoSuchModuleError) as error:
        raise SetupError(
            "PostgreSQL needs its driver; pip install 'napari-astroseg[postgres]'"
        ) from error


def trouble(url: URL, error: Exception) -> VettingError:
    """What to say of an error of the database: one sentence with the remedy."""
    name = spoken(url)
    cause = getattr(error, "orig", None) or error
    words = " ".join(str(cause).split())
    low = words.lower()
    if not is_file(url):
        return VettingError(
            f"{name} does not answer ({words[:160]}); check that the server is up, your name, and "
            "that the database is there"
        )
    said = next((told for sign, told in _SAID.items() if sign in low), None)
    if said is not None:
        return VettingError(f"{name} {said}")
    return VettingError(f"{name} cannot be used ({words[:160]}); copy it to another disk")


def check_tables(connection: Connection, url: URL, ours: set[str]) -> None:
    """Refuse a file with anything in it that is not ours, and one that is damaged.

    Raises
    ------
    VettingError
        When it is such a file.
    """
    tables = "SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    for name, kind in connection.execute(text(tables)):
        if kind == "index" or (kind == "table" and name in ours):
            continue
        raise VettingError(
            f"{spoken(url)} is no store of verdicts (it holds a {kind} {str(name)[:40]!r}); "
            "give another name"
        )
    sound = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if sound != "ok":
        raise trouble(url, VettingError("malformed"))


_SAID = {
    "locked": "is being written by another process; close it there, or wait",
    "busy": "is being written by another process; close it there, or wait",
    "malformed": "is damaged; restore it from a copy, or merge into a new store what can be read",
    "not a database": "is no database of verdicts; give another name",
    "is full": "cannot grow, as the disk is full; free some space",
    "readonly": "cannot be written to; copy it to a folder of your own",
    "unable to open": "cannot be opened; check the folder and its permissions",
    "disk i/o": "cannot be read or written, as its disk fails; copy it to another disk",
    "too big": "holds what is no verdict; restore it from a copy",
}

ERRORS = (DBAPIError, sqlite3.Error)


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise VettingError(f"{path} is a folder; name the file of verdicts in it")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size:
            with path.open("rb") as file:
                if file.read(len(_HEAD)) != _HEAD:
                    raise VettingError(f"{path.name} {_SAID['not a database']}")
    except OSError as error:
        raise VettingError(
            f"{path} cannot be opened ({(error.strerror or str(error)).lower()}); "
            "check the folder and its permissions"
        ) from error


def _harden(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in (
        *("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"),
        *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size={-_CACHE_KIB}"),
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Any) -> None:
    """Who is to write asks for the lock first: it waits there, and never fails in the middle."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
