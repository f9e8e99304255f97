"""MosaicDock: open sky images, choose how they are drawn, read the sky under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.box import AidsBox
from napari_astroseg.gui.aids.goto import GoTo
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.cursor import CursorBox, words
from napari_astroseg.gui.drawn.apart import keep_apart
from napari_astroseg.gui.drawn.growing import grow_behind
from napari_astroseg.gui.drawn.redraw import redraws_of
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.intake.dockstate import OpenState
from napari_astroseg.gui.intake.drops import Drops
from napari_astroseg.gui.intake.openbutton import OpenButton
from napari_astroseg.gui.intake.opening import Opening
from napari_astroseg.gui.intake.picker import Picker
from napari_astroseg.gui.intake.places import Choose, Ready, Refused, Together, Wish
from napari_astroseg.gui.intake.ways import WaysRow
from napari_astroseg.gui.keys import shortcuts
from napari_astroseg.gui.look.appearance import AppearanceBox
from napari_astroseg.gui.look.colours import ColourBox
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.projectfile import is_project
from napari_astroseg.sky.files.address import HduKey

_FILES = (
    "FITS images (*.fits *.fit *.fts *.fz *.fits.gz *.fit.gz *.fts.gz *.fits.bz2 *.fits.Z "
    "*.FITS *.FIT *.FTS *.FZ);;All files (*)"
)


_STEPS = 1000
_NO_PROJECTS = "A project opens in the program's own window: astroseg window {}"


class MosaicDock(QWidget):
    """Open images; stretch and limits of the selected one; the sky under the cursor.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in.
    """

    State = OpenState
    opened = Signal(object)  # the layers of one image, its own first
    settled = Signal()  # nothing more is being opened
    project_wanted = Signal(str)  # a project was dropped or named; its path
    closed = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(napari_viewer)
        self.opens_projects = False  # a dock by itself has no others to set
        self._opening = Opening(self)
        self._together: tuple[str, ...] = ()
        self._came: list[Any] = []  # layers of what was opened together
        self._replaced: list[Any] = []  # and those that they take the place of
        self._soon: list[str] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        layers.settle(self._viewer)
        self._build()
        self._connect()

    @property
    def layer(self) -> Any:
        """The image layer that stretch and limits act on; None without one."""
        return self.appearance.layer

    @property
    def busy(self) -> bool:
        """Whether something is being opened."""
        return self._opening.busy or self._pause.isActive()

    def ask_for_files(self) -> None:
        """Let the user choose files, and open them."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Open FITS images", "", _FILES)
        if paths:
            self.open_files(paths)

    def ask_for_folder(self) -> None:
        """Let the user choose a folder of tiles, or a HiPS, and open it."""
        folder = QFileDialog.getExistingDirectory(self, "Open a folder of tiles, or a HiPS")
        if folder:
            self.open_files([folder])

    def open_files(self, places: Sequence[str | Path]) -> None:
        """Open files, folders or URLs off the window's thread; layers or sentences follow."""
        named = list(map(str, places))
        for project in filter(is_project, named):
            if self.opens_projects:
                self.project_wanted.emit(project)
            else:
                self._complain(_NO_PROJECTS.format(project))
        images = tuple(place for place in named if not is_project(place))
        if images:
            self.notice.clear()
            self._ask(self._wish(images))

    def open_soon(self, places: Sequence[str]) -> None:
        """Open places together with all others that are named in this moment.

        napari names the files of a drop one by one.
        """
        self._soon += places
        self._pause.start()

    def state(self, _places: Places) -> OpenState:
        """What it is set to, for a project."""
        return OpenState.of(self.aids.choices)

    def restore(self, state: OpenState, _places: FoundPlaces) -> None:
        """Be set to that again."""
        self.aids.choose(state.choices)

    def cancel(self) -> None:
        """Open nothing more."""
        self._opening.cancel()

    def shut_down(self) -> None:
        """Let go of the viewer: the dock has been closed."""
        self.closed.emit()
        for tied in (self.appearance, self.colours, self.cursor_box):
            tied.untie()
        for drawing in (self.aids, self.go_to):
            drawing.shut_down()
        self._pause.stop()
        self._drops.end()
        self._opening.close()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window; take drops when it is in."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self.shut_down()
        elif event.type() == QEvent.Type.Show:
            self._drops.listen(self.window())
        return bool(super().event(event))

    def _build(self) -> None:
        self.open_button = OpenButton()
        self.ways = WaysRow()
        self.notice = Notice()
        self.progress = ProgressLine()
        self.growth = words()
        self.growth.setEnabled(False)
        self.growth.hide()
        self.appearance = AppearanceBox(self._viewer)
        self.colours = ColourBox(self._viewer)
        self.go_to = GoTo(self._viewer)
        self.aids = AidsBox(self._viewer)
        self.cursor_box = CursorBox(self._viewer)
        self._drops = Drops(self)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setSpacing(4)
        parts = (self.open_button, self.ways, self.notice, self.progress, self.growth)
        folds = (Fold("Colour", self.colours, opened=False), Fold("On the picture", self.aids))
        for part in (*parts, self.appearance, self.cursor_box, self.go_to, *folds):
            column.addWidget(part)
        for box in (self.colours, self.aids):
            box.setTitle("")  # its fold has it
            box.setFlat(True)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(area)

    def _connect(self) -> None:
        self.open_button.files_wanted.connect(self.ask_for_files)
        self.open_button.folder_wanted.connect(self.ask_for_folder)
        self.open_button.places_wanted.connect(self.open_files)
        self.ways.changed.connect(self._open_otherwise)
        self.progress.stopped.connect(self.cancel)
        for box in (self.appearance, self.colours, self.aids):
            box.refused.connect(self.notice.say)
        growing = grow_behind(self._viewer)
        if growing is not None:
            growing.told.connect(self._show_growth)
        self._drops.dropped.connect(self.open_files)
        self._pause.timeout.connect(self._open_named)
        self._opening.answered.connect(self._take)
        self._opening.progressed.connect(self._show_progress)
        self._opening.ended.connect(self._end)
        first = {"Ctrl+Shift+F": ("open FITS images", self.ask_for_files)}
        shortcuts(self, "Open", first | self.appearance.keys | self.go_to.keys, inside=False)

    def _open_named(self) -> None:
        named, self._soon = self._soon, []
        self.open_files(named)

    def _wish(self, places: tuple[str, ...], hdus: tuple[HduKey, ...] = ()) -> Wish:
        size = getattr(getattr(self._viewer, "canvas", None), "size", (0, 0))
        canvas = int(size[0]), int(size[1])
        return Wish(places, hdus=hdus, canvas=canvas)

    def _ask(self, wish: Wish) -> None:
        if not self._opening.busy:
            self.progress.begin(f"Opening {wish.name} …")
        self._opening.ask(wish)

    def _open_otherwise(self, wish: Wish) -> None:
        """Open what came together in another way, in the place of its layers."""
        self._opening.cancel()
        self._replaced += [layer for layer in self._came if layer in self._viewer.layers]
        self._came.clear()
        self.notice.clear()
        self._ask(wish)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Ready):
            self._add(answer)
        elif isinstance(answer, Together):
            self._together = answer.wish.places
            self.ways.tell(answer)
        elif isinstance(answer, Choose):
            self._choose(answer)
        elif isinstance(answer, Refused):
            self._complain(answer.sentence)

    def _add(self, ready: Ready) -> None:
        if ready.wish.places != self._together:
            self._together = ()
            self._came.clear()
            self.ways.tell(None)
        added = layers.add_all(self._viewer, ready.layers)
        apart = keep_apart(self._viewer, added)
        if apart:
            self._say(apart)
        for redraw in (each for layer in added for each in redraws_of(layer)):
            redraw.refused.connect(self.notice.say)
        if self._together:
            self._came += added
            for layer in self._replaced:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        self._replaced.clear()
        self.open_button.remember(ready.wish.places)
        self.opened.emit(added)

    def _choose(self, question: Choose) -> None:
        (place,) = question.wish.places
        picker = Picker(place, question.entries, self.window())
        picker.chosen.connect(partial(self._open_chosen, place))
        picker.show()
        picker.raise_()
        picker.activateWindow()

    def _open_chosen(self, place: str, hdus: tuple[HduKey, ...]) -> None:
        self._ask(self._wish((place,), hdus))

    def _show_progress(self, what: str, done: int, total: int | None) -> None:
        self.progress.say(f"{what[:1].upper()}{what[1:]} …")
        # Bytes of a large file are more than Qt's bars can count.
        share = round(_STEPS * min(1.0, done / total)) if total else 0
        self.progress.bar.show_state(share, _STEPS if total else 0, "")

    def _show_growth(self, words_: str) -> None:
        self.growth.setText(words_)
        self.growth.setVisible(bool(words_))

    def _end(self) -> None:
        self.progress.end()
        self.settled.emit()

    def _complain(self, sentence: str) -> None:
        """A sentence here, or where the dock is out of sight, over the canvas."""
        self._say(sentence)
        if self.visibleRegion().isEmpty():
            show_error(sentence)

    def _say(self, sentence: str) -> None:
        before = self.notice.text
        self.notice.say(f"{before}\n{sentence}" if before else sentence)
