"""Finding: where the places of a project are now, and which of them must be asked about first.

Nothing is touched that has not been allowed: a place outside the project's folder may be a share
that another machine learns of, and an address tells its server who looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_astroseg.projects.place import Place
from napari_astroseg.projects.projectfile import Opened

State = Literal["here", "changed", "missing", "refused"]


@dataclass(frozen=True)
class Question:
    """A place that is not opened before somebody says so."""

    key: str
    place: Place

    @property
    def why(self) -> str:
        """In words."""
        if self.place.kind == "survey":
            return "asks a survey of the network"
        if self.place.remote:
            return "is on the network"
        where = "lies outside the project's folder"
        return f"{where}, and is written to" if self.place.use == "write" else where


@dataclass(frozen=True)
class Found:
    """Where a place is now.

    Parameters
    ----------
    where
        A path, an address, or the identifier of a survey; "" where it may not be opened.
    state
        `here`; `changed`, where a file holds something else than it did; `missing`; `refused`.
    """

    where: str
    state: State

    @property
    def usable(self) -> bool:
        """Whether it can be opened."""
        return self.state in ("here", "changed")


class FoundPlaces:
    """Places by their keys, as docks and layers ask for them."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = dict(found)

    def where(self, key: str) -> str:
        """The path or address of a place; "" for none, or one that cannot be opened."""
        found = self._found.get(key)
        return found.where if found is not None and found.usable else ""

    def path(self, key: str) -> Path | None:
        """The same as a path; None for none."""
        where = self.where(key)
        return Path(where) if where else None

    def state(self, key: str) -> State:
        """How it stands with a place."""
        found = self._found.get(key)
        return "missing" if found is None else found.state

    def of(self, state: State) -> list[str]:
        """Keys of all that are so."""
        return [key for key, found in self._found.items() if found.state == state]


def questions(opened: Opened) -> list[Question]:
    """What must be allowed before it is opened: the network, and what lies outside."""
    places = opened.project.places.items()
    return [Question(k, place) for k, place in places if not place.inside(opened.folder)]


def find(
    opened: Opened, allowed: Iterable[str] | None, moved: Mapping[str, Path] | None = None
) -> FoundPlaces:
    """Look where the places are; not in a window's thread, for a disk may take its time.

    Parameters
    ----------
    allowed
        Keys among those of `questions` that may be opened; None for all.
    moved
        Where files are now, as a person has said. Others that are missing are looked for beside
        these, and in the project's folder.
    """
    moved = dict(moved or {})
    asked = {each.key for each in questions(opened)} if allowed is not None else set()
    closed = asked - set(allowed or ())
    found: dict[str, Found] = {}
    for key, place in opened.project.places.items():
        if key in moved:
            found[key] = _judged(place, moved[key])
        elif key in closed:
            found[key] = Found("", "refused")
        elif place.remote:
            found[key] = Found(place.path, "here")
        else:
            found[key] = _judged(place, place.path_from(opened.folder))
    folders = [opened.folder, *(each.parent for each in moved.values())]
    for key, place in opened.project.places.items():
        if found[key].state == "missing":
            again = _beside(place, folders)
            if again is not None:
                found[key] = Found(str(again), "here")
    return FoundPlaces(found)


def _judged(place: Place, path: Path) -> Found:
    where = str(path)
    if place.use == "write":
        return Found(where, "here")  # it is made where it is missing
    try:
        there = path.is_dir() if place.kind == "folder" else path.exists()
    except OSError:
        there = False
    if not there:
        return Found(where, "missing")
    same = place.identity is None or path.is_dir() or place.identity.holds(path)
    return Found(where, "here" if same else "changed")


def _beside(place: Place, folders: Iterable[Path]) -> Path | None:
    """A file of the same name that holds the same; a folder of the same name.

    A name that leads elsewhere, by `..` or by a link, is none: nobody was asked about that.
    """
    here = place.model_copy(update={"path": place.name})
    for folder in folders:
        if not here.inside(folder):
            continue
        path = folder / place.name
        if place.identity is not None and path.is_file() and place.identity.holds(path):
            return path
        if place.kind == "folder" and place.identity is None and path.is_dir():
            return path
    return None
