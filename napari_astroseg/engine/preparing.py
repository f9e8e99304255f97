"""Preparing: work that reports by callback, told as events while it goes on in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event as Flag
from typing import TypeVar

from napari_astroseg.engine.events import Preparing
from napari_astroseg.sky.progress import Progress, Stopped

_EVERY_S = 0.1

Made = TypeVar("Made")


def heard(work: Callable[[Progress], Made]) -> Generator[Preparing, None, Made]:
    """The answer of `work`, with an event now and then of how far it is.

    Closing the generator stops the work where it next reports.
    """
    told: SimpleQueue[Preparing | None] = SimpleQueue()
    closed, last = Flag(), [0.0]

    def progress(what: str, done: int, total: int | None) -> None:
        if closed.is_set():
            raise Stopped
        now = time.monotonic()
        if now - last[0] > _EVERY_S:
            last[0] = now
            told.put(Preparing(what, done, total))

    with ThreadPoolExecutor(1, thread_name_prefix="preparing") as worker:
        future = worker.submit(work, progress)
        future.add_done_callback(lambda _: told.put(None))
        try:
            while (event := told.get()) is not None:
                yield event
        finally:
            closed.set()
        return future.result()
