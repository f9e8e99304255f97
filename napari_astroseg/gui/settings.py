"""Settings: where what the window remembers lies."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QStandardPaths


def user_folder() -> Path:
    """The package's own folder in the user's configuration; it may not be there yet."""
    location = QStandardPaths.StandardLocation.GenericConfigLocation
    return Path(QStandardPaths.writableLocation(location)) / "astroseg"
