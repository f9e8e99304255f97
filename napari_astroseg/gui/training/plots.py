"""Curves: loss and validation figures of a training, drawn while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.events import EpochDone, StepDone
from napari_astroseg.engine.history import read_history
from napari_astroseg.gui.training.figurechoice import FigureChoice
from napari_astroseg.recipes.figurenames import words_of

_REDRAW_MS = 100
_COLOURS = {"steps": "#55607a", "training": "#6fa8ff", "validation": "#ffb454"}
_FIGURES = ("#35f0c8", "#d58cff", "#ffd866", "#ff8f6b", "#7fc8ff", "#b8e986", "#ff9ecf", "#c0a080")
_NO_FIGURES = ("loss", "threshold")
_BEST = _WORDS = "#9aa0ac"


class Curves(QWidget):
    """Two plots over the epochs: losses above, validation figures below, the best epoch marked."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[tuple[float, float]] = []
        self._epochs: dict[int, EpochDone] = {}
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self._draw)
        self.log = QCheckBox("Logarithmic loss")
        self.log.setToolTip("Losses on a logarithmic axis: late progress shows")
        self.figures = FigureChoice()
        self.figures.changed.connect(self._draw)
        self._losses: Any = self._plot("loss")
        self._figures: Any = self._plot("figure")
        self.log.toggled.connect(lambda on: self._losses.setLogMode(False, on))
        self._figures.setXLink(self._losses)
        self._figures.setLabel("bottom", "epoch")
        self._lines = {
            name: self._losses.plot(pen=pg.mkPen(colour, width=1 if name == "steps" else 2),
                                    **_dots(colour),
                                    name=None if name == "steps" else name)
            for name, colour in _COLOURS.items()
        }  # fmt: skip
        self._figure_lines: dict[str, Any] = {}
        self._marks = [self._mark(plot) for plot in (self._losses, self._figures)]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._losses, 3)
        column.addWidget(self._figures, 2)
        below = QHBoxLayout()
        below.addWidget(self.log)
        below.addWidget(self.figures)
        self.best = QLabel(wordWrap=True)  # a dock must not grow as wide as all figures in a row
        below.addWidget(self.best, 1)
        column.addLayout(below)

    @property
    def epochs(self) -> list[EpochDone]:
        """What has been drawn, epoch by epoch."""
        return list(self._epochs.values())

    @property
    def best_epoch(self) -> int | None:
        """The epoch that is marked."""
        best = [event.epoch for event in self.epochs if event.best]
        return best[-1] if best else None

    def clear(self) -> None:
        """Begin anew."""
        self._steps.clear()
        self._epochs.clear()
        self._draw()

    def add_step(self, event: StepDone) -> None:
        """Draw one step's loss, soon."""
        self._steps.append((event.epoch - 1 + event.step / event.total, event.loss))
        self._soon()

    def add_epoch(self, event: EpochDone) -> None:
        """Draw one epoch's losses and figures, soon."""
        self._epochs[event.epoch] = event
        self._soon()

    def show_history(self, out: Path) -> None:
        """Draw the epochs that lie in a run's folder."""
        self.clear()
        self._epochs = {event.epoch: event for event in read_history(out)}
        self._draw()

    def _plot(self, label: str) -> Any:
        plot = pg.PlotWidget(background=None)
        plot.setLabel("left", label)
        plot.showGrid(x=True, y=True, alpha=0.15)
        plot.setMouseEnabled(x=True, y=False)
        plot.hideButtons()
        plot.setMinimumHeight(90)
        plot.addLegend(offset=(-4, 4), labelTextColor=_WORDS)
        plot.getAxis("left").setWidth(52)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getPlotItem().setDownsampling(auto=True, mode="mean")
        return plot

    def _mark(self, plot: Any) -> Any:
        line = pg.InfiniteLine(pen=pg.mkPen(_BEST, style=pg.QtCore.Qt.PenStyle.DashLine))
        line.setVisible(False)
        plot.addItem(line, ignoreBounds=True)
        return line

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        told = self.epochs
        epochs = np.array([event.epoch for event in told], float)
        steps = np.array(self._steps).reshape(-1, 2)
        self._lines["steps"].setData(steps[:, 0], steps[:, 1], symbol=None)
        self._points(self._lines["training"], epochs, [event.loss for event in told])
        losses = [event.validation.get("loss", np.nan) for event in told]
        self._points(self._lines["validation"], epochs, losses)
        names = [n for event in told[:1] for n in event.validation if n not in _NO_FIGURES]
        self.figures.offer(names)
        shown = self.figures.chosen
        for name in [*self._figure_lines]:
            if name not in shown:
                self._figures.removeItem(self._figure_lines.pop(name))
        for name in shown:
            values = [event.validation.get(name, np.nan) for event in told]
            self._points(self._figure_line(name, names.index(name)), epochs, values)
        self._figures.setLabel("left", words_of(shown[0]) if len(shown) == 1 else "figures")
        for mark in self._marks:
            mark.setVisible(self.best_epoch is not None)
            mark.setValue(self.best_epoch or 0)
        self.best.setText(self._best_words())

    def _best_words(self) -> str:
        best = next((event for event in reversed(self.epochs) if event.best), None)
        if best is None:
            return ""
        shown = {k: v for k, v in best.validation.items() if k in self._figure_lines}
        figures = [f"{words_of(name)} = {value:.3f}" for name, value in shown.items()]
        return "; ".join([f"best epoch {best.epoch} (dashed)", *figures])

    def _figure_line(self, name: str, number: int) -> Any:
        if name not in self._figure_lines:
            colour = _FIGURES[number % len(_FIGURES)]
            self._figure_lines[name] = self._figures.plot(
                pen=pg.mkPen(colour, width=2), name=words_of(name), **_dots(colour)
            )
        return self._figure_lines[name]

    @staticmethod
    def _points(line: Any, x: NDArray[np.float64], y: list[float]) -> None:
        """A single point would be no line: show the dots of a short curve."""
        values = np.array(y, float)
        known = np.isfinite(values)
        line.setData(x[known], values[known], symbol="o" if known.sum() < 40 else None)


def _dots(colour: str) -> dict[str, Any]:
    return {"symbolSize": 5, "symbolBrush": colour, "symbolPen": None}
