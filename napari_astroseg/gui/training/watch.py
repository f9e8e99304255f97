"""Watch: hear what a training apart says, in the window's thread; begun here or elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.engine.apart import Apart, ask_to_stop, last_words
from napari_astroseg.engine.eventlog import LogReader
from napari_astroseg.engine.runlock import is_held
from napari_astroseg.engine.service import Ended, Failure

_EVERY_MS, _BREATH_MS = 100, 4
_BUDGET_S = 0.008
"""Time given to what was said before the window has its turn."""

_PATIENCE_S = 3.0
"""A process that said its last word is given so long to go."""


class Watch(QObject):
    """Follows the log of a run's folder; `over` comes last, once.

    Parameters
    ----------
    out
        The run's folder.
    apart
        The child that trains there, where this window began it.
    """

    heard = Signal(object)
    over = Signal(object)  # an Ended or a Failure

    def __init__(
        self, out: Path, apart: Apart | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.out, self.apart = out, apart
        self._reader = LogReader(out)
        self._outcome: Ended | Failure | None = None
        self._said_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        self._timer.start(_BREATH_MS)

    @property
    def own(self) -> bool:
        """Whether it ends with this window."""
        return self.apart is not None and not self.apart.kept

    def stop(self) -> None:
        """Ask the training to stop at its next event."""
        ask_to_stop(self.out)

    def keep(self, kept: bool = True) -> None:
        """Have it go on whatever becomes of this window, or end with it."""
        if self.apart is not None:
            self.apart.keep(kept)

    def leave(self) -> None:
        """Look no more; what ends with this window stops now."""
        self._timer.stop()
        if self.apart is not None:
            self.apart.let_go()

    def _look(self) -> None:
        alive = self.apart.alive if self.apart is not None else is_held(self.out)
        more = self._outcome is None and self._read()
        if self._outcome is None and not alive and not more:
            self._outcome = self._died()
        if self._outcome is not None and self._may_tell(alive):
            self.leave()
            self.over.emit(self._outcome)
            return
        self._timer.start(_BREATH_MS if more else _EVERY_MS)

    def _read(self) -> bool:
        """Hand out what was said, for a few milliseconds; whether there may be more."""
        until = time.perf_counter() + _BUDGET_S
        while time.perf_counter() < until:
            said = self._reader.read()
            if not said:
                return False
            for each in said:
                if isinstance(each, (Ended, Failure)):
                    self._outcome, self._said_at = each, time.monotonic()
                    return False
                self.heard.emit(each)
        return True

    def _may_tell(self, alive: bool) -> bool:
        """Its folder is free for the next one, or it takes too long to go."""
        return not alive or time.monotonic() - self._said_at > _PATIENCE_S

    def _died(self) -> Failure:
        status = "" if self.apart is None else f" (exit status {self.apart.status})"
        words = last_words(self.out)
        return Failure(
            "EngineDied",
            f"the training's process ended unexpectedly{status}{words and f': {words}'}; whole "
            "epochs are kept: resume it, with a smaller batch if memory was short",
            "",
            True,
        )
