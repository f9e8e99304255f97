"""Station: a worker's side of a cluster: what answers pieces of one work, made once and kept."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from napari_astroseg.errors import JobFailed


class Station(WorkerPlugin):
    """What each worker of a cluster is given when it joins, early, late or in place of another.

    Parameters
    ----------
    name
        Of the work; no two share one.
    make
        Makes what answers a piece; called when the first piece comes.
    threads
        That the network may use; None for as many as it likes.
    """

    def __init__(self, name: str, make: Callable[[], Callable[[Any], Any]], threads: int | None):
        self.name = name
        self._packed = pickle.dumps(make, pickle.HIGHEST_PROTOCOL)
        self._threads = threads
        self._lock: threading.Lock | None = None
        self._answer: Callable[[Any], Any] | None = None

    def setup(self, worker: Worker) -> None:
        """Called on the worker, in the thread that must not wait: nothing heavy is opened yet."""
        self._lock = threading.Lock()

    def answer(self, piece: Any) -> Any:
        """The answer to a piece; one at a time, as a network uses all its threads by itself."""
        assert self._lock is not None  # it was set up
        with self._lock:
            if self._answer is None:
                self._answer = pickle.loads(self._packed)()  # our own client's, over its own link
                if self._threads is not None and "torch" in sys.modules:
                    sys.modules["torch"].set_num_threads(self._threads)
            return self._answer(piece)


def answered(name: str, piece: Any) -> Any:
    """The answer that the station `name` of this worker gives to a piece.

    Raises
    ------
    JobFailed
        When this worker has no such station.
    """
    station = get_worker().plugins.get(name)
    if not isinstance(station, Station):  # a scheduler that was started again knows no plug-ins
        raise JobFailed(
            "the cluster was started again meanwhile; run again with --resume, which keeps what "
            "is done",
            "SchedulerGone",
        )
    return station.answer(piece)
