"""Cache: files that can be made again, kept in the user's cache, bounded, oldest use first out.

The folder is `$ASTROSEG_CACHE`, or `astroseg` in the system's own place for caches. Nothing in
it is trusted to be whole unless it is under its final name: entries are written beside it and
renamed. Entries are files or folders; a use sets an entry's time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from napari_astroseg.errors import OutputError

GIB = 2**30
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
        if not path.exists():
            return None
        with contextlib.suppress(OSError):  # read-only caches still serve
            os.utime(path)
        return path

    @contextlib.contextmanager
    def making(self, name: str, size: int) -> Iterator[Path]:
        """A path for making an entry, which takes its name only if all goes well.

        Parameters
        ----------
        name
            Of the entry.
        size
            Bytes that it will take: older entries make room for them first.

        Raises
        ------
        OutputError
            When it cannot fit, or the folder cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.make_room(size)
            with tempfile.TemporaryDirectory(prefix=".making-", dir=self.folder) as making:
                path = Path(making) / name
                yield path
                if not (self.folder / name).exists():  # another process may have been faster
                    path.rename(self.folder / name)
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
        disk = shutil.disk_usage(self.folder)
        entries = sorted(self._entries(), key=lambda each: each[0])
        held = sum(bytes_held for _, bytes_held, _ in entries)
        free = disk.free - int(_FREE_SHARE * disk.total)
        if size > min(self.limit, free + held):
            raise OutputError(
                f"the cache {self.folder} has no room for {size / GIB:,.2f} GiB; "
                "free some space or set ASTROSEG_CACHE to a folder on a larger disk"
            )
        for _, bytes_held, path in entries:
            if held + size <= self.limit and size <= free:
                return
            remove(path)
            held -= bytes_held
            free += bytes_held

    def _entries(self) -> Iterator[tuple[int, int, Path]]:
        """Time of last use, bytes and path of every entry."""
        for path in self.folder.iterdir():
            if not path.name.startswith(".making-"):
                with contextlib.suppress(OSError):  # gone meanwhile: another process evicts too
                    parts = [path, *path.rglob("*")] if path.is_dir() else [path]
                    held = sum(part.stat().st_size for part in parts)
                    yield path.stat().st_mtime_ns, held, path


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
