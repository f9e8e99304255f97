"""Growth in a process of its own: a window that is panned meanwhile keeps its thread to itself.

Loading the compiler and handing strips out would take turns with the window's thread, and stay in
its memory. The child (`python -P -m` this module) takes a request as the first line of its
standard input, for anyone may read a command line. It opens the image by its reference, makes the
pyramid in the cache, and tells how far it is, a number a line; after each it waits for a line that
lets it go on. So whoever started it can have it rest, or stop: it ends when its standard input
does. It gives way to other processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from napari_astroseg.errors import AstroSegError, OutputError
from napari_astroseg.sky.files.address import Address, ImageRef
from napari_astroseg.sky.progress import Progress, Stopped
from napari_astroseg.sky.pyramids.grown import Means, means_of

_WAIT_S = 0.1
"""Whoever wants to stop waits no longer than this."""
_TELL_S = 0.02
"""The child rests so soon after it should."""
_PATIENCE_S = 5.0
_NICE = 19
"""The lowest priority: what is drawn meanwhile is right, if less smooth."""


@dataclass(frozen=True)
class Request:
    """What the child is to grow.

    Parameters
    ----------
    place, hdu, plane
        Where the image is; the plane of a stack.
    identity
        Of its pixels: what is found there may have changed.
    """

    place: str
    hdu: int
    plane: int
    identity: str


def grow_apart(reference: ImageRef, plane: int, means: Means, progress: Progress) -> bool:
    """Grow a plane in a process of its own; whether its means have landed.

    False where that process could not do it, for whatever reason: doing the same here either
    works or tells why not.

    Parameters
    ----------
    reference
        Of the image; a stack's plane is named by `plane`.
    """
    if means.identity is None or means.layout.top == 1:
        return False
    if reference.plane is not None:
        plane = reference.plane
    request = Request(reference.place, reference.hdu, plane, means.identity)
    with means.growing:
        if means.store is not None or means.land_from_cache():
            return True
        with contextlib.suppress(OSError), _child(request) as child:  # none can be started here
            child.follow(means.layout.shape[0], progress)
        return means.land_from_cache()


class _Child:
    """A child at work.

    Parameters
    ----------
    process
        Has been given its request.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._lines: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def follow(self, total: int, progress: Progress) -> None:
        """Pass on how far it is, until it has ended; while `progress` takes its time, it rests."""
        done = 0
        while True:
            progress("averaging", done, total)
            try:
                word = self._lines.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if word is None:
                return
            done = word
            progress("averaging", done, total)
            self.say("on")

    def say(self, line: str) -> None:
        """Give it a line, if it still listens."""
        with contextlib.suppress(OSError):
            self._stdin.write(line + "\n")
            self._stdin.flush()

    def end(self) -> None:
        """Have it stop, and wait until it has."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._stdout.close()

    def _read(self) -> None:
        for line in self._stdout:
            with contextlib.suppress(ValueError):
                self._lines.put(int(line))
        self._lines.put(None)


@contextlib.contextmanager
def _child(request: Request) -> Iterator[_Child]:
    """A child that carries out a request; ended with the block."""
    path = os.pathsep.join(each for each in sys.path if each)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],  # -P: no modules from the current folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        creationflags=getattr(subprocess, "IDLE_PRIORITY_CLASS", 0),
        text=True,
    )
    if hasattr(os, "setpriority"):  # from its first moment: loading modules is work, too
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
    child = _Child(process)
    try:
        child.say(json.dumps(asdict(request)))
        yield child
    finally:
        child.end()


def main(request: Request) -> int:
    """Grow what is asked for; the exit status is 0 if that has landed in the cache."""
    told = 0.0

    def progress(_what: str, done: int, _total: int | None) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_S:
            print(done, flush=True)
            if not sys.stdin.readline():
                raise Stopped
            told = time.monotonic()

    try:
        _grow(request, progress)
    except (AstroSegError, Stopped):
        return 1
    return 0


def _grow(request: Request, progress: Progress) -> None:
    from napari_astroseg.sky.opening import open_image
    from napari_astroseg.sky.pyramids.growth import THREADS, grow_on_disk

    image = open_image(Address(request.place, request.hdu))
    pixels = image.pixels if image.planes is None else image.planes[request.plane]
    if pixels.identity != request.identity:
        raise OutputError(f"{image.name} is not what it was; open it again")
    means = means_of(image, request.plane if image.planes is not None else 0)
    spare = max(1, min(THREADS, (os.cpu_count() or 1) - 1))  # one core is the window's
    grow_on_disk(pixels, means, request.identity, progress, spare)


if __name__ == "__main__":
    sys.exit(main(Request(**json.loads(sys.stdin.readline()))))
