"""Desk: an open session in a viewer: where it looks, what it draws, and what it writes down.

Verdicts are written in a background thread; the next detection is shown when the one before is on
a disk. What is pressed meanwhile does nothing, which is said, so that no verdict lands on another
detection. While a store that refused is asked again, verdicts are taken as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.history.history import NotNow, Step, history_of
from napari_astroseg.gui.inorder import InOrder
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.vetting.flight import Flight, Place
from napari_astroseg.gui.vetting.placed import Placed
from napari_astroseg.gui.vetting.revising import Revising
from napari_astroseg.gui.vetting.rings import Rings
from napari_astroseg.gui.vetting.seen import on_screen
from napari_astroseg.review.entry import Entry, Verdict
from napari_astroseg.review.plan import Plan
from napari_astroseg.review.session import VettingSession
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.shape import Shape

_MOST_RINGS = 24
_WIDER = 2.0
"""Than the view is where others are drawn, for a look around."""
_AHEAD = 3
_AGAIN_MS = 5000
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Opened:
    """What was made in the background: a session, where its detections lie, and the model's digest.

    Parameters
    ----------
    image
        That they are looked at on.
    model
        "" where nothing tells it.
    notes
        What was left out of the detections, one sentence each.
    """

    session: VettingSession
    placed: Placed
    image: SkyImage
    model: str = ""
    notes: tuple[str, ...] = ()
    prepared: Any = None
    """The image as napari takes it, where objects are hidden in it; else None."""


class Desk(QObject):
    """One session, until `end`.

    Parameters
    ----------
    viewer, layer
        Where it is looked at.
    opened
        What is judged.
    """

    shown = Signal()
    said = Signal(str)
    refused = Signal(str)

    def __init__(
        self, viewer: Any, layer: Any, opened: Opened, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.viewer, self.layer = viewer, layer
        self.session, self.placed, self.image = opened.session, opened.placed, opened.image
        self.fitted = False
        self.revising: Revising | None = None
        self._model = opened.model
        self._ties = Ties(self)
        self._work = InOrder(self)
        self._work.refused.connect(self._not_done)
        self._storing = self._ended = False
        self._history, self._before = history_of(viewer), self._log()
        self.rings = Rings(viewer, layer, self._ties)
        self.flight = Flight(viewer, layer, self)
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self.store_waiting)

    @property
    def busy(self) -> bool:
        """Whether something is being written down or read ahead."""
        return self._work.busy or self.flight.busy

    @property
    def row(self) -> int | None:
        """Of the current detection."""
        current = self.session.current
        return None if current is None else current.number

    @property
    def on_image(self) -> bool:
        """Whether the current detection lies on the image."""
        return self.row is not None and bool(self.placed.inside[self.row])

    @property
    def neighbours(self) -> list[str]:
        """Names of the nearest others."""
        if self.row is None:
            return []
        names = self.session.detections.names
        return [names[row] for row in self.placed.near(self.row, _NEIGHBOURS)]

    def judge(self, verdict: Verdict, **said: Any) -> None:
        """Write a verdict on the current detection down, then go on to the next."""
        current = self.session.current
        if current is not None:
            seen = on_screen(self.viewer, self._model)
            self.do(partial(self.session.judge, verdict, on=current.name, seen=seen, **said), True)

    def judge_many(self, verdicts: Sequence[tuple[str, Verdict]]) -> bool:
        """Write verdicts on several down, of which a contact sheet has shown the stamps.

        False, and nothing is written, while others are.
        """
        seen = on_screen(self.viewer, self._model) | {"sheet": True}

        def write() -> None:
            for name, verdict in verdicts:
                self.session.judge(verdict, on=name, seen=seen)

        return self.do(write)

    def again(self) -> None:
        """The same as the last verdict."""
        seen = on_screen(self.viewer, self._model)
        self.do(partial(self.session.again, advance=False, seen=seen), True)

    def undo(self) -> None:
        """Take the last verdict back, and go there."""
        self.do(self.session.undo)

    def redo(self) -> None:
        """Give again what was taken back, and go there."""
        self.do(self.session.redo)

    def walk(self, step: str) -> None:
        """Go to the `next`, the `previous` or the next `unjudged` without judging."""
        if self._free():
            go = {
                "next": self.session.next,
                "previous": self.session.previous,
                "unjudged": self.session.next_unjudged,
            }
            go[step]()
            self.show()

    def go_to(self, name: str) -> None:
        """Go to a detection of the queue."""
        if self._free():
            self.session.go_to(name)
            self.show()

    def arrange(self, plan: Plan) -> None:
        """Deal the queue anew."""
        self.do(partial(self.session.arrange, plan))

    def revise(self, **said: Any) -> None:
        """Let the outline be dragged; a second time keeps it with the verdict."""
        if self.revising is None:
            if self.row is None or not self.on_image:
                return
            x, y, radius = self.place_of(self.row)
            given = self.session.verdict
            shape = given.shape if given is not None and given.shape is not None else None
            shape = shape or Shape("circle", ((x, y),), (radius,))
            try:
                self.revising = Revising(self.viewer, self.layer, self.image, shape)
            except AstroSegError as error:
                self.refused.emit(str(error))
            else:
                self.said.emit("Drag the outline, then press the key again; Undo leaves it")
            return
        try:
            shape = self.revising.shape() if self.revising.there else None
        except AstroSegError as error:
            self.refused.emit(str(error))
            return
        self.leave_outline()
        if shape is not None:
            self.judge("revise", shape=shape, **said)

    def leave_outline(self) -> bool:
        """Revise no more; whether an outline was being revised."""
        if self.revising is None:
            return False
        self.revising.end()
        self.revising = None
        self.viewer.layers.selection.active = self.layer
        self.said.emit("")
        return True

    def show(self) -> None:
        """Fly to the current detection, draw it and what lies around, and read the next ahead."""
        self.leave_outline()
        row = self.row
        if row is not None and self.on_image:
            self.flight.to(self.place_of(row), fitted=self.fitted)
        self._draw()
        self.shown.emit()
        coming = [each.number for each in self.session.coming(_AHEAD)]
        places = [self.place_of(number) for number in coming if self.placed.inside[number]]
        self.flight.read_ahead(places, fitted=self.fitted)

    def fit(self) -> None:
        """Zoom so that the current one fits."""
        if self.row is not None and self.on_image:
            self.flight.to(self.place_of(self.row), fitted=True)

    def store_waiting(self) -> None:
        """Ask the store again for what waits; what is on screen stays as it is."""
        if self.session.waiting and not self._storing:
            self._work.ask(self.session.store_waiting, self._tell_waiting)

    def end(self) -> None:
        """Close the session; every verdict is kept."""
        self._ended = True
        self._history.forget(self)
        self._again.stop()
        self.leave_outline()
        self._ties.untie()
        self._work.wait()
        self.flight.wait()
        self.rings.remove()
        self.session.close()

    def do(
        self,
        work: Callable[[], Any],
        advance: bool = False,
        then: Callable[[], None] = lambda: None,
        *,
        shows: bool = True,
    ) -> bool:
        """Write something down in the background; then show where the queue is, and do `then`.

        False, and nothing is done, while something else is being written down.
        """
        if not self._free():
            return False
        self._storing = True
        self._work.ask(work, partial(self._done, advance, then, shows))
        return True

    def _tell_history(self) -> None:
        """Tell the window's history what the log of verdicts went through."""
        (count, undone), self._before = self._before, self._log()
        standing = self.session.standing
        if standing.depth[0] < count:
            self._history.went(self, "undo")
        elif standing.last is not None and standing.last is undone:
            self._history.went(self, "redo")
        else:
            for entry in standing.latest(standing.depth[0] - count):
                name = f"“{entry.detection}” judged {entry.verdict}"
                turns = partial(self._turned, self.undo), partial(self._turned, self.redo)
                self._history.done(Step(name, *turns, owner=self))

    def _log(self) -> tuple[int, Entry | None]:
        """How many verdicts can be taken back, and which would be given again."""
        standing = self.session.standing
        return standing.depth[0], standing.undone

    def _turned(self, turn: Callable[[], None]) -> None:
        if self._storing:
            raise NotNow("the verdict before is still being written down")
        turn()

    def _free(self) -> bool:
        """Whether nothing is being written down; otherwise this is said."""
        if self._storing:
            self.said.emit("The verdict before is still being written down; press again")
        return not self._storing

    def _done(self, advance: bool, then: Callable[[], None], shows: bool, _answer: Any) -> None:
        if self._ended:
            return  # what came last is kept, and the camera is somebody else's
        self._storing = False
        self._tell_history()
        if advance:
            self.session.next()
        if shows:
            self.show()
        self._tell_waiting()
        then()

    def _tell_waiting(self, _answer: Any = None) -> None:
        if self._ended:
            return
        waiting = self.session.waiting
        if waiting:
            kept = f"{waiting} verdict{'s' * (waiting != 1)} kept on this machine until it is"
            self.refused.emit(f"{self.session.trouble} ({kept})")
            self._again.start()
        else:
            self.refused.emit("")

    def _not_done(self, sentence: str) -> None:
        self._storing = False
        self.refused.emit(sentence)

    def place_of(self, row: int) -> Place:
        """Where a detection lies, and how far it reaches, px."""
        placed = self.placed
        return float(placed.x[row]), float(placed.y[row]), float(placed.radius[row])

    def _draw(self) -> None:
        row, names = self.row, self.session.detections.names
        if row is None:
            self.rings.show([], [], None)
            return
        if not self.on_image:
            return
        around = self.placed.near(row, _MOST_RINGS, _WIDER * self.flight.reach_px)
        rows = [row, *around]
        given = [self.session.standing.of(names[each]) for each in rows]
        verdicts = ["" if entry is None else str(entry.verdict) for entry in given]
        with selection_kept(self.viewer):
            self.rings.show([self.place_of(each) for each in rows], verdicts, 0)
