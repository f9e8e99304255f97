"""Crosshair: a mark on the canvas that shows for a moment where one has come to."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPointF, Qt, QTimer
from qtpy.QtGui import QPainter, QPainterPath, QPaintEvent
from qtpy.QtWidgets import QWidget
from typing_extensions import override

from napari_astroseg.gui.aids import ink
from napari_astroseg.gui.aids.view import camera_of, view_of
from napari_astroseg.gui.ties import Ties

_SIZE = 76
_GAP = 9.0
_SHOWN_MS = 2500


class Crosshair(QWidget):
    """Four strokes around a pixel position, which vanish by themselves.

    Parameters
    ----------
    viewer, canvas
        Where it is shown.
    x, y
        0-based pixel position on the image in view; it stays there when the picture moves.
    """

    def __init__(self, viewer: Any, canvas: QWidget, x: float, y: float) -> None:
        super().__init__(canvas)
        self._viewer, self._at = viewer, (x, y)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.resize(_SIZE, _SIZE)
        self._ties = Ties(self)
        camera = camera_of(viewer)
        self._ties.tie(camera.events.center, self._place)
        self._ties.tie(camera.events.zoom, self._place)
        self._ending = QTimer(self)
        self._ending.setSingleShot(True)
        self._ending.timeout.connect(self.end)
        self._ending.start(_SHOWN_MS)
        self._place()
        self.show()
        self.raise_()

    def end(self) -> None:
        """Vanish."""
        self._ties.untie()
        self._ending.stop()
        self.hide()
        self.deleteLater()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the strokes."""
        middle, reach = _SIZE / 2, _SIZE / 2 - 4.0
        path = QPainterPath()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            path.moveTo(QPointF(middle + _GAP * dx, middle + _GAP * dy))
            path.lineTo(QPointF(middle + reach * dx, middle + reach * dy))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink.draw_path(painter, path, 2.0)
        painter.end()

    def _place(self, _event: Any = None) -> None:
        canvas = self.parentWidget()
        view = None if canvas is None else view_of(self._viewer, canvas.width(), canvas.height())
        if view is not None:
            x, y = view.to_canvas(self._at)
            self.move(round(x - _SIZE / 2), round(y - _SIZE / 2))
