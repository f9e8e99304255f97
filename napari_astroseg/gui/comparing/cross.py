"""Cross: where the cursor of one canvas is on another."""

from __future__ import annotations

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPainter, QPainterPath, QPaintEvent
from qtpy.QtWidgets import QWidget
from typing_extensions import override

from napari_astroseg.gui.aids import ink

_SIZE = 31
_GAP = 4.0


class Cross(QWidget):
    """Four short strokes around a position; nothing is clicked.

    Parameters
    ----------
    canvas
        The widget that it lies over.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.resize(_SIZE, _SIZE)
        self.hide()

    def point_at(self, x: float, y: float) -> None:
        """Point at a position of the canvas."""
        self.move(round(x - _SIZE / 2), round(y - _SIZE / 2))
        self.setVisible(True)
        self.raise_()

    @property
    def place(self) -> tuple[float, float]:
        """What it points at."""
        return self.x() + _SIZE / 2, self.y() + _SIZE / 2

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the strokes."""
        middle, reach = _SIZE / 2, _SIZE / 2 - 3.0
        path = QPainterPath()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            path.moveTo(QPointF(middle + _GAP * dx, middle + _GAP * dy))
            path.lineTo(QPointF(middle + reach * dx, middle + reach * dy))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink.draw_path(painter, path, 1.6)
        painter.end()
