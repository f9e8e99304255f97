"""Trainer: the training that a dock has going or watches, and what follows it in the queue."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.apart import Apart
from napari_astroseg.engine.events import Event, Finished
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.runlock import is_held
from napari_astroseg.engine.service import Ended, Failure
from napari_astroseg.errors import AstroSegError, TrainingError
from napari_astroseg.gui.shelf import RUNS, Shelf
from napari_astroseg.gui.training.outcome import put_on_shelf, told_end
from napari_astroseg.gui.training.queue import Item, Queue
from napari_astroseg.gui.training.watch import Watch


class Trainer(QObject):
    """One training or search at a time; when its parent goes, it goes as it was told to.

    Parameters
    ----------
    queue
        What is trained afterwards.
    targets
        The generators of a training (False) and a search (True), `module:function`.
    kept
        Whether a training that begins is to go on without the window.
    """

    begun = Signal(object, str)  # an Order, a sentence
    heard = Signal(object)
    ended = Signal(str, bool)  # a sentence; whether it is trouble

    def __init__(
        self, parent: QObject, queue: Queue, targets: dict[bool, str], kept: Callable[[], bool]
    ) -> None:
        super().__init__(parent)
        self._queue, self._targets, self._kept = queue, targets, kept
        self._shelf, self._runs = Shelf(self), Shelf(self, name=RUNS)
        self._item: Item | None = None
        self._result: dict[str, Any] = {}
        self.watch: Watch | None = None
        self._begun: set[Apart] = set()
        self._finalizer = weakref.finalize(self, _let_go, self._begun)
        parent.destroyed.connect(self._finalizer)

    @property
    def out(self) -> Path | None:
        """The folder of the training that is watched."""
        return None if self.watch is None else self.watch.out

    @property
    def pids(self) -> list[int]:
        """The process number of a training that was begun here."""
        apart = None if self.watch is None else self.watch.apart
        return [apart.pid] if apart is not None and apart.alive else []

    @property
    def runs(self) -> list[Path]:
        """Folders of all trainings that windows began, newest first."""
        return self._runs.paths()

    def known(self, first: Path | None = None) -> list[Path]:
        """Folders of all runs that windows began, or whose models are on the shelf."""
        mine = [] if first is None else [first.absolute()]
        return [*mine, *self.runs, *(path for path in self._shelf.paths() if path.is_dir())]

    @staticmethod
    def search_in(out: Path | None) -> Order | None:
        """The search that a folder holds, to be gone on with; None where it holds none."""
        try:
            order = None if out is None else Order.read(out)
        except TrainingError:
            return None
        return None if order is None else order.resumed_search

    def begin(self, order: Order) -> bool:
        """Train in a process of its own; False, and `ended`, where that cannot be."""
        try:
            self._runs.add(order.out)
            apart = Apart(order, self._targets[order.searches])
        except AstroSegError as error:
            self.ended.emit(str(error), True)
            return False
        apart.keep(self._kept())
        self._begun.add(apart)
        self._follow(order, Watch(apart.out, apart, self), "Starting the training process …")
        return True

    def begin_next(self) -> None:
        """Train the next one that waits in the queue."""
        while self.watch is None and (item := self._queue.take()) is not None:
            if self.begin(item.order):
                self._item = item
            else:
                self._queue.settle(item, "failed", "could not begin")

    def pick_up(self, out: Path | None = None) -> Order | None:
        """Watch the training in a folder, or any that goes on without its window."""
        for path in self.runs if out is None else [out.absolute()]:
            if not is_held(path):
                continue
            try:
                order = Order.read(path)
            except AstroSegError:  # somebody else's: there is nothing to watch
                continue
            self._follow(order, Watch(path, None, self), f"Picking {path.name} up …")
            return order
        return None

    def stop(self) -> None:
        """Ask the training to stop at its next step.

        Raises
        ------
        OutputError
            When it cannot be told.
        """
        if self.watch is not None:
            self.watch.stop()

    def leash(self, without_window: bool) -> None:
        """Have the training go on without the window, or not."""
        if self.watch is not None:
            self.watch.keep(without_window)

    def let_go(self) -> None:
        """Let the training go on by itself, and watch it no more."""
        if (out := self.out) is not None:
            self.leash(True)
            self.look_away("detached")
            self.ended.emit(
                f"{out.name} goes on by itself; choose its folder under Run to see it again", False
            )

    def look_away(self, state: str) -> None:
        """Watch no more; a training that ends with this window stops."""
        self._forget()
        if self._item is not None:
            self._queue.settle(self._item, state)
            self._item = None

    def offer(self, out: Path) -> None:
        """Put a run's model on the shelf."""
        self._shelf.add(out)

    def _forget(self) -> None:
        """Watch nothing any more."""
        if self.watch is not None:
            self.watch.leave()
            self._begun -= {self.watch.apart}
            self.watch.deleteLater()
            self.watch = None

    def _follow(self, order: Order, watch: Watch, words: str) -> None:
        self.watch, self._result = watch, {}
        watch.heard.connect(self._hear)
        watch.over.connect(partial(self._over, order))
        self.begun.emit(order, words)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._result = dict(event.result)
        else:
            self.heard.emit(event)

    def _over(self, order: Order, outcome: Ended | Failure) -> None:
        self._forget()
        state, words = told_end(order, outcome, self._result)
        if state == "done":
            put_on_shelf(self._shelf, order, self._result)
        item, self._item = self._item, None
        self.ended.emit(words, state == "failed")
        if item is not None:
            self._queue.settle(item, state, words if state != "stopped" else "")
        if state != "stopped":  # what the user stops sets nothing going
            self.begin_next()


def _let_go(begun: set[Apart]) -> None:
    """Let go of every leash."""
    for apart in begun:
        apart.let_go()
    begun.clear()
