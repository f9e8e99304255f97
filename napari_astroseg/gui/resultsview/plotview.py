"""PlotView: one plot of an evaluation on the screen, or the same plot of two side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_astroseg.engine.report.plots import Bars, Line, Plot, Values

_COLOURS = ("#6fa8ff", "#ffb454", "#35f0c8", "#d58cff", "#ffd866", "#ff6a6a")
_WORDS = "#9aa0ac"
_BAND_ALPHA = 45
_WHISKER = 0.012
"""Width of an error's ends, in parts of the axis."""


class PlotTab(QWidget):
    """A plot of one evaluation, and beside it that of another, on the same axes.

    It is drawn when it is first shown: most of them never are.

    Parameters
    ----------
    plots
        Name of an evaluation → its plot; None where it has no such plot.
    """

    def __init__(self, plots: dict[str, Plot | None]) -> None:
        super().__init__()
        self._plots = plots
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 4, 0, 0)
        self.drawn: list[Any] = []

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw, the first time."""
        super().showEvent(event)
        if self._row.isEmpty():
            self._draw()

    def _draw(self) -> None:
        for name, plot in self._plots.items():
            column = QVBoxLayout()
            if len(self._plots) > 1:
                column.addWidget(QLabel(name))
            if plot is None:
                column.addWidget(QLabel("This evaluation has no such plot"), 1)
            else:
                self.drawn.append(draw(plot))
                column.addWidget(self.drawn[-1], 1)
            self._row.addLayout(column, 1)
        for other in self.drawn[1:]:
            other.setXLink(self.drawn[0])
            other.setYLink(self.drawn[0])


def draw(plot: Plot) -> Any:
    """A plot as a widget."""
    widget = pg.PlotWidget(background=None)
    widget.setToolTip(f"{plot.title}; drag to move, wheel to zoom, right click for more")
    widget.setLabel("left", plot.y)
    widget.setLabel("bottom", plot.x)
    widget.showGrid(x=True, y=True, alpha=0.15)
    widget.hideButtons()
    for side in ("left", "bottom"):
        widget.getAxis(side).enableAutoSIPrefix(False)
    if len(plot.lines) + len(plot.bars) > 1:
        widget.addLegend(offset=(-4, 4), labelTextColor=_WORDS)
    if plot.diagonal:
        widget.plot([0, 1], [0, 1], pen=pg.mkPen(_WORDS, style=pg.QtCore.Qt.PenStyle.DotLine))
    for number, (bars, colour) in enumerate(zip(plot.bars, _COLOURS, strict=False)):
        _draw_bars(widget, bars, colour, number)
    for line, colour in zip(plot.lines, _colours(len(plot.lines)), strict=True):
        _draw_line(widget, line, colour)
    for place, words in plot.marks:
        mark = pg.InfiniteLine(
            place,
            pen=pg.mkPen(_WORDS, style=pg.QtCore.Qt.PenStyle.DashLine),
            label=words,
            labelOpts={"position": 0.05, "color": _WORDS, "rotateAxis": (1, 0)},
        )
        widget.addItem(mark, ignoreBounds=True)
    if plot.ticks:
        names = [(at + 0.5, words) for at, words in enumerate(plot.ticks)]
        widget.getAxis("bottom").setTicks([names])
        lines = max(words.count("\n") for words in plot.ticks) + 1
        widget.getAxis("bottom").setHeight(8 + 18 * lines + (18 if plot.x else 0))
    if plot.unit:
        widget.setYRange(0.0, 1.02)
    if plot.square:
        widget.setXRange(0.0, 1.0)
    return widget


def _draw_line(widget: Any, line: Line, colour: Any) -> None:
    x, y = _numbers(line.x), _numbers(line.y)
    known = np.isfinite(x) & np.isfinite(y)
    dots = {"symbol": "o", "symbolSize": 6, "symbolBrush": colour, "symbolPen": None}
    widget.plot(x[known], y[known], pen=pg.mkPen(colour, width=2), name=line.name,
                **(dots if line.dots else {}))  # fmt: skip
    if line.error and line.dots:
        _draw_errors(widget, x, y, _numbers(line.error), colour)
    elif line.error:
        error = np.nan_to_num(_numbers(line.error)[known])
        edges = [pg.PlotDataItem(x[known], y[known] + side * error, pen=None) for side in (-1, 1)]
        shade = pg.mkColor(colour)
        shade.setAlpha(_BAND_ALPHA)
        for item in (*edges, pg.FillBetweenItem(*edges, brush=shade)):
            widget.addItem(item)


def _draw_bars(widget: Any, bars: Bars, colour: str, number: int) -> None:
    edges, heights = _numbers(bars.edges), np.nan_to_num(_numbers(bars.heights))
    middles = (edges[1:] + edges[:-1]) / 2
    width = np.diff(edges) * (0.84 - 0.22 * number)  # the second stands before the first
    widget.addItem(
        pg.BarGraphItem(x=middles, height=heights, width=width, brush=colour, name=bars.name)
    )
    if bars.error:
        _draw_errors(widget, middles, heights, _numbers(bars.error), "#ffffff")


def _draw_errors(
    widget: Any,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: NDArray[np.float64],
    colour: Any,
) -> None:
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(error)
    if known.any():
        beam = _WHISKER * float(np.ptp(x[known]) or 1.0)
        item = pg.ErrorBarItem(x=x[known], y=y[known], height=2 * error[known], beam=beam,
                               pen=pg.mkPen(colour))  # fmt: skip
        widget.addItem(item)


def _colours(count: int) -> list[Any]:
    """Colours told apart; of many curves a ladder of one map."""
    if count <= len(_COLOURS):
        return list(_COLOURS[:count])
    table: Any = pg.colormap.get("viridis").getLookupTable(0.15, 1.0, count)
    return [tuple(int(part) for part in row) for row in table]


def _numbers(values: Values) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], float)
