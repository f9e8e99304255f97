"""DockState: what the Results dock gives to a project: model, data, and what is shown."""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui.predicting.dockstate import ModelState, choose_model, model_told
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record


class ResultsState(Record):
    """Evaluations are folders of their own."""

    model: ModelState = ModelState()
    data: Key = ""
    background: Name = ""
    device: Name = "auto"
    shown: Key = ""
    beside: Key = ""


def told(dock: Any, places: Places) -> ResultsState:
    """What the dock is set to."""
    shown, beside = dock.chosen
    return ResultsState(
        model=model_told(dock.models.card(), places),
        data=places.key(dock.data.path(), "folder"),
        background=dock.background.currentText(),
        device=dock.device.currentText(),
        shown=places.key(shown, "folder"),
        beside=places.key(beside, "folder"),
    )


def restore(dock: Any, state: ResultsState, places: FoundPlaces) -> None:
    """Be set to that; the evaluations are read again."""
    choose_model(dock.models, state.model, places)
    data = places.path(state.data)
    if data is not None:
        dock.data.set_path(data)
    for box, words in ((dock.background, state.background), (dock.device, state.device)):
        if box.findText(words) >= 0:
            box.setCurrentText(words)
    dock.choose_folders(places.path(state.shown), places.path(state.beside))
