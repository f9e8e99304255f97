"""The child's side of an engine process: take a call, run its generator, send its events.

Run as `python -m napari_astroseg.engine.worker [MODULE]`. Unless a call is waiting already, the
module is imported at once, while the user is still choosing a model: the first click finds it warm.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import IO

from napari_astroseg.engine.events import Event
from napari_astroseg.engine.service import Ended, Failure, Parcel, Stop, receive, send
from napari_astroseg.errors import AstroSegError

_IDLE_S = 0.2
"""So long without a call, and it is time to warm up."""


def main() -> None:
    """Serve calls until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; its end is ours
    answers = _claim_stdout()
    calls: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
    stops: set[int] = set()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, calls, stops), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)
    ahead = sys.argv[1:]
    while True:
        try:
            parcel = calls.get(timeout=_IDLE_S if ahead else None)
        except queue.Empty:
            _warm(ahead.pop())
        else:
            _serve(parcel, answers, stops)


def _claim_stdout() -> IO[bytes]:
    """Our own copy of standard output; whatever others print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _listen(pipe: IO[bytes], calls: queue.SimpleQueue[Parcel], stops: set[int]) -> None:
    """Sort what the parent says; when it says nothing more, end the process."""
    while True:
        try:
            message = receive(pipe)
        except EOFError:
            os._exit(0)  # the window is gone: nobody is left to answer
        if isinstance(message, Stop):
            stops.add(message.number)
        elif isinstance(message, Parcel):
            calls.put(message)


def _warm(module: str) -> None:
    """Load what the first call will need."""
    with suppress(ImportError):  # told in words by the call that needs what is missing
        import_module(module)


def _serve(parcel: Parcel, answers: IO[bytes], stops: set[int]) -> None:
    """Run one call to its end, its failure, or its stop."""
    try:
        call = parcel.opened()
        module, function = call.target.split(":")
        events: Iterator[Event] = getattr(import_module(module), function)(
            *call.args, **call.kwargs
        )
        for event in events:
            send(answers, event)
            if parcel.number in stops:
                events.close()  # type: ignore[attr-defined]
                break
        send(answers, Ended(parcel.number in stops))
    except Exception as error:
        # The border of the process: whatever happened inside is told to the window, whole.
        expected = isinstance(error, AstroSegError)
        first_line = (str(error).splitlines() or [""])[0]
        sentence = str(error) if expected else f"{type(error).__name__}: {first_line}"
        send(answers, Failure(type(error).__name__, sentence, traceback.format_exc(), expected))


if __name__ == "__main__":
    main()
