"""Lock: one writer at a time, of all processes; the system lets go of it when its owner dies."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from io import FileIO
from pathlib import Path

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.files.locking import BUSY, lock

_OWN = getattr(os, "O_NOFOLLOW", 0)
"""What is written lies in the folder itself, whatever a stranger has put there."""


class WriterLock:
    """The right to write into a folder, until `release` or the end of the process.

    Parameters
    ----------
    path
        Of the file that is locked; made where it is missing.

    Raises
    ------
    MarkError
        When another has it, when it is no file of its own, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | _OWN, 0o666), "r+")
        except OSError as error:
            if path.is_symlink():
                raise _foreign(path) from error
            raise MarkError(
                f"{path.parent} cannot be written to ({(error.strerror or str(error)).lower()}); "
                "open it for reading, or copy it to another disk"
            ) from error
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            raise _foreign(path)
        try:
            lock(self._file)
        except OSError as error:
            owner = self._file.read(200).decode("utf-8", "replace").strip()
            self._file.close()
            if error.errno in BUSY:
                raise MarkError(
                    f"{path.parent} is being drawn on by {owner or 'another process'}; "
                    "close it there, or open it for reading"
                ) from error
            raise MarkError(
                f"the disk of {path.parent} knows no locks "
                f"({(error.strerror or str(error)).lower()}); copy it to another disk"
            ) from error
        with contextlib.suppress(OSError):  # on a full disk it is held, and says not by whom
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Let others write."""
        self._file.close()


def _foreign(path: Path) -> MarkError:
    return MarkError(f"{path} is a link, or no file, and would be written to; delete it")
