"""VetDock: one detection after the other, a verdict by a key, each kept before the next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFileDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.blink import Blink
from napari_astroseg.gui.comparing.kinds import is_picture, lie_together
from napari_astroseg.gui.comparing.overlaysoff import OverlaysOff
from napari_astroseg.gui.comparing.stage import Stage
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.layers import image_in_view, sky_image
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.vetting import dockstate
from napari_astroseg.gui.vetting.actions import ACTIONS, Bound, chosen_keys
from napari_astroseg.gui.vetting.begin import Wish, begin
from napari_astroseg.gui.vetting.desk import Desk, Opened
from napari_astroseg.gui.vetting.dockstate import VetState
from napari_astroseg.gui.vetting.fromlayers import making
from napari_astroseg.gui.vetting.inview import region_in_view
from napari_astroseg.gui.vetting.judgebox import JudgeBox
from napari_astroseg.gui.vetting.keytable import KeyTable
from napari_astroseg.gui.vetting.openbox import OpenBox
from napari_astroseg.gui.vetting.queuebox import QueueBox
from napari_astroseg.gui.vetting.sheet import ContactSheet
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.review.outcome import Outcome, catalogue_of, write_outcome

_WRITTEN = (
    "Catalogue (*.ecsv);;Catalogue (*.vot);;Catalogue (*.fits);;Catalogue (*.csv);;"
    "DS9 regions (*.reg)"
)


class VetDock(QWidget):
    """A queue of detections on one image, and the verdicts on them.

    Parameters
    ----------
    napari_viewer
        Where they are looked at; napari passes it in.
    """

    State = VetState

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(napari_viewer)
        self.desk: Desk | None = None
        self.sheet: ContactSheet | None = None
        self._layer: Any = None
        self._opening, self._writing, self._others = Latest(self), Latest(self), Latest(self)
        self._ties = Ties(self)
        self._bound: Bound | None = None
        self._at = ""
        self.stage = Stage(self._viewer, self)
        self.blink = Blink(self.stage, self.isVisible)
        self.overlays = OverlaysOff(self._viewer, self)
        self._build()
        self._connect()

    @property
    def busy(self) -> bool:
        """Whether a list is being opened, or something is being written down."""
        desk = self.desk is not None and self.desk.busy
        works = (self._opening, self._writing, self._others)
        return desk or any(work.busy for work in works)

    @property
    def is_opening(self) -> bool:
        """Whether a list is being opened."""
        return self._opening.busy

    def state(self, places: Places) -> VetState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: VetState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def start(self, at: str = "") -> None:
        """Open what is chosen, and go to the first without a verdict, or to the one called `at`."""
        wish = self._wish()
        if wish is None or self._opening.busy:
            return
        self.stop()
        self._at = at
        self.notice.clear()
        self._layer = self.open.images.layer()
        self.open.keep_choices()
        self.judging.show_none("The list is being opened …")
        self.open.judge(True, False)
        self._opening.ask(partial(begin, wish))

    def stop(self) -> None:
        """Judge no more; every verdict is kept."""
        if self.desk is not None:
            if self._bound is not None:
                self._bound.keys.let_go()
                self._bound = None
            self.blink.stop()
            self.overlays.set_off(False)
            self._close_sheet()
            self.desk.end()
            self.desk.deleteLater()
            self.desk = None
        self.judging.show_none("Nothing is being judged yet")
        self.open.judge(False, False)
        self.queue.judge(False)

    def act(self, name: str) -> None:
        """Do what an action is called by."""
        if self.desk is not None:
            self._calls()[name]()

    def show_sheet(self) -> None:
        """Open the contact sheet on what comes next."""
        if self.desk is not None:
            self._close_sheet()
            self.sheet = ContactSheet(self.desk, [self._layer, *self._pictures()], self)
            self.sheet.show()

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        for work in (self._opening, self._writing, self._others):
            work.wait()
        self.stop()
        self.stage.leave()
        self._ties.untie()
        self.open.untie()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def write(self, path: str | Path) -> None:
        """Write what was judged, off the window's thread."""
        if self.desk is not None:
            self._writing.ask(partial(_written, self.desk, Path(path)))

    def _build(self) -> None:
        self.open, self.judging, self.keys = OpenBox(self._viewer), JudgeBox(), KeyTable()
        self.queue = QueueBox()
        self.notice = Notice()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addWidget(Fold("Detections", self.open))
        column.addWidget(self.notice)
        column.addWidget(Fold("Verdict", self.judging))
        column.addWidget(Fold("Queue", self.queue, opened=False))
        column.addWidget(Fold("Keys", self.keys, opened=False))
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def _connect(self) -> None:
        self.open.started.connect(self.start)
        self.open.closed.connect(self.stop)
        self.queue.arranged.connect(self._arrange)
        self.queue.here.connect(self._take_view)
        self.open.export_wanted.connect(self._ask_name)
        self.open.sheet_wanted.connect(self.show_sheet)
        self.judging.wanted.connect(self.act)
        self.judging.zoom.currentIndexChanged.connect(self._set_fitted)
        self.keys.changed.connect(self._bind)
        self._opening.answered.connect(self._opened)
        self._opening.refused.connect(self._not_opened)
        self._others.answered.connect(self.judging.show_others)
        self._others.refused.connect(self.notice.say)
        self._writing.answered.connect(self._say)
        self._writing.refused.connect(self.notice.say)
        self._ties.tie(self._viewer.layers.events.removed, self._layer_removed)

    def _wish(self) -> Wish | None:
        layer, box = self.open.images.layer(), self.open
        image = None if layer is None else image_in_view(self._viewer, layer) or sky_image(layer)
        image = image or self.open.images.image()
        if image is None:
            self.notice.say("That layer is no plane of sky; choose another image")
            return None
        source: Any = None if box.from_store else box.path
        if box.layer is not None:
            source = making(box.layer, image, layer)
        try:
            queue = self.queue.wish()
        except VettingError as error:
            self.notice.say(str(error))
            return None
        return Wish(source, image, box.store.text().strip(), box.name, queue, box.blind.isChecked())

    def _opened(self, opened: Opened) -> None:
        if self._layer not in self._viewer.layers:
            opened.session.close()
            self._not_opened("The image has been removed meanwhile; open it again")
            return
        self._viewer.layers.selection.active = self._layer
        self.desk = Desk(self._viewer, self._layer, opened, self)
        self.desk.fitted = self.judging.fitted
        self.desk.shown.connect(self._show)
        self.desk.said.connect(self._say)
        self.desk.refused.connect(self.notice.say)
        session = opened.session
        self.judging.show_kinds(sorted({*session.detections.kinds} - {""}))
        self.open.judge(False, True)
        self.queue.judge(True)
        self.queue.show_unit(session.detections.unit)
        self._bind()
        if self._at:
            with suppress(VettingError):  # the list has changed since: it begins as ever
                session.go_to(self._at)
        self.desk.show()
        notes = opened.notes
        if session.recovered:
            self._say(f"{session.recovered} verdicts of an earlier session are now stored")
        elif notes:
            self.notice.say(f"{len(notes):,} things were left out; the first: {notes[0]}")

    def _not_opened(self, sentence: str) -> None:
        self.judging.show_none("Nothing is being judged yet")
        self.open.judge(False, False)
        self.notice.say(sentence)

    def _bind(self) -> None:
        """Let the keys work where the picture is looked at, and show them."""
        if self._bound is not None:
            self._bound.keys.let_go()
        self.judging.show_keys(chosen_keys())
        if self.desk is None:
            return
        self._bound = Bound(self._calls(), {"blink": self.blink.release})
        for listener in (self._viewer, self._layer, self.desk.rings.layer):
            self._bound.keys.bind(listener)

    def _calls(self) -> dict[str, Callable[[], None]]:
        desk = self.desk
        assert desk is not None
        said = self._said
        calls: dict[str, Callable[[], None]] = {
            "real": lambda: desk.judge("real", **said()),
            "not": lambda: desk.judge("not", **said()),
            "unsure": lambda: desk.judge("unsure", **said()),
            "reclassify": lambda: desk.judge("reclassify", kind=self.judging.kind, **said()),
            "duplicate": lambda: desk.judge("duplicate", same_as=self.judging.same_as, **said()),
            "revise": lambda: desk.revise(**said()),
            "again": desk.again,
            "undo": self._undo,
            "redo": desk.redo,
            "marks": self.overlays.toggle,
            "blink": self._blink,
            "fit": desk.fit,
            "note": self.judging.note_line.setFocus,
        }
        calls |= {step: partial(desk.walk, step) for step in ("next", "previous", "unjudged")}
        return {action.name: calls[action.name] for action in ACTIONS}

    def _said(self) -> dict[str, Any]:
        box = self.judging
        return {"tags": box.tags, "note": box.note, "rating": box.rating}

    def _undo(self) -> None:
        """Leave the outline that is being revised, or take the last verdict back."""
        if self.desk is not None and not self.desk.leave_outline():
            self.desk.undo()

    def _blink(self) -> None:
        """Show another picture of the same sky, while the key is held."""
        pictures = self._pictures()
        if pictures:
            self.blink.hold([self._layer, *pictures])
        else:
            self._say("There is no other picture of this sky: bring one in Compare")

    def _pictures(self) -> list[Any]:
        """Other pictures of the same sky on the same pixels."""
        return [
            layer
            for layer in self._viewer.layers
            if is_picture(layer) and layer is not self._layer and lie_together(self._layer, layer)
        ]

    def _close_sheet(self) -> None:
        if self.sheet is not None:
            self.sheet.close()
            self.sheet.deleteLater()
            self.sheet = None

    def _show(self) -> None:
        desk = self.desk
        if desk is None:
            return
        session, box = desk.session, self.judging
        current = session.current
        if current is None:
            box.show_none("Nothing is left in this queue: show more of the list, and Arrange")
        else:
            place = f"{session.place + 1:,} of {len(session.queue):,}"
            box.show_one(current, place, session.verdict, desk.neighbours, desk.on_image)
        if current is not None and not session.blind:
            self._others.ask(partial(session.others, current.name))
        else:
            box.show_others({})
        box.show_history(session.standing.last, session.standing.undone)
        box.show_done(session.done)

    def _arrange(self) -> None:
        desk = self.desk
        if desk is None:
            return
        try:
            wish = self.queue.wish()
        except VettingError as error:
            self.notice.say(str(error))
            return
        session = desk.session
        desk.do(lambda: session.arrange(wish.plan(session.detections.frame)))

    def _take_view(self) -> None:
        """Make the part of the sky that is in view the region of the queue."""
        if self.desk is not None:
            desk = self.desk
            frame = desk.session.detections.frame
            self.queue.region.setText(region_in_view(desk.flight, desk.image, frame))

    def _set_fitted(self, _index: int) -> None:
        if self.desk is not None:
            self.desk.fitted = self.judging.fitted
            self.desk.show()

    def _layer_removed(self, _event: Any = None) -> None:
        """Without the image there is nothing to look at."""
        if self.desk is not None and self._layer not in self._viewer.layers:
            self.stop()

    def _ask_name(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export", "vetted.ecsv", _WRITTEN)
        if name:
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(".ecsv"))

    def _say(self, sentence: str) -> None:
        if sentence:
            self.judging.counts.setText(sentence)
        elif self.desk is not None:
            self.judging.show_done(self.desk.session.done)


def _written(desk: Desk, path: Path) -> str:
    """Write the outcome of a session's list; what was said, for the window."""
    outcome = Outcome.of(desk.session.store, desk.session.list)
    catalogue = catalogue_of(outcome, "judged")
    write_outcome(path, outcome, catalogue, "judged")
    return f"{len(catalogue):,} judged detections written to {path}"
