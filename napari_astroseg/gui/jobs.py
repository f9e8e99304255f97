"""Jobs: run a call in an engine process, hear its events in the window's thread, stop it.

A job owns one plain thread that iterates the engine's events; the window's thread takes them
from an inbox, a few milliseconds' worth at a time, so that neither a burst of events nor a
slow slot can freeze the window. Errors of any kind arrive as one `JobFailed`: only this module
and the command line turn errors into words for a screen.
"""

from __future__ import annotations

import threading
import time
import traceback
import weakref
from collections import deque
from contextlib import closing, suppress

from qtpy.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from napari_astroseg.engine.events import Event, Finished, StepDone
from napari_astroseg.engine.service import Call, Engine
from napari_astroseg.errors import JobFailed

_BUDGET_S = 0.008
"""Time given to a job's events before the window has its turn."""
_BREATH_MS = 4


class _Stopped:
    """The outcome of a job that was cancelled."""


_Outcome = Finished | JobFailed | _Stopped


class Job(QObject):
    """One call in one engine.

    Exactly one of `finished`, `failed` and `stopped` comes last, always in the window's
    thread; after `cancel` no more `event` comes.

    Parameters
    ----------
    engine
        Where the work is done; jobs that share an engine wait for one another.
    call
        The work, by name.
    """

    event = Signal(object)
    finished = Signal(object)  # the result's dict
    failed = Signal(object)  # a JobFailed
    stopped = Signal()
    _rang = Signal()

    def __init__(self, engine: Engine, call: Call) -> None:
        super().__init__()
        self._engine = engine
        self._call = call
        self._cancelled = threading.Event()
        self._inbox: deque[Event | _Outcome] = deque()
        self._inbox_lock = threading.Lock()
        self._ringing = False
        self._thread = threading.Thread(target=self._work, name="astroseg job", daemon=True)
        self._over = self._muted = False
        self._began = time.perf_counter()
        self._rang.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    @property
    def over(self) -> bool:
        """Whether its last signal has been sent."""
        return self._over

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    @property
    def seconds(self) -> float:
        """Time since it was asked for."""
        return time.perf_counter() - self._began

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop at its next event; returns at once, `stopped` follows."""
        if not self._over and not self._cancelled.is_set():
            self._cancelled.set()
            threading.Thread(target=self._engine.stop, args=(self._call,), daemon=True).start()

    def mute(self) -> None:
        """Say nothing more, not even how it ended: whoever listened is going away."""
        self._muted = True
        self.cancel()

    def wait(self, timeout_s: float) -> bool:
        """Whether its thread is over within `timeout_s`."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        """The job's thread: everything that blocks."""
        outcome: _Outcome = _Stopped()
        try:
            if not self._cancelled.is_set():
                outcome = self._iterate()
        except JobFailed as error:
            outcome = error
        except Exception as error:
            # The border: a fault of ours must not leave the window waiting for ever.
            words = f"{type(error).__name__}: {error}"
            outcome = JobFailed(words, type(error).__name__, traceback.format_exc())
        self._put(_Stopped() if self._cancelled.is_set() else outcome)

    def _iterate(self) -> _Outcome:
        """Pass the events on until they end; closing them stops the work in the engine."""
        outcome: _Outcome = Finished()
        with closing(self._engine.run(self._call)) as events:  # type: ignore[type-var]
            for event in events:
                if self._cancelled.is_set():
                    return _Stopped()
                if isinstance(event, Finished):
                    outcome = event
                else:
                    self._put(event)
        return outcome

    def _put(self, item: Event | _Outcome) -> None:
        """Leave `item` for the window's thread; of a run of steps only the newest is kept."""
        with self._inbox_lock:
            if self._inbox and isinstance(item, StepDone) and isinstance(self._inbox[-1], StepDone):
                self._inbox.pop()
            self._inbox.append(item)
            ring, self._ringing = not self._ringing, True
        if ring:
            with suppress(RuntimeError):  # the application is gone: nobody listens any more
                self._rang.emit()

    def _drain(self) -> None:
        """Hand out what has arrived, for a few milliseconds; then let the window live."""
        until = time.perf_counter() + _BUDGET_S
        while time.perf_counter() < until and not self._muted:
            with self._inbox_lock:
                if not self._inbox:
                    self._ringing = False
                    return
                item = self._inbox.popleft()
            if isinstance(item, Event) and not isinstance(item, Finished):
                if not self._cancelled.is_set():
                    self.event.emit(item)
            else:
                self._end(item)
                return
        if not self._muted:
            QTimer.singleShot(_BREATH_MS, self._drain)

    def _end(self, outcome: Event | _Outcome) -> None:
        self.wait(1.0)  # it is on its last line; the object must not die in its hands
        self._over = True
        if self._cancelled.is_set() or isinstance(outcome, _Stopped):
            self.stopped.emit()
        elif isinstance(outcome, JobFailed):
            self.failed.emit(outcome)
        elif isinstance(outcome, Finished):
            self.finished.emit(dict(outcome.result))


class Engines:
    """The engine processes and jobs of one dock; none of them outlives it.

    They end when the owner is destroyed, when the application quits, when this object is
    collected, or at the latest when the interpreter exits.

    Parameters
    ----------
    owner
        The dock; None where it calls `close` itself.
    ahead
        Module that the shared engine imports while nobody asks; none when empty.
    """

    def __init__(self, owner: QObject | None = None, ahead: str = "") -> None:
        self._warm = Engine(ahead=ahead)
        self._engines: set[Engine] = {self._warm}
        self._jobs: set[Job] = set()
        self._finalizer = weakref.finalize(self, _end_all, self._engines, self._jobs)
        if owner is not None:
            owner.destroyed.connect(self._finalizer)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)

    def warm(self) -> None:
        """Bring the shared engine up in the background, so that the first click finds it warm."""
        threading.Thread(target=self._warm.start, daemon=True).start()

    def start(self, call: Call, *, own_process: bool = False) -> Job:
        """A started job, in the warm engine or in a process of its own.

        Connect its signals at once: they come no sooner than the window's next turn.
        """
        self._jobs.difference_update({job for job in self._jobs if job.over})
        engine = self._warm
        if own_process:
            engine = Engine()
            self._engines.add(engine)
        job = Job(engine, call)
        self._jobs.add(job)
        if own_process:
            for signal in (job.finished, job.failed, job.stopped):
                signal.connect(lambda *_: self._dismiss(engine))
        job.start()
        return job

    @property
    def pids(self) -> list[int]:
        """Process numbers of the engines that are up."""
        return [engine.pid for engine in self._engines if engine.pid is not None]

    def close(self) -> None:
        """End every job and process; a later `start` brings the warm engine up again."""
        _end_all(self._engines, self._jobs)

    def _dismiss(self, engine: Engine) -> None:
        """End a process that was a job's own."""
        self._engines.discard(engine)
        threading.Thread(target=engine.close, daemon=True).start()


def _end_all(engines: set[Engine], jobs: set[Job]) -> None:
    """Mute all jobs, end the processes, see the threads out, end what they may have restarted."""
    alive = [job for job in jobs if not job.over]
    for job in alive:
        job.mute()
    for _ in range(2):
        for engine in list(engines):
            engine.close()
        for job in alive:
            job.wait(3.0)
    jobs.clear()
