"""Cluster: the same pieces of work in several processes, here or on other machines, through Dask.

What answers a piece (a network and the image that it looks at) is made once on each worker and
stays there. No more pieces are out than keep the workers busy, an answer is fetched as soon as it
is there and then forgotten by the cluster, and one process, ours, writes: so no memory grows with
the mosaic and no chunk has two writers. A piece whose worker is lost goes to another; the last
ones, where they take far longer than others did, are worked on twice, and the first answer counts.
Where the scheduler is lost the work ends: what is done is on disk, and is kept by the next run.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Generic, TypeVar
from uuid import uuid4

from napari_astroseg.errors import JobFailed, SetupError

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")

_LEAST_OUT = 4
"""Pieces handed out even where no worker is yet: a cluster that grows by need sees one."""

_TRIES = 2
"""Times that a piece is tried again when it raised: a file server may have been away."""

_LATE = 3.0
_LATE_S = 10.0
"""A straggler takes this many times as long as half of the pieces did, and at least so long."""

_LOOK_S = 1.0


@dataclass(frozen=True)
class Cluster:
    """Where work is shared out: in processes of this machine, or on a Dask cluster that runs.

    Parameters
    ----------
    workers
        Processes to start here; 0 with an `address`.
    address
        Of a scheduler, `tcp://HOST:PORT`, or a scheduler file that it wrote.
    device
        Where each worker's network runs: `auto`, `cpu`, `cuda` or `mps`.
    threads
        That each worker's network uses; 0 for an equal share of this machine's cores, or, at an
        address, for as many as it likes.

    Raises
    ------
    SetupError
        When not exactly one of the two is given.
    """

    workers: int = 0
    address: str = ""
    device: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0 or (self.workers > 0) == bool(self.address):
            raise SetupError(
                "work is shared out to a number of workers on this machine, or to the cluster at "
                "an address; give 1 worker or more, or an address"
            )

    def __str__(self) -> str:
        if self.address:
            return f"the cluster at {self.address}"
        return "1 worker" if self.workers == 1 else f"{self.workers} workers"


def sharing(
    device: str | Cluster, make: Callable[[str], Callable[[Piece], Answer]]
) -> Callable[[Sequence[Piece]], Iterator[tuple[Piece, Answer]]] | None:
    """What has pieces answered by a cluster (`shared_out`); None where `device` is none.

    Parameters
    ----------
    make
        Makes what answers a piece on a device of a worker; picklable.
    """
    if not isinstance(device, Cluster):
        return None
    return partial(shared_out, device, partial(make, device.device))


def shared_out(
    cluster: Cluster,
    make: Callable[[], Callable[[Piece], Answer]],
    pieces: Sequence[Piece],
) -> Iterator[tuple[Piece, Answer]]:
    """Each piece and its answer, in the order in which they come; closing it ends the work.

    Parameters
    ----------
    make
        Makes, on a worker, what answers a piece; picklable, as are pieces and answers.

    Raises
    ------
    SetupError
        When Dask's scheduler is not installed, or the cluster cannot be reached or used.
    JobFailed
        When a piece took several workers with it, or the scheduler is gone.
    """
    if not pieces:
        return
    with _client(cluster) as client, _station(client, cluster, make) as name:
        yield from _Deal(client, name, pieces).answers()


@contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    """A client of the cluster; workers that were started for it end with it."""
    try:
        import dask
        import distributed
        from distributed.security import Security
    except ImportError as error:
        raise SetupError(
            "work is shared out by Dask's scheduler, which is not installed; "
            'pip install "napari-astroseg[cluster]"'
        ) from error
    with ExitStack() as stack:
        stack.enter_context(_told_by_us_alone())
        # A client takes over all of this process's Dask, even one that cannot connect: for good.
        stack.enter_context(dask.config.set(scheduler=dask.config.get("scheduler", None)))
        try:
            if cluster.workers:
                local = distributed.LocalCluster(
                    n_workers=cluster.workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    silence_logs="CRITICAL",
                    protocol="tls://",
                    security=Security.temporary(),  # no other user of this machine can join
                )
                client = stack.enter_context(distributed.Client(stack.enter_context(local)))
            elif Path(cluster.address).is_file():
                client = stack.enter_context(distributed.Client(scheduler_file=cluster.address))
            else:
                client = stack.enter_context(distributed.Client(cluster.address))
        except (OSError, ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise SetupError(
                f"{cluster} cannot be used ({reason}); check that its scheduler runs and can be "
                "reached from here, as by `tcp://HOST:PORT`"
            ) from error
        yield client


@contextmanager
def _told_by_us_alone() -> Iterator[None]:
    """Keep Dask's client from printing its own account of a lost scheduler."""
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


@contextmanager
def _station(client: Any, cluster: Cluster, make: Callable[[], Any]) -> Iterator[str]:
    """What answers pieces, on every worker that there is or will be; its name."""
    from napari_astroseg.engine.station import Station

    name = f"astroseg-{uuid4().hex}"
    share = max(1, (os.cpu_count() or 1) // cluster.workers) if cluster.workers else None
    threads = cluster.threads or share
    try:
        client.register_plugin(Station(name, make, threads), name=name)
    except ImportError as error:
        raise SetupError(
            f"the workers of {cluster} cannot import what they need ({error}); install the same "
            "version of napari-astroseg there as here"
        ) from error
    try:
        yield name
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(name)


@dataclass
class _Out(Generic[Piece]):
    """A piece that is out: its number, since when, and whether it is worked on twice."""

    number: int
    piece: Piece
    since: float
    twice: bool = False


class _Deal(Generic[Piece]):
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
        """See `shared_out`."""
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
