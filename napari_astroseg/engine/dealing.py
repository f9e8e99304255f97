"""Dealing: pieces of work handed out to a cluster's workers, and answers taken in.

No more pieces are out than keep the workers busy, and an answer is fetched as soon as it is there
and then forgotten by the cluster: so no memory grows with the mosaic. A piece whose worker is lost
goes to another; the last ones, where they take far longer than others did, are worked on twice, and
the first answer counts. Where the scheduler is lost the work ends: what is done is on disk, and is
kept by the next run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, TypeVar

from napari_astroseg.errors import JobFailed

Piece = TypeVar("Piece")

_LEAST_OUT = 4
"""Pieces handed out even where no worker is yet: a cluster that grows by need sees one."""

_TRIES = 2
"""Times that a piece is tried again when it raised: a file server may have been away."""

_LATE = 3.0
_LATE_S = 10.0
"""A straggler takes this many times as long as half of the pieces did, and at least so long."""

_LOOK_S = 1.0


@dataclass
class _Out(Generic[Piece]):
    """A piece that is out: its number, since when, and whether it is worked on twice."""

    number: int
    piece: Piece
    since: float
    twice: bool = False


class Deal(Generic[Piece]):
    """Hands pieces out and takes answers in."""

    def __init__(self, client: Any, name: str, pieces: Sequence[Piece]) -> None:
        self._client, self._name = client, name
        self._total = len(pieces)
        self._waiting = iter(enumerate(pieces))
        self._out: dict[Any, _Out[Piece]] = {}
        self._done: set[int] = set()
        self._took: list[float] = []
        self._known, self._asked = 0, -math.inf

    def answers(self) -> Iterator[tuple[Piece, Any]]:
        """Each piece and its answer, in the order in which they come; closing it ends the work."""
        try:
            while len(self._done) < self._total:
                self._require_scheduler()
                self._hand_out()
                for future in self._over():
                    out = self._out.pop(future)
                    if out.number in self._done:
                        continue  # its twin was faster
                    answer = self._told(future)
                    self._done.add(out.number)
                    self._took.append(time.monotonic() - out.since)
                    del future  # the cluster forgets it
                    yield out.piece, answer
        finally:
            if self._out and self._client.status == "running":
                self._client.cancel(list(self._out), force=True)

    def _hand_out(self) -> None:
        """Keep the workers busy, and no more than that."""
        threads = self._threads()
        room = max(_LEAST_OUT, 2 * threads)
        while len(self._out) < room:
            following = next(self._waiting, None)
            if following is None:
                break
            self._submit(_Out(*following, time.monotonic()))
        if len(self._out) < threads and self._took:
            late = max(_LATE_S, _LATE * median(self._took))
            for out in list(self._out.values()):
                if not out.twice and time.monotonic() - out.since > late:
                    out.twice = True
                    self._submit(_Out(out.number, out.piece, time.monotonic(), True))

    def _threads(self) -> int:
        """How many the workers have together; asked of the scheduler, but not for every piece."""
        if time.monotonic() - self._asked > _LOOK_S:
            with _scheduler_needed():
                self._known = sum(self._client.nthreads().values())
            self._asked = time.monotonic()
        return self._known

    def _submit(self, out: _Out[Piece]) -> None:
        from napari_astroseg.engine.station import answered

        with _scheduler_needed():
            future = self._client.submit(
                answered, self._name, out.piece, pure=False, retries=_TRIES
            )
        self._out[future] = out

    def _over(self) -> list[Any]:
        """Those of which the answers are there; none after a while without."""
        from distributed import CancelledError, wait
        from distributed import TimeoutError as NothingYet

        try:
            return list(wait(list(self._out), _LOOK_S, "FIRST_COMPLETED").done)
        except NothingYet:
            return []
        except CancelledError as error:  # we cancel none: the client lost its connection
            raise _scheduler_gone() from error

    def _require_scheduler(self) -> None:
        """Stop where the client lost its connection: it would wait for answers for ever."""
        if self._client.status != "running":
            raise _scheduler_gone()

    def _told(self, future: Any) -> Any:
        """The answer; what went wrong there in our words."""
        from distributed import CancelledError, KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            raise JobFailed(
                "a piece of the work ended several workers one after the other; give them more "
                "memory, or take smaller tiles (`prediction.tile_px`), and run again with --resume",
                "KilledWorker",
            ) from error
        except (CancelledError, OSError) as error:
            if self._client.status == "running" and isinstance(error, OSError):
                raise  # of the work itself
            raise _scheduler_gone() from error


def _scheduler_gone() -> JobFailed:
    return JobFailed(
        "the cluster's scheduler is gone; start it again, and run again with --resume, which "
        "keeps what is done",
        "SchedulerGone",
    )


@contextmanager
def _scheduler_needed() -> Iterator[None]:
    """What cannot be said to the scheduler means that it is gone."""
    from distributed.client import ClosedClientError

    try:
        yield
    except (OSError, ClosedClientError) as error:
        raise _scheduler_gone() from error
