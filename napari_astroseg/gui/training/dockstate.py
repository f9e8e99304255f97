"""DockState: what the Train dock gives to a project: the recipe in its form, data, run, device."""

from __future__ import annotations

import json
from typing import Annotated, Any

import yaml
from pydantic import Field, JsonValue

from napari_astroseg.engine.card import builtin_models
from napari_astroseg.errors import RecipeError
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import PlaceKind, Places
from napari_astroseg.projects.record import Key, Name, Record
from napari_astroseg.recipes.recipe import Recipe


class TrainState(Record):
    """A training that runs is picked up by its folder; nothing is started."""

    preset: Name = ""
    recipe: Annotated[dict[str, JsonValue], Field(max_length=100, default_factory=dict)]
    data: Key = ""
    out: Key = ""
    device: Name = "auto"
    begin_with: Name = ""
    begin_with_file: Key = ""
    by_itself: bool = False


def told(dock: Any, places: Places) -> TrainState:
    """What the dock is set to; a form that makes no recipe is left out."""
    recipe: dict[str, Any] = {}
    try:
        recipe = yaml.safe_load(dock.form.value().to_yaml())
    except RecipeError:
        recipe = {}
    begin_with = dock.weights.value()
    boxed = begin_with in builtin_models()
    return TrainState(
        preset=dock.preset.currentText(),
        recipe=recipe,
        data=places.key(dock.data.path(), "folder"),
        out=places.key(dock.out.path(), "folder", "write"),
        device=dock.device.currentText(),
        begin_with=begin_with if boxed else "",
        begin_with_file="" if boxed else places.key(begin_with, _kind(begin_with)),
        by_itself=dock.by_itself.isChecked(),
    )


def restore(dock: Any, state: TrainState, places: FoundPlaces) -> None:
    """Be set to that, unless a training is being watched already.

    Raises
    ------
    RecipeError
        When its recipe is none that this version knows.
    """
    if dock.busy:
        return
    recipe = Recipe.from_yaml(json.dumps(state.recipe)) if state.recipe else None
    data, out = places.path(state.data), places.path(state.out)
    if dock.preset.findText(state.preset) >= 0:
        dock.preset.setCurrentText(state.preset)
    if dock.device.findText(state.device) >= 0:
        dock.device.setCurrentText(state.device)
    own = places.path(state.begin_with_file)
    if own is not None:
        dock.weights.setValue(str(own))
    elif state.begin_with in builtin_models():
        dock.weights.setValue(state.begin_with)
    dock.by_itself.setChecked(state.by_itself)
    if data is not None:
        dock.data.set_path(data)
    if out is not None:
        dock.out.set_path(out)
    if recipe is not None and not dock.busy:
        dock.form.setValue(recipe)


def _kind(model: str) -> PlaceKind:
    """What a model of the user's own is: a file, or the folder of a run."""
    return "file" if model.endswith(".safetensors") else "folder"
