"""Outlines: boxes of objects as lines of one width on the screen, however many there are.

Up to a few thousand are vectors of napari's, with a thumbnail and a place in a saved layer. napari
makes triangles of each, which for tens of thousands takes longer than a hand to move a slider:
then they are plain lines of the graphics card, hung on the same layer, moved and hidden with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.comparing.canvas import napari_canvas, node_of
from napari_astroseg.gui.predicting.drawing import REGION, placed_on
from napari_astroseg.sky.window import Window

COLOURS = (REGION, "#ffd23f", "#ff6ad5", "#4fb3ff")
"""Of the classes, from class 1 up."""

FEW = 2000
"""Objects that are vectors."""

_SCREEN_PX = 1.5
"""Width of an outline on the screen."""


class Outlines:
    """The layer of the outlines of one prediction.

    Parameters
    ----------
    viewer, base
        Where to show it, and the layer of the image that was predicted.
    called
        Name and metadata of the layer.
    """

    def __init__(self, viewer: Any, base: Any, called: dict[str, Any]) -> None:
        self._viewer = viewer
        self._lines: list[Any] = []
        self.layer = viewer.add_vectors(
            np.zeros((0, 2, 2)),
            vector_style="line",
            edge_width=self._width(),
            **called,
            **placed_on(base, Window(0, 0, 1, 1)),
        )
        self.layer.events.opacity.connect(self._fade)
        camera_of(viewer).events.zoom.connect(self._keep_width)

    def show(self, boxes: NDArray[np.float64], classes: NDArray[np.int64]) -> None:
        """Draw boxes (N, 4), each in the colour of its class."""
        kinds = (classes - 1) % len(COLOURS)
        node = self._node() if len(boxes) > FEW else None
        if node is None:
            self._show_lines(None, boxes[:0], kinds[:0])
            self._show_vectors(boxes, kinds)
        else:
            self._show_vectors(boxes[:0], kinds[:0])
            self._show_lines(node, boxes, kinds)

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        camera_of(self._viewer).events.zoom.disconnect(self._keep_width)
        self._show_lines(None, np.zeros((0, 4)), np.zeros(0, np.int64))
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def restored(self) -> None:
        """The layer is in the viewer again, without the lines that hung on it."""
        self._lines.clear()
        camera_of(self._viewer).events.zoom.connect(self._keep_width)

    def _show_vectors(self, boxes: NDArray[np.float64], kinds: NDArray[np.int64]) -> None:
        if not len(boxes) and not len(self.layer.data):
            return
        self.layer.data = sides(boxes)
        if len(boxes):
            self.layer.edge_color = np.repeat(np.array(COLOURS)[kinds], 4)

    def _show_lines(self, node: Any, boxes: NDArray[np.float64], kinds: NDArray[np.int64]) -> None:
        from vispy.scene.visuals import Line

        while node is not None and len(self._lines) < len(COLOURS):
            ratio = napari_canvas(self._viewer).native.devicePixelRatioF()
            line = Line(method="gl", width=_SCREEN_PX * ratio, parent=node, connect="segments")
            line.set_gl_state("translucent", depth_test=False)
            self._lines.append(line)
        for number, line in enumerate(self._lines):
            mine = boxes[kinds == number]
            line.visible = len(mine) > 0
            if len(mine):
                line.set_data(pos=_segments(mine), color=COLOURS[number], connect="segments")
        self._fade()

    def _fade(self, _event: Any = None) -> None:
        for line in self._lines:
            line.opacity = self.layer.opacity

    def _node(self) -> Any:
        """What napari draws the layer with; None where it cannot be reached."""
        canvas = napari_canvas(self._viewer)
        return None if canvas is None else node_of(canvas, self.layer)

    def _width(self) -> float:
        """Width of a line in the image's pixels, for one that the screen shows as ever."""
        return float(np.clip(_SCREEN_PX / max(camera_of(self._viewer).zoom, 1e-6), 0.5, 50.0))

    def _keep_width(self, _event: Any = None) -> None:
        there = self.layer in self._viewer.layers
        if there and abs(self._width() / self.layer.edge_width - 1) > 0.25:
            self.layer.edge_width = self._width()


def sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The four sides of each box (N, 4) as vectors (4 N, 2, 2): where it begins, where it goes."""
    x0, y0, x1, y1 = boxes.T
    corners = np.stack([[y0, x0], [y0, x1], [y1, x1], [y1, x0]]).transpose(2, 0, 1)
    return np.stack([corners, np.roll(corners, -1, 1) - corners], 2).reshape(-1, 2, 2)


def _segments(boxes: NDArray[np.float64]) -> NDArray[np.float32]:
    """The two ends of each side of boxes (N, 4), x and y: (8 N, 2)."""
    ends = boxes[:, [0, 1, 2, 1, 2, 1, 2, 3, 2, 3, 0, 3, 0, 3, 0, 1]]
    return ends.astype(np.float32).reshape(-1, 2)
