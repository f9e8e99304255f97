"""Handle: a file's bytes at given positions, for any thread, and whether it is still the same.

Positioned reads, not a memory map: a file that shrinks or vanishes gives a sentence instead of
a bus error.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
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

    def read_lines(self, into: NDArray[Any], offset: int, stride: int) -> None:
        """Fill each row of the contiguous array `into`, starting `stride` bytes after the last."""


def open_handle(place: str) -> Handle:
    """The handle of a path or URL.

    Raises
    ------
    ImageError
        When there is nothing.
    """
    if is_url(place):
        from napari_astroseg.sky.files.far.remote import (
            RemoteHandle,  # it costs an import of fsspec
        )

        return RemoteHandle(place)
    return LocalHandle(Path(place))


class LocalHandle:
    """A file on this machine, open between its first read and when many others were read since.

    Parameters
    ----------
    path
        Of the file.
    called
        What sentences call it, where that is not its own name.
    """

    def __init__(self, path: Path, called: str | None = None) -> None:
        self._path = path
        self._called = called or path.name
        try:
            self._stamp = self._stamp_of(path.stat())
        except OSError as error:
            raise self._failed(error) from error

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    @property
    def name(self) -> str:
        """What sentences call it."""
        return self._called

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
        self.read_lines(into.reshape(1, -1), offset, 0)

    def read_lines(self, into: NDArray[Any], offset: int, stride: int) -> None:
        """Fill each row of the contiguous array `into`, starting `stride` bytes after the last.

        Raises
        ------
        ImageError
            As `read` does.
        """
        got = 0
        try:
            file = self._open()
            for number, line in enumerate(into.view(np.uint8)):
                got += file.read(line.data, offset + number * stride)
            changed = self._stamp_of(os.fstat(file.number)) != self._stamp
        except OSError as error:
            raise self._failed(error) from error
        if got != into.nbytes:
            raise ImageError(
                f"{self.name}: the file ends before its image does; it was cut short "
                "or changed while open: fetch it again and reopen it"
            )
        if changed:
            raise self._changed()

    def _open(self) -> Descriptor:
        return _recent(self, self._path)

    def _stamp_of(self, told: os.stat_result) -> tuple[int, ...]:
        """What tells this version of the file from another; its length first."""
        return told.st_size, told.st_mtime_ns, told.st_ino

    def _changed(self) -> ImageError:
        return ImageError(f"{self.name} was changed while it was open; open it again")

    def _failed(self, error: OSError) -> ImageError:
        reason = (error.strerror or str(error)).lower()
        return ImageError(
            f"{self.name}: reading failed ({reason}); "
            "check that the disk is mounted and the file is still there"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _same, (self._path, self._called, self._stamp)


def _same(path: Path, called: str, stamp: tuple[int, ...]) -> LocalHandle:
    """The handle of a file in another process; raises `ImageError` if it is another by now."""
    handle = LocalHandle(path, called)
    if handle._stamp != stamp:
        raise handle._changed()
    return handle


class Descriptor:
    """An open file for reading at positions, closed when nobody holds it any more.

    Raises
    ------
    OSError
        When it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        # A pipe that has taken a file's place since must not be waited for.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        self.number = -1
        self.number = os.open(path, flags)
        self._lock = threading.Lock()

    def read(self, view: memoryview, offset: int) -> int:
        """Fill as much of `view` as there is; how much that was."""
        got = 0
        positioned = getattr(os, "preadv", None)
        if positioned is None:  # no positioned reads on this system: seek under a lock
            with self._lock:
                os.lseek(self.number, offset, os.SEEK_SET)
                while got < len(view) and (part := os.read(self.number, len(view) - got)):
                    view[got : got + len(part)] = part
                    got += len(part)
            return got
        while got < len(view) and (n := positioned(self.number, [view[got:]], offset + got)):
            got += n
        return got

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


_FILES_OPEN = 128
"""Files of a mosaic may outnumber what a process may have open; these are kept, last used last."""

_open_files: OrderedDict[int, tuple[weakref.ref[LocalHandle], Descriptor]] = OrderedDict()
_open_files_lock = threading.RLock()


def _recent(handle: LocalHandle, path: Path) -> Descriptor:
    """The descriptor of a handle, opened again if too many others were used since."""
    with _open_files_lock:
        held = _open_files.pop(id(handle), None)
        if held is None or held[0]() is not handle:
            gone = weakref.ref(handle, _forget(id(handle)))
            held = gone, Descriptor(path)
        _open_files[id(handle)] = held
        while len(_open_files) > _FILES_OPEN:
            _open_files.popitem(last=False)
        return held[1]


def _forget(key: int) -> Callable[[weakref.ref[LocalHandle]], None]:
    """Close what a handle that is no more had open."""

    def forget(gone: weakref.ref[LocalHandle]) -> None:
        with _open_files_lock:
            if key in _open_files and _open_files[key][0] is gone:
                del _open_files[key]

    return forget


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
