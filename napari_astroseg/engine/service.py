"""The window's side of an engine process: ask, listen, cancel. Torch is never imported here.

The engine is a child that runs `python -P -m napari_astroseg.engine.worker` (`-P`: no modules from
the current folder) and talks through its standard input and output in pickled frames (both ends
are ours). It dies with its parent, because its input ends then. One engine does one job at a time
and stays warm between jobs.
"""

from __future__ import annotations

import itertools
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from napari_astroseg.engine.events import Event
from napari_astroseg.errors import JobFailed

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Call:
    """Work by name, so that asking for it imports nothing: `module:function` and arguments."""

    target: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    number: int = field(default_factory=itertools.count(1).__next__, compare=False)


@dataclass(frozen=True)
class Parcel:
    """A call on its way: opened by the child only when it is its turn, for that may import much."""

    number: int
    body: bytes

    @classmethod
    def of(cls, call: Call) -> Parcel:
        """A call, packed."""
        return cls(call.number, packed(call))

    def opened(self) -> Call:
        """The call; raises whatever its arguments raise on arrival (a file may be gone)."""
        call: Call = pickle.loads(self.body)
        return call


@dataclass(frozen=True)
class Stop:
    """Close the generator of call `number` at its next event; late or early, it hits no other."""

    number: int


@dataclass(frozen=True)
class Failure:
    """The work raised: class name, sentence, traceback; `expected` if from our error tree."""

    kind: str
    message: str
    details: str
    expected: bool


@dataclass(frozen=True)
class Ended:
    """The work is over; the engine waits for the next call."""

    stopped: bool = False


def packed(message: object) -> bytes:
    """A message as the body of a frame."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def send(pipe: IO[bytes], message: object) -> None:
    """Write one frame."""
    body = packed(message)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one frame.

    Raises
    ------
    EOFError
        When the other side is gone.
    """
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)  # our own child, over a pipe nobody else holds


class Engine:
    """A warm engine process.

    Parameters
    ----------
    spare_cores
        Cores left to the window; the child uses the rest.
    ahead
        Module that the child imports while nobody asks; none when empty.

    Notes
    -----
    `run` blocks and is meant for a worker thread; `stop` and `close` may be called from any
    thread at any time.
    """

    def __init__(self, spare_cores: int = 1, ahead: str = "") -> None:
        self._spare_cores, self._ahead = spare_cores, ahead
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._pipe_in = threading.Lock()
        self._current: Call | None = None

    @property
    def alive(self) -> bool:
        """Whether the child is up."""
        child = self._child
        return child is not None and child.poll() is None

    @property
    def pid(self) -> int | None:
        """Process number of the child, when it is up."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Bring the child up, unless it is; it imports ahead while nobody asks."""
        with self._lock:
            if self.alive:
                return
            _close_pipes(self._child)
            cores = max(1, (os.cpu_count() or 1) - self._spare_cores)
            words = ["-P", "-m", "napari_astroseg.engine.worker", *filter(None, [self._ahead])]
            self._child = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=child_environment(cores),
            )

    def run(self, call: Call) -> Iterator[Event]:
        """Do the work in the child and give its events; closing this iterator stops the work.

        Raises
        ------
        JobFailed
            When the work raised, or the child died.
        """
        parcel = Parcel.of(call)  # what cannot be packed is the caller's fault, not the child's
        with self._busy:
            self.start()
            child = self._child
            assert child is not None and child.stdin is not None and child.stdout is not None
            try:
                self._current = call
                with self._pipe_in:
                    send(child.stdin, parcel)
                over = False
                try:
                    while not over:
                        message = receive(child.stdout)
                        over = isinstance(message, (Ended, Failure))
                        if isinstance(message, Failure):
                            raise JobFailed(message.message, message.kind, message.details)
                        if isinstance(message, Event):
                            yield message
                finally:
                    if not over:  # closed from outside: stop, and empty the pipe for the next
                        self.stop(call)
                        while not isinstance(receive(child.stdout), (Ended, Failure)):
                            pass
            except (EOFError, BrokenPipeError, ValueError) as error:
                code = child.wait()
                raise JobFailed(
                    f"the engine process ended unexpectedly (exit status {code}); try again, with "
                    "a smaller window or batch if memory was short",
                    "EngineDied",
                ) from error

    def stop(self, call: Call | None = None) -> None:
        """Ask `call`, or whatever runs, to stop at its next event; it is not waited for."""
        child, call = self._child, call or self._current
        if child is not None and child.stdin is not None and call is not None and self.alive:
            try:
                with self._pipe_in:
                    send(child.stdin, Stop(call.number))
            except (BrokenPipeError, ValueError):
                return  # it is gone already, which is what was asked

    def close(self, patience_s: float = 2.0) -> None:
        """End the child: politely, then for certain."""
        with self._lock:
            child, self._child = self._child, None
        if child is None:
            return
        _close_pipes(child, only_in=True)
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        _close_pipes(child)


def _close_pipes(child: subprocess.Popen[bytes] | None, *, only_in: bool = False) -> None:
    """Close our ends; closing the way in is what tells a child to go."""
    if child is None:
        return
    for pipe in (child.stdin,) if only_in else (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # it went first
                pipe.close()


def child_environment(cores: int) -> dict[str, str]:
    """The parent's environment, with the package importable as it is here.

    Numerical libraries keep to `cores` threads unless the user has said otherwise; they look
    only while they are loaded, so the child itself would be too late to tell them.
    """
    threads = dict.fromkeys(_THREADS, str(cores))
    return {**threads, **os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
