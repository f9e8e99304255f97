"""Slots: where each window keeps what is open in it, and what windows that are gone have left.

A slot is a folder that its window holds by a lock, which ends with the process however that ends.
So a slot that nobody holds is of a window that is gone; whether it was closed is told by a mark.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path

from napari_astroseg.gui.settings import data_folder
from napari_astroseg.projects.projectfile import ENDING
from napari_astroseg.sky.files.locking import is_locked, lock

_FOLDER, _FILE, _LOCK, _ABOUT = "windows", f"window{ENDING}", "lock", "about.json"
_MOST = 6
"""Windows that are gone and can still be had back; older ones are deleted."""


@dataclass(frozen=True)
class Left:
    """What a window that is gone has left.

    Parameters
    ----------
    path
        As a project.
    when
        It was last written.
    closed
        Whether the window was closed, and did not end otherwise.
    names
        Of the first layers.
    project
        The project that it was; "" for none.
    """

    path: Path
    when: datetime
    closed: bool
    names: tuple[str, ...]
    project: str

    @property
    def words(self) -> str:
        """What was open, in a few words."""
        shown = ", ".join(self.names[:3]) + (" …" if len(self.names) > 3 else "")
        return f"{Path(self.project).name.removesuffix(ENDING)}: {shown}" if self.project else shown


class Slot:
    """The slot of this window, held until `release`.

    Parameters
    ----------
    folder
        The slot's own; a fresh one by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _fresh()
        self._file: FileIO | None = None

    @property
    def path(self) -> Path:
        """The project in it."""
        return self.folder / _FILE

    def hold(self) -> bool:
        """Hold it, if nobody else does; whether it is held."""
        if self._file is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                file = FileIO(self.folder / _LOCK, "a+")
            except OSError:
                return False
            try:
                lock(file)
            except OSError:
                file.close()
                return False
            self._file = file
        return True

    def tell(self, names: list[str], project: str, *, closed: bool, asks: bool) -> None:
        """Note what is in it, for whoever asks when the window is gone.

        Parameters
        ----------
        asks
            Whether it names places that were not allowed.
        """
        about = {"names": names[:10], "project": project, "closed": closed, "asks": asks}
        with suppress(OSError):
            temporary = self.folder / f"{_ABOUT}.tmp"
            temporary.write_text(json.dumps(about), encoding="utf-8")
            temporary.replace(self.folder / _ABOUT)

    def release(self) -> None:
        """Leave it to others."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Nobody wants it back."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def is_slot(path: Path) -> bool:
    """Whether a project lies in a slot, which a window wrote by itself."""
    return path.name == _FILE and path.absolute().parent.parent == _slots()


def project_of(path: Path) -> Path | None:
    """The project that the window of a slot was; None for none."""
    told = _about(path.parent).get("project")
    return Path(told) if isinstance(told, str) and told else None


def asks(path: Path) -> bool:
    """Whether a slot names places that were not allowed, or cannot tell."""
    return _about(path.parent).get("asks") is not False


def left_behind() -> list[Left]:
    """What windows that are gone have left, the newest first; the oldest are deleted."""
    found = sorted(_left(), key=lambda each: each.when, reverse=True)
    for old in found[_MOST:]:
        slot = Slot(old.path.parent)
        if slot.hold():
            slot.remove()
    return found[:_MOST]


def _left() -> Iterator[Left]:
    try:
        folders = list(_slots().iterdir())
    except OSError:
        return
    for folder in folders:
        path = folder / _FILE
        if _is_held(folder):
            continue
        try:
            when = datetime.fromtimestamp(path.stat().st_mtime)
        except OSError:
            continue
        about = _about(folder)
        told, project = about.get("names"), about.get("project")
        names = tuple(str(each) for each in told) if isinstance(told, list) else ()
        project = project if isinstance(project, str) else ""
        yield Left(path, when, about.get("closed") is True, names, project)


def _about(folder: Path) -> dict[str, object]:
    try:
        told = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _is_held(folder: Path) -> bool:
    try:
        with FileIO(folder / _LOCK, "r") as file:
            return is_locked(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _slots() -> Path:
    return data_folder() / _FOLDER


def _fresh() -> Path:
    return _slots() / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{os.getpid()}"
