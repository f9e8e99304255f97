"""Bivariate: probability and uncertainty as one map, worked out when it is looked at.

Colours are told as codes of one byte, level by level, off the window's thread: what has landed
while the map was hidden is made up for when it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from napari.utils import Colormap
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.inorder import InOrder
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.looks import suppressed
from napari_astroseg.sky.window import Window

_STRIP = 1024
"""Rows that are worked out in one go."""

_CELL_PX, _LEGEND_PX = 14, 190


def look() -> dict[str, Any]:
    """How codes are drawn, in the words of a napari image layer."""
    table = Colormap(suppressed.colours(), name="astroseg unsure", interpolation="zero")
    return {"colormap": table, "contrast_limits": (-0.5, suppressed.COUNT - 0.5)}


class Bivariate(QObject):
    """The codes of one prediction.

    Parameters
    ----------
    probability, unsure, told
        What they are of, and where they go; of one shape.
    layer
        Draws them.
    """

    def __init__(self, probability: Planes, unsure: Planes, told: Planes, layer: Any) -> None:
        super().__init__()
        self.bounds: Sequence[float] = suppressed.DEVIATIONS
        self._planes = probability, unsure, told
        self._layer = layer
        self._waiting: list[Window] = []
        self._work = InOrder(self)
        self._ties = Ties(self)
        self._ties.tie(layer.events.visible, self._look)

    @property
    def settled(self) -> bool:
        """Whether what is shown is all that is known."""
        return not self._work.busy

    def landed(self, place: Window) -> None:
        """Values of a window are there, or are others."""
        self._waiting.append(place)
        self.show()

    def show(self) -> None:
        """Work out what has landed, if the map is looked at."""
        if not self._layer.visible:
            return
        waiting, self._waiting = self._waiting, []
        for place in waiting:
            for top in range(place.y, place.y_end, _STRIP):
                strip = Window(place.x, top, place.width, min(_STRIP, place.y_end - top))
                self._work.ask(partial(coded, *self._planes, strip, self.bounds), self._draw)

    def wait(self) -> None:
        """Let what is being worked out end."""
        self._waiting.clear()
        self._work.wait()

    def _look(self, _event: Any = None) -> None:
        """Whoever shows or hides it, a dock, the layer list or a project."""
        self.show()

    def _draw(self, _done: None) -> None:
        self._layer.refresh()


class Legend(QWidget):
    """The colours, probability to the right and uncertainty upwards."""

    def __init__(self) -> None:
        super().__init__()
        self._bounds: Sequence[float] = suppressed.DEVIATIONS
        self._colours = [QColor.fromRgbF(*map(float, rgba)) for rgba in suppressed.colours()]
        self.setFixedHeight(self._top + suppressed.ROWS * _CELL_PX + self._line + 4)
        self.setMinimumWidth(_LEGEND_PX)
        self.setToolTip(
            "Colour by probability, left to right, paler and in fewer steps the less sure it is,\n"
            "upwards. Numbers at the left: the uncertainty from which a row begins"
        )

    def tell(self, bounds: Sequence[float]) -> None:
        """Write the uncertainties from which the rows begin."""
        self._bounds = bounds
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Cells, and what is written beside them."""
        painter = QPainter(self)
        left = self.fontMetrics().horizontalAdvance("0.00 ") + 4
        width = self.width() - left - 8
        foot = self._top + suppressed.ROWS * _CELL_PX
        for code, row, low, high in suppressed.cells():
            x, end = left + round(low * width), left + round(high * width)
            y = foot - (row + 1) * _CELL_PX
            painter.fillRect(x, y, end - x, _CELL_PX, QColor("black"))
            painter.fillRect(x, y, end - x, _CELL_PX, self._colours[code])
        painter.setPen(self.palette().color(self.foregroundRole()))
        for row, bound in enumerate((0.0, *self._bounds)):
            y = foot - row * _CELL_PX - self._line // 2
            painter.drawText(0, y, left - 4, self._line, _RIGHT, f"{bound:g}")
        for place, align in ((0.0, _LEFT), (0.5, _MIDDLE), (1.0, _RIGHT)):
            x = left + round(place * width) - 30
            box = x + (30 if align is _LEFT else -30 if align is _RIGHT else 0)
            painter.drawText(box, foot + 2, 60, self._line, align, f"{place:g}")
        painter.end()

    @property
    def _line(self) -> int:
        return int(QFontMetrics(self.font()).height())

    @property
    def _top(self) -> int:
        return self._line // 2


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_MIDDLE = Qt.AlignmentFlag.AlignCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def coded(
    probability: Planes, unsure: Planes, told: Planes, place: Window, bounds: Sequence[float]
) -> None:
    """Work out the codes of a window at every level."""
    for step, levels in enumerate(zip(probability.levels, unsure.levels, told.levels, strict=True)):
        rows = slice(place.y >> step, -(-place.y_end >> step))
        columns = slice(place.x >> step, -(-place.x_end >> step))
        values, doubts, code = (level[rows, columns] for level in levels)
        code[...] = suppressed.codes(values, doubts, bounds)
