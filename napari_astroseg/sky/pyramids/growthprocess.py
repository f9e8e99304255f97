"""Growth in a process of its own: a window that is panned meanwhile keeps its thread to itself.

Loading the compiler and handing strips out would take turns with the window's thread, and stay in
its memory. The child (`python -P -m` this module) takes a request as the first line of its
standard input, for anyone may read a command line. It opens the image by its reference, makes the
pyramid in the cache, and tells how far it is, a number a line. It gives way to other processes,
and ends when its standard input does: whoever started it has stopped it or is gone.
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
from typing import IO, Any

from napari_astroseg.errors import AstroSegError, OutputError
from napari_astroseg.sky.files.address import Address, ImageRef
from napari_astroseg.sky.progress import Progress, Stopped
from napari_astroseg.sky.pyramids.grown import Means, means_of

_WAIT_S = 0.1
"""Whoever wants to stop waits no longer than this."""
_TELL_S = 0.05
_PATIENCE_S = 5.0


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
        with contextlib.suppress(OSError), _child(request) as lines:  # none can be started here
            _follow(lines, means.layout.shape[0], progress)
        return means.land_from_cache()


def _follow(lines: queue.SimpleQueue[int | None], total: int, progress: Progress) -> None:
    """Pass on how far the child is, until it has ended."""
    done: int | None = 0
    while done is not None:
        progress("averaging", done, total)
        with contextlib.suppress(queue.Empty):
            done = lines.get(timeout=_WAIT_S)


@contextlib.contextmanager
def _child(request: Request) -> Iterator[queue.SimpleQueue[int | None]]:
    """A child at work, and how many rows it has done; None when it has ended."""
    path = os.pathsep.join(each for each in sys.path if each)
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],  # -P: no modules from the current folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )
    assert child.stdin is not None and child.stdout is not None
    lines: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        child.stdin.write(json.dumps(asdict(request)) + "\n")
        child.stdin.flush()
        yield lines
    finally:
        with contextlib.suppress(OSError):
            child.stdin.close()
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        reader.join()
        child.stdout.close()


def _read(stdout: IO[str], lines: queue.SimpleQueue[int | None]) -> None:
    for line in stdout:
        with contextlib.suppress(ValueError):
            lines.put(int(line))
    lines.put(None)


def main(request: Request) -> int:
    """Grow what is asked for; the exit status is 0 if that has landed in the cache."""
    if hasattr(os, "nice"):
        os.nice(10)
    stopped = threading.Event()
    threading.Thread(target=_until_end, args=(sys.stdin, stopped), daemon=True).start()
    told = 0.0

    def progress(_what: str, done: int, _total: int | None) -> None:
        nonlocal told
        if stopped.is_set():
            raise Stopped
        if time.monotonic() - told > _TELL_S:
            told = time.monotonic()
            print(done, flush=True)

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


def _until_end(stdin: Any, stopped: threading.Event) -> None:
    stdin.read()
    stopped.set()


if __name__ == "__main__":
    sys.exit(main(Request(**json.loads(sys.stdin.readline()))))
