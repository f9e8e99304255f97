"""Memory: how much a process takes at its peak, from some moment on."""

from __future__ import annotations

import gc
import math
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FREE = Path("/proc/meminfo")


class Memory:
    """Memory of this process, from now on; only Linux tells peaks since a given moment."""

    def __init__(self) -> None:
        gc.collect()
        if _CLEAR.exists():
            _CLEAR.write_text("5", encoding="ascii")  # the peak is counted from here
            self._before = _told("VmRSS")

    def peak_mib(self) -> float:
        """Most that was in use since, over what was in use at first, MiB; NaN if not known."""
        return (_told("VmHWM") - self._before) / 1024 if _CLEAR.exists() else math.nan


def free_bytes() -> int:
    """What processes can still take; 0 where the system does not tell."""
    if not _FREE.exists():
        return 0
    lines = _FREE.read_text(encoding="ascii").splitlines()
    return 1024 * next(int(each.split()[1]) for each in lines if each.startswith("MemAvailable"))


def _told(what: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))
