"""DockState: what the Draw dock gives to a project: the image, and the folder of its marks.

Whoever opens it draws in their own name.
"""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui.sessions.dock import named
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record


class DrawState(Record):
    """The marks themselves are in their folder; this says which, and whether they were open."""

    image: Name = ""
    folder: Key = ""
    drawing: bool = False


def told(dock: Any, places: Places) -> DrawState:
    """What the dock is set to."""
    layer, folder = dock.images.layer(), dock.folder.path()
    drawing = dock.is_drawing
    return DrawState(
        image=named(layer),
        folder=places.key(folder, "folder", "write") if drawing else "",
        drawing=drawing,
    )


def restore(dock: Any, state: DrawState, places: FoundPlaces) -> None:
    """Be set to that; marks that were open are opened again."""
    folder = places.path(state.folder)
    if not dock.images.choose_named(state.image):
        return
    if folder is not None:
        dock.folder.set_path(folder)
        if state.drawing:
            dock.start_drawing()
