"""Ring: a frame round the control that a step is about; clicks go through it."""

from __future__ import annotations

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.tour.card import ACCENT

_AROUND_PX, _WIDE_PX, _ROUND_PX = 4, 2, 5


class Ring(QWidget):
    """It lies over a window, round one rectangle.

    Parameters
    ----------
    window
        What it lies over.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def lie_round(self, control: QRect | None) -> None:
        """Lie round a control, in the window's pixels; None for none."""
        if control is None:
            self.hide()
            return
        around = control.adjusted(-_AROUND_PX, -_AROUND_PX, _AROUND_PX, _AROUND_PX)
        if around != self.geometry() or self.isHidden():
            self.setGeometry(around)
            self.show()
            self.raise_()  # a dock that came to the front lies over it

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """A rounded frame, and nothing within."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(ACCENT), _WIDE_PX))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), _ROUND_PX, _ROUND_PX)
        painter.end()
