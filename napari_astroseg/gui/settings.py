"""Settings: where what the window remembers lies, and the few words that it remembers."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from qtpy.QtCore import QStandardPaths

_FILE = "settings.json"


def user_folder() -> Path:
    """The package's own folder in the user's configuration; it may not be there yet."""
    return _location(QStandardPaths.StandardLocation.GenericConfigLocation)


def data_folder() -> Path:
    """The package's own folder among the user's data; it may not be there yet."""
    return _location(QStandardPaths.StandardLocation.GenericDataLocation)


def remembered(name: str, default: str = "") -> str:
    """What was remembered under a name."""
    value = _told().get(name)
    return value if isinstance(value, str) else default


def remember(name: str, value: str) -> None:
    """Remember a word. A folder that cannot be written to forgets it, no more."""
    told = _told()
    if told.get(name) == value:
        return
    path = user_folder() / _FILE
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({**told, name: value}, indent=1), encoding="utf-8")
        temporary.replace(path)


def _told() -> dict[str, object]:
    try:
        told = json.loads((user_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _location(location: QStandardPaths.StandardLocation) -> Path:
    return Path(QStandardPaths.writableLocation(location)) / "astroseg"
