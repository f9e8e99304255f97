"""Spill: verdicts on this machine's disk while their store cannot be written to.

One JSON text a line, on disk before the next. Only the last can be half written, by a process that
was killed: it was never told as kept, and is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import platformdirs
from sqlalchemy import URL

from napari_astroseg.errors import MarkError, OutputError, VettingError
from napari_astroseg.review.entry import Entry, parsed
from napari_astroseg.sky.marks.lock import WriterLock

_LARGEST = 2**28
"""Bytes; more is no file of ours."""


def spill_folder() -> Path:
    """Where they lie unless told otherwise."""
    return platformdirs.user_state_path("astroseg", appauthor=False) / "verdicts"


class Left(NamedTuple):
    """What a file said when it had a size, and whether all of it is understood.

    A newer version may have left it.
    """

    entries: list[Entry]
    understood: bool
    size: int


class Spill:
    """The file of one session, made when it is needed.

    Parameters
    ----------
    url
        Of the store.
    digest
        Of the list that is judged.
    folder
        Where it lies.
    """

    def __init__(self, url: URL, digest: str, folder: Path | None = None) -> None:
        self._folder = folder or spill_folder()
        where = url.render_as_string(hide_password=True)
        self._stem = hashlib.sha256(f"{where}\0{digest}".encode()).hexdigest()[:24]
        self.path = self._folder / f"{self._stem}-{uuid4().hex[:8]}.jsonl"
        self._lock: WriterLock | None = None

    def append(self, entry: Entry) -> None:
        """Keep an entry; it is on disk when this returns.

        Raises
        ------
        OutputError
            When this disk refuses, too.
        """
        line = (json.dumps(entry.to_json(), allow_nan=False) + "\n").encode()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = WriterLock(_lock_of(self.path))
            with self.path.open("ab", buffering=0) as file:
                before = os.fstat(file.fileno()).st_size
                if file.write(line) < len(line):
                    file.truncate(before)
                    raise OSError(28, "No space left on device")
                os.fsync(file.fileno())
        except (OSError, MarkError) as error:
            raise OutputError(
                f"{self._folder} cannot be written to ({str(error).lower()}); free some space"
            ) from error

    def left(self) -> dict[Path, Left]:
        """What sessions on this list have left here, this one and others, by file."""
        found = {}
        for path in sorted(self._folder.glob(f"{self._stem}-*.jsonl")):
            with suppress(OSError):
                found[path] = _entries(path)
        return found

    def forget(self, path: Path, size: int | None = None) -> None:
        """Remove a file whose entries are in the store, unless its session still writes to it.

        Or has written more than its first `size` bytes, which were read.
        """
        lock = None
        if path != self.path:
            try:
                lock = WriterLock(_lock_of(path))
            except MarkError:  # its session lives, and will forget it itself
                return
        with suppress(OSError):  # what stays is left out when it is stored again
            if size is None or path.stat().st_size == size:
                path.unlink(missing_ok=True)
            if lock is not None:
                _lock_of(path).unlink(missing_ok=True)
        if lock is not None:
            lock.release()

    def close(self) -> None:
        """Write no more."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
            with suppress(OSError):
                _lock_of(self.path).unlink(missing_ok=True)


def waiting_for(url: URL, digest: str, folder: Path | None = None) -> int:
    """How many entries wait here for a list in a store."""
    left = Spill(url, digest, folder).left()
    return sum(len(each.entries) for each in left.values())


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _entries(path: Path) -> Left:
    """All that are whole; a line that is none costs itself alone."""
    size = path.stat().st_size
    if path.is_symlink() or size > _LARGEST:
        return Left([], False, size)
    entries, understood = [], True
    with path.open("rb") as file:
        text = file.read(size).decode("utf-8", "replace")
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            try:
                entries.append(Entry.from_json(parsed(line)))
            except VettingError:
                understood = False
    return Left(entries, understood, size)
