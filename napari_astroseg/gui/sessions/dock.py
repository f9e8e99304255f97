"""Dock: what a dock does to be part of a project; no more is known of any."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Record, line


@runtime_checkable
class Kept(Protocol):
    """A dock that gives what it is set to, and takes it again.

    Layers are spoken of by their names, files by their keys among the project's places.
    """

    State: ClassVar[type[Record]]

    def state(self, places: Places) -> Record:
        """What it is set to now, gathered without waiting for anything."""
        ...

    def restore(self, state: Any, places: FoundPlaces) -> None:
        """Be set to that again; what takes long may follow."""
        ...


def named(thing: Any) -> str:
    """The name by which a project speaks of a layer, or a detection; "" for none."""
    return "" if thing is None else line(thing.name)
