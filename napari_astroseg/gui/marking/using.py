"""Using: what was drawn as files, and as a field to learn from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_astroseg.errors import OutputError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.marking.classes import ClassTable
from napari_astroseg.gui.marking.marks import Marks
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import BACKGROUND
from napari_astroseg.sky.marks.export import (
    learning_window,
    write_field,
    write_labels,
    write_mask,
)
from napari_astroseg.sky.progress import Progress, Stopped
from napari_astroseg.sky.window import Window

PRESET = "filaments_small"
"""The recipe that a laptop can learn from an image and a mask."""

_AROUND, _WHOLE = "around what is drawn", "the whole image"


class Using(QWidget):
    """Buttons that write what is drawn, off the window's thread.

    Parameters
    ----------
    marks
        What is open.
    classes
        Whose selected class a mask is of.
    """

    def __init__(self, marks: Marks, classes: ClassTable) -> None:
        super().__init__()
        self._marks, self._classes = marks, classes
        self._in_view: Callable[[], SkyImage | None] | None = None
        self._proposals = Proposals(self)
        self._writing = Latest(self)
        self._stop = threading.Event()
        self._done: Callable[[Path], None] = self._written
        self.labels, self.mask, self.learn = (
            QPushButton(words) for words in ("Save labels…", "Save mask…", "Train on this")
        )
        self.part = QComboBox()
        self.part.addItems([_AROUND, _WHOLE])
        self.part.setToolTip(
            "Which part of the image is learnt from. What is not drawn in it counts as background, "
            f"unless there is a class {BACKGROUND} with pixels"
        )
        self.progress = ProgressLine()
        self._lay_out()
        self.labels.clicked.connect(lambda _: self._ask_where("labels.fits", self.save_labels))
        self.mask.clicked.connect(lambda _: self._ask_where(self._mask_name, self.save_mask))
        self.learn.clicked.connect(lambda _: self._ask_folder())
        self.progress.stopped.connect(self.stop)
        self._told.connect(self._show_progress)
        self._writing.answered.connect(self._end)
        self._writing.refused.connect(self._refuse)
        self.judge()

    _told = Signal(str, int, int)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._writing.busy

    def work_on(self, in_view: Callable[[], SkyImage | None] | None) -> None:
        """Write what is drawn on an image from now on; `in_view` gives it, of a stack one plane."""
        self._in_view = in_view
        self.judge()

    def save_labels(self, path: Path) -> None:
        """Write all labels as FITS."""
        store, annotator, classes = self._marks.store, self._marks.annotator, self._classes.classes
        if store is not None:
            self._write(partial(write_labels, store, path, annotator, classes), self._written)

    def save_mask(self, path: Path) -> None:
        """Write the selected class as a mask."""
        store, annotator, one = self._marks.store, self._marks.annotator, self._classes.current
        if store is not None and one is not None:
            self._write(partial(write_mask, store, path, annotator, one), self._written)

    def train(self, folder: Path) -> None:
        """Write image and mask of the selected class into a folder, and propose it to Train."""
        store, target = self._marks.store, self._classes.current
        image = None if self._in_view is None else self._in_view()
        annotator = self._marks.annotator
        if store is None or image is None or target is None:
            return
        known = (each for each in self._classes.classes if each.name.lower() == BACKGROUND)
        background = next(known, None)
        if background is not None and (
            background.label == target.label or not self._classes.count(background.label)
        ):
            background = None
        whole = self.part.currentText() == _WHOLE

        def write(progress: Progress) -> Path:
            shape = store.shape
            window = Window.whole(shape) if whole else learning_window(store, annotator)
            return write_field(
                store, image, folder, annotator, target, background, window, progress
            )

        mode = "one_vs_all" if background is None else "conservative"
        recipe = Recipe.preset(PRESET).replace(data__background=mode)
        self._write(write, partial(self._proposed, recipe, target.name))

    def stop(self) -> None:
        """Write no farther; no file is left."""
        self._stop.set()

    def shut_down(self) -> None:
        """End what runs."""
        self._stop.set()
        self._writing.wait()

    def judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        none = "" if self._in_view is not None else "Start drawing first"
        busy = "Something is being written: wait, or cancel it" if self.busy else ""
        one = self._classes.current
        name = one.name if one else ""
        few = "" if one and self._classes.count(one.label) else f"Nothing is drawn as {name} yet"
        allow(self.labels, none or busy, "Save all labels as FITS with their sky coordinates")
        allow(self.mask, none or busy or few, f"Save {name} as a mask of 0 and 1")
        allow(
            self.learn,
            none or busy or few,
            f"Write image and mask of {name} into a folder, and show a recipe in the Train dock",
        )

    @property
    def _mask_name(self) -> str:
        one = self._classes.current
        return f"{one.name.replace(' ', '_') if one else 'mask'}.fits"

    def _write(self, work: Callable[[Progress], Path], done: Callable[[Path], None]) -> None:
        if self.busy:
            return
        stop = self._stop = threading.Event()
        self._done = done

        def progress(what: str, done: int, total: int | None) -> None:
            if stop.is_set():
                raise Stopped
            self._told.emit(what, done, total or 0)

        def write() -> Path | None:
            with suppress(Stopped):
                return work(progress)
            return None

        self.progress.begin("Writing …")
        self._writing.ask(write)
        self.judge()

    def _show_progress(self, what: str, done: int, total: int) -> None:
        if self.busy:
            self.progress.say(f"{what[:1].upper()}{what[1:]} …")
            self.progress.advance(done, total, "bands")

    def _end(self, path: Path | None) -> None:
        if path is None:
            self.progress.end("Stopped.")
        else:
            self._done(path)
        self.judge()

    def _refuse(self, sentence: str) -> None:
        self.progress.end(sentence, trouble=True)
        self.judge()

    def _written(self, path: Path) -> None:
        self.progress.end(f"Written: {path}")

    def _proposed(self, recipe: Recipe, name: str, folder: Path) -> None:
        try:
            self._proposals.make(recipe, folder)
        except OutputError as error:
            self.progress.end(str(error), trouble=True)
            return
        self.progress.end(f"{name} in {folder.name} is in the Train dock now")

    def _ask_where(self, name: str, save: Callable[[Path], None]) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save as FITS", name, "FITS (*.fits)")
        if chosen:
            save(Path(chosen))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the data to learn from")
        if chosen:
            self.train(Path(chosen))

    def _lay_out(self) -> None:
        saving, learning = QHBoxLayout(), QHBoxLayout()
        for button in (self.labels, self.mask):
            saving.addWidget(button)
        learning.addWidget(self.part, 1)
        learning.addWidget(self.learn)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow(saving)
        rows.addRow("Learn from", learning)
        rows.addRow(self.progress)
