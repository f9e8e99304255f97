"""DrawDock: draw on an image of any size; every stroke is kept at once and can be taken back."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.canvas import canvas_near
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.history.history import Act, Step, history_of
from napari_astroseg.gui.keys import Key, Keys, announce
from napari_astroseg.gui.marking import dockstate
from napari_astroseg.gui.marking.controls import DrawControls
from napari_astroseg.gui.marking.dockstate import DrawState
from napari_astroseg.gui.marking.frame import Frame
from napari_astroseg.gui.marking.marks import Moved, Standing
from napari_astroseg.gui.marking.painting import Painting
from napari_astroseg.gui.settings import data_folder, remember, remembered
from napari_astroseg.gui.ties import Ties
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.store import ENDING
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.window import Window

_ANNOTATOR = "annotator"
_READY = "Every stroke is kept as soon as it ends"


class DrawDock(DrawControls):
    """The marks on one image at a time.

    Parameters
    ----------
    napari_viewer
        Where they are shown; napari passes it in.
    """

    State = DrawState

    def __init__(self, napari_viewer: Any) -> None:
        self._viewer = bare(napari_viewer)
        super().__init__(self._viewer)
        self.painting: Painting | None = None
        self._base: Any = None
        self._image: SkyImage | None = None
        self._opening = False
        self._ties = Ties(self)
        self._proposed: Path | None = None
        self._keys = self._canvas_keys()
        announce(self, "Draw", (*self._keys.pairs, ("1 … 9", "the class with this key")))
        self.who.setText(remembered(_ANNOTATOR, _user()))
        self._frame: Frame | None = None
        self._connect()
        self._show_image()
        self._show_standing(None)

    @property
    def busy(self) -> bool:
        """Whether marks are being opened, read or written."""
        painting = self.painting is not None and (self.painting.busy or self.painting.cut.drawing)
        parts = (self.marks, self.using, self.shapes, self.crowd)
        return self._opening or painting or any(part.busy for part in parts)

    @property
    def is_drawing(self) -> bool:
        """Whether marks are open, or being opened."""
        return self._opening or self.painting is not None

    def state(self, places: Places) -> DrawState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: DrawState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def start_drawing(self) -> None:
        """Open the marks in the folder that is named, or begin some there."""
        layer, image, folder = self.images.layer(), self._whole, self.folder.path()
        if layer is None or image is None or folder is None or self._opening:
            return
        self.stop_drawing()
        self.notice.clear()
        self._base, self._image, self._opening = layer, image, True
        remember(_ANNOTATOR, self._name)
        self.told.setText(f"Opening {folder.name} …")
        self.marks.open(folder, image, self._name)
        self._judge()

    def stop_drawing(self) -> None:
        """Close the marks; what was drawn is kept."""
        if self.painting is not None:
            self._let_go()
            self.painting.end()
            self.painting = None
        self.marks.close()
        history_of(self._viewer).forget(self.marks)
        self._opening = False
        self._show_standing(None)
        self.using.work_on(None)
        self.shapes.work_on(None, None, None)
        self.told.setText("")

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        if self.painting is not None:
            self._let_go()
            self.painting.end()
            self.painting = None
        self._ties.untie()
        self.images.untie()
        self.using.shut_down()
        self.shapes.shut_down()
        self.crowd.shut_down()
        self.marks.shut_down()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def undo(self) -> None:
        """Take the last step back."""
        self._hand_over()
        self.marks.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._hand_over()
        self.marks.redo()

    def outline(self) -> None:
        """Take the polygon into the hand."""
        self.tools.choose("polygon")

    @property
    def _name(self) -> str:
        return " ".join(self.who.text().split())

    def _hand_over(self) -> None:
        if self.painting is not None:
            self.painting.cut.hand_over()

    @property
    def _whole(self) -> SkyImage | None:
        """The chosen image; a stack as such, for all its planes share their marks."""
        return layers.sky_image(self.images.layer()) or self.images.image()

    def _seen(self) -> SkyImage | None:
        """The image that is drawn on, of a stack the plane in view."""
        return layers.image_in_view(self._viewer, self._base) or self._image

    def _canvas_keys(self) -> Keys:
        return Keys(
            (
                Key("Control-Z", "take the last step back", self.undo),
                Key("Control-Shift-Z", "do it again", self.redo),
                Key("D", "draw in the middle of the view", self.tools.draw_here),
                Key("O", "outline a region", self.outline),
            )
        )

    def _connect(self) -> None:
        self.images.changed.connect(self._show_image)
        self.folder.changed.connect(self._judge)
        self.folder.entered.connect(self.start_drawing)
        self.who.editingFinished.connect(self._another_draws)
        self.start.clicked.connect(lambda _: self.start_drawing())
        self.close_button.clicked.connect(lambda _: self.stop_drawing())
        self.tools.undo_wanted.connect(self.undo)
        self.tools.redo_wanted.connect(self.redo)
        self.marks.opened.connect(self._opened)
        self.marks.moved.connect(self._moved)
        self.marks.grew.connect(self._grew)
        self.marks.refused.connect(self._refused)
        self.shapes.refused.connect(self._refused)
        self.classes.chosen.connect(self._choose)
        self.classes.changed.connect(self.marks.put_class)
        self.classes.unwanted.connect(self._remove_class)
        self._ties.tie(self._viewer.layers.events.removed, self._layer_removed)

    def _opened(self, standing: Standing) -> None:
        self._opening = False
        if self._base not in self._viewer.layers:
            self.stop_drawing()
            return
        painting = Painting(self._viewer, self._base, self.marks, standing, self)
        self.painting = painting
        painting.said.connect(self.told.setText)
        painting.moved.connect(self._show_frame)
        layer = painting.cut.layer
        self._viewer.layers.selection.active = layer
        for listener in (self._viewer, layer):
            self._keys.bind(listener)
        for digit in "123456789":
            layer.bind_key(digit, self._digit(digit), overwrite=True)
        layer.events.selected_label.connect(self._label_chosen)
        self.tools.work_on(painting)
        self.using.work_on(self._seen)
        self.shapes.work_on(self._viewer, self._base, self._image)
        self._show_standing(standing)
        self.told.setText(_READY)

    def _let_go(self) -> None:
        self._keys.let_go()
        if self.painting is not None:
            layer = self.painting.cut.layer
            layer.events.selected_label.disconnect(self._label_chosen)
            for digit in "123456789":
                layer.bind_key(digit, None)
        if self._frame is not None:
            self._frame.end()
            self._frame = None
        self.tools.work_on(None)

    def _show_frame(self) -> None:
        """Frame what is drawn on, where that is not all of the image."""
        painting, image = self.painting, self._image
        if painting is None or image is None:
            return
        window, canvas = painting.cut.window, canvas_near(self)
        if self._frame is None and canvas is not None:
            self._frame = Frame(self._viewer, canvas)
        if self._frame is not None:
            part = None if window == Window.whole(image.shape) else window
            self._frame.show_window(self._base, part)

    def _digit(self, digit: str) -> Any:
        def press(_layer: Any) -> None:
            for each in self.classes.classes:
                if each.key == digit:
                    self.classes.choose(each.label)

        return press

    def _choose(self, label: int) -> None:
        if self.painting is not None:
            self.painting.cut.layer.selected_label = label
        self.using.judge()

    def _label_chosen(self, _event: Any = None) -> None:
        """A label was chosen in napari's own way."""
        if self.painting is not None:
            self.classes.choose(int(self.painting.cut.layer.selected_label))

    def _remove_class(self, label: int) -> None:
        self._hand_over()
        self.told.setText("Removing a class …")
        self.marks.remove_class(label)

    def _moved(self, moved: Moved) -> None:
        self._show_standing(moved.standing)
        if moved.change is not None:
            what = {"do": "Kept", "undo": "Taken back", "redo": "Done again"}[moved.act]
            entry = moved.change.entry
            self._step(moved.act, entry.name)
            self.told.setText(f"{what}: {entry.name}, {entry.time.astimezone():%H:%M:%S}")

    def _step(self, act: Act, name: str) -> None:
        """Tell the window's history what the marks' own log went through."""
        history = history_of(self._viewer)
        if act == "do":
            history.done(Step(f"Marks: {name}", self.undo, self.redo, owner=self.marks))
        else:
            history.went(self.marks, act)

    def _grew(self, words: str) -> None:
        levels = self.marks.levels
        if words:
            self.told.setText(words)
        elif levels is not None and self.painting is not None:
            self.told.setText(_READY)
            self.classes.show_classes(self.classes.classes, levels.counts)
            self.using.judge()

    def _refused(self, sentence: str) -> None:
        if self._opening:
            self.stop_drawing()
        waiting = self.marks.unsaved
        tail = f" ({waiting} strokes wait to be written)" if waiting else ""
        self.notice.say(f"{sentence}{tail}")
        self._judge()

    def _layer_removed(self, _event: Any = None) -> None:
        """Without the image or the layer that is drawn in, there is nothing to draw on."""
        if self.painting is not None:
            needed = (self._base, self.painting.cut.layer)
            if any(layer not in self._viewer.layers for layer in needed):
                self.stop_drawing()

    def _another_draws(self) -> None:
        if self.painting is not None and self._name != self.marks.annotator:
            self.start_drawing()

    def _show_image(self) -> None:
        """Propose the folder of the image's marks, unless the user has named another."""
        image = self._whole
        typed = self.folder.path()
        if image is not None and typed in {None, self._proposed}:
            self._proposed = marks_folder(image)
            self.folder.set_path(self._proposed)
        self._judge()

    def _show_standing(self, standing: Standing | None) -> None:
        if standing is None:
            self.classes.show_classes((), {})
            self.tools.show_history(None, None)
        else:
            self.classes.show_classes(standing.classes, standing.counts)
            self.tools.show_history(standing.undo, standing.redo)
        self.using.judge()
        self._judge()

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        lack = "" if self._whole is not None else "Open an image first"
        if not lack and self.folder.path() is None:
            lack = "Name a folder for the marks first"
        if self._opening:
            lack = "Marks are being opened"
        there = (path := self.folder.path()) is not None and path.is_dir()
        words = "Go on with the marks in this folder" if there else "Begin new marks in this folder"
        allow(self.start, lack, words)
        closed = "" if self.painting is not None else "No marks are open"
        allow(self.close_button, closed, "Close the marks; all that was drawn is kept")


def marks_folder(image: SkyImage) -> Path:
    """Where marks on an image lie unless the user says otherwise."""
    cards = image.header.tostring(sep="\n", endcard=False, padding=False) if image.wcs else ""
    place = "" if cards or image.reference is None else image.reference.place
    key = digest(image.name, image.shape, cards, place)[:8]
    stem = re.sub(r"[^A-Za-z0-9.+-]+", "_", Path(image.name).stem)[:60]
    return data_folder() / "marks" / f"{stem}-{key}{ENDING}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        return ""
