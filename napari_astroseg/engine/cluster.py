"""Cluster: the same pieces of work in several processes, here or on other machines, through Dask.

What answers a piece (a network and the image that it looks at) is made once on each worker and
stays there, and one process, ours, writes: so no chunk has two writers. How pieces are handed out,
and what becomes of those whose worker is lost, is told in `dealing.py`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from napari_astroseg.engine.dealing import Deal, Piece
from napari_astroseg.errors import SetupError

Answer = TypeVar("Answer")

_AT_ONCE_S = 0.01
"""In which Dask shall wish to have done what is out: with a worker for each piece, up to all.

It sees no more pieces than these, and would think that few workers do.
"""


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
    least
        Of the workers, those that are there however little is to be done: others come and go with
        the work. None for all of them from the beginning to the end.

    Raises
    ------
    SetupError
        When not exactly one of the two is given, or the least number is none of workers here.
    """

    workers: int = 0
    address: str = ""
    device: str = "auto"
    threads: int = 0
    least: int | None = None

    def __post_init__(self) -> None:
        if self.workers < 0 or (self.workers > 0) == bool(self.address):
            raise SetupError(
                "work is shared out to a number of workers on this machine, or to the cluster at "
                "an address; give 1 worker or more, or an address"
            )
        if self.least is not None and not 0 <= self.least <= self.workers:
            raise SetupError(
                f"{self.least} to {self.workers} is no number of workers on this machine; give the "
                "least one first, from 0 up, or leave it to the cluster at an address"
            )

    def __str__(self) -> str:
        if self.address:
            return f"the cluster at {self.address}"
        if self.least not in (None, self.workers):
            return f"{self.least} to {self.workers} workers"
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
        yield from Deal(client, name, pieces).answers()


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
                    n_workers=cluster.workers if cluster.least is None else cluster.least,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    silence_logs="CRITICAL",
                    protocol="tls://",
                    security=Security.temporary(),  # no other user of this machine can join
                )
                stack.enter_context(local)
                if cluster.least is not None:
                    how = {"minimum": cluster.least, "maximum": cluster.workers}
                    local.adapt(target_duration=_AT_ONCE_S, **how)
                client = stack.enter_context(distributed.Client(local))
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
