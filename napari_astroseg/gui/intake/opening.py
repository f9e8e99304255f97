"""Opening: places opened one wish after the other, off the window's thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.gui.intake.places import Refused, Wish, answers
from napari_astroseg.sky.progress import Stopped

_PAUSE_S = 0.1
"""Progress is told no oftener than this."""


class Opening(QObject):
    """Opens wishes in the order in which they come; answers arrive in the window's thread.

    A read that hangs (a network drive, a server) cannot be interrupted: cancelling leaves its
    thread to end by itself, hears it no more, and is free for the next wish at once.
    """

    answered = Signal(object)  # Ready, Choose, Together or Refused
    progressed = Signal(str, object, object)  # what, done, total or None
    ended = Signal()
    _came = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Wish] = deque()
        self._run: _Run | None = None
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether something is being opened."""
        return self._run is not None

    def ask(self, wish: Wish) -> None:
        """Open what is wished, after what was wished before."""
        self._waiting.append(wish)
        if self._run is None:
            self._next()

    def cancel(self) -> None:
        """Open nothing more, and let go of what is being opened."""
        self._waiting.clear()
        if self._run is not None:
            self._run.stop.set()
            self._run = None
            self.ended.emit()

    def close(self) -> None:
        """Cancel, and give the thread a moment to end."""
        run = self._run
        self._waiting.clear()
        self._run = None
        if run is not None:
            run.stop.set()
            run.thread.join(2.0)

    def _next(self) -> None:
        self._run = _Run(self._waiting.popleft(), self._tell)
        self._run.thread.start()

    def _tell(self, run: _Run, word: object) -> None:
        with suppress(RuntimeError):  # this object is gone: nobody listens
            self._came.emit(run, word)

    def _take(self, run: _Run, word: object) -> None:
        if run is not self._run:
            return
        if isinstance(word, _Progress):
            self.progressed.emit(word.what, word.done, word.total)
        elif word is not None:
            self.answered.emit(word)
        else:
            run.thread.join(1.0)
            self._run = None
            if self._waiting:
                self._next()
            else:
                self.ended.emit()


@dataclass(frozen=True)
class _Progress:
    what: str
    done: int
    total: int | None


class _Run:
    """One wish in a thread; `tell(run, word)` is given its answers, and None at the end."""

    def __init__(self, wish: Wish, tell: Callable[[_Run, object], None]) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._wish, self._tell = wish, tell
        self._told = 0.0

    def _work(self) -> None:
        try:
            for answer in answers(self._wish, self._progress):
                self._tell(self, answer)
        except Stopped:
            pass  # as the user wished
        except Exception as error:
            # The thread's border: whatever went wrong is told in the window.
            reason = " ".join(str(error).split())[:200]
            self._tell(self, Refused(f"{self._wish.name}: {type(error).__name__}: {reason}"))
        self._tell(self, None)

    def _progress(self, what: str, done: int, total: int | None) -> None:
        if self.stop.is_set():
            raise Stopped
        now = time.monotonic()
        if now - self._told > _PAUSE_S:
            self._told = now
            self._tell(self, _Progress(what, done, total))
