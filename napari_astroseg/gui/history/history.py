"""History: what was done in a window, as one list of named steps, whoever has done them.

A dock hands its steps in and knows no other. One that keeps a log of its own (marks, verdicts)
tells, besides, when that log goes back or on by itself, so that both stay the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.bare import bare

MOST = 200
"""Steps that are kept; the oldest go first. They hold layers and settings, no copies of pixels."""
_ONE_S = 1.5
"""Changes of one thing that follow each other as fast as this are one step."""

Act = Literal["do", "undo", "redo"]


class Gone(Exception):
    """What a step has changed is no longer there: it is left out of the list."""


class NotNow(Exception):
    """What a step has changed is being worked on: it stays in the list."""


@dataclass(frozen=True)
class Step:
    """Something that was done.

    Parameters
    ----------
    name
        In words, as a list shows it.
    undo, redo
        Take it back and do it again; they raise `Gone` where what they change is gone.
    owner
        Who keeps a log of its own, in which this is an entry; undo and redo move that log by one,
        at once or soon, and it tells so (`History.went`). None for nobody.
    one
        Equal for changes that are one step when they follow each other fast; None for none.
    """

    name: str
    undo: Callable[[], Any]
    redo: Callable[[], Any]
    owner: Any = None
    one: Hashable = None


class History(QObject):
    """The steps of one viewer.

    Attributes
    ----------
    past, future
        What was done, the oldest first; and what was taken back, what is done again first last.
    """

    changed = Signal()
    settling = Signal()  # what waits to become a step becomes one now, before anything else does
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.past: list[Step] = []
        self.future: list[Step] = []
        self._quiet = 0
        self._when = 0.0
        self._owed: Counter[tuple[int, Act]] = Counter()

    @property
    def busy(self) -> bool:
        """Whether what happens now is no step of anybody's."""
        return self._quiet > 0

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Take nothing for a step that happens meanwhile."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def done(self, step: Step) -> None:
        """Take in what was just done; what was taken back before cannot be done again then."""
        if self.busy:
            return
        self.settling.emit()
        now = time.monotonic()
        last = self.past[-1] if self.past else None
        soon = now - self._when < _ONE_S
        if last is not None and step.one is not None and last.one == step.one and soon:
            self.past[-1] = replace(step, undo=last.undo)
        else:
            self.past.append(step)
            del self.past[:-MOST]
        self._when = now
        self.future.clear()
        self.changed.emit()

    def went(self, owner: Any, act: Act) -> None:
        """An owner's log went a step back or on; here it does the same."""
        key = id(owner), act
        if self._owed[key]:  # as it was asked to from here
            self._owed[key] -= 1
            return
        source, target = (self.past, self.future) if act == "undo" else (self.future, self.past)
        at = next((n for n in reversed(range(len(source))) if source[n].owner is owner), None)
        if at is not None:
            target.append(source.pop(at))
            self.changed.emit()

    def forget(self, owner: Any) -> None:
        """Forget the steps of an owner, whose log was closed."""
        for steps in (self.past, self.future):
            steps[:] = [step for step in steps if step.owner is not owner]
        for act in ("undo", "redo"):
            self._owed.pop((id(owner), act), None)
        self.changed.emit()

    def clear(self) -> None:
        """Forget all."""
        self.past.clear()
        self.future.clear()
        self._owed.clear()
        self.changed.emit()

    def undo(self) -> None:
        """Take the last step back; one that cannot be is told."""
        self._move(self.past, self.future, "undo")

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._move(self.future, self.past, "redo")

    def _move(self, source: list[Step], target: list[Step], act: Literal["undo", "redo"]) -> None:
        self.settling.emit()
        if not source:
            self.said.emit("Nothing to take back" if act == "undo" else "Nothing to do again")
            return
        step = source.pop()
        owed = id(step.owner), act
        self._owed[owed] += step.owner is not None
        try:
            with self.quiet():
                (step.undo if act == "undo" else step.redo)()
        except (Gone, NotNow) as reason:
            self._owed[owed] -= step.owner is not None
            if isinstance(reason, NotNow):
                source.append(step)
            self.said.emit(f"“{step.name}” is left as it is: {reason}")
        else:
            target.append(step)
            self.said.emit(f"{'Taken back' if act == 'undo' else 'Done again'}: {step.name}")
        self._when = 0.0
        self.changed.emit()


_OF: WeakKeyDictionary[Any, History] = WeakKeyDictionary()


def history_of(viewer: Any) -> History:
    """The history of a viewer, a new one where it has none."""
    return _OF.setdefault(bare(viewer), History())
