"""Queue: trainings that are to follow one another; what waits survives the window."""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.order import Order
from napari_astroseg.engine.runlock import RunLock
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.settings import user_folder
from napari_astroseg.sky.files.writing import replacing

_FOLDER, _FILE = "queue", "queue.json"
_MOST = 1000
WAITING, RUNNING = "waiting", "running"


@dataclass
class Item:
    """A training or a search in the queue.

    Parameters
    ----------
    state
        `waiting`, `running`, `done`, `stopped`, `failed`, or `detached`: going on by itself.
    told
        How it ended, in words.
    """

    order: Order
    state: str = WAITING
    told: str = ""


class Queue(QObject):
    """Of one window; a second one finds it taken.

    Parameters
    ----------
    folder
        Where it is kept; the user's configuration folder by default.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        folder = (folder or user_folder()) / _FOLDER
        self._path = folder / _FILE
        self._lock: RunLock | None = None
        self.why_not = ""
        self.items: list[Item] = []
        try:
            self._lock = RunLock(folder, patience_s=0.0)
        except AstroSegError:
            self.why_not = "Another window has the queue: use it there, or close that window"
            return
        self._finalizer = weakref.finalize(self, self._lock.release)
        if parent is not None:
            parent.destroyed.connect(self._finalizer)
        self.items = [Item(order) for order in self._kept()]

    @property
    def waiting(self) -> list[Item]:
        """Those whose turn is still to come, in their order."""
        return [item for item in self.items if item.state == WAITING]

    def add(self, order: Order) -> Item:
        """Put a training at the end."""
        item = Item(order.absolute)
        self.items.append(item)
        self._tell()
        return item

    def remove(self, item: Item) -> None:
        """Take one out that does not run."""
        if item in self.items and item.state != RUNNING:
            self.items.remove(item)
            self._tell()

    def move(self, item: Item, by: int) -> None:
        """Let one that waits change places with its neighbour before (-1) or after (1)."""
        at = self.items.index(item)
        to = at + by
        if 0 <= to < len(self.items) and item.state == self.items[to].state == WAITING:
            self.items[at], self.items[to] = self.items[to], self.items[at]
            self._tell()

    def take(self) -> Item | None:
        """The next one, as running; None where none waits."""
        item = next(iter(self.waiting), None)
        if item is not None:
            self.settle(item, RUNNING)
        return item

    def settle(self, item: Item, state: str, told: str = "") -> None:
        """Note how one goes."""
        item.state, item.told = state, told
        self._tell()

    def holds(self, out: Path) -> bool:
        """Whether one that waits or runs is to be trained in a folder."""
        live = (item for item in self.items if item.state in {WAITING, RUNNING})
        return any(item.order.out == out.absolute() for item in live)

    def release(self) -> None:
        """Leave it to another window."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _tell(self) -> None:
        if self._lock is not None:
            with replacing(self._path) as temporary:
                lines = [item.order.to_json() for item in self.waiting]
                temporary.write_text(json.dumps(lines, indent=1), encoding="utf-8")
        self.changed.emit()

    def _kept(self) -> list[Order]:
        """What was waiting when the last window was closed, as far as it can be read."""
        try:
            lines = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        orders = []
        for line in lines[:_MOST] if isinstance(lines, list) else ():
            try:
                orders.append(Order.from_json(line))
            except AstroSegError:
                continue  # of another version: it is ordered anew
        return orders
