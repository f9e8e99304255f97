"""Arranging: layers get the order and the look of a project as they come.

Docks bring their own layers back in their own time. Each is put in its place when it comes, and
is the user's from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.layers import SETTLED_MS
from napari_astroseg.gui.ties import Ties
from napari_astroseg.projects.project import Layer, View


class Arranging(QObject):
    """Puts the layers of one project in order, until `end`.

    Parameters
    ----------
    viewer
        Whose layers they are.
    layers
        From the bottom up.
    """

    def __init__(self, viewer: Any, layers: Sequence[Layer], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = bare(viewer)
        self._rank = {layer.name: at for at, layer in enumerate(layers)}
        self._awaited = {layer.name: layer for layer in layers if layer.source is None}
        self._ties = Ties(self)
        self._ties.tie(self._viewer.layers.events.inserted, self._come)

    @property
    def awaited(self) -> list[str]:
        """Names of layers that have not come yet."""
        return list(self._awaited)

    def end(self) -> None:
        """Leave all layers as they are."""
        self._awaited.clear()
        self._ties.untie()

    def place(self, layer: Any) -> None:
        """Move a layer to where it was among those that are there."""
        rank = self._rank.get(layer.name)
        if rank is None:
            return
        layers = self._viewer.layers
        others = [each for each in layers if each is not layer and each.name in self._rank]
        above = next((each for each in others if self._rank[each.name] > rank), None)
        here = layers.index(layer)
        wanted = len(layers) if above is None else layers.index(above)
        if wanted not in (here, here + 1):
            layers.move(here, wanted)

    def _come(self, event: Any) -> None:
        """Wait until whoever adds it has done so; then it gets its place and its look."""
        layer = event.value
        if layer.name in self._awaited:
            QTimer.singleShot(0, lambda: self._settle(layer))

    def _settle(self, layer: Any) -> None:
        told = self._awaited.pop(layer.name, None)
        if told is None or layer not in self._viewer.layers:
            return
        with suppress(ValueError):  # of a mode that this kind of layer has not
            layer.blending = told.blending or layer.blending
        layer.opacity = told.opacity
        layer.visible = told.visible
        self.place(layer)


def show_view(viewer: Any, view: View) -> None:
    """Look where it was looked, now, and again when the window has made room for its controls."""
    viewer = bare(viewer)
    _look(viewer, view)
    camera = camera_of(viewer)
    seen = camera.zoom, tuple(camera.center)

    def again() -> None:
        """Napari, and we, show all of the first image once there is room for it."""
        moved = (camera.zoom, tuple(camera.center)) != seen
        if moved and len(viewer.layers):
            _look(viewer, view)

    QTimer.singleShot(2 * SETTLED_MS, again)


def _look(viewer: Any, view: View) -> None:
    camera = camera_of(viewer)
    camera.orientation2d = ("up" if view.north_up else "down", "right")
    for axis, point in enumerate(view.point[: viewer.dims.ndim - 2]):
        viewer.dims.set_point(axis, point)
    before = tuple(camera.center)[:-2]
    camera.center = (*before, *view.center[-2:])
    camera.zoom = view.zoom
    names = {layer.name: layer for layer in viewer.layers}
    if view.selected in names:
        viewer.layers.selection.active = names[view.selected]
