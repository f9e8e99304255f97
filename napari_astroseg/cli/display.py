"""Display: whether there is a screen to open a window on."""

from __future__ import annotations

import os
import sys

from napari_astroseg.errors import SetupError


def has_display() -> bool:
    """Whether a window can be opened here; only Linux and its kin can lack a screen."""
    if sys.platform in {"darwin", "win32"}:
        return True
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen and chosen not in {"xcb", "wayland"}:
        return True  # the user asked for a platform of their own (offscreen, vnc)
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def require_display() -> None:
    """Refuse with a sentence instead of Qt's abort.

    Raises
    ------
    SetupError
        When there is no screen.
    """
    if not has_display():
        raise SetupError(
            "there is no display to open a window on; use `astroseg predict` or "
            "`astroseg demo --headless`, or run under `xvfb-run`"
        )
