"""Latest: small computations off the window's thread, of which only the newest matters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_astroseg.errors import AstroSegError


class Latest(QObject):
    """Runs one function at a time in a thread; while it runs, a newer wish replaces an older.

    For work of milliseconds to seconds on data that the window already holds (labels at a
    threshold, a catalogue); what takes a network belongs to `napari_astroseg.gui.jobs`.
    """

    answered = Signal(object)
    refused = Signal(str)
    _came = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._next: Callable[[], Any] | None = None
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._thread is not None

    def ask(self, function: Callable[[], Any]) -> None:
        """Compute `function()`; `answered` brings what it returns."""
        if self._thread is not None:
            self._next = function
            return
        self._thread = threading.Thread(target=self._work, args=(function,), daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float = 5.0) -> None:
        """Let the running computation end, and forget what was to follow."""
        self._next = None
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _work(self, function: Callable[[], Any]) -> None:
        answer, error = None, None
        try:
            answer = function()
        except Exception as raised:
            # The thread's border: whatever went wrong is told in the window.
            error = raised
        with suppress(RuntimeError):  # this object is gone: nobody waits for the answer
            self._came.emit(answer, error)

    def _take(self, answer: Any, error: Exception | None) -> None:
        if self._thread is not None:
            self._thread.join(1.0)
        self._thread = None
        following, self._next = self._next, None
        if following is not None:
            self.ask(following)
        if error is None:
            self.answered.emit(answer)
        else:
            self.refused.emit(sentence_of(error))


def sentence_of(error: Exception) -> str:
    """What to tell the user of an error: its own sentence, if it is one of ours."""
    if isinstance(error, AstroSegError):
        return str(error)
    return f"{type(error).__name__}: {error}"
