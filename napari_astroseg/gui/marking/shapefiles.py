"""ShapeFiles: shapes, masks and catalogues from files and into them, off the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.marking.classes import ClassTable
from napari_astroseg.gui.marking.marks import Marks
from napari_astroseg.gui.marking.shapesteps import adding
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.sky.catalogue import FORMATS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.maskfile import MaskFile, mark_mask, open_mask
from napari_astroseg.sky.marks.shapes import shapes_of
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.opening import pictures
from napari_astroseg.sky.progress import Progress, Stopped
from napari_astroseg.sky.shapes.cataloguefile import read_catalogue, write_catalogue
from napari_astroseg.sky.shapes.imported import Imported
from napari_astroseg.sky.shapes.regionfile import read_regions, write_regions

_FITS = (".fits", ".fit", ".fts", ".gz", ".fz")
_READ = (
    "All that can be read (*.reg *.crtf *.fits *.fit *.fts *.gz *.fz *.ecsv *.csv *.vot *.xml)"
    ";;All files (*)"
)
_WRITTEN = (
    "DS9 regions (*.reg);;CASA regions (*.crtf);;Catalogue (*.ecsv);;Catalogue (*.csv);;"
    "Catalogue (*.fits);;Catalogue (*.vot)"
)
_ONE, _OWN = "the selected class", "the labels it holds"


class ShapeFiles(QWidget):
    """Buttons that read and write files, how far it is, and what was skipped.

    Parameters
    ----------
    marks
        Where what is read goes, as one step.
    classes
        Whose selected class a mask becomes.
    """

    _told = Signal(str, int, int)

    def __init__(self, marks: Marks, classes: ClassTable) -> None:
        super().__init__()
        self._marks, self._classes = marks, classes
        self._image: SkyImage | None = None
        self._work = Latest(self)
        self._stop = threading.Event()
        self._marking = False
        self.load, self.save = QPushButton("Import…"), QPushButton("Export…")
        self.masks = QComboBox()
        self.masks.addItems([_ONE, _OWN])
        self.masks.setToolTip(
            "What the pixels of a FITS mask become: the selected class, or the labels that the "
            "file holds, from 1 up"
        )
        self.progress = ProgressLine()
        self.skipped = QPlainTextEdit()
        self.skipped.setReadOnly(True)
        self.skipped.setMaximumHeight(110)
        self.skipped.setToolTip("What was left out of the file, and why; the rest is there")
        self.skipped.hide()
        self._lay_out()
        self.load.clicked.connect(lambda _: self._ask_what())
        self.save.clicked.connect(lambda _: self._ask_where())
        self.progress.stopped.connect(self.stop)
        self._told.connect(self._show_progress)
        self._work.answered.connect(self._end)
        self._work.refused.connect(self._refuse)
        marks.refused.connect(lambda _: self._mask_refused())
        self._count = 0
        self.judge(0)

    @property
    def busy(self) -> bool:
        """Whether a file is being read or written."""
        return self._work.busy or self._marking

    def work_on(self, image: SkyImage | None) -> None:
        """Read onto an image from now on."""
        self._stop.set()
        self._image = image
        self._marking = False
        self.skipped.hide()
        self.progress.end("")
        self.judge(0)

    def import_file(self, path: Path) -> None:
        """Read regions, a catalogue or a mask, as one step."""
        image, who = self._image, self._marks.annotator
        if image is not None:
            self.skipped.hide()
            self._begin(f"Reading {path.name} …", partial(_read, path, image, who))

    def export_file(self, path: Path) -> None:
        """Write all shapes: regions for DS9 or CASA, or a catalogue, by the ending."""
        image, store = self._image, self._marks.store
        if image is not None and store is not None:
            self._begin(f"Writing {path.name} …", partial(_write, path, image, store))

    def stop(self) -> None:
        """Go no farther; what was read so far is left out."""
        self._stop.set()

    def shut_down(self) -> None:
        """End what runs."""
        self._stop.set()
        self._work.wait()

    def judge(self, count: int) -> None:
        """Enable what can be done with so many shapes; say in the tooltips why the rest cannot."""
        lack = "" if self._image is not None else "Start drawing first"
        busy = "A file is being read or written: wait, or cancel it" if self.busy else ""
        self._count = count
        allow(
            self.load,
            lack or busy,
            "Read DS9 or CASA regions, a catalogue (ECSV, FITS, CSV, VOTable) or a FITS mask onto "
            "the image, as one step",
        )
        none = "" if count else "There are no shapes yet"
        allow(self.save, lack or busy or none, "Write all shapes as regions or as a catalogue")

    def _begin(self, words: str, work: Callable[[Progress], object]) -> None:
        if self.busy:
            return
        stop = self._stop = threading.Event()

        def progress(what: str, done: int, total: int | None) -> None:
            if stop.is_set():
                raise Stopped
            self._told.emit(what, done, total or 0)

        def run() -> object:
            with suppress(Stopped):
                return work(progress)
            return None

        self.progress.begin(words)
        self._work.ask(run)
        self.judge(self._count)

    def _show_progress(self, what: str, done: int, total: int) -> None:
        if self.busy:
            self.progress.say(f"{what[:1].upper()}{what[1:]} …")
            self.progress.advance(done, total, "")

    def _end(self, answer: object) -> None:
        match answer:
            case None:
                self.progress.end("Stopped.")
            case (str(name), Imported() as found):
                self._add(name, found)
            case (str(name), MaskFile() as mask):
                self._mark(name, mask)
                return
            case Path() as path:
                self.progress.end(f"Written: {path}")
        self.judge(self._count)

    def _refuse(self, sentence: str) -> None:
        self.progress.end(sentence, trouble=True)
        self.judge(self._count)

    def _add(self, name: str, found: Imported) -> None:
        if self._image is None:
            return
        if found.shapes:
            self._marks.do(adding(f"import {name}", found.shapes, self._image))
        told = "\n".join(found.skipped)
        if found.left_out > len(found.skipped):
            told += f"\n… and {found.left_out - len(found.skipped):,} more"
        self.skipped.setPlainText(told)
        self.skipped.setVisible(bool(told))
        self.progress.end(f"{name}: {found.sentence}")

    def _mark(self, name: str, mask: MaskFile) -> None:
        one = self._classes.current if self.masks.currentText() == _ONE else None
        stop, told = self._stop, self._told
        self._marking = True

        def step(store: MarkStore, who: str) -> Change | None:
            def progress(what: str, done: int, total: int | None) -> None:
                if stop.is_set():
                    raise Stopped
                told.emit(what, done, total or 0)

            with suppress(Stopped):
                with store.step(f"import {name}", who) as draft:
                    mark_mask(draft, mask, one.label if one else None, progress=progress)
                return draft.change
            return None

        self._marks.do(step, partial(self._marked, name, mask.how))

    def _marked(self, name: str, how: str) -> None:
        self._marking = False
        self.progress.end("Stopped." if self._stop.is_set() else f"{name}: {how}")
        self.judge(self._count)

    def _mask_refused(self) -> None:
        if self._marking:
            self._marking = False
            self.progress.end("Nothing was marked", trouble=True)
            self.judge(self._count)

    def _ask_what(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Import", "", _READ)
        if chosen:
            self.import_file(Path(chosen))

    def _ask_where(self) -> None:
        chosen, kind = QFileDialog.getSaveFileName(self, "Export", "shapes.reg", _WRITTEN)
        if chosen:
            path = Path(chosen)
            self.export_file(path if path.suffix else path.with_suffix(_ending(kind)))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.load)
        row.addWidget(self.save)
        row.addWidget(QLabel("A mask becomes"))
        row.addWidget(self.masks, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addWidget(self.skipped)


def _read(path: Path, image: SkyImage, who: str, progress: Progress) -> object:
    """What a file holds, in a thread: name, and shapes or a mask."""
    ending = path.suffix.lower()
    if ending in _FITS and pictures(path, progress):
        return path.name, open_mask(path, image, progress=progress)
    read = read_catalogue if ending in FORMATS else read_regions
    return path.name, read(path, image, who=who, progress=progress)


def _write(path: Path, image: SkyImage, store: MarkStore, progress: Progress) -> Path:
    shapes = list(shapes_of(store).values())
    progress(f"writing {path.name}", 0, None)
    write = write_catalogue if path.suffix.lower() in FORMATS else write_regions
    return write(path, shapes, image)


def _ending(kind: str) -> str:
    return kind.partition("*")[2].rstrip(")") or ".reg"
