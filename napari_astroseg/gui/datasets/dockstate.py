"""DockState: what the Data dock gives to a project: the folder that is looked over, and how."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record


class DataState(Record):
    """The folder is not looked over again unless somebody asks for it."""

    folder: Key = ""
    layout: Name = ""
    threshold: Annotated[int, Field(ge=1, le=100)] = 3


def told(dock: Any, places: Places) -> DataState:
    """What the dock is set to."""
    return DataState(
        folder=places.key(dock.folder.path(), "folder"),
        layout=dock.layout_choice.currentText(),
        threshold=dock.threshold.value(),
    )


def restore(dock: Any, state: DataState, places: FoundPlaces) -> None:
    """Be set to that."""
    folder = places.path(state.folder)
    if folder is not None:
        dock.folder.set_path(folder)
    if dock.layout_choice.findText(state.layout) >= 0:
        dock.layout_choice.setCurrentText(state.layout)
    dock.threshold.setValue(state.threshold)
