"""UnitLayers: one image in the viewer with its truth and a model's answer over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils import DirectLabelColormap

from napari_astroseg.engine.report.view import View
from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn.units import know_units
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.predicting.outlines import sides
from napari_astroseg.sky.window import Window

TRUTH, FOUND = ("#ffb454", "#ff6ad5"), ("#35f0c8", "#6fa8ff")
"""Of the first class, and of all others."""

_ROOM = 0.85
"""Part of the canvas that the window takes up."""


class UnitLayers:
    """The layers of the image looked at last; those of the one before are taken away.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._shown: list[Any] = []

    @property
    def shown(self) -> list[Any]:
        """Those that are still in the viewer: image, truth, prediction."""
        return [layer for layer in self._shown if layer in self._viewer.layers]

    def drawing(
        self, view: View, prepared: list[layers.LayerData], room: tuple[int, int]
    ) -> Iterator[None]:
        """Draw an image that `all_layer_data` has prepared, and both over it, layer by layer.

        Parameters
        ----------
        room
            The canvas's height and width.

        Yields
        ------
        Nothing, where the window may have its turn.
        """
        yield from self._clearing()
        added = layers.add_all(self._viewer, prepared)
        self._shown, base = list(added), added[0]
        layers.turn_north(self._viewer, view.image)
        self._go_to(base, view, room)
        for name, what, colours in (
            ("truth", view.truth, TRUTH),
            ("prediction", view.found, FOUND),
        ):
            yield
            if base not in self._viewer.layers:
                return  # closed meanwhile
            layer = (_boxes if view.boxed else _labels)(self._viewer, base, view, what, colours)
            layer.name = f"{name} · {view.image.name}"
            self._shown.append(layer)
        self._viewer.layers.selection.active = base

    def _clearing(self) -> Iterator[None]:
        """Take those of the image before out of the viewer."""
        for layer in self.shown:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
            yield
        self._shown = []

    def _go_to(self, base: Any, view: View, room: tuple[int, int]) -> None:
        """Have the window fill the canvas."""
        window, camera = view.window, self._viewer.scene.camera
        place = placed_on(base, window)
        middle = place["translate"] + place["scale"] * (np.array(window.shape) - 1) / 2
        camera.center = (*camera.center[:-2], *middle.tolist())
        camera.zoom = _ROOM * float((np.array(room) / window.shape / place["scale"]).min())


def compile_ahead() -> None:
    """Have napari compile what draws these labels; any thread, once, before anyone waits for it."""
    know_units()
    layer = Labels(np.eye(8, dtype=np.int32), colormap=_colourmap(TRUTH))
    layer.contour = 1


def _colourmap(colours: tuple[str, str]) -> DirectLabelColormap:
    first, other = colours
    return DirectLabelColormap(color_dict={None: other, 0: "transparent", 1: first})


def _labels(viewer: Any, base: Any, view: View, labels: Any, colours: tuple[str, str]) -> Any:
    layer = viewer.add_labels(
        np.ascontiguousarray(labels, np.int32),
        colormap=_colourmap(colours),
        opacity=0.9,
        **placed_on(base, view.window),
    )
    layer.contour = 1
    return layer


def _boxes(viewer: Any, base: Any, _view: View, boxes: Any, colours: tuple[str, str]) -> Any:
    return viewer.add_vectors(
        sides(boxes) if len(boxes) else np.zeros((0, 2, 2)),
        vector_style="line",
        edge_width=2.0,
        edge_color=colours[0],
        **placed_on(base, Window(0, 0, 1, 1)),
    )
