"""NonBubbles: crops of sky without a bubble, class by class, of which those like bubbles go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QShortcut,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.events import Event, Preparing
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import JobFailed
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.datasets.classrow import ClassRow
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.sky.clusters.choice import FILE, Choice
from napari_astroseg.sky.clusters.kmeans import CLASSES
from napari_astroseg.sky.clusters.nonbubbles import COUNT

MAKE = "napari_astroseg.engine.nonbubbles:part_non_bubbles"
SHOW = "napari_astroseg.engine.nonbubbles:kept_non_bubbles"

_SHOWN, _SIDE = 12, 52
"""Crops in a strip, and their side on the screen, px."""

_UNITS = {
    "looking for missing pixels": "rows",
    "looking at crops": "crops",
    "drawing classes": "classes",
}

_STEPS = 100
"""Changes that can be taken back."""


class NonBubbles(QWidget):
    """Makes classes of crops in a process of its own; drops and weighs them; keeps the choice.

    Parameters
    ----------
    engines
        Of the dock.
    make, show
        The work by name, `module:function`.
    """

    def __init__(self, engines: Engines, make: str = MAKE, show: str = SHOW) -> None:
        super().__init__()
        self._engines, self._targets = engines, (make, show)
        self._job: Job | None = None
        self._folder: Path | None = None
        self._saving = Latest(self)
        self.choice: Choice | None = None
        self._saved: Choice | None = None
        self._earlier: list[Choice] = []
        self.rows: list[ClassRow] = []
        self._make_controls()
        self._lay_out()
        self._connect()
        self._judge()

    @property
    def busy(self) -> bool:
        """Whether classes are being made or written."""
        return self._job is not None or self._saving.busy

    def offer(self, folder: Path | None) -> None:
        """Be about another folder; about none for None."""
        if self._job is not None:
            self._job.cancel()  # what it still says is not heard any more
            self._job = None
        self._folder = folder
        self.show_choice(None)
        self.progress.end()
        self._judge()

    def show_choice(
        self, choice: Choice | None, strips: Sequence[Any] = (), *, kept: bool = False
    ) -> None:
        """Show a choice in place of what was shown; nothing for None.

        Parameters
        ----------
        strips
            A picture of each class, see `ClassRow`.
        kept
            Whether it lies beside the data already.
        """
        self.choice, self._earlier = choice, []
        self._saved = choice if kept else None
        for row in self.rows:
            self._list.removeWidget(row)
            row.deleteLater()
        self.rows = []
        classes = () if choice is None else choice.classes
        for number, (each, strip) in enumerate(zip(classes, strips, strict=True)):
            row = ClassRow(number, each, strip)
            row.dropped.connect(self.drop)
            row.weighed.connect(self.weigh)
            self._list.addWidget(row)
            self.rows.append(row)
        self._show()

    def make(self) -> None:
        """Draw crops without a bubble, and part them into classes."""
        counts = self.count.value(), self.classes.value(), self.seed.value()
        self._start("Drawing crops without bubbles …", self._targets[0], counts)

    def show_kept(self) -> None:
        """Show the choice that lies beside the data."""
        self._start("Reading the choice beside the data …", self._targets[1], ())

    def stop(self) -> None:
        """Make no more."""
        if self._job is not None:
            self.progress.say("Stopping …")
            self._job.cancel()

    def drop(self, number: int, on: bool) -> None:
        """Show a network none of a class, or some again."""
        if self.choice is not None:
            others = {n for n, each in enumerate(self.choice.classes) if each.dropped} - {number}
            self._change(self.choice.changed(dropped=sorted(others | ({number} if on else set()))))

    def weigh(self, number: int, weight: float) -> None:
        """Show a class so many times as often."""
        if self.choice is not None:
            self._change(self.choice.changed(weights={number: weight}))

    def undo(self) -> None:
        """Take the last change back."""
        if self._earlier:
            self.choice = self._earlier.pop()
            self._show()

    def save(self) -> None:
        """Keep the choice beside the data."""
        if self.choice is not None and self._folder is not None and not self._saving.busy:
            self._saving.ask(partial(_written, self.choice, self._folder))
            self._judge()

    def untie(self) -> None:
        """Wait for nothing more."""
        self._job = None
        self._saving.wait()

    def _make_controls(self) -> None:
        self.count = _spin(50, 20_000, COUNT, " crops", "How many crops without a bubble are drawn")
        self.count.setSingleStep(500)
        self.classes = _spin(2, 30, CLASSES, " classes", "How many classes; 8 to 10 are usual")
        self.seed = _spin(0, 999_999, 0, "", "Another number draws other crops")
        self.seed.setPrefix("seed ")
        self.go, self.open = QPushButton("Make classes"), QPushButton("Show kept")
        self.progress, self.told = ProgressLine(), QLabel()
        self.told.setWordWrap(True)
        self.back, self.keep = QPushButton("Undo"), QPushButton("Save")
        self.strips = QWidget()
        self._list = QVBoxLayout(self.strips)
        self._list.setContentsMargins(0, 0, 0, 0)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_row(self.count, self.classes, self.seed))
        column.addLayout(_row(self.go, self.open))
        column.addWidget(self.progress)
        column.addWidget(self.strips)
        column.addWidget(self.told)
        column.addLayout(_row(self.back, self.keep))

    def _connect(self) -> None:
        self.go.clicked.connect(lambda _: self.make())
        self.open.clicked.connect(lambda _: self.show_kept())
        self.back.clicked.connect(lambda _: self.undo())
        self.keep.clicked.connect(lambda _: self.save())
        self.progress.stopped.connect(self.stop)
        self._saving.answered.connect(self._is_saved)
        self._saving.refused.connect(lambda words: self._end(words, trouble=True))
        undo = QKeySequence(QKeySequence.StandardKey.Undo)
        self.keys = {"undo": self._key(undo, self.undo)}
        for number in range(9):
            turn = partial(self._turn, number)
            self.keys[str(number + 1)] = self._key(QKeySequence(str(number + 1)), turn)

    def _key(self, keys: QKeySequence, method: Any) -> QShortcut:
        shortcut = QShortcut(keys, self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(method)
        return shortcut

    def _turn(self, number: int) -> None:
        if number < len(self.rows):
            self.rows[number].drop.toggle()

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        lack = "" if self._folder is not None else "Look a folder of Spitzer tiles over first"
        lack = "Classes are being made: wait, or cancel that" if self._job is not None else lack
        allow(self.go, lack, "Draw crops clear of every bubble, and part them by their looks")
        there = self._folder is not None and (self._folder / FILE).exists()
        none = lack or ("" if there else f"There is no {FILE} beside the data")
        allow(self.open, none, f"Show the choice in {FILE} beside the data")
        self.back.setEnabled(bool(self._earlier))
        tip = "Take the last change back (Ctrl+Z)" if self._earlier else "Nothing was changed yet"
        self.back.setToolTip(tip)
        lack = "" if self.choice is not None else "Make classes first"
        if self.choice is not None and not self.choice.kept:
            lack = "Every class is dropped: keep one at least"
        elif self.choice is not None and self.choice == self._saved:
            lack = "The choice is kept already"
        self.keep.setEnabled(not lack and not self.busy)
        self.keep.setToolTip(lack or f"Write the choice as {FILE} beside the data")

    def _start(self, words: str, target: str, arguments: tuple[int, ...]) -> None:
        if self._folder is None or self._job is not None:
            return
        self.show_choice(None)
        self.progress.begin(words)
        call = Call(target, (self._folder, *arguments), {"shown": _SHOWN, "picture_px": _SIDE})
        job = self._job = self._engines.start(call, own_process=True)
        mine = partial(self._heard_of, job)
        job.event.connect(lambda event: mine(self._hear, event))
        job.finished.connect(lambda result: mine(self._made, result, target == self._targets[1]))
        job.failed.connect(lambda error: mine(self._failed, error))
        job.stopped.connect(lambda: mine(self._end, "Stopped."))
        self._judge()

    def _heard_of(self, job: Job, method: Callable[..., None], *told: Any) -> None:
        """Call a method, unless the job is about a folder that is left."""
        if self._job is job:
            method(*told)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preparing):
            if event.total:
                self.progress.advance(event.done, event.total, _UNITS.get(event.what, ""))
            self.progress.say(f"{event.what[:1].upper()}{event.what[1:]} …")

    def _made(self, result: dict[str, Any], kept: bool) -> None:
        choice = Choice.model_validate_json(result["choice"])
        self.show_choice(choice, result["strips"], kept=kept)
        self._end(" ".join(result["notes"]))

    def _change(self, choice: Choice) -> None:
        assert self.choice is not None
        self._earlier = [*self._earlier[-_STEPS + 1 :], self.choice]
        self.choice = choice
        self._show()

    def _show(self) -> None:
        if self.choice is None:
            self.told.clear()
        else:
            for row, each in zip(self.rows, self.choice.classes, strict=True):
                row.show_class(each)
            every = [len(each.crops) for each in self.choice.classes]
            shown = sum(every[number] for number in self.choice.kept)
            self.told.setText(
                f"{shown:,} of {sum(every):,} crops, in {len(self.choice.kept)} of {len(every)} "
                "classes, are shown to a network"
            )
        self._judge()

    def _is_saved(self, answer: tuple[Choice, Path]) -> None:
        self._saved = answer[0]
        self._end(f"The choice is in {answer[1]}")

    def _failed(self, error: JobFailed) -> None:
        self._end(str(error), trouble=True)

    def _end(self, words: str, *, trouble: bool = False) -> None:
        self._job = None
        self.progress.end(words, trouble=trouble)
        self._judge()


def _written(choice: Choice, folder: Path) -> tuple[Choice, Path]:
    return choice, choice.write(folder)


def _spin(low: int, high: int, value: int, unit: str, tip: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setSuffix(unit)
    spin.setToolTip(tip)
    return spin


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
