"""AreaPlot: how many pixels have each number of votes, and how much is left at each threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.sky.votes.votemap import VoteMap

_HEIGHT = 190
_BARS, _LINE, _MARK, _WORDS = "#55607a", "#35f0c8", "#ffb454", "#9aa0ac"


class AreaPlot(QWidget):
    """Bars are the histogram of votes, the line is the area at or above each threshold.

    The mark is the threshold; it can be drawn along.
    """

    dragged = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._plot: Any = pg.PlotWidget(background=None)
        self._plot.setLogMode(False, True)
        self._plot.setLabel("left", "pixels")
        self._plot.setLabel("bottom", "votes")
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.setFixedHeight(_HEIGHT)
        self._plot.addLegend(offset=(-4, 4), labelTextColor=_WORDS)
        self._plot.setToolTip(
            "Pixels with just so many votes, and with at least so many; draw the mark to move the "
            "threshold"
        )
        self._bars = self._plot.plot(
            pen=_BARS, brush=_BARS, fillLevel=-1, stepMode="center", name="votes"
        )
        dots = {"symbol": "o", "symbolSize": 5, "symbolBrush": _LINE, "symbolPen": None}
        self._line = self._plot.plot(pen=pg.mkPen(_LINE, width=2), name="area", **dots)
        self._mark = pg.InfiniteLine(pen=pg.mkPen(_MARK, width=2), movable=True)
        self._mark.sigPositionChanged.connect(self._drag)
        self._plot.addItem(self._mark, ignoreBounds=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)

    @property
    def areas(self) -> tuple[list[float], list[float]]:
        """Thresholds and pixels of the line."""
        x, y = self._line.getOriginalDataset()
        return ([], []) if x is None else (list(x), list(y))

    def show_votes(self, votes: VoteMap) -> None:
        """Draw a map's figures."""
        histogram, areas = votes.histogram(), votes.areas()
        counted = np.maximum(histogram[1:], 0.5)  # a logarithm has no zero
        edges = np.arange(len(counted) + 1) + 0.5
        self._bars.setData(edges, counted) if len(counted) else self._bars.setData([0, 1], [0.5])
        self._line.setData(areas.thresholds, areas.pixels)
        self._mark.blockSignals(True)  # the bounds alone would move it
        self._mark.setBounds((1, max(votes.most, 1)))
        self._mark.blockSignals(False)
        self._plot.setXRange(0.5, max(votes.most, 6) + 0.5)
        low, high = counted.min(initial=1.0), max(areas.pixels.max(initial=1), 1)
        self._plot.setYRange(np.log10(low / 2), np.log10(high * 2))

    def show_threshold(self, threshold: int) -> None:
        """Move the mark; `dragged` stays silent."""
        self._mark.blockSignals(True)
        self._mark.setValue(threshold)
        self._mark.blockSignals(False)
        self._plot.viewport().update()

    def _drag(self) -> None:
        self.dragged.emit(round(self._mark.value()))
