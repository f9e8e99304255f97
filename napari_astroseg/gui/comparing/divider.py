"""Divider: a line over the canvas that can be taken hold of, by mouse and by keyboard."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPointF, QRect, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from qtpy.QtWidgets import QWidget
from typing_extensions import override

from napari_astroseg.gui.aids import ink

_REACH = 13
_GRIP = 5.0
_STEP = 0.01
_LONG_STEP = 0.1


class Divider(QWidget):
    """A line from edge to edge of a canvas.

    `moved` tells where it is, 0 at the left or upper edge, 1 at the other.

    Parameters
    ----------
    canvas
        The widget that it lies over.
    place
        Where it starts.
    upright
        Whether it divides left from right; otherwise above from below.
    """

    moved = Signal(float)

    def __init__(self, canvas: QWidget, place: float = 0.5, upright: bool = True) -> None:
        super().__init__(canvas)
        self._place, self._upright = place, upright
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Drag, or use the arrow keys (Shift: further); double click: the middle")
        canvas.installEventFilter(self)
        self.turn(upright)
        self.show()
        self.raise_()

    @property
    def place(self) -> float:
        """Where it is, 0 to 1."""
        return self._place

    @property
    def upright(self) -> bool:
        """Whether it divides left from right."""
        return self._upright

    def go(self, place: float) -> None:
        """Move there."""
        self._place = min(max(place, 0.0), 1.0)
        self._lay()
        self.moved.emit(self._place)

    def turn(self, upright: bool) -> None:
        """Divide left from right, or above from below."""
        self._upright = upright
        shape = Qt.CursorShape.SplitHCursor if upright else Qt.CursorShape.SplitVCursor
        self.setCursor(shape)
        self.go(self._place)

    def end(self) -> None:
        """Come off the canvas."""
        canvas = self.parentWidget()
        if canvas is not None:
            canvas.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, and a grip in its middle."""
        x, y = self.width() / 2, self.height() / 2
        path = QPainterPath()
        if self._upright:
            path.moveTo(QPointF(x, 0))
            path.lineTo(QPointF(x, self.height()))
        else:
            path.moveTo(QPointF(0, y))
            path.lineTo(QPointF(self.width(), y))
        grip = QPainterPath()
        grip.addEllipse(QPointF(x, y), _GRIP, _GRIP)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink.draw_path(painter, path, 1.2)
        painter.fillPath(grip, ink.RIM)
        ink.draw_path(painter, grip, 1.4)
        painter.end()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Taken hold of."""
        event.accept()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragged."""
        canvas = self.parentWidget()
        if event.buttons() & Qt.MouseButton.LeftButton and canvas is not None:
            at = self.mapToParent(event.pos())
            along, length = (at.x(), canvas.width()) if self._upright else (at.y(), canvas.height())
            self.go((along + 0.5) / max(1, length))
        event.accept()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """To the middle."""
        self.go(0.5)
        event.accept()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A little to either side."""
        back, forth = (
            (Qt.Key.Key_Left, Qt.Key.Key_Right)
            if self._upright
            else (Qt.Key.Key_Up, Qt.Key.Key_Down)
        )
        far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = _LONG_STEP if far else _STEP
        if event.key() in (back, forth):
            self.go(self._place + (step if event.key() == forth else -step))
        else:
            super().keyPressEvent(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep its place on a canvas of another size."""
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self.go(self._place)
        return bool(super().eventFilter(watched, event))

    def _lay(self) -> None:
        canvas = self.parentWidget()
        if canvas is None:
            return
        if self._upright:
            middle = round(self._place * canvas.width())
            self.setGeometry(QRect(middle - _REACH // 2, 0, _REACH, canvas.height()))
        else:
            middle = round(self._place * canvas.height())
            self.setGeometry(QRect(0, middle - _REACH // 2, canvas.width(), _REACH))
