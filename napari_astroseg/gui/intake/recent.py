"""Recent: what was opened last, in one small file of the user's configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from napari_astroseg.gui.settings import user_folder
from napari_astroseg.sky.files.address import Address, is_url

MOST = 12
PROJECTS = "projects.json"
"""The file that remembers projects."""

Places = tuple[str, ...]
"""Files, folders or URLs that were opened together."""


class Recent:
    """Places by the groups in which they were opened, newest first.

    Parameters
    ----------
    folder
        Where its file lies; the user's configuration folder by default.
    name
        Of the file: images, or `PROJECTS`.
    """

    def __init__(self, folder: Path | None = None, name: str = "recent.json") -> None:
        self._file = (folder or user_folder()) / name

    def groups(self) -> list[Places]:
        """What was opened last and is still there; servers are not asked."""
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        groups = [_group(each) for each in told] if isinstance(told, list) else []
        return [group for group in groups if group and all(_there(place) for place in group)]

    def add(self, places: Sequence[str]) -> None:
        """Put places first. A folder that cannot be written to forgets them, no more."""
        group = tuple(Address.of(place).place for place in places)
        groups = [group, *(other for other in self.groups() if other != group)][:MOST]
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(".tmp")
            temporary.write_text(json.dumps(groups, indent=1), encoding="utf-8")
            temporary.replace(self._file)


def called(places: Places) -> str:
    """What a group is called in a menu."""
    first = Address.of(places[0]).name
    return first if len(places) == 1 else f"{first} and {len(places) - 1} more"


def _group(told: object) -> Places:
    fine = isinstance(told, list) and all(isinstance(place, str) and place for place in told)
    return tuple(told) if fine and isinstance(told, list) else ()


def _there(place: str) -> bool:
    return is_url(place) or Path(place).exists()
