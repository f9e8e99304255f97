"""Marks: an open store as the window sees it: strokes in, what became of them out.

The store is touched by background threads alone: its writer waits for the disk, and whoever asks
it meanwhile waits, too. Strokes, undo and changes of classes go through one thread in their order.
What could not be written waits here, in that order, and is tried again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.errors import AstroSegError, MarkError
from napari_astroseg.gui.inorder import InOrder
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.marking.colours import colours
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import (
    PREFIX,
    Classes,
    MarkClass,
    classes_of,
    put_class,
    remove_class,
)
from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.levels import MarkLevels
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.window import Window

_RETRY_MS = 2000
_CLOSING_S = 60.0
"""So long a window that is closed waits at most for what is still to be written."""

Act = Literal["do", "undo", "redo"]


@dataclass(frozen=True)
class Standing:
    """How things stand.

    Parameters
    ----------
    classes, colours
        What labels stand for, and a colormap for them.
    counts
        Label → pixels that the annotator gave it.
    undo, redo
        Names of the steps that would be taken back, or done again, next; None for none.
    """

    classes: Classes
    colours: Any
    counts: dict[int, int]
    undo: str | None
    redo: str | None


@dataclass(frozen=True, eq=False)
class Moved:
    """One step forth or back.

    Parameters
    ----------
    act
        Which way.
    change
        Of the store; None when nothing changed.
    windows
        Where the annotator's labels changed.
    standing
        Afterwards.
    stroke
        Whether it was drawn in the window, which shows it already.
    """

    act: Act
    change: Change | None
    windows: tuple[Window, ...]
    standing: Standing
    stroke: bool = False

    @property
    def of_classes(self) -> bool:
        """Whether it changed what labels stand for."""
        return self.change is not None and any(n.startswith(PREFIX) for n in self.change.values)


@dataclass(frozen=True, eq=False)
class _Stroke:
    window: Window
    labels: NDArray[Any]
    name: str
    annotator: str


class Marks(QObject):
    """The marks on one image at a time, and whose are drawn."""

    opened = Signal(object)  # Standing
    moved = Signal(object)  # Moved
    grew = Signal(str)  # how far what was drawn has been read; "" when it has
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.annotator = ""
        self.levels: MarkLevels | None = None
        self._store: MarkStore | None = None
        self._held: MarkStore | None = None  # the same, for the thread that writes
        self._coloured: tuple[Classes, Any] = ((), None)
        self._opening: object = None
        self._waiting: deque[_Stroke] = deque()
        self._stop = threading.Event()
        self._work, self._reading = InOrder(self), Latest(self)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._try_again)
        self._work.refused.connect(self._refuse)
        self._reading.answered.connect(lambda _: self.grew.emit(""))
        self._reading.refused.connect(self.refused)

    @property
    def store(self) -> MarkStore | None:
        """The open store, for other threads than the window's; None while there is none."""
        return self._store

    @property
    def busy(self) -> bool:
        """Whether anything is being read or written."""
        return self._work.busy or self._reading.busy

    @property
    def unsaved(self) -> int:
        """Strokes that are not on the disk yet."""
        return len(self._waiting)

    def open(self, path: Path, image: SkyImage, annotator: str) -> None:
        """Open the marks in a folder, or begin some there; `opened` or `refused` follows."""
        self.close()
        self.annotator = annotator
        opening = self._opening = object()
        self._work.ask(
            partial(self._open, path, image, annotator), partial(self._take_store, opening)
        )

    def close(self) -> None:
        """Let go of the store when all that was asked of it has been done."""
        self._stop.set()
        self._again.stop()
        self._opening, self._store, self.levels = None, None, None
        self._work.ask(self._end)

    def shut_down(self) -> None:
        """Close, and wait for it."""
        self.close()
        self._reading.wait()
        self._work.wait(_CLOSING_S)

    def write(self, window: Window, labels: NDArray[Any], name: str) -> None:
        """Keep a stroke: the labels of a window as they are now, for nobody else to change."""
        if self._store is not None:
            self._waiting.append(_Stroke(window, labels, name, self.annotator))
            self._work.ask(partial(self._written, self._store, self.levels), self._tell)

    def undo(self) -> None:
        """Take the last step back."""
        self._step("undo")

    def redo(self) -> None:
        """Do again what was taken back."""
        self._step("redo")

    def do(
        self,
        change: Callable[[MarkStore, str], Change | None],
        done: Callable[[], None] | None = None,
    ) -> None:
        """Change the store by a function of it and of the annotator's name, in the background.

        `done` is called after `moved`, unless it was refused.
        """
        self._ask("do", change, done)

    def ask(self, question: Callable[[MarkStore], Any], done: Callable[[Any], None]) -> None:
        """Ask the store something, after all that was asked before."""
        if self._store is not None:
            self._work.ask(partial(question, self._store), done)

    def put_class(self, one: MarkClass, name: str) -> None:
        """Add a class or change one."""

        def change(store: MarkStore, annotator: str) -> Change | None:
            with store.step(name, annotator) as draft:
                put_class(draft, _classes(store), one)
            return draft.change

        self.do(change)

    def remove_class(self, label: int) -> None:
        """Take a class away, and what the annotator drew of it."""

        def change(store: MarkStore, annotator: str) -> Change | None:
            with store.step("remove class", annotator) as draft:
                remove_class(draft, _classes(store), label, store.places(annotator))
            return draft.change

        self.do(change)

    def read(self, window: Window, done: Callable[[NDArray[Any]], None]) -> None:
        """The annotator's labels in a window, after all that was asked before."""
        if self._store is not None:
            self._work.ask(partial(self._store.read, window, self.annotator), done)

    def _take_store(self, opening: object, answer: tuple[MarkStore, MarkLevels, Standing]) -> None:
        if opening is not self._opening:
            return  # it has been closed meanwhile
        self._store, self.levels, standing = answer
        self._stop = threading.Event()
        self.opened.emit(standing)
        self._reading.ask(partial(self._build, self.levels, self._stop))

    def _open(
        self, path: Path, image: SkyImage, annotator: str
    ) -> tuple[MarkStore, MarkLevels, Standing]:
        """The store in a folder that holds one, or a new one; in the thread that writes."""
        there = path.is_dir() and any(path.iterdir())
        store = MarkStore.open(path) if there else MarkStore.create(path, image)
        try:
            misfit = store.about.misfit(image)
            if misfit:
                raise MarkError(misfit)
            levels = MarkLevels(store, annotator)
            standing = self._standing(store, levels)
        except BaseException:
            store.close()
            raise
        self._held = store
        return store, levels, standing

    def _build(self, levels: MarkLevels, stop: threading.Event) -> None:
        """Read what was drawn before, in a thread."""

        def progress(what: str, done: int, total: int | None) -> None:
            if stop.is_set():
                raise Stopped
            if total:
                self.grew.emit(f"{what[:1].upper()}{what[1:]}: {100 * done // total} %")

        with suppress(Stopped):
            levels.build(progress)

    def _step(self, act: Act) -> None:
        self._ask(act, lambda store, _: store.undo() if act == "undo" else store.redo())

    def _ask(
        self,
        act: Act,
        change: Callable[[MarkStore, str], Change | None],
        done: Callable[[], None] | None = None,
    ) -> None:
        store, levels, annotator = self._store, self.levels, self.annotator
        if store is None:
            return

        def work() -> list[Moved]:
            moved = self._written(store, levels)
            return [*moved, self._moved(act, store, levels, change(store, annotator))]

        def tell(moved: list[Moved]) -> None:
            self._tell(moved)
            if done is not None:
                done()

        self._work.ask(work, tell)

    def _written(self, store: MarkStore, levels: MarkLevels | None) -> list[Moved]:
        """Write the strokes that wait, in a thread."""
        moved = []
        while self._waiting:
            stroke = self._waiting[0]
            try:
                change = store.write(stroke.window, stroke.labels, stroke.name, stroke.annotator)
            except MarkError:  # it never can be: those behind it can
                self._waiting.popleft()
                raise
            self._waiting.popleft()
            moved.append(replace(self._moved("do", store, levels, change), stroke=True))
        return moved

    def _moved(
        self, act: Act, store: MarkStore, levels: MarkLevels | None, change: Change | None
    ) -> Moved:
        windows = () if change is None or levels is None else tuple(levels.follow(change))
        return Moved(act, change, windows, self._standing(store, levels))

    def _standing(self, store: MarkStore, levels: MarkLevels | None) -> Standing:
        done, undone, classes = store.done, store.undone, _classes(store)
        if classes != self._coloured[0]:
            self._coloured = classes, colours(classes)
        undo = done[-1].name if done else None
        redo = undone[-1].name if undone else None
        counts = levels.counts if levels is not None else {}
        return Standing(classes, self._coloured[1], counts, undo, redo)

    def _end(self) -> None:
        """Close the store, in the thread that writes."""
        store, self._held = self._held, None
        if store is None:
            return
        try:
            self._written(store, None)  # a last time
        except AstroSegError as error:
            lost = len(self._waiting)
            self._waiting.clear()
            raise MarkError(f"{lost} strokes are lost: {error}") from error
        finally:
            store.close()

    def _try_again(self) -> None:
        if self._store is not None and self._waiting:
            self._work.ask(partial(self._written, self._store, self.levels), self._tell)

    def _tell(self, moved: list[Moved]) -> None:
        for each in moved:
            self.moved.emit(each)

    def _refuse(self, sentence: str) -> None:
        self.refused.emit(sentence)
        if self._waiting and self._store is not None:
            self._again.start(_RETRY_MS)


def _classes(store: MarkStore) -> Classes:
    return classes_of(store.values(PREFIX))
