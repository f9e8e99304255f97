"""FolderTable: the votes of a folder of thousands as a table that is filtered and sorted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.events import Event, Preparing
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import JobFailed
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.comparing.table import CatalogueTable
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.votes.folder import VoteFolder
from napari_astroseg.sky.votes.index import index_votes

TARGET = "napari_astroseg.engine.voteindex:index_folder"

_ALL = "all"
_SHOWN = ("file", "class", "most", "agreement", "drew", "voters")


class FolderTable(QWidget):
    """A folder, its index, and a table of its maps; `picked` names a file and a kind.

    Parameters
    ----------
    engines
        Of the dock: the index is made in a process of its own.
    """

    picked = Signal(object, str)

    def __init__(self, engines: Engines) -> None:
        super().__init__()
        self._engines = engines
        self._job: Job | None = None
        self._found: VoteFolder | None = None
        self._table: Any = None
        self._shown: Any = None
        self._reading = Latest(self)
        self._make_controls()
        self._lay_out()
        self._connect()
        self._judge()

    @property
    def busy(self) -> bool:
        """Whether a folder is being indexed or read."""
        return self._job is not None or self._reading.busy

    def index(self) -> None:
        """Index the folder that is named."""
        folder = self.folder.path()
        if folder is None or self._job is not None:
            return
        self.progress.begin(f"Indexing {folder.name} …")
        job = self._job = self._engines.start(Call(TARGET, (folder,)), own_process=True)
        job.event.connect(self._hear)
        job.finished.connect(self._indexed)
        job.failed.connect(self._failed)
        job.stopped.connect(lambda: self._end("Stopped; what was read is kept."))
        self._judge()

    def stop(self) -> None:
        """Index no farther."""
        if self._job is not None:
            self.progress.say("Stopping …")
            self._job.cancel()

    def untie(self) -> None:
        """Wait for nothing more."""
        self._job = None
        self._reading.wait()
        self.rows.untie()

    def _make_controls(self) -> None:
        self.folder = FolderField("Choose a folder of votes", "folder of votes")
        self.go = QPushButton("Index")
        self.folder.add(self.go)
        self.kind = QComboBox()
        self.kind.addItem(_ALL)
        self.kind.setToolTip("What was marked")
        self.least = QSpinBox()
        self.least.setRange(0, 999)
        self.least.setToolTip("Only maps with a pixel of at least so many votes")
        self.text = QLineEdit()
        self.text.setPlaceholderText("part of a file name")
        self.progress, self.rows, self.words = ProgressLine(), CatalogueTable(), QLabel()
        self.skipped = QListWidget()
        self.skipped.setWordWrap(True)
        self.wrong = Fold("Skipped files", self.skipped, opened=False)
        self.wrong.hide()

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.addWidget(self.kind)
        filters.addWidget(QLabel("votes ≥"))
        filters.addWidget(self.least)
        filters.addWidget(self.text, 1)
        rows = QFormLayout()
        rows.addRow("Folder", self.folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        column.addWidget(self.progress)
        column.addLayout(filters)
        column.addWidget(self.rows)
        column.addWidget(self.words)
        column.addWidget(self.wrong)

    def _connect(self) -> None:
        self.go.clicked.connect(lambda _: self.index())
        self.folder.entered.connect(self.index)
        self.folder.changed.connect(self._judge)
        self.progress.stopped.connect(self.stop)
        self._reading.answered.connect(self._read)
        self._reading.refused.connect(lambda words: self._end(words, trouble=True))
        self.kind.currentIndexChanged.connect(lambda _: self._filter())
        self.least.valueChanged.connect(lambda _: self._filter())
        self.text.textChanged.connect(lambda _: self._filter())
        self.rows.picked.connect(self._pick)

    def _judge(self) -> None:
        folder = self.folder.path()
        lack = "" if folder is not None and folder.is_dir() else "Name a folder first"
        lack = "A folder is being indexed: wait, or cancel that" if self._job else lack
        allow(self.go, lack, "Read every file once; a second time only what has changed")

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preparing) and event.total:
            self.progress.advance(event.done, event.total, "files")

    def _indexed(self, result: dict[str, Any]) -> None:
        """The index is in the cache: read it from there."""
        self._job = None
        self.progress.say("Reading the index …")
        self._reading.ask(partial(_known, Path(result["folder"])))

    def _read(self, answer: tuple[VoteFolder, Any]) -> None:
        self._found, self._table = answer
        self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItems([_ALL, *self._found.kinds])
        self.kind.blockSignals(False)
        self.skipped.clear()
        self.skipped.addItems([f"{name}: {why}" for name, why in self._found.skipped.items()])
        self.wrong.setVisible(bool(self._found.skipped))
        self._filter()
        told = f"; {len(self._found.skipped):,} files were skipped" if self._found.skipped else ""
        self._end(f"{len(self._found):,} maps of votes{told}")

    def _filter(self) -> None:
        """Show the rows that are asked for."""
        if self._table is None:
            return
        kept = np.asarray(self._table["most"]) >= self.least.value()
        if self.kind.currentIndex() > 0:
            kept &= np.asarray(self._table["class"]) == self.kind.currentText()
        part = self.text.text().strip()
        if part:
            kept &= np.char.find(np.asarray(self._table["file"]), part) >= 0
        self._shown = self._table[kept]
        columns = [name for name in self._shown.colnames if name in _SHOWN or "area" in name]
        self.rows.show_catalogue(Catalogue(self._shown[columns]))
        self.words.setText(f"{len(self._shown):,} of {len(self._table):,} maps")

    def _pick(self, entry: int | None) -> None:
        if entry is not None and self._found is not None:
            row = self._shown[entry]
            self.picked.emit(self._found.folder / str(row["file"]), str(row["class"]))

    def _failed(self, error: JobFailed) -> None:
        self._end(str(error), trouble=True)

    def _end(self, words: str, *, trouble: bool = False) -> None:
        self._job = None
        self.progress.end(words, trouble=trouble)
        self._judge()


def _known(folder: Path) -> tuple[VoteFolder, Any]:
    """The votes of a folder that has been indexed, and their table."""
    found = index_votes(folder)
    return found, found.table()
