"""RunList: whole images that are or were predicted; each can be paused, taken up again, removed."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.predicting.runs import DONE, RUNNING, Run, Runs

_ROWS = 4
_COLUMNS = ("Image", "Model", "State")


class RunList(QWidget):
    """A table of the runs, and what can be done with the one selected."""

    resumed, paused, removed = Signal(object), Signal(object), Signal(object)  # a Run

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self._runs = runs
        self._shown: list[Run] = []
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setFixedHeight(self.table.verticalHeader().defaultSectionSize() * (_ROWS + 1))
        self.resume, self.pause = QPushButton("Resume"), QPushButton("Pause")
        self.remove = QPushButton("Remove")
        row = QHBoxLayout()
        for button, signal in (
            (self.resume, self.resumed),
            (self.pause, self.paused),
            (self.remove, self.removed),
        ):
            row.addWidget(button)
            button.clicked.connect(lambda _=False, told=signal: self._tell(told))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        column.addLayout(row)
        self.table.itemSelectionChanged.connect(self._judge)
        runs.changed.connect(self.refresh)
        self.refresh()

    def selected(self) -> Run | None:
        """The run that is meant, the first where none is selected."""
        at = max(0, self.table.currentRow())
        return self._shown[at] if at < len(self._shown) else None

    def refresh(self) -> None:
        """Show the runs as they are now."""
        self._shown = list(self._runs.items)
        self.table.setRowCount(len(self._shown))
        for at, run in enumerate(self._shown):
            for column, words in enumerate((run.image, run.model, run.words)):
                item = self.table.item(at, column)
                if item is None:
                    item = QTableWidgetItem()
                    item.setFlags(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled)
                    self.table.setItem(at, column, item)
                item.setText(words)
                item.setToolTip(f"{run.place}\nby {Path(run.model_file)}\n{run.words}")
        self._judge()

    def _judge(self) -> None:
        run = self.selected()
        none = "" if run else "No whole image has been predicted yet"
        runs = run is not None and run.state == RUNNING
        self.resume.setText("Show" if run is not None and run.state == DONE else "Resume")
        allow(
            self.resume,
            none or ("It runs already" if runs else ""),
            "Go on from the tiles that are done; the image must be open",
        )
        allow(self.pause, none or ("" if runs else "It does not run"), "Stop, and keep its tiles")
        allow(
            self.remove,
            none or ("Pause it first" if runs else ""),
            "Take it off this list and delete its tiles; layers that are shown stay",
        )

    def _tell(self, signal: object) -> None:
        run = self.selected()
        if run is not None:
            signal.emit(run)  # type: ignore[attr-defined]
