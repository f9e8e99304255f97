"""Curves: loss and validation figures of a training, drawn while it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_astroseg.engine.events import EpochDone, StepDone

_REDRAW_MS = 100
_COLOURS = {"steps": "#55607a", "training": "#6fa8ff", "validation": "#ffb454"}
_FIGURES = ("#35f0c8", "#d58cff", "#ffd866")
_BEST = _WORDS = "#9aa0ac"


class Curves(QWidget):
    """Two plots over the epochs: losses above, validation figures below, the best epoch marked."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[tuple[float, float]] = []
        self._epochs: list[EpochDone] = []
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self._draw)
        self.log = QCheckBox("Logarithmic loss")
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
        below.addStretch(1)
        self.best = QLabel()
        below.addWidget(self.best)
        column.addLayout(below)

    @property
    def epochs(self) -> list[EpochDone]:
        """What has been drawn, epoch by epoch."""
        return list(self._epochs)

    @property
    def best_epoch(self) -> int | None:
        """The epoch that is marked."""
        best = [event.epoch for event in self._epochs if event.best]
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
        self._epochs.append(event)
        self._soon()

    def read_history(self, file: Path) -> None:
        """Draw the epochs that an earlier run left in its `history.jsonl`, as far as readable."""
        self.clear()
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for line in lines:
            try:
                self._epochs.append(EpochDone(**json.loads(line)))
            except (ValueError, TypeError):
                break
        self._draw()

    def _plot(self, label: str) -> Any:
        plot = pg.PlotWidget(background=None)
        plot.setLabel("left", label)
        plot.showGrid(x=True, y=True, alpha=0.15)
        plot.setMouseEnabled(x=True, y=False)
        plot.hideButtons()
        plot.setMinimumHeight(90)
        plot.addLegend(offset=(-4, 4), labelTextColor=_WORDS)
        axis = plot.getAxis("left")
        axis.setWidth(52)
        axis.enableAutoSIPrefix(False)
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
        epochs = np.array([event.epoch for event in self._epochs], float)
        steps = np.array(self._steps).reshape(-1, 2)
        self._lines["steps"].setData(steps[:, 0], steps[:, 1], symbol=None)
        self._points(self._lines["training"], epochs, [e.loss for e in self._epochs])
        self._points(
            self._lines["validation"],
            epochs,
            [event.validation.get("loss", np.nan) for event in self._epochs],
        )
        names = [
            n for e in self._epochs[:1] for n in e.validation if n not in ("loss", "threshold")
        ]
        for name in names:
            values = [event.validation.get(name, np.nan) for event in self._epochs]
            self._points(self._figure_line(name), epochs, values)
        for line in self._figure_lines.values() if not names else ():
            line.setData([], [])
        for mark in self._marks:
            mark.setVisible(self.best_epoch is not None)
            mark.setValue(self.best_epoch or 0)
        self.best.setText(self._best_words())

    def _best_words(self) -> str:
        best = next((event for event in reversed(self._epochs) if event.best), None)
        if best is None:
            return ""
        figures = [f"{k} {v:.3f}" for k, v in best.validation.items() if k in self._figure_lines]
        return ", ".join([f"best epoch {best.epoch} (dashed)", *figures])

    def _figure_line(self, name: str) -> Any:
        if name not in self._figure_lines:
            colour = _FIGURES[len(self._figure_lines) % len(_FIGURES)]
            self._figures.setLabel("left", name if not self._figure_lines else "figures")
            self._figure_lines[name] = self._figures.plot(
                pen=pg.mkPen(colour, width=2), name=name, **_dots(colour)
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
