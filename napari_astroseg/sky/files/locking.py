"""Locking: a file that one process holds; the system lets go of it when its owner dies."""

from __future__ import annotations

import errno
import sys
from io import FileIO

BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""Numbers of the error that is raised when another process holds a file."""

_PLACE = 2**30
"""The byte that Windows locks: nobody else could read what is locked, so not the text."""

if sys.platform == "win32":
    import msvcrt

    def lock(file: FileIO) -> None:
        """Hold an open file until it is closed; an OSError where that cannot be."""
        file.seek(_PLACE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(0)

else:
    import fcntl

    def lock(file: FileIO) -> None:
        """Hold an open file until it is closed; an OSError where that cannot be."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
