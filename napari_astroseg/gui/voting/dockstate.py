"""DockState: what the Votes dock gives to a project: which votes, and the threshold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record, line


class VotesState(Record):
    """Which votes are shown, and from how many on a pixel counts."""

    votes: Key = ""
    kind: Name = ""
    threshold: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    folder: Key = ""


def told(dock: Any, places: Places) -> VotesState:
    """What the dock is set to."""
    ballot = dock.ballot
    shown = ballot is not None and ballot.place is not None
    return VotesState(
        votes=places.key(ballot.place) if shown and ballot is not None else "",
        kind=line(dock.kind.currentText()) if shown else "",
        threshold=max(1, dock.threshold) if shown else 1,
        folder=places.key(dock.table.folder.path(), "folder"),
    )


def restore(dock: Any, state: VotesState, places: FoundPlaces) -> None:
    """Be set to that; the votes are read again."""
    folder, votes = places.path(state.folder), places.path(state.votes)
    if folder is not None:
        dock.table.folder.set_path(folder)
    if votes is not None:
        dock.open_votes(votes, state.kind, state.threshold)
