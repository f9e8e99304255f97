"""Frame: four thin lines above the canvas around the part of an image that is drawn on."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.aids.view import camera_of, world_of
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.window import Window

_COLOUR = "#ffb454"
_LINE_PX = 2
_FARTHEST = 2**14
"""Canvas pixels beyond which a line need not reach: Qt's own geometry ends soon after."""


class Frame(QObject):
    """The lines; widgets of their own, for a layer's box is not safe on every OpenGL driver.

    Parameters
    ----------
    viewer, canvas
        Where they are shown.
    """

    def __init__(self, viewer: Any, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._viewer, self._canvas = viewer, canvas
        self._corners: Any = None
        self.lines = [QWidget(canvas) for _ in range(4)]
        for line in self.lines:
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            line.setStyleSheet(f"background: {_COLOUR};")
            line.hide()
        self._ties = Ties(self)
        camera = camera_of(viewer)
        for emitter in (camera.events.center, camera.events.zoom, viewer.dims.events.ndisplay):
            self._ties.tie(emitter, self._place)
        canvas.installEventFilter(self)

    def show_window(self, layer: Any, window: Window | None) -> None:
        """Draw them around a window of a layer's pixels; around nothing, for None."""
        self._corners = None
        if window is not None:
            corner, linear = world_of(layer)
            ends = np.array([(window.x, window.y), (window.x_end, window.y_end)], float) - 0.5
            self._corners = ends @ linear.T + corner
        self._place()

    def end(self) -> None:
        """Vanish."""
        self._ties.untie()
        self._canvas.removeEventFilter(self)
        for line in self.lines:
            line.hide()
            line.deleteLater()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Stay in place when the canvas becomes larger or smaller."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self, _event: Any = None) -> None:
        shown = self._corners is not None and self._viewer.dims.ndisplay == 2
        if shown:
            (left, top), (right, bottom) = self._on_canvas()
            width, height = right - left + _LINE_PX, bottom - top + _LINE_PX
            boxes = (
                (left, top, width, _LINE_PX), (left, bottom, width, _LINE_PX),
                (left, top, _LINE_PX, height), (right, top, _LINE_PX, height),
            )  # fmt: skip
            for line, box in zip(self.lines, boxes, strict=True):
                line.setGeometry(*box)
        for line in self.lines:
            line.setVisible(shown)

    def _on_canvas(self) -> list[list[int]]:
        """Upper left and lower right corner, canvas pixels."""
        camera = camera_of(self._viewer)
        up, right = (str(getattr(each, "value", each)) for each in camera.orientation2d)
        signs = np.array([1.0 if right == "right" else -1.0, -1.0 if up == "up" else 1.0])
        middle = np.array([camera.center[-1], camera.center[-2]], float)
        size = np.array([self._canvas.width(), self._canvas.height()], float)
        places = (self._corners - middle) * signs * camera.zoom + size / 2
        ends = np.sort(np.clip(places, -_FARTHEST, _FARTHEST), axis=0)
        return np.rint(ends).astype(int).tolist()
