"""InOrder: jobs off the window's thread, one after the other, in the order they were given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.gui.latest import sentence_of

_LINGER_S = 2.0
"""For the next job: a thread that begins costs the window a moment."""

Work = Callable[[], Any]
Done = Callable[[Any], None]


class InOrder(QObject):
    """Runs every function that it is given in one background thread; none is left out.

    For what must be kept, such as strokes on their way to the disk. Where only the newest wish
    matters, `napari_astroseg.gui.latest` is right.
    """

    refused = Signal(str)
    _came = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._change = threading.Condition()
        self._jobs: deque[tuple[Work, Done | None]] = deque()
        self._thread: threading.Thread | None = None
        self._working = self._lingers = False
        self._open = 0
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._open > 0

    def ask(self, function: Work, done: Done | None = None) -> None:
        """Do `function()` after all that was asked before; `done` hears what it returns.

        `refused` brings the sentence of one that failed; what follows is done all the same.
        """
        self._open += 1
        with self._change:
            self._jobs.append((function, done))
            self._lingers = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._change.notify_all()

    def wait(self, timeout_s: float = 10.0) -> bool:
        """Let everything be done; whether it was in time."""
        with self._change:
            self._lingers = False
            self._change.notify_all()
            return self._change.wait_for(lambda: not self._jobs and not self._working, timeout_s)

    def _work(self) -> None:
        while True:
            with self._change:
                self._working = False
                self._change.notify_all()
                self._change.wait_for(lambda: self._jobs or not self._lingers, _LINGER_S)
                if not self._jobs:
                    self._thread = None
                    return
                function, done = self._jobs.popleft()
                self._working = True
            answer, error = None, None
            try:
                answer = function()
            except Exception as raised:
                # The thread's border: whatever went wrong is told in the window.
                error = raised
            with suppress(RuntimeError):  # this object is gone: nobody waits for the answer
                self._came.emit(done, answer, error)
            del function, done, answer, error  # nothing is kept while nothing is to be done

    def _take(self, done: Done | None, answer: Any, error: Exception | None) -> None:
        self._open -= 1
        if error is not None:
            self.refused.emit(sentence_of(error))
        elif done is not None:
            done(answer)
