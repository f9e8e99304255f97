"""MeasureBox: the structures of a map, dark or bright in other images; a table, a plot, the map."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.measuring import Found, Wish, found
from napari_astroseg.gui.comparing.onmap import OnMap
from napari_astroseg.gui.comparing.plotted import PlottedFigures
from napari_astroseg.gui.comparing.question import Question
from napari_astroseg.gui.comparing.table import CatalogueTable
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.progress import Stopped

_FORMATS = "ECSV table (*.ecsv);;FITS table (*.fits);;VOTable (*.vot);;CSV (*.csv)"
_NOTHING = "Nothing to write yet: measure first"
_STALE = "The regions have changed since: measure again to see what they are now"
_PATIENCE_S = 1.0


class MeasureBox(QWidget):
    """Measures structures against images off the window's thread, and shows what came out.

    The table, the plot and the map are linked: what is picked in one is shown in the others.

    Parameters
    ----------
    viewer
        Whose layers are measured, and whose map is linked.
    """

    measured = Signal(object)  # Found
    _told = Signal(object, str, int, int)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._found: Found | None = None
        self._stop = threading.Event()
        self._work, self._saver = Latest(self), Latest(self)
        self._ties, self._watch = Ties(self), Ties(self)
        self._build()
        self._connect()

    @property
    def busy(self) -> bool:
        """Whether something is being measured or written."""
        return self._work.busy or self._saver.busy

    @property
    def found(self) -> Found | None:
        """What has been measured last."""
        return self._found

    @property
    def entry(self) -> int | None:
        """The structure that is picked, as a row of the catalogue."""
        return self.table.entry

    def measure(self, wish: Wish) -> None:
        """Measure; what still runs makes way."""
        self._stop.set()
        self._stop = threading.Event()
        self.progress.begin("Measuring …")
        self._work.ask(partial(_measured, wish, self._stop, self._told.emit))

    def cancel(self) -> None:
        """Measure no more; what was measured before stays."""
        self._stop.set()

    def pick(self, entry: int | None, *, go: bool = True) -> None:
        """Show a structure in the table, the plot and on the map; None for none.

        Parameters
        ----------
        go
            Whether to bring it into view on the map.
        """
        self.table.show_entry(entry)
        self.plotted.show_entry(entry)
        self.map.show_entry(self._found, entry)
        if go and entry is not None and self._found is not None:
            self.map.go_to(*self._found.middle(entry))

    def write(self, path: Path) -> None:
        """Write the catalogue, off the window's thread."""
        if self._found is not None:
            self.progress.say(f"Writing {path.name} …")
            self._saver.ask(partial(_written, self._found.catalogue, path))

    def untie(self) -> None:
        """End what runs and let go of the viewer."""
        self._stop.set()
        self._ties.untie()
        self._watch.untie()
        self.question.untie()
        self.map.shut_down()
        self.table.untie()
        self._work.wait(_PATIENCE_S)
        self._saver.wait(_PATIENCE_S)

    def _build(self) -> None:
        self.question = Question(self._viewer)
        self.progress = ProgressLine()
        self.plotted = PlottedFigures()
        self.table = CatalogueTable()
        self.map = OnMap(self._viewer, self)
        self.save = QPushButton("Write catalogue…")
        self.save.setEnabled(False)
        self.save.setToolTip(_NOTHING)
        self.both = QSplitter(Qt.Orientation.Vertical)
        self.both.setChildrenCollapsible(False)
        self.both.addWidget(self.plotted)
        self.both.addWidget(self.table)
        for part, share in ((0, 2), (1, 3)):
            self.both.setStretchFactor(part, share)
        self.both.setVisible(False)
        below = QHBoxLayout()
        below.addStretch(1)
        below.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.question)
        column.addWidget(self.progress)
        column.addWidget(self.both, 1)
        column.addLayout(below)

    def _connect(self) -> None:
        self.question.asked.connect(self.measure)
        self.progress.stopped.connect(self.cancel)
        self._told.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._work.answered.connect(self._take)
        self._work.refused.connect(self._refuse)
        self._saver.answered.connect(self.progress.say)
        self._saver.refused.connect(partial(self.progress.say, trouble=True))
        self.table.picked.connect(self.pick)
        self.plotted.picked.connect(self.pick)
        self.map.picked.connect(partial(self.pick, go=False))
        self.save.clicked.connect(self._ask_name)
        self._ties.tie(self._viewer.layers.events.removed, self._forget_removed)

    def _tell(self, stop: threading.Event, what: str, done: int, total: int) -> None:
        if stop is self._stop and not stop.is_set():
            self.progress.say(f"{what[:1].upper()}{what[1:]} …")
            if total:
                self.progress.advance(done, total, "parts")

    def _take(self, answer: tuple[threading.Event, Found | None]) -> None:
        stop, made = answer
        if stop is not self._stop:
            return  # another one is running in its place
        if made is None or stop.is_set():
            self.progress.end("Stopped")
            return
        self._found = made
        self.both.setVisible(len(made.catalogue) > 0)
        self.table.show_catalogue(made.catalogue)
        self.plotted.show_found(made)
        self.pick(None)
        self.save.setEnabled(True)
        self.save.setToolTip("Write the table: every structure with all its figures and units")
        self.progress.end("\n".join(made.sentences))
        self._watch_regions(made.wish.regions.layer)
        self.measured.emit(made)

    def _refuse(self, words: str) -> None:
        if not self._work.busy:
            self.progress.end(words, trouble=True)

    def _watch_regions(self, layer: Any) -> None:
        """Say so when the regions become others than those that were measured."""
        self._watch.untie()
        self._watch.tie(layer.events.set_data, self._outdate)
        if hasattr(layer.events, "paint"):
            self._watch.tie(layer.events.paint, self._outdate)

    def _outdate(self, _event: Any = None) -> None:
        if not self._work.busy:
            self.progress.say(_STALE)

    def _forget_removed(self, _event: Any = None) -> None:
        """Outline nothing on a layer that goes; its figures can still be read and written."""
        if self._found is not None and self._found.wish.regions.layer not in self._viewer.layers:
            self.map.show_entry(None, None)

    def _ask_name(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Write catalogue", "compared.ecsv", _FORMATS)
        if name:
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(".ecsv"))


def _measured(wish: Wish, stop: threading.Event, say: Any) -> tuple[threading.Event, Found | None]:
    """What was found, None where it was told to stop; in a thread of its own."""

    def progress(what: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise Stopped
        say(stop, what, done, total or 0)

    try:
        return stop, found(wish, progress)
    except Stopped:
        return stop, None


def _written(catalogue: Catalogue, path: Path) -> str:
    catalogue.write(path)
    structures = "1 structure" if len(catalogue) == 1 else f"{len(catalogue)} structures"
    return f"{structures} written to {path}"
