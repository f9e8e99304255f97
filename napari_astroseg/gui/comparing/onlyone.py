"""OnlyOne: one image alone in the canvas for a while; then all is as it was."""

from __future__ import annotations

from typing import Any

from napari.layers import Points

from napari_astroseg.gui import moments
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.whole import show_whole


class OnlyOne:
    """Shows one layer at a time, each from where it was last looked at.

    Parameters
    ----------
    viewer
        Whose layers and camera are moved.
    home
        The layer that is looked at now.
    """

    def __init__(self, viewer: Any, home: Any) -> None:
        self._viewer = bare(viewer)
        self._shown = home
        self._before = [(each, each.visible) for each in self._pictures()]
        moments.note(self, self._pictures())
        self._views: dict[int, tuple[Any, float]] = {}
        self._home = home

    def show(self, layer: Any) -> None:
        """Show this layer alone; points stay as they are."""
        self._turn(layer)
        for each in self._pictures():
            each.visible = each is layer

    def end(self) -> None:
        """Show what was shown before, from where the first layer was last looked at."""
        self._turn(self._home)
        for layer, visible in self._before:
            if layer in self._viewer.layers:
                layer.visible = visible
        moments.forget(self)

    def _turn(self, layer: Any) -> None:
        """Move the camera to where a layer was last looked at, or so that all of it is in view."""
        if layer is self._shown:
            return
        camera = getattr(self._viewer, "scene", self._viewer).camera
        self._views[id(self._shown)] = camera.center, camera.zoom
        self._shown = layer
        if id(layer) in self._views:
            camera.center, camera.zoom = self._views[id(layer)]
            return
        show_whole(self._viewer, layer)

    def _pictures(self) -> list[Any]:
        return [bare(each) for each in self._viewer.layers if not isinstance(each, Points)]
