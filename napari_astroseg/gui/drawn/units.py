"""Units: napari's table of units, read by one thread while others wait.

napari reads it when the first layer is made. Two threads that make one at that moment find it half
read, and fail.
"""

from __future__ import annotations

import threading

import pint

_LOCK = threading.Lock()


def know_units() -> None:
    """Have the table read; call it before a layer may be the first."""
    with _LOCK:
        pint.get_application_registry().Unit("pixel")
