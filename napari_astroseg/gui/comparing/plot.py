"""Plot: a catalogue's structures as points, dark and bright ones told apart, to be picked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from napari_astroseg.gui.comparing.lying import Floats
from napari_astroseg.gui.comparing.measuring import kinds
from napari_astroseg.sky.comparing.contrast import SURE

_REACH_PX = 10.0
"""A click this near to a point picks it, pixels of the screen."""
_LINE, _WORDS, _PICKED = "#9aa0ac", "#9aa0ac", "#ffd866"
# Okabe and Ito's blue and vermilion, which all eyes tell apart; shapes say the same again.
_KINDS: dict[str, tuple[str, str]] = {
    "dark": ("#56b4e9c0", "o"),
    "bright": ("#e8743bc0", "t1"),
    "unsure": ("#7d8797a0", "s"),
}
_WIDTH, _HEIGHT = 300, 150
_SIZE = 7
_BULK = 1.0, 99.0
_FAR = 4.0
"""Sure points are in the first view as far as this many widths of the bulk beyond it."""
_TIP = (
    "One point for each structure; click one to go there, scroll to zoom, drag to move.\n"
    f"Blue circles are dark and red triangles bright by {SURE:g} standard errors or more, grey "
    f"squares neither; dashed lines at 0 and −{SURE:g} σ"
)


class ContrastPlot(QWidget):
    """Points over two figures of a catalogue; `picked` says which entry was clicked on."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._x: Floats = np.zeros(0)
        self._y: Floats = np.zeros(0)
        self._entry: int | None = None
        self.plot: Any = pg.PlotWidget(background=None)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.hideButtons()
        self.plot.setMinimumHeight(_HEIGHT)
        # By itself it would ask for a width that makes the dock half the window.
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.plot.setToolTip(_TIP)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self.plot.getAxis("left").setWidth(48)
        self._lines = {
            (angle, at): self._line(angle, at) for angle in (0, 90) for at in (0.0, -SURE)
        }
        self._points = {
            kind: pg.ScatterPlotItem(
                size=_SIZE, pen=None, brush=pg.mkBrush(colour), symbol=symbol, pxMode=True
            )
            for kind, (colour, symbol) in _KINDS.items()
        }
        for kind in ("unsure", "bright", "dark"):
            self.plot.addItem(self._points[kind])
        self._mark = pg.ScatterPlotItem(
            size=_SIZE + 9, pen=pg.mkPen(_PICKED, width=2), brush=None, symbol="o", pxMode=True
        )
        self.plot.addItem(self._mark)
        self.plot.scene().sigMouseClicked.connect(self._click)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.plot)
        self.beyond = QLabel()
        self.beyond.setToolTip("Scroll over the plot to see farther, drag to move")
        self.beyond.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.beyond.hide()
        column.addWidget(self.beyond)
        self.plot.sigRangeChanged.connect(self._count)

    @override
    def sizeHint(self) -> QSize:
        """Low: the table below is wanted, too."""
        return QSize(_WIDTH, _HEIGHT + 100)

    def show_points(self, x: Floats, y: Floats, significance: Floats) -> None:
        """Show a point for each entry, NaN for none; the significance says how it looks."""
        self._x, self._y = np.asarray(x, float), np.asarray(y, float)
        known = np.isfinite(self._x) & np.isfinite(self._y)
        of_kind = kinds(significance)
        for kind, points in self._points.items():
            shown = known & (of_kind == kind)
            points.setData(self._x[shown], self._y[shown])
        self.show_entry(self._entry if self._entry is not None and len(x) else None)
        self._look(known, of_kind != "unsure")
        self._count()

    def show_axes(self, x: str, y: str, *, sigma_x: bool, sigma_y: bool) -> None:
        """Name the axes, and say which of them counts standard deviations."""
        self.plot.setLabel("bottom", x)
        self.plot.setLabel("left", y)
        self._lines[90, -SURE].setVisible(sigma_x)
        self._lines[90, 0.0].setVisible(sigma_x)
        self._lines[0, -SURE].setVisible(sigma_y)

    def show_entry(self, entry: int | None) -> None:
        """Ring one entry's point, and bring it into view; `picked` stays silent."""
        self._entry = entry
        known = entry is not None and entry < len(self._x)
        at = (self._x[entry], self._y[entry]) if known and entry is not None else (np.nan, np.nan)
        if not np.isfinite(at).all():
            self._mark.setData([], [])
            return
        self._mark.setData([at[0]], [at[1]])
        (left, right), (low, high) = self.plot.viewRange()
        if not (left <= at[0] <= right and low <= at[1] <= high):
            self.plot.setRange(
                xRange=(min(left, at[0]), max(right, at[0])),
                yRange=(min(low, at[1]), max(high, at[1])),
                padding=0.03,
            )

    def nearest(self, scene_x: float, scene_y: float) -> int | None:
        """The entry whose point is at a position of the plot's scene; None if none is near."""
        known = np.nonzero(np.isfinite(self._x) & np.isfinite(self._y))[0]
        if not len(known):
            return None
        box = self.plot.getViewBox()
        (left, right), (low, high) = box.viewRange()
        area = box.sceneBoundingRect()
        across = area.left() + (self._x[known] - left) / (right - left) * area.width()
        along = area.bottom() - (self._y[known] - low) / (high - low) * area.height()
        away = np.hypot(across - scene_x, along - scene_y)
        best = int(np.argmin(away))
        return int(known[best]) if away[best] <= _REACH_PX else None

    def _click(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        entry = self.nearest(event.scenePos().x(), event.scenePos().y())
        if entry is not None:
            event.accept()
            self.picked.emit(entry)

    def _line(self, angle: int, at: float) -> Any:
        dashed = pg.mkPen(_LINE, style=pg.QtCore.Qt.PenStyle.DashLine)
        line = pg.InfiniteLine(pos=at, angle=angle, pen=dashed)
        self.plot.addItem(line, ignoreBounds=True)
        return line

    def _count(self, *_changed: Any) -> None:
        """Say how many points are out of view."""
        (left, right), (low, high) = self.plot.viewRange()
        known = np.isfinite(self._x) & np.isfinite(self._y)
        seen = (self._x >= left) & (self._x <= right) & (self._y >= low) & (self._y <= high)
        count = int(np.count_nonzero(known & ~seen))
        self.beyond.setText(f"{count} beyond the edge")
        self.beyond.setVisible(count > 0)

    def _look(self, known: NDArray[np.bool_], sure: NDArray[np.bool_]) -> None:
        """Look at the bulk of the points, at the sure ones near it and at the lines."""
        if not known.any():
            return
        ranges = []
        for values, angle in ((self._x, 90), (self._y, 0)):
            low, high = np.percentile(values[known], _BULK).tolist()
            far = _FAR * (high - low)
            told = values[known & sure]
            told = told[(told >= low - far) & (told <= high + far)]
            low, high = told.min(initial=low), told.max(initial=high)
            at = [key[1] for key, line in self._lines.items() if key[0] == angle
                  and line.isVisible()]  # fmt: skip
            low, high = min([low, *at]), max([high, *at])
            room = 0.06 * (high - low) or 1.0
            ranges.append((low - room, high + room))
        self.plot.setRange(xRange=ranges[0], yRange=ranges[1], padding=0.0)
