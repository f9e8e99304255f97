"""Index: the votes of a whole folder, each file read once and known again by size and date.

What is known of a folder is kept in the cache, part by part as it is read, so that whoever is
stopped goes on where they were, and a second call reads only what has changed since.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from napari_astroseg.errors import AstroSegError, OutputError, VoteError
from napari_astroseg.sky.cache import Cache, remove
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes import counting
from napari_astroseg.sky.votes.folder import VoteFolder
from napari_astroseg.sky.votes.records import Records, Stamp, joined, recorded
from napari_astroseg.sky.votes.scan import Scanned, scanned

CACHE = Cache("votes", 2 * 2**30)
_FORMAT = "2"
_ENDINGS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.fz")
_PART = 1024
_PART_S = 20.0
"""A part is written after so many files or so many seconds."""

_AHEAD = 4
"""Files in memory for each worker, read or waiting."""


def index_votes(
    folder: str | Path, *, workers: int | None = None, progress: Progress = silent
) -> VoteFolder:
    """The votes of all files in a folder and below it; only those that changed are read.

    Parameters
    ----------
    folder
        Of files of Galaxy Zoo 3D, or of maps of counts; `.gz` or not.
    workers
        Threads that read; by default one for each core, four at most.
    progress
        Hears of every file, and may end it: what was read is kept for the next call.

    Raises
    ------
    VoteError
        When it is no folder, or holds no FITS files.
    """
    folder = Path(folder)
    listed = _listed(folder)
    with _muted():
        return _indexed(folder, listed, workers or min(4, os.cpu_count() or 1), progress)


def _indexed(folder: Path, listed: list[Stamp], workers: int, progress: Progress) -> VoteFolder:
    kept = _Kept(digest("votes", _FORMAT, folder.resolve()))
    known = kept.records()
    missing = [stamp for stamp in listed if stamp not in known]
    done = len(listed) - len(missing)
    fresh: list[tuple[Stamp, Scanned | str]] = []
    since = time.monotonic()
    try:
        for found in _scans(folder, missing, workers):
            fresh.append(found)
            done += 1
            if len(fresh) >= _PART or time.monotonic() - since > _PART_S:
                kept.add(recorded(fresh))
                fresh, since = [], time.monotonic()
            progress(f"indexing {folder.name}", done, len(listed))
    finally:
        if fresh:
            kept.add(recorded(fresh))
    records = kept.settled(listed)
    return VoteFolder(folder, records, tuple(kept.notes))


class _Kept:
    """The parts of an index in the cache, and those made since."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._parts: list[Records] = []
        self._paths: list[Path] = []
        self.notes: list[str] = []
        for path in CACHE.matching(f"{key}-*.npz"):
            part = Records.read(path)
            if part is None:  # written by another version, or damaged
                remove(path)
            else:
                self._parts.append(part)
                self._paths.append(path)

    def records(self) -> set[Stamp]:
        """Which versions of which files are known."""
        return {stamp for part in self._parts for stamp in part.stamps}

    def add(self, part: Records) -> None:
        """Keep one more part."""
        self._parts.append(part)
        path = self._write(part)
        if path is not None:
            self._paths.append(path)

    def settled(self, listed: Sequence[Stamp]) -> Records:
        """The records of the files that are there, in their order; kept as one part."""
        every = joined(self._parts)
        places = {stamp: place for place, stamp in enumerate(every.stamps)}
        wanted = [places[stamp] for stamp in listed]
        if len(self._parts) == 1 and wanted == list(range(len(every))):
            return every
        records = every.chosen(wanted)
        path = self._write(records)
        if path is not None:
            for old in self._paths:
                if old != path:
                    remove(old)
            self._paths = [path]
        self._parts = [records]
        return records

    def _write(self, records: Records) -> Path | None:
        """A part in the cache; None where it has no place, which is noted once."""
        name = f"{self._key}-{digest(*records.stamps)}.npz"
        size = sum(each.nbytes for each in (records.files, records.maps, records.above))
        try:
            with CACHE.making(name, size + 256 * len(records) + 4096) as path:
                records.write(path)
        except OutputError as error:
            note = f"the index is not kept for the next time: {error}"
            if note not in self.notes:
                self.notes.append(note)
            return None
        return CACHE.find(name)


def _listed(folder: Path) -> list[Stamp]:
    """The FITS files of a folder and below it, in the order of their names."""
    if not folder.is_dir():
        raise VoteError(f"{folder} is no folder; name the one that holds the maps of votes")
    found = list(_below(folder, ""))
    if not found:
        raise VoteError(f"{folder} holds no FITS files; name the folder with the maps of votes")
    return sorted(found)


def _below(folder: Path, prefix: str) -> Iterator[Stamp]:
    """The FITS files of a folder and below it; a folder that cannot be listed holds none."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # gone meanwhile
                if entry.is_dir(follow_symlinks=False):
                    yield from _below(Path(entry.path), f"{prefix}{entry.name}/")
                elif _counted(entry):
                    told = entry.stat()
                    yield Stamp(f"{prefix}{entry.name}", told.st_size, told.st_mtime_ns)


def _counted(entry: os.DirEntry[str]) -> bool:
    """Whether it is a FITS file that nobody hides."""
    fits = entry.name.lower().endswith(_ENDINGS) and not entry.name.startswith(".")
    return fits and entry.is_file()


def _scans(
    folder: Path, stamps: Sequence[Stamp], workers: int
) -> Iterator[tuple[Stamp, Scanned | str]]:
    """What is in each file, or why it was skipped, in order; few are in memory at a time."""
    own = threading.local()

    def scan(stamp: Stamp) -> tuple[Stamp, Scanned | str]:
        if not hasattr(own, "bins"):
            own.bins = np.zeros(counting.MOST + 1, np.int64)
        try:
            return stamp, scanned(folder / stamp.name, own.bins)
        except AstroSegError as error:
            return stamp, str(error)

    waiting: deque[Future[tuple[Stamp, Scanned | str]]] = deque()
    with ThreadPoolExecutor(workers, "astroseg-votes") as pool:
        try:
            for stamp in stamps:
                waiting.append(pool.submit(scan, stamp))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Odd but readable headers without astropy's words on each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
