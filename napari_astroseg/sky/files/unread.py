"""Unread: what to say of the HDUs that cannot be read, or were left alone."""

from __future__ import annotations

import numpy as np

from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.files.opened import OpenFile
from napari_astroseg.sky.files.packed.extent import BLOCK

_EXTENSION = b"XTENSION"


def rest(file: OpenFile) -> tuple[str, ...]:
    """A note where astropy makes no sense of the last HDU, or of what follows it."""
    last = len(file.hdus) - 1
    try:
        where = file.hdus.fileinfo(last) or {}
    except AttributeError:  # it is astropy's stand-in for what it cannot read
        return (f"from HDU {last} on it cannot be read: fetch the file again",)
    end = int(where.get("datLoc", 0)) + int(where.get("datSpan", 0))
    start = np.zeros(len(_EXTENSION), np.uint8)
    if end and file.handle.size - end >= BLOCK:
        file.handle.read(start, end)
    if start.tobytes() != _EXTENSION:
        return ()
    return (f"from HDU {last + 1} on it cannot be read: fetch the file again",)


def failure(index: int, error: Exception) -> str:
    """A note on the error that an HDU gave."""
    if isinstance(error, AstroSegError):
        return f"from HDU {index} on it cannot be read: {error}"
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return f"HDU {index} cannot be read ({reason}): fetch the file again"


def stopped(last: int) -> str:
    """A note where the HDUs beyond this one were left alone."""
    return f"its uncertainty and mask were looked for up to HDU {last} of its file"
