"""The child's side of a training apart: `python -m napari_astroseg.engine.apartworker`.

It is told over its standard input what to train, holds the run's folder while it does, and writes
down what it says.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib import import_module
from io import FileIO

from napari_astroseg.engine.apart import KEEP, STOP_FILE
from napari_astroseg.engine.eventlog import EventLog
from napari_astroseg.engine.events import Event
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.runlock import RunLock
from napari_astroseg.engine.service import Ended, Failure
from napari_astroseg.errors import AstroSegError, OutputError

_PATIENCE_S = 10.0
"""After the window is gone, an event that takes longer than this is not waited for."""


class Leash:
    """Whether the window is gone and had not said to go on without it."""

    def __init__(self, pipe: FileIO) -> None:
        self._pipe = pipe
        self._keep = False
        self.cut = False
        threading.Thread(target=self._listen, name="leash", daemon=True).start()

    def _listen(self) -> None:
        for line in self._pipe:
            self._keep = line == KEEP
        if not self._keep:
            self.cut = True
            end = threading.Timer(_PATIENCE_S, os._exit, (1,))
            end.daemon = True
            end.start()


def main() -> None:
    """Train what the first line says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the leash and the file `stop` decide
    pipe = FileIO(0, closefd=False)  # without a buffer, whose lock a thread would die with
    target, told = json.loads(pipe.readline())
    order = Order.from_json(told)
    leash = Leash(pipe)
    if hasattr(os, "nice"):
        os.nice(5)
    with RunLock(order.out), closing(EventLog(order.out)) as log:
        try:
            log.write(Ended(_stopped(target, order, log, leash)))
        except Exception as error:
            # The border of the process: whatever happened inside is told to whoever follows.
            expected = isinstance(error, AstroSegError)
            first_line = (str(error).splitlines() or [""])[0]
            sentence = str(error) if expected else f"{type(error).__name__}: {first_line}"
            with suppress(OutputError):  # a full disk: then the exit status tells it alone
                log.write(Failure(type(error).__name__, sentence, traceback.format_exc(), expected))
            sys.exit(1)


def _stopped(target: str, order: Order, log: EventLog, leash: Leash) -> bool:
    """Train to the end, or until that is not wanted any more; whether it is the latter."""
    stop = order.out / STOP_FILE
    module, function = target.split(":")
    events: Iterator[Event] = getattr(import_module(module), function)(order.recipe, order.how)
    for event in events:
        log.write(event)
        if leash.cut or stop.exists():
            events.close()  # type: ignore[attr-defined]
            return True
    return False


if __name__ == "__main__":
    main()
