"""Cache: files that can be made again, kept in the user's cache, bounded, oldest use first out.

The folder is `$ASTROSEG_CACHE`, or `astroseg` in the system's own place for caches. Nothing in
it is trusted to be whole unless it is under its final name (entries are written beside it and
renamed), or to be an entry at all unless it is this user's own file or folder. A use sets an
entry's time of access, and leaves its time of change alone, by which readers know that it is still
the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from napari_astroseg.errors import OutputError

GIB = 2**30
_MAKING = ".making-"
_ABANDONED_S = 24 * 3600
"""What nobody has written to for this long is not being made any more."""

_FREE_SHARE = 0.1
"""This share of the disk stays free, whatever the limit."""


@dataclass(frozen=True)
class Cache:
    """One kind of entry, with a limit of its own.

    Parameters
    ----------
    kind
        Name of its folder.
    limit
        Bytes that all entries together may take.
    """

    kind: str
    limit: int

    @property
    def folder(self) -> Path:
        """Where the entries are; it may not exist yet."""
        own = os.environ.get("ASTROSEG_CACHE")
        return (Path(own) if own else user_cache_path("astroseg", appauthor=False)) / self.kind

    def find(self, name: str) -> Path | None:
        """The entry of that name, now used last; None if there is none."""
        path = self.folder / name
        told = _own(path)
        if told is None:
            return None
        with contextlib.suppress(OSError):  # read-only caches still serve
            os.utime(path, ns=(time.time_ns(), told.st_mtime_ns))
        return path

    def matching(self, pattern: str) -> list[Path]:
        """The entries whose names match, all now used last."""
        found = (self.find(path.name) for path in self.folder.glob(pattern))
        return [path for path in found if path is not None]

    def room(self) -> int:
        """Bytes that a new entry may take, if all others make way for it; 0 if none can be."""
        try:
            self._make_folder()
            return max(0, min(self.limit, self._free() + sum(held for _, held, _ in self._all())))
        except OSError:
            return 0

    @contextlib.contextmanager
    def making(self, name: str, size: int) -> Iterator[Path]:
        """A path for making an entry, which takes its name only if all goes well.

        Parameters
        ----------
        name
            Of the entry; renamed beside itself, what is made is called that.
        size
            Bytes that it will take: older entries make room for them first.

        Raises
        ------
        OutputError
            When it cannot fit, or the folder cannot be written to.
        """
        try:
            self._make_folder()
            self.make_room(size)
            with tempfile.TemporaryDirectory(prefix=_MAKING, dir=self.folder) as making:
                path = Path(making) / name
                yield path
                made = next(Path(making).iterdir(), path)
                _written_out(made)
                self._name(made, self.folder / made.name)
        except OSError as error:
            raise OutputError(
                f"the cache {self.folder} cannot be written to ({error.strerror or error}); "
                "free some space or set ASTROSEG_CACHE to another folder"
            ) from error

    def make_room(self, size: int) -> None:
        """Remove the entries unused for longest until `size` more bytes fit.

        Raises
        ------
        OutputError
            When they cannot fit.
        """
        self._sweep()
        entries = sorted(self._all(), key=lambda each: each[0])
        held = sum(bytes_held for _, bytes_held, _ in entries)
        free = self._free()
        if size > min(self.limit, free + held):
            raise OutputError(
                f"the cache {self.folder} has no room for {size / GIB:,.2f} GiB; "
                "free some space or set ASTROSEG_CACHE to a folder on a larger disk"
            )
        for _, bytes_held, path in entries:
            if held + size <= self.limit and size <= free:
                return
            if remove(path):
                held -= bytes_held
                free += bytes_held

    def _make_folder(self) -> None:
        """Make the folder, for this user alone."""
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def _name(self, made: Path, path: Path) -> None:
        """Give what was made its name, unless another process was faster."""
        if _own(path) is not None:
            return
        remove(path)  # what is no entry is in the way
        try:
            made.rename(path)
        except OSError:
            if _own(path) is None:
                raise

    def _free(self) -> int:
        """Bytes of the disk that may still be taken."""
        disk = shutil.disk_usage(self.folder)
        return disk.free - int(_FREE_SHARE * disk.total)

    def _all(self) -> Iterator[tuple[int, int, Path]]:
        """Time of last use, bytes and path of every entry."""
        for path in self.folder.iterdir():
            if not path.name.startswith(_MAKING):
                with contextlib.suppress(OSError):  # gone meanwhile: another process evicts too
                    told = path.stat()
                    yield max(told.st_atime_ns, told.st_mtime_ns), _bytes(path), path

    def _sweep(self) -> None:
        """Remove what processes that died have left half-made."""
        for path in self.folder.glob(f"{_MAKING}*"):
            with contextlib.suppress(OSError):
                parts = [path, *path.rglob("*")]
                newest = max(part.stat().st_mtime for part in parts)
                if time.time() - newest > _ABANDONED_S:
                    remove(path)


def _own(path: Path) -> os.stat_result | None:
    """What the system tells of this user's own file or folder; None for anything else."""
    try:
        told = path.lstat()
    except OSError:
        return None
    user = os.getuid() if hasattr(os, "getuid") else told.st_uid
    kind = stat.S_ISREG(told.st_mode) or stat.S_ISDIR(told.st_mode)
    return told if kind and told.st_uid == user else None


def _written_out(path: Path) -> None:
    """Wait until a file or folder is on the disk: its name says that it is whole."""
    for part in [path, *path.rglob("*")] if path.is_dir() else [path]:
        if part.is_file():
            file = os.open(part, os.O_RDWR)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def _bytes(path: Path) -> int:
    """What a file or folder holds."""
    parts = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(part.stat().st_size for part in parts)


def remove(path: Path) -> bool:
    """Remove a file or folder; whether it is gone, which one in use may not be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)
