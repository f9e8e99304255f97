"""Vet: one verdict on what the tour has found, in a store of the tour's own."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.tour.step import Scene, Step
from napari_astroseg.review.place import place_of

_STORE = "tour.sqlite"


class Vet(Step):
    """Judge one object.

    The user's own verdicts are never touched: while the step lasts, the dock's store is the tour's,
    and what the dock remembers is the user's.
    """

    title, dock = "Vet one object", "Vet"
    doing = "The list is opened, and its first object judged …"
    outcome = "The verdict is kept, and the list closed again."

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._own = ""
        self._since = datetime.now(UTC)

    @property
    def words(self) -> str:
        """What to do."""
        return (
            "Press <b>Start</b>, look at the object in the ring, and say <b>Real</b>, <b>Not</b> "
            "or <b>Unsure</b> (keys 1, 2, 3). What you judge here stays beside the sample, apart "
            "from your own verdicts."
        )

    @property
    def control(self) -> QWidget:
        """What is pressed or moved."""
        start: QWidget = self._dock.open.start
        real: QWidget = self._dock.judging.buttons["real"]
        return real if self._open else start

    @property
    def now(self) -> Hashable:
        """The verdict that was given since the step began."""
        desk = self._dock.desk
        if desk is None or desk.busy:
            return None
        last = desk.session.standing.last
        return None if last is None or last.time < self._since else last.uid

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        return bool(self._dock.busy)

    def act(self) -> str:
        """Open the list of what was found, then call its first object real."""
        if self._open:
            self._dock.act("real")
            return "judge"
        self.scene.sky.select()
        current = self.scene.docks["Predict"].predictions.current
        offered = [] if current is None else current.layers
        regions = [layer for layer in offered if layer in self._dock.open.offered]
        if regions and self._dock.open.layer not in regions:
            self._dock.open.choose_layer(regions[0])
        self._dock.start()
        self._remember_own()
        return "start"

    def begin(self) -> None:
        """Let the dock keep verdicts in the tour's store."""
        self._own = self._dock.open.store.text()
        self._since = datetime.now(UTC)
        self._dock.open.store.setText(self._store)
        self._dock.open.started.connect(self._remember_own)

    def end(self) -> None:
        """Close the tour's list; the store is the user's again."""
        if self._open:
            self._dock.stop()
        self._dock.open.started.disconnect(self._remember_own)
        self._dock.open.store.setText(self._own)

    def _remember_own(self) -> None:
        """To start has remembered the tour's store; the next window is to have the user's."""
        box = self._dock.open
        box.store.setText(self._own)
        box.keep_choices()
        box.store.setText(self._store)

    @property
    def _open(self) -> bool:
        """Whether what is judged is kept in the tour's store."""
        desk = self._dock.desk
        return desk is not None and desk.session.store.url == place_of(self._store)

    @property
    def _store(self) -> str:
        return str(self.scene.sky.folder / _STORE)

    @property
    def _dock(self) -> Any:
        return self.scene.docks["Vet"]
