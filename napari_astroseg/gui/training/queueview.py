"""QueueView: the queue as a list, to be put in order, thinned out, and set going."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.run import Sweep
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.keys import shortcuts
from napari_astroseg.gui.training.queue import RUNNING, WAITING, Item, Queue

_SIGNS = {WAITING: "◦", RUNNING: "▸", "done": "✓", "stopped": "■", "failed": "✗", "detached": "⇢"}


class QueueView(QWidget):
    """The list and its buttons; `begin` asks for the next one to be trained."""

    begin = Signal()
    picked = Signal(object)  # a Path: the folder of what was double-clicked

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self._queue = queue
        self._busy = False
        self.list = QListWidget()
        self.list.setToolTip(
            "Trainings, one after the other; those that wait are kept when the window is closed.\n"
            "Double-click one to see its curves"
        )
        self.go, self.up, self.down, self.out = (
            QPushButton(words) for words in ("Run queue", "▲", "▼", "Remove")
        )
        self.up.setMaximumWidth(36)
        self.down.setMaximumWidth(36)
        row = QHBoxLayout()
        for button in (self.go, self.up, self.down, self.out):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.go.clicked.connect(self.begin)
        self.up.clicked.connect(lambda: self._move(-1))
        self.down.clicked.connect(lambda: self._move(1))
        self.out.clicked.connect(self._remove)
        self.list.currentRowChanged.connect(self._judge)
        self.list.itemDoubleClicked.connect(self._pick)
        keys = {
            "Del": ("take it out of the queue", self.out.click),
            "Alt+Up": ("earlier in the queue", self.up.click),
            "Alt+Down": ("later in the queue", self.down.click),
        }
        shortcuts(self, "Train", keys, inside=True)
        queue.changed.connect(self._show)
        self._show()

    def show_busy(self, busy: bool) -> None:
        """Whether something is trained now."""
        self._busy = busy
        self._judge()

    @property
    def current(self) -> Item | None:
        """The one that is selected."""
        row = self.list.currentRow()
        return self._queue.items[row] if 0 <= row < len(self._queue.items) else None

    def _show(self) -> None:
        row = self.list.currentRow()
        self.list.clear()
        for item in self._queue.items:
            entry = QListWidgetItem(_words(item))
            entry.setToolTip(_tip(item))
            self.list.addItem(entry)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self._judge()

    def _judge(self, _row: int = 0) -> None:
        queue, item = self._queue, self.current
        lack = queue.why_not or (
            "" if queue.waiting else "Nothing waits: use Add to queue, or Search…"
        )
        busy = "Something runs already; the next one begins when it is over"
        allow(self.go, lack or (busy if self._busy else ""), "Train what waits, one by one")
        none = "" if item is not None else "Select one of the list"
        still = none or ("" if item and item.state == WAITING else "Its turn has come already")
        at = self.list.currentRow()
        first = at <= 0 or queue.items[at - 1].state != WAITING
        last = at + 1 >= len(queue.items)
        allow(self.up, still or ("It is the next one" if first else ""), "Earlier (Alt+Up)")
        allow(self.down, still or ("It is the last one" if last else ""), "Later (Alt+Down)")
        runs = "" if item is None or item.state != RUNNING else "It is running: stop it first"
        allow(self.out, none or runs, "Take it off the list; what it has learnt stays (Del)")

    def _move(self, by: int) -> None:
        if (item := self.current) is not None:
            self._queue.move(item, by)
            self.list.setCurrentRow(self._queue.items.index(item))

    def _remove(self) -> None:
        if (item := self.current) is not None:
            self._queue.remove(item)

    def _pick(self, _entry: QListWidgetItem) -> None:
        if (item := self.current) is not None:
            self.picked.emit(item.order.out)

    def keyPressEvent(self, event: object) -> None:  # noqa: N802 (Qt's name)
        """Return shows the curves of the selected one."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:  # type: ignore[attr-defined]
            if (item := self.current) is not None:
                self.picked.emit(item.order.out)
            return
        super().keyPressEvent(event)


def _words(item: Item) -> str:
    kind = "search " if item.order.searches else ""
    told = f", {item.told}" if item.told else ""
    return f"{_SIGNS[item.state]}  {kind}{item.order.out.name} ({item.state}{told})"


def _tip(item: Item) -> str:
    order = item.order
    search = "\ntries " + ", ".join(order.how.words) if isinstance(order.how, Sweep) else ""
    return f"{order.recipe.name} on {order.how.data}\ninto {order.out}{search}"
