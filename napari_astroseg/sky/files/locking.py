"""Locking: a file that one process holds; the system lets go of it when its owner dies."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
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

    def is_locked(file: FileIO) -> bool:
        """Whether another process holds an open file."""
        return _refused(lambda: lock(file))

else:
    import fcntl

    def lock(file: FileIO) -> None:
        """Hold an open file until it is closed; an OSError where that cannot be."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_locked(file: FileIO) -> bool:
        """Whether another process holds an open file.

        Those who look do not stand in each other's way, and need no right to write.
        """
        return _refused(lambda: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB))


def _refused(take: Callable[[], None]) -> bool:
    try:
        take()
    except OSError as error:
        if error.errno not in BUSY:
            raise
        return True
    return False
