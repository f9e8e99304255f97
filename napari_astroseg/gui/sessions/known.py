"""Known: the projects that this user has written or allowed, so that nobody asks about them."""

from __future__ import annotations

import json
from contextlib import suppress

from napari_astroseg.gui.settings import user_folder

_FILE = "own-projects.json"
_MOST = 500


def is_known(digest: str) -> bool:
    """Whether a project's file is one that was written or allowed here."""
    return digest in _told()


def remember_digest(digest: str) -> None:
    """Ask no more about this very file. A folder that cannot be written to forgets it, no more."""
    told = [each for each in _told() if each != digest]
    path = user_folder() / _FILE
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps([digest, *told][:_MOST]), encoding="utf-8")
        temporary.replace(path)


def _told() -> list[str]:
    try:
        told = json.loads((user_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
