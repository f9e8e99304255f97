"""CrowdSection: the marks of several people on the image as votes, and how well they agree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui import layers
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.drawn.layerdata import LayerData, layer_data
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.sky.marks.store import ENDING
from napari_astroseg.sky.progress import Progress, Stopped
from napari_astroseg.sky.votes.agreement import Agreement
from napari_astroseg.sky.votes.crowd import Crowd, open_crowd
from napari_astroseg.sky.votes.crowdfile import write_crowd

_LIST_PX = 90


@dataclass(frozen=True, eq=False)
class Count:
    """What was counted of one class.

    Parameters
    ----------
    crowd
        Who marked what.
    kind
        The class.
    layer
        The counts, as napari takes them.
    agreement
        How well they agree; None for one person.
    """

    crowd: Crowd
    kind: str
    layer: LayerData
    agreement: Agreement | None


class CrowdSection(QWidget):
    """Folders of marks, and what comes of them together.

    Parameters
    ----------
    viewer
        Where votes are shown.
    """

    _told = Signal(str, int, int)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._work = Latest(self)
        self._stop = threading.Event()
        self.counted: Count | None = None
        self.folders = QListWidget()
        self.folders.setMaximumHeight(_LIST_PX)
        self.folders.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.folders.setToolTip(
            "Folders of marks on one image, one or more people's each; nothing in them is changed"
        )
        self.add, self.remove = QPushButton("Add folder…"), QPushButton("Remove")
        self.count, self.save = QPushButton("Count votes"), QPushButton("Save…")
        self.kind = QComboBox()
        self.kind.setToolTip("The class that is counted: a first count finds what there is")
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = ProgressLine()
        self._lay_out()
        self.add.clicked.connect(lambda _: self._ask_folder())
        self.remove.clicked.connect(lambda _: self._remove())
        self.count.clicked.connect(lambda _: self.count_votes())
        self.save.clicked.connect(lambda _: self._ask_where())
        self.folders.itemSelectionChanged.connect(self._judge)
        self.progress.stopped.connect(self.stop)
        self._told.connect(self._show_progress)
        self._work.answered.connect(self._end)
        self._work.refused.connect(self._refuse)
        self._judge()

    @property
    def busy(self) -> bool:
        """Whether folders are being read, or a file written."""
        return self._work.busy

    @property
    def paths(self) -> list[Path]:
        """The folders."""
        role = Qt.ItemDataRole.UserRole
        items = (self.folders.item(row) for row in range(self.folders.count()))
        return [Path(item.data(role)) for item in items]

    def add_folder(self, folder: Path) -> None:
        """Add a folder of marks, or all those in a folder."""
        found = [folder] if (folder / "about.json").is_file() else sorted(folder.glob(f"*{ENDING}"))
        if not found:
            self.progress.end(
                f"{folder} is no folder of marks, and holds none; choose another", trouble=True
            )
        for path in found:
            if path not in self.paths:
                item = QListWidgetItem(path.name)
                item.setData(Qt.ItemDataRole.UserRole, str(path))
                item.setToolTip(str(path))
                self.folders.addItem(item)
        self._judge()

    def count_votes(self) -> None:
        """Count how many people marked each pixel, and show it as a layer."""
        self._begin("Counting …", partial(_count, self.paths, self.kind.currentText()))

    def save_votes(self, path: Path) -> None:
        """Write the counts as FITS with the image's sky coordinates."""
        if self.counted is not None:
            told = self.counted
            self._begin("Writing …", partial(_save, told, path))

    def stop(self) -> None:
        """Read no farther."""
        self._stop.set()

    def shut_down(self) -> None:
        """End what runs."""
        self._stop.set()
        self._work.wait()

    def _begin(self, words: str, work: Callable[[Progress], Any]) -> None:
        if self.busy:
            return
        stop = self._stop = threading.Event()

        def progress(what: str, done: int, total: int | None) -> None:
            if stop.is_set():
                raise Stopped
            self._told.emit(what, done, total or 0)

        def run() -> Any:
            with suppress(Stopped):
                return work(progress)
            return None

        self.progress.begin(words)
        self._work.ask(run)
        self._judge()

    def _show_progress(self, what: str, done: int, total: int) -> None:
        if self.busy:
            self.progress.say(f"{what[:1].upper()}{what[1:]} …")
            self.progress.advance(done, total, "")

    def _end(self, answer: Any) -> None:
        if answer is None:
            self.progress.end("Stopped.")
        elif isinstance(answer, Path):
            self.progress.end(f"Written: {answer}")
        else:
            self._show(answer)
        self._judge()

    def _refuse(self, sentence: str) -> None:
        self.progress.end(sentence, trouble=True)
        self._judge()

    def _show(self, counted: Count) -> None:
        self.counted = counted
        self.kind.clear()
        self.kind.addItems(counted.crowd.classes)
        self.kind.setCurrentText(counted.kind)
        layers.add_prepared(self._viewer, counted.layer)
        self.told.setText("\n".join(_words(counted)))
        self.progress.end(
            f"{counted.kind}: a layer of counts; Selected layer in the Votes dock thresholds it"
        )

    def _remove(self) -> None:
        for item in self.folders.selectedItems():
            self.folders.takeItem(self.folders.row(item))
        self._judge()

    def _judge(self) -> None:
        busy = "Wait, or cancel what runs" if self.busy else ""
        none = "" if self.folders.count() else "Add folders of marks first"
        allow(self.add, busy, "Add a folder of marks, or a folder that holds several (*.marks)")
        chosen = "" if self.folders.selectedItems() else "Select a folder in the list first"
        allow(self.remove, busy or chosen, "Take the selected folders off this list, no more")
        allow(self.count, busy or none, "How many people marked each pixel, as a layer")
        nothing = "" if self.counted is not None else "Count votes first"
        allow(self.save, busy or nothing, "Save the counts as FITS with their sky coordinates")

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of marks, or of several")
        if chosen:
            self.add_folder(Path(chosen))

    def _ask_where(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save", "votes.fits", "FITS (*.fits)")
        if chosen:
            self.save_votes(Path(chosen))

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for widget in (self.add, self.remove):
            first.addWidget(widget)
        second.addWidget(self.kind, 1)
        for widget in (self.count, self.save):
            second.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.folders)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.told)
        column.addWidget(self.progress)


def _count(folders: Sequence[Path], kind: str, progress: Progress) -> Count:
    """Read and count, in a thread."""
    crowd = open_crowd(folders, progress=progress)
    if kind not in crowd.classes:  # what was marked most
        areas = {each: int(np.count_nonzero(crowd.counts(each))) for each in crowd.classes}
        kind = max(areas, key=lambda each: areas[each], default=kind)
    agreement = crowd.agreement(kind) if len(crowd.people) > 1 else None
    return Count(crowd, kind, layer_data(crowd.votes(kind).image), agreement)


def _save(counted: Count, path: Path, progress: Progress) -> Path:
    (written,) = write_crowd(counted.crowd, path, [counted.kind], progress=progress)
    return written


def _words(counted: Count) -> list[str]:
    """Who agrees with whom."""
    people = counted.crowd.people
    count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    lines = [f"{count}: {', '.join(each.name for each in people)}"]
    found = counted.agreement
    if found is not None:
        lines.append(f"{len(found.objects)} objects, Fleiss' kappa {_figure(found.fleiss)}")
        lines += [
            f"{row['first']} and {row['second']}: Dice {_figure(row['dice'])}, "
            f"kappa {_figure(row['kappa'])}"
            for row in found.pairs
        ]
    return lines


def _figure(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "none"
