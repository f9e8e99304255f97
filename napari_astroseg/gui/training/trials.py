"""Trials: what a search has tried, a row for each training, filled as they go."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from napari_astroseg.engine.events import EpochDone, TrialBegun, TrialDone
from napari_astroseg.recipes.figurenames import words_of

_FIXED = ("trial", "state", "figure")


class TrialTable(QTableWidget):
    """Number, state, best figure and changed fields of each trial; the best in bold."""

    def __init__(self) -> None:
        super().__init__(0, len(_FIXED))
        self._paths: list[str] = []
        self._figure = "figure"
        self._best: dict[int, float] = {}
        self.setToolTip(
            "The trainings of a search: each with its best validation figure so far, and what it "
            "tries; the best of all is bold"
        )
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)

    def begin(self, figure: str) -> None:
        """Another search begins, judged by a figure."""
        self._figure = figure
        self._paths.clear()
        self._best.clear()
        self.setRowCount(0)
        self._head()

    def trial_begun(self, event: TrialBegun) -> None:
        """A trial is trained."""
        self._row(event.number, event.changes)
        self._write(event.number, "running", math.nan)

    def epoch_done(self, event: EpochDone, number: int) -> None:
        """An epoch of a trial is over."""
        figure = event.validation.get(self._figure, math.nan)
        best = self._best.get(number, math.nan)
        self._best[number] = figure if math.isnan(best) else max(best, figure)
        self._write(number, f"epoch {event.epoch} of {event.epochs}", self._best[number])

    def trial_done(self, event: TrialDone) -> None:
        """A trial is over."""
        self._row(event.number, event.changes)
        self._write(event.number, event.state, event.figure)
        if event.best:
            self._embolden(event.number)

    def _row(self, number: int, changes: dict[str, object]) -> None:
        """Make the row of a trial, where it is missing."""
        for path in changes:
            if path not in self._paths:
                self._paths.append(path)
                self._head()
        if self._find(number) is None:
            self.insertRow(self.rowCount())
            row = self.rowCount() - 1
            for column in range(self.columnCount()):
                self.setItem(row, column, QTableWidgetItem())
            self.item(row, 0).setText(str(number))
        row = self._find(number) or 0
        for path, value in changes.items():
            words = f"{value:.4g}" if isinstance(value, float) else str(value)
            self.item(row, len(_FIXED) + self._paths.index(path)).setText(words)

    def _write(self, number: int, state: str, figure: float) -> None:
        row = self._find(number)
        if row is not None:
            self.item(row, 1).setText(state)
            self.item(row, 2).setText("" if math.isnan(figure) else f"{figure:.4f}")

    def _embolden(self, number: int) -> None:
        for row in range(self.rowCount()):
            font = QFont(self.font())
            font.setBold(row == self._find(number))
            for column in range(self.columnCount()):
                self.item(row, column).setFont(font)

    def _find(self, number: int) -> int | None:
        found = self.findItems(str(number), Qt.MatchFlag.MatchExactly)
        return next((each.row() for each in found if each.column() == 0), None)

    def _head(self) -> None:
        self.setColumnCount(len(_FIXED) + len(self._paths))
        short = [path.rpartition(".")[2] for path in self._paths]
        self.setHorizontalHeaderLabels(["trial", "state", words_of(self._figure), *short])
        for column, path in enumerate(self._paths, start=len(_FIXED)):
            self.horizontalHeaderItem(column).setToolTip(path)
