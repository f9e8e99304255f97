"""Comparison: several runs' curves over each other, their figures, and where recipes differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor, QGuiApplication, QIcon, QKeySequence, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QShortcut,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.training.runs import RunRecord, curves_of, runs_in, table_of
from napari_astroseg.recipes.figurenames import words_of

_COLOURS = ("#35f0c8", "#ffb454", "#6fa8ff", "#d58cff", "#ffd866", "#ff8f6b", "#b8e986", "#ff9ecf")
_WORDS = "#9aa0ac"
_EVERY_MS = 2000
_AT_FIRST = 3
"""Runs that are chosen without being asked for: the newest."""


class Comparison(QDialog):
    """A window of its own; runs that go on are drawn as they go.

    Parameters
    ----------
    folders
        Runs, or folders of runs, the first ones chosen.
    """

    def __init__(self, folders: Iterable[Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare runs")
        self.resize(900, 640)
        self._reading = Latest(self)
        self._reading.answered.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._read)
        self._runs: list[RunRecord] = []
        self._lines: list[Any] = []
        self.list, self.curve = QListWidget(), QComboBox()
        self.log = QCheckBox("Logarithmic")
        self.table = QTableWidget()
        self.plot: Any = pg.PlotWidget(background=None)
        self._legend = self.plot.addLegend(offset=(-4, -4), labelTextColor=_WORDS)
        self.add = QPushButton("Add folder…")
        self.none = QLabel("Tick runs at the left to see them here")
        self._lay_out()
        self._connect()
        self.offer(folders)

    @property
    def runs(self) -> list[RunRecord]:
        """Those that are shown."""
        return list(self._runs)

    def offer(self, folders: Iterable[Path]) -> None:
        """Let these runs, or the runs in these folders, be chosen, too."""
        held = {self._path(row) for row in range(self.list.count())}
        for path in runs_in(folders):
            if path in held:
                continue
            item = QListWidgetItem(RunRecord(path, None, (), False).name)
            item.setToolTip(f"{path}\nTick it (Space) to compare it")
            item.setData(Qt.ItemDataRole.UserRole, str(path))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            chosen = not held and self.list.count() < _AT_FIRST
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self._read()

    def choose(self, name: str, on: bool = True) -> None:
        """Tick a run, or do not."""
        for item in self.list.findItems(name, Qt.MatchFlag.MatchExactly):
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def copy_table(self) -> None:
        """Copy the table as lines of tab-separated values."""
        heads = [run.name for run in self._runs]
        lines = [["", *heads], *([name, *cells] for name, cells in table_of(self._runs).items())]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def closeEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """Read nothing more."""
        self._timer.stop()
        self._reading.wait()
        super().closeEvent(event)

    def _path(self, row: int) -> Path:
        return Path(self.list.item(row).data(Qt.ItemDataRole.UserRole))

    def _chosen(self) -> list[Path]:
        ticked = Qt.CheckState.Checked
        rows = range(self.list.count())
        return [self._path(row) for row in rows if self.list.item(row).checkState() == ticked]

    def _lay_out(self) -> None:
        self.list.setToolTip("Runs of this and other windows, newest first; tick those to compare")
        self.curve.setToolTip("What is drawn over the epochs; a star marks each run's best epoch")
        self._offer_curves(curves_of([]))
        self.log.setToolTip("Draw it on a logarithmic axis")
        self.add.setToolTip("Add a run, a search, or a folder of runs, from anywhere")
        self.table.setToolTip(
            "Figures of each run's best epoch, and the fields in which their recipes differ; "
            "Ctrl+C copies all"
        )
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.setLabel("bottom", "epoch")
        self.plot.getAxis("left").enableAutoSIPrefix(False)
        left, right = QWidget(), QSplitter(Qt.Orientation.Vertical)
        down = QVBoxLayout(left)
        down.setContentsMargins(0, 0, 0, 0)
        down.addWidget(self.list, 1)
        down.addWidget(self.add)
        drawn = QWidget()
        column = QVBoxLayout(drawn)
        column.setContentsMargins(0, 0, 0, 0)
        above = QHBoxLayout()
        above.addWidget(self.curve)
        above.addWidget(self.log)
        above.addStretch(1)
        above.addWidget(self.none)
        column.addLayout(above)
        column.addWidget(self.plot, 1)
        right.addWidget(drawn)
        right.addWidget(self.table)
        right.setSizes([380, 240])
        both = QSplitter()
        both.addWidget(left)
        both.addWidget(right)
        both.setSizes([220, 680])
        QVBoxLayout(self).addWidget(both)

    def _connect(self) -> None:
        self.list.itemChanged.connect(lambda _: self._read())
        self.curve.currentIndexChanged.connect(lambda _: self._draw())
        self.log.toggled.connect(lambda on: self.plot.setLogMode(False, on))
        self.add.clicked.connect(self._ask)
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copying.activated.connect(self.copy_table)

    def _ask(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a run, or a folder of runs")
        if name:
            self.offer([Path(name)])

    def _read(self) -> None:
        self._reading.ask(partial(_all_read, self._chosen()))

    def _show(self, runs: list[RunRecord]) -> None:
        """Draw what was read; as long as one of them runs, read again after a while."""
        self._runs = runs
        self.none.setVisible(not runs)
        names = curves_of(runs)
        if names != [self.curve.itemData(n) for n in range(self.curve.count())]:
            self._offer_curves(names)
        self._colour()
        self._draw()
        self._fill()
        if any(run.running for run in runs) and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _offer_curves(self, names: Sequence[str]) -> None:
        """Let these be drawn; what is drawn now stays where it is one of them."""
        wanted = self.curve.currentData()
        self.curve.blockSignals(True)
        self.curve.clear()
        for name in names:
            self.curve.addItem(words_of(name), name)
        self.curve.setCurrentIndex(names.index(wanted) if wanted in names and self._lines else 0)
        self.curve.blockSignals(False)

    def _colour(self) -> None:
        """The colour of each run's curve beside its name."""
        shown = {run.out: _colour(number) for number, run in enumerate(self._runs)}
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            colour = shown.get(self._path(row), "#00000000")
            square = QPixmap(10, 10)
            square.fill(QColor(colour))
            self.list.item(row).setIcon(QIcon(square))
        self.list.blockSignals(False)

    def _draw(self) -> None:
        for line in self._lines:
            self.plot.removeItem(line)
        self._lines = []
        name = self.curve.currentData()
        for number, run in enumerate(self._runs):
            epochs, values = run.curve(name)
            x, y = np.array(epochs, float), np.array(values, float)
            known = np.isfinite(y)
            pen = pg.mkPen(_colour(number), width=2)
            self._lines.append(self.plot.plot(x[known], y[known], pen=pen, name=run.name))
            best = run.best
            if best is not None:
                at = x == best.epoch
                star = {"symbol": "star", "symbolSize": 14, "symbolBrush": _colour(number)}
                self._lines.append(self.plot.plot(x[at], y[at], pen=None, symbolPen=None, **star))
        self.plot.setLabel("left", words_of(name))

    def _fill(self) -> None:
        rows = table_of(self._runs) if self._runs else {}
        self.table.setRowCount(len(rows))
        self.table.setColumnCount(len(self._runs))
        self.table.setVerticalHeaderLabels([*rows])
        self.table.setHorizontalHeaderLabels([run.name for run in self._runs])
        for row, cells in enumerate(rows.values()):
            for column, words in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(words))
        self.table.resizeColumnsToContents()


def _all_read(paths: Sequence[Path]) -> list[RunRecord]:
    return [RunRecord.read(path) for path in paths]


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
