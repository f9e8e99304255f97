"""Autosave: what is open is kept as it changes, so that a window that dies can be had back."""

from __future__ import annotations

import threading
import weakref
from functools import partial
from pathlib import Path

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.latest import Latest, sentence_of
from napari_astroseg.gui.sessions.draft import Draft
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.gui.sessions.slots import Slot

EVERY_MS = 30_000
_LAST_S = 10.0
"""So long a window that is closed waits at most for what is still to be written."""


class Autosave(QObject):
    """Keeps a session in a slot of its own: gathered in the window's thread, written in another.

    Parameters
    ----------
    session
        What is kept.
    every_ms
        How often it is looked whether something has changed.
    """

    kept = Signal(object)  # Path

    def __init__(self, session: Session, every_ms: int = EVERY_MS) -> None:
        super().__init__(session)
        self._session = session
        self.slot = Slot()
        self._taken: Slot | None = None  # is being opened again, or was not after all
        self._before: list[Slot] = []  # what was opened again from them is not kept yet
        self._told = self._trouble = ""
        self._ended, self._wanted = False, True
        self._window: weakref.ref[QWidget] | None = None
        self._work = Latest(self)
        self._work.answered.connect(self._written)
        self.destroyed.connect(self.slot.release)  # a slot is no Qt object, and outlives this one
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(every_ms)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._work.busy

    def guard(self, window: QWidget) -> None:
        """Keep things a last time when this window closes."""
        self._window = weakref.ref(window)
        window.installEventFilter(self)

    def take_over(self, path: Path) -> bool:
        """Hold the slot that is opened again, until what was in it is kept here; whether it is.

        What is not opened after all stays in it.
        """
        self._leave_taken()
        slot = Slot(path.absolute().parent)
        if not slot.hold():
            return False
        self._taken = slot
        return True

    def look(self) -> None:
        """Keep what is open, if it is not what was kept last."""
        if self._ended or self._session.opening or self._work.busy:
            return
        self._take_in()
        draft = self._session.draft()
        told = draft.told()
        if draft.empty or told == self._told or not self.slot.hold():
            return
        self._told = told
        self._note(draft, closed=False)
        self._work.ask(partial(_write, draft, self.slot.path))

    def keep_last(self) -> None:
        """The window is about to close: keep things now, unless a project has them."""
        if self._ended or self._session.opening:
            return
        self._take_in()
        self._work.wait(_LAST_S)
        draft = self._session.draft()
        told = draft.told()
        saved = self._session.path is not None and not self._session.changed
        self._wanted = not (draft.empty or saved)
        if self._wanted and self.slot.hold() and self._keep_now(draft, told):
            self._note(draft, closed=True)
            self._drop_before()
        if not self._wanted:
            self.slot.remove()
            self._drop_before()
        self._told = ""  # should the window stay, it is looked at anew

    def shut_down(self) -> None:
        """Keep nothing more, and leave what was kept to others."""
        if self._ended:
            return
        self._ended = True
        self._timer.stop()
        self._work.wait(_LAST_S)
        self._leave_taken()
        for slot in (*self._before, self.slot):
            slot.release()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Keep things when the window is asked to close."""
        closing = event.type() == QEvent.Type.Close
        if closing and self._window is not None and watched is self._window():
            self.keep_last()
        return bool(super().eventFilter(watched, event))

    def _note(self, draft: Draft, *, closed: bool) -> None:
        downwards = draft.layers[::-1]
        images_first = sorted(downwards, key=lambda layer: layer.source is None)
        names = [layer.name for layer in images_first]
        path = self._session.path
        refused = self._session.absent.refused
        self.slot.tell(names, "" if path is None else str(path), closed=closed, asks=refused)

    def _keep_now(self, draft: Draft, told: str) -> bool:
        """Write it, unless it is written already, and wait for that; whether it is written."""
        if told == self._told and not self._work.busy:
            return True
        over: list[Path | str] = []
        path = self.slot.path
        thread = threading.Thread(target=lambda: over.append(_write(draft, path)), daemon=True)
        thread.start()
        thread.join(_LAST_S)
        if over and isinstance(over[0], str):
            self._refuse(over[0])
        return over == [path]

    def _written(self, answer: Path | str) -> None:
        if isinstance(answer, str):
            self._refuse(answer)
            return
        self._trouble = ""
        self._drop_before()
        self.kept.emit(answer)

    def _refuse(self, sentence: str) -> None:
        """Try again when it is looked next; say so once."""
        self._told = ""
        if sentence != self._trouble:
            self._trouble = sentence
            self._session.said.emit(f"What is open would be lost with this window: {sentence}")

    def _take_in(self) -> None:
        """What was left in a slot is open here, and the slot may go when it is kept."""
        if self._taken is not None and self._taken.path == self._session.source:
            self._before.append(self._taken)
            self._taken = None

    def _leave_taken(self) -> None:
        if self._taken is not None:
            self._taken.release()
            self._taken = None

    def _drop_before(self) -> None:
        for slot in self._before:
            slot.remove()
        self._before.clear()


def _write(draft: Draft, path: Path) -> Path | str:
    """Write in a thread; gives the path, or why it was refused."""
    try:
        draft.write(path)
    except Exception as error:
        # The thread's border, as in `Latest`.
        return sentence_of(error)
    return path
