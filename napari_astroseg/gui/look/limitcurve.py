"""LimitCurve: how an image's values are spread, and its two limits, which can be dragged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_astroseg.sky.looks.limits import Limits

_BINS = 160
_SEEN = (0.1, 99.7)
_MARGIN = 0.08
_HEIGHT = 92
_CURVE, _FILL, _LINE, _HOVER = "#7d8797", "#55607a90", "#35f0c8", "#ffd866"
_TIP = (
    "How many pixels have which raw value (logarithmic, from a sample).\n"
    "Drag a line to set what is black or white; drag between them to move both"
)


class LimitCurve(QWidget):
    """A small histogram of sampled values, counts logarithmic, with a region from low to high."""

    moving = Signal(object)
    """Limits, while they are being dragged."""
    moved = Signal(object)
    """Limits, when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self._dragged = False
        self._values: NDArray[np.float64] = np.empty(0)
        self._limits: Limits | None = None
        self._seen: tuple[float, float] | None = None
        self._bulk: tuple[float, ...] | None = None
        self._plot: Any = pg.PlotWidget(background=None)
        self._plot.setFixedHeight(_HEIGHT)
        # By itself it would ask for a width that makes the dock half the window.
        self._plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.hideAxis("left")
        self._plot.getAxis("bottom").enableAutoSIPrefix(False)
        self._plot.setToolTip(_TIP)
        self._curve = self._plot.plot(
            stepMode="center", fillLevel=0.0, pen=pg.mkPen(_CURVE), brush=pg.mkBrush(_FILL)
        )
        self.region = pg.LinearRegionItem(
            brush=pg.mkBrush("#35f0c818"),
            hoverBrush=pg.mkBrush("#35f0c830"),
            pen=pg.mkPen(_LINE, width=2),
            hoverPen=pg.mkPen(_HOVER, width=3),
            swapMode="block",
        )
        self.region.sigRegionChanged.connect(self._drag)
        self.region.sigRegionChangeFinished.connect(self._let_go)
        self._plot.addItem(self.region, ignoreBounds=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self.show_values(self._values, None)

    def show_values(self, values: NDArray[np.float64], limits: Limits | None) -> None:
        """Show another image's values and limits; without limits there is nothing to see."""
        self._values, self._seen = values, None
        self._bulk = tuple(np.percentile(values, _SEEN).tolist()) if values.size else None
        self._plot.setVisible(limits is not None)
        self._limits = limits
        if not values.size:
            self._curve.setData([0.0, 1.0], [0.0])
        if limits is not None:
            self.show_limits(limits)

    def show_limits(self, limits: Limits) -> None:
        """Put the lines where the limits are, and look at as much as that needs."""
        self._limits = limits
        if self._dragged:
            return  # the lines are where the hand is, and the plot must not move under it
        self.region.blockSignals(True)
        self.region.setRegion((limits.low, limits.high))
        self.region.blockSignals(False)
        if self._seen is None or not self._fits(limits):
            self._look(limits)

    def _fits(self, limits: Limits) -> bool:
        """Whether limits can be seen, and told apart, as the plot is."""
        if self._seen is None:
            return False
        low, high = self._seen
        return low <= limits.low and limits.high <= high and limits.span > 0.02 * (high - low)

    def _look(self, limits: Limits) -> None:
        """Choose what is seen, and count."""
        low, high = limits.low, limits.high
        if self._bulk is not None:
            least, most = self._bulk
            if limits.span > 0.02 * (most - least):  # else the bulk would hide the limits
                low, high = min(low, least), max(high, most)
        room = _MARGIN * (high - low)
        self._seen = low - room, high + room
        self._plot.setXRange(*self._seen, padding=0.0)
        if not self._values.size:
            return
        counts, edges = np.histogram(self._values, _BINS, self._seen)
        heights = np.log10(1.0 + counts)
        self._curve.setData(edges, heights)
        self._plot.setYRange(0.0, max(float(heights.max()), 1.0), padding=0.02)

    def _asked(self) -> Limits | None:
        low, high = (float(each) for each in self.region.getRegion())
        return Limits(low, high) if np.isfinite(high - low) and high > low else None

    def _drag(self) -> None:
        asked = self._asked()
        if asked is not None:
            self._dragged = True
            self.moving.emit(asked)

    def _let_go(self) -> None:
        self._dragged = False
        asked = self._asked()
        if asked is not None:
            self.moved.emit(asked)
        elif self._limits is not None:  # the lines met: back to what is drawn
            self.show_limits(self._limits)
