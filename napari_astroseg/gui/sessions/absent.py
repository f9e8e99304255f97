"""Absent: layers whose files are missing; they stay in the project, for the files may come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from napari_astroseg.gui.sessions.draft import Draft
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Named, Place
from napari_astroseg.projects.project import Layer
from napari_astroseg.projects.projectfile import Opened
from napari_astroseg.projects.sources import Source


class Absent:
    """Layers of an opened project that are not there."""

    def __init__(self) -> None:
        self._layers: list[tuple[Layer, Opened]] = []
        self.refused = False
        """Whether one of them names a place that was not allowed, and is to be asked about again"""

    def keep(self, layer: Layer, opened: Opened, found: FoundPlaces) -> None:
        """Remember one that could not be opened."""
        self._layers.append((layer, opened))
        told = None if layer.source is None else layer.source.model_dump(mode="json")
        self.refused |= any(found.state(key) == "refused" for key in _keys(told))

    def add_to(self, draft: Draft) -> None:
        """Put them above what is there, unless a layer of that name is."""
        present = {layer.name for layer in draft.layers}
        for layer, opened in self._layers:
            if layer.name in present or layer.source is None:
                continue
            told = _rekeyed(layer.source.model_dump(mode="json"), draft, opened)
            source: Source = TypeAdapter(Source).validate_python(told, strict=False)
            draft.layers = (*draft.layers, layer.model_copy(update={"source": source}))


def _keys(told: Any) -> Iterator[str]:
    """Of the places that a source names."""
    if isinstance(told, dict):
        if told.get("place"):
            yield told["place"]
        told = list(told.values())
    if isinstance(told, list):
        for each in told:
            yield from _keys(each)


def _rekeyed(told: Any, draft: Draft, opened: Opened) -> Any:
    """What a source says, with the draft's own keys for its places."""
    if isinstance(told, list):
        return [_rekeyed(each, draft, opened) for each in told]
    if not isinstance(told, dict):
        return told
    changed = {key: _rekeyed(value, draft, opened) for key, value in told.items()}
    place = opened.project.places.get(told.get("place", ""))
    if place is not None:
        changed["place"] = _key(place, draft, opened)
    return changed


def _key(place: Place, draft: Draft, opened: Opened) -> str:
    where = place.path if place.remote else str(place.path_from(opened.folder))
    return draft.places.key_of(Named(where, place.kind, place.use, place.identity))
