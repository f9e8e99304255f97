"""Outline: a structure drawn around on the canvas, where it stays when the picture moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPolygonF, QTransform
from qtpy.QtWidgets import QWidget
from typing_extensions import override

from napari_astroseg.gui.aids import ink
from napari_astroseg.gui.aids.view import camera_of, grid_of
from napari_astroseg.gui.comparing.lying import Floats
from napari_astroseg.gui.ties import Ties

_COLOUR = QColor("#ffd866")
_WIDTH = 2.0
_MARGIN = 6.0
_LEAST = 26.0
"""What is smaller than this on the screen gets a ring around it, Qt's pixels."""


class Outline(QWidget):
    """Lines around one structure.

    Parameters
    ----------
    viewer, canvas
        Where they are shown.
    """

    def __init__(self, viewer: Any, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._viewer = viewer
        self._path = QPainterPath()
        self._ties = Ties(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        camera = camera_of(viewer)
        for emitter in (
            camera.events.center,
            camera.events.zoom,
            camera.events.orientation,
            viewer.dims.events.ndisplay,
            viewer.dims.events.order,
            grid_of(viewer).events.enabled,
        ):
            self._ties.tie(emitter, self._place)
        canvas.installEventFilter(self)
        self.hide()

    def draw_around(self, lines: Sequence[Floats]) -> None:
        """Show closed lines, (N, 2) world positions (x, y); none to show nothing."""
        self._path = QPainterPath()
        for line in lines:
            self._path.addPolygon(QPolygonF([QPointF(x, y) for x, y in line.tolist()]))
            self._path.closeSubpath()
        self._place()

    def shut_down(self) -> None:
        """Come off the canvas."""
        self._ties.untie()
        canvas = self.parentWidget()
        if canvas is not None:
            canvas.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lines, or a ring around what would be a speck."""
        drawn = self._transform().map(self._path)
        box = drawn.boundingRect()
        if max(box.width(), box.height()) < _LEAST:
            drawn = QPainterPath()
            drawn.addEllipse(box.center(), _LEAST / 2, _LEAST / 2)
        painter = QPainter(self)
        painter.translate(QPointF(-self.pos().x(), -self.pos().y()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(drawn, ink.pen(ink.RIM, _WIDTH + 2.4))
        painter.strokePath(drawn, ink.pen(_COLOUR, _WIDTH))
        painter.end()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in place when the canvas takes another size."""
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self._place()
        return bool(super().eventFilter(watched, event))

    def _place(self, _event: Any = None) -> None:
        """Cover no more of the canvas than the lines need: what lies above it is drawn slowly."""
        canvas, viewer = self.parentWidget(), self._viewer
        ndim = viewer.dims.ndim
        turned = tuple(viewer.dims.displayed) != (ndim - 2, ndim - 1)
        flat = viewer.dims.ndisplay == 2 and not turned and not grid_of(viewer).enabled
        if canvas is None or self._path.isEmpty() or not flat:
            self.hide()
            return
        box = self._transform().mapRect(self._path.boundingRect())
        short = max(0.0, _LEAST - max(box.width(), box.height())) / 2
        margin = _MARGIN + short
        seen = QRectF(canvas.rect()).intersected(box.adjusted(-margin, -margin, margin, margin))
        if seen.isEmpty():
            self.hide()
            return
        self.setGeometry(seen.toAlignedRect())
        self.update()
        self.show()
        self.raise_()

    def _transform(self) -> QTransform:
        """From the world to the canvas, Qt's device-independent pixels."""
        canvas, camera = self.parentWidget(), camera_of(self._viewer)
        up, right = (str(getattr(each, "value", each)) for each in camera.orientation2d)
        across = camera.zoom if right == "right" else -camera.zoom
        along = -camera.zoom if up == "up" else camera.zoom
        x, y = float(camera.center[-1]), float(camera.center[-2])
        dx = (canvas.width() if canvas else 0) / 2 - across * x
        dy = (canvas.height() if canvas else 0) / 2 - along * y
        return QTransform(across, 0.0, 0.0, along, dx, dy)
