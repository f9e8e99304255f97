"""Handle: a file's bytes at given positions, for any thread, and whether it is still the same.

Positioned reads, not a memory map: a file that shrinks or vanishes gives a sentence instead of
a bus error.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import is_url


class Handle(Protocol):
    """Bytes that can be read at given positions."""

    @property
    def name(self) -> str:
        """What sentences call it."""

    @property
    def size(self) -> int:
        """Its length in bytes when it was opened."""

    @property
    def identity(self) -> str:
        """A digest of what tells this version of it from any other file or version."""

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from byte `offset` on; `ImageError` if it cannot."""


def open_handle(place: str) -> Handle:
    """The handle of a path or URL.

    Raises
    ------
    ImageError
        When there is nothing.
    """
    if is_url(place):
        from napari_astroseg.sky.files.remote import RemoteHandle  # it costs an import of fsspec

        return RemoteHandle(place)
    return LocalHandle(Path(place))


class LocalHandle:
    """A file on this machine, opened once per process at its first read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: Any = None
        try:
            self._stamp = _stamp(path.stat())
        except OSError as error:
            raise _failed(path, error) from error

    @property
    def name(self) -> str:
        """What sentences call it."""
        return self._path.name

    @property
    def size(self) -> int:
        """Its length in bytes when it was opened."""
        return self._stamp[0]

    @property
    def identity(self) -> str:
        """A digest of its real path, length and time of change."""
        told = f"{self._path.resolve()}\0{self._stamp[0]}\0{self._stamp[1]}"
        return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from byte `offset` on.

        Raises
        ------
        ImageError
            When the file ends before, has changed since it was opened, or cannot be read.
        """
        view = into.view(np.uint8).data
        try:
            got = self._read_at(view, offset)
            changed = _stamp(os.fstat(self._file.fileno())) != self._stamp
        except OSError as error:
            raise _failed(self._path, error) from error
        if got != len(view):
            raise ImageError(
                f"{self.name}: the file ends before its image does; it was cut short "
                "or changed while open: fetch it again and reopen it"
            )
        if changed:
            raise ImageError(f"{self.name} was changed while it was open; open it again")

    def _read_at(self, view: memoryview, offset: int) -> int:
        got = 0
        positioned = getattr(os, "preadv", None)
        with self._lock:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            if positioned is None:  # no positioned reads on this system: seek under the lock
                self._file.seek(offset)
                while got < len(view) and (n := self._file.readinto(view[got:])):
                    got += n
                return got
        number = self._file.fileno()
        while got < len(view) and (n := positioned(number, [view[got:]], offset + got)):
            got += n
        return got

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self._file.close()

    def __reduce__(self) -> tuple[type[LocalHandle], tuple[Path]]:
        return LocalHandle, (self._path,)


class HandleFile(io.RawIOBase):
    """A handle as the file object that libraries ask for: read-only, with a position."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._at = 0

    @property
    def name(self) -> str:
        """What sentences call it."""
        return self._handle.name

    @property
    def mode(self) -> str:
        """Always read-only bytes."""
        return "rb"

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._handle.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, into: Any) -> int:
        """Fill as much as there is, and move on."""
        view = memoryview(into).cast("B")
        wanted = max(0, min(len(view), self._handle.size - self._at))
        if wanted:
            self._handle.read(np.frombuffer(view[:wanted], np.uint8), self._at)
        self._at += wanted
        return wanted


def _stamp(told: os.stat_result) -> tuple[int, int]:
    return told.st_size, told.st_mtime_ns


def _failed(path: Path, error: OSError) -> ImageError:
    return ImageError(
        f"{path.name}: reading failed ({error.strerror}); "
        "check that the disk is mounted and the file is still there"
    )
