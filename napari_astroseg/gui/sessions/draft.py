"""Draft: what is open in a window, gathered in its thread; a project once it has been finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.moments import lasting
from napari_astroseg.gui.sessions.dock import Kept as Dock
from napari_astroseg.gui.sessions.dock import named
from napari_astroseg.gui.sessions.keeping import Kept, forget_others
from napari_astroseg.gui.sessions.layersource import Keep, look_told, owned, placed_told, source_of
from napari_astroseg.projects.place import Named, Places
from napari_astroseg.projects.project import MOST_LAYERS, Blending, Layer, Project, View
from napari_astroseg.projects.projectfile import ENDING, kept_folder, write_project


@dataclass
class Draft:
    """A project whose files have not been looked at yet.

    Parameters
    ----------
    layers, view, docks, front
        As of a `Project`.
    places
        What they name.
    kept
        What has to be written beside the project, by the key of its place.
    left_out
        Names of layers that cannot be opened again from a file, and of docks that no record holds.
    """

    layers: tuple[Layer, ...]
    view: View | None
    docks: dict[str, dict[str, Any]]
    front: str
    places: Places
    kept: dict[str, Kept] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing that anybody would want back."""
        return not self.layers

    def told(self) -> str:
        """Equal for equal windows; what is kept counts by being the same object."""
        parts = [
            [layer.model_dump(mode="json") for layer in self.layers],
            None if self.view is None else self.view.model_dump(mode="json"),
            self.docks,
            self.front,
            [repr(each) for each in self.places.named.values()],
        ]
        return json.dumps(parts, sort_keys=True)

    def write(self, path: Path) -> str:
        """Write it as a project; gives the file's digest. Not in a window's thread.

        What an older project of that name kept is deleted when the new one is there.

        Raises
        ------
        OutputError
            When it cannot be written; what was there before is as it was.
        """
        folder, project = kept_folder(path), self._project(path)
        digest = write_project(project, path)
        forget_others(folder, {Path(each.path).name for each in project.places.values()})
        return digest

    def _project(self, path: Path) -> Project:
        """The project for a file, all that is kept beside it written."""
        folder = kept_folder(path)
        for key, kept in self.kept.items():
            written = kept.write(folder)
            self.places.named[key] = Named(str(written), "file")
        self._take_along(folder)
        places = self.places.told(path.parent)
        return Project(
            places=places, layers=self.layers, view=self.view, docks=self.docks, front=self.front
        )

    def _take_along(self, folder: Path) -> None:
        """What another project keeps is copied, for that one may be deleted."""
        ending = kept_folder(Path(f"x{ENDING}")).name[1:]
        for key, place in list(self.places.named.items()):
            path = Path(place.path)
            theirs = path.parent.name.endswith(ending) and path.parent != folder
            if place.kind == "file" and theirs and path.is_file():
                written = Kept(path).write(folder)
                self.places.named[key] = Named(str(written), "file")


def gather(viewer: Any, docks: Mapping[str, Any], front: str = "") -> Draft:
    """What is open now; the window's thread, which it holds for milliseconds."""
    viewer = bare(viewer)
    places = Places()
    kept: dict[str, Kept] = {}
    told: list[Layer] = []
    left_out: list[str] = []

    def keep(what: Kept) -> str:
        key = places.key(f"kept {what.tag}")
        kept[key] = what
        return key

    for layer in viewer.layers:
        try:
            one = _layer(viewer, layer, places, keep)
        except ValidationError:
            one = None
        if one is None or len(told) == MOST_LAYERS:
            left_out.append(layer.name)
        else:
            told.append(one)
    given = {}
    for name, dock in docks.items():
        if isinstance(dock, Dock):
            try:
                given[name] = dock.state(places).model_dump(mode="json", exclude_defaults=True)
            except ValidationError:
                left_out.append(name)
    return Draft(tuple(told), _view(viewer), given, front, places, kept, tuple(left_out))


def _layer(viewer: Any, layer: Any, places: Places, keep: Keep) -> Layer | None:
    mine = not owned(layer)
    source = source_of(viewer, layer, places, keep) if mine else None
    if mine and source is None:
        return None
    seen = lasting(layer)
    return Layer(
        name=named(layer),
        source=source,
        visible=seen.visible,
        opacity=seen.opacity,
        blending=_blending(seen.blending),
        look=look_told(layer),
        placed=placed_told(layer) if mine else None,
    )


def _blending(told: str) -> Blending:
    known: tuple[Blending, ...] = get_args(Blending)
    return next((each for each in known if each == told), "")


def _view(viewer: Any) -> View | None:
    """Where the camera looks; None where that is nowhere."""
    camera, active = camera_of(viewer), viewer.layers.selection.active
    up = camera.orientation2d[0]
    if not np.isfinite((*camera.center, camera.zoom, *viewer.dims.point)).all():
        return None
    return View(
        center=tuple(float(each) for each in camera.center[-2:]),
        zoom=float(np.clip(camera.zoom, 1e-8, 1e8)),
        north_up=str(getattr(up, "value", up)) == "up",
        point=tuple(float(each) for each in viewer.dims.point[:-2])[:8],
        selected=named(active),
    )
