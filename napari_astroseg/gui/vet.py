"""VetDock: one detection after the other, a verdict by a key, each kept before the next."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.keys import announce
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.layers import image_in_view, sky_image
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.vetting import dockstate
from napari_astroseg.gui.vetting.acting import Acting
from napari_astroseg.gui.vetting.actions import key_pairs
from napari_astroseg.gui.vetting.begin import InStore, Wish, begin
from napari_astroseg.gui.vetting.controls import VetControls
from napari_astroseg.gui.vetting.desk import Desk, Opened
from napari_astroseg.gui.vetting.dockstate import VetState
from napari_astroseg.gui.vetting.fromlayers import making
from napari_astroseg.gui.vetting.inview import region_in_view
from napari_astroseg.gui.vetting.judged import Judged
from napari_astroseg.gui.vetting.sheet import ContactSheet
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places


class VetDock(VetControls):
    """A queue of detections on one image, and the verdicts on them.

    Parameters
    ----------
    napari_viewer
        Where they are looked at; napari passes it in.
    """

    State = VetState

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.desk: Desk | None = None
        self.sheet: ContactSheet | None = None
        self.judged = Judged(self._viewer)
        self._opening, self._others = Latest(self), Latest(self)
        self._ties = Ties(self)
        self._at = ""
        self.acting = Acting(self._viewer, self.judging, self.isVisible, self.judged, self)
        self._connect()
        announce(self, "Vet", key_pairs)

    @property
    def busy(self) -> bool:
        """Whether a list is being opened, or something is being written down."""
        desk = self.desk is not None and self.desk.busy
        works = (self._opening, self._others, self.giving, self.learning, self.linking)
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

    def start(self, at: str = "", kept: int | InStore | None = None) -> None:
        """Open what is chosen, and go to the first without a verdict, or to the one called `at`.

        Parameters
        ----------
        kept
            Which list of the store, whatever else is chosen.
        """
        wish = self._wish(kept)
        if wish is None or self._opening.busy:
            return
        layer = self.judged.bare(self.open.images.layer())
        self.stop()
        self._at = at
        self.notice.clear()
        self.judged.choose(layer)
        self.open.keep_choices()
        self.judging.show_none("The list is being opened …")
        self.open.judge(True, False)
        self._opening.ask(partial(begin, wish))

    def stop(self) -> None:
        """Judge no more; every verdict is kept."""
        if self.desk is not None:
            self._close_sheet()
            self._follow(None)
            self.desk.end()
            self.desk.deleteLater()
            self.desk = None
            self.judged.close()
        self.judging.show_none("Nothing is being judged yet")
        self.open.judge(False, False)
        self.queue.judge(False)

    def act(self, name: str) -> None:
        """Do what an action is called by."""
        self.acting.act(name)

    def show_sheet(self) -> None:
        """Open the contact sheet on what comes next."""
        if self.desk is not None:
            self._close_sheet()
            self.sheet = ContactSheet(self.desk, self.acting.pictures(), self)
            self.sheet.show()

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        for work in (self._opening, self._others, self.giving, self.learning):
            work.wait()
        self.stop()
        self.linking.shut_down()
        self.acting.stage.leave()
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
            self.giving.write(self.desk, Path(path))

    def _connect(self) -> None:
        self.open.started.connect(self.start)
        self.open.closed.connect(self.stop)
        self.queue.arranged.connect(self._arrange)
        self.queue.here.connect(self._take_view)
        self.open.export_wanted.connect(self._ask_export)
        self.open.sheet_wanted.connect(self.show_sheet)
        self.judging.wanted.connect(self.act)
        self.judging.zoom.currentIndexChanged.connect(self._set_fitted)
        self.keys.changed.connect(self.acting.bind)
        self._opening.answered.connect(self._opened)
        self._opening.refused.connect(self._not_opened)
        self._others.answered.connect(self.judging.show_others)
        self._others.refused.connect(self.notice.say)
        self.acting.said.connect(self._say)
        self.acting.pointed.connect(self.linking.point_here)
        for part in (self.giving, self.learning, self.linking):
            part.said.connect(self._say)
            part.refused.connect(self.notice.say)
        self.hiding.hidden.connect(lambda number: self.start(kept=number))
        self._ties.tie(self._viewer.layers.events.removed, self._layer_removed)

    def _wish(self, kept: int | InStore | None = None) -> Wish | None:
        box = self.open
        layer = self.judged.bare(box.images.layer())
        image = None if layer is None else image_in_view(self._viewer, layer) or sky_image(layer)
        image = image or box.images.image()
        if image is None:
            self.notice.say("That layer is no plane of sky; choose another image")
            return None
        source: Any = None if box.from_store else box.path
        if kept is not None:
            source = kept
        elif box.layer is not None:
            source = making(box.layer, image, layer, self._viewer.layers)
        try:
            queue = self.queue.wish()
        except VettingError as error:
            self.notice.say(str(error))
            return None
        return Wish(source, image, box.store.text().strip(), box.name, queue, box.blind.isChecked())

    def _opened(self, opened: Opened) -> None:
        if not self.judged.there:
            opened.session.close()
            self._not_opened("The image has been removed meanwhile; open it again")
            return
        self.judged.open(opened)
        self.desk = Desk(self._viewer, self.judged.layer, opened, self)
        self.desk.fitted = self.judging.fitted
        self.desk.shown.connect(self._show)
        self.desk.said.connect(self._say)
        self.desk.refused.connect(self.notice.say)
        session = opened.session
        self.judging.show_kinds(sorted({*session.detections.kinds} - {""}))
        self.open.judge(False, True)
        self.queue.judge(True)
        self.queue.show_unit(session.detections.unit)
        self._follow(self.desk)
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
        if self.desk is not None and not self.judged.there:
            self.stop()

    def _ask_export(self) -> None:
        if self.desk is not None:
            self.giving.ask(self.desk, self)

    def _follow(self, desk: Desk | None) -> None:
        for part in (self.acting, self.hiding, self.learning, self.linking):
            part.follow(desk)

    def _say(self, sentence: str) -> None:
        if sentence:
            self.judging.counts.setText(sentence)
        elif self.desk is not None:
            self.judging.show_done(self.desk.session.done)
