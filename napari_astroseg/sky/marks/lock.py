"""Lock: one writer at a time, of all processes; the system lets go of it when its owner dies."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from napari_astroseg.errors import MarkError

_PLACE = 2**30
"""The byte that Windows locks: nobody else could read what is locked, so not the text."""


class WriterLock:
    """The right to write into a folder, until `release` or the end of the process.

    Parameters
    ----------
    path
        Of the file that is locked; made where it is missing.

    Raises
    ------
    MarkError
        When another has it, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise MarkError(
                f"{path.parent} cannot be written to ({(error.strerror or str(error)).lower()}); "
                "open it for reading, or copy it to another disk"
            ) from error
        try:
            _lock(self._file)
        except OSError as error:
            owner = self._file.read(200).decode("utf-8", "replace").strip()
            self._file.close()
            if error.errno in {errno.EAGAIN, errno.EACCES, errno.EDEADLK}:
                raise MarkError(
                    f"{path.parent} is being drawn on by {owner or 'another process'}; "
                    "close it there, or open it for reading"
                ) from error
            raise MarkError(
                f"the disk of {path.parent} knows no locks "
                f"({(error.strerror or str(error)).lower()}); copy it to another disk"
            ) from error
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        self._file.flush()

    def release(self) -> None:
        """Let others write."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(_PLACE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(0)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
