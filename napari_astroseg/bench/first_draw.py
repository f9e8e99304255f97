"""First draw: one way of opening a file, until its first picture, and about in it.

Run as `python -m napari_astroseg.bench.first_draw JSON` (an `Order`): a fresh process and viewer
for every opening, as users have it; also OpenGL and torch's compiler do not go together, and
memory is counted. Modules are imported before. Prints `Drawn` as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import astropy.io.fits  # noqa: F401 (what the ways need is not theirs to load)
import dask.array  # noqa: F401
import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_astroseg.bench.memory import Memory
from napari_astroseg.bench.ways import OURS, way
from napari_astroseg.gui import layers
from napari_astroseg.gui.workspace import settle_in
from napari_astroseg.sky import opening  # noqa: F401 (as the window has it from its start)

_SIZE = (1400, 900)
_PAUSE_S = 0.15
"""Time from one step to the next, as of a hand that pans."""


@dataclass(frozen=True)
class Order:
    """What to measure.

    Parameters
    ----------
    way
        Name of the way of opening.
    path
        The file.
    cold
        Files that the system is to forget before.
    walk
        Files that the system is to forget before panning and zooming; None for no walk.
    """

    way: str
    path: str
    cold: Sequence[str] = ()
    walk: Sequence[str] | None = None


@dataclass(frozen=True)
class Drawn:
    """What was measured.

    Parameters
    ----------
    seconds
        From opening to the first picture.
    peak_mib
        Most memory until then, over that of the empty viewer.
    worst_s
        Longest time that a step of panning or zooming kept the window's thread.
    draws
        Pictures drawn for each step.
    right
        Whether the picture shows what is there: neither black nor saturated.
    """

    seconds: float
    peak_mib: float
    worst_s: float | None
    draws: float | None
    right: bool


def main(order: Order) -> Drawn:
    """Carry out an order in a viewer of its own."""
    viewer = napari.Viewer()
    viewer.window.resize(*_SIZE)
    layers.settle(viewer)
    viewer.screenshot(flash=False)
    settle()
    if order.way == OURS.name:  # as our own window does; the others are napari as it comes
        settle_in().join()
    forget(order.cold)
    empty = Memory()
    begun = time.perf_counter()
    way(order.way).add(viewer, Path(order.path))
    picture = viewer.screenshot(flash=False)
    seconds = time.perf_counter() - begun
    peak = empty.peak_mib()
    worst, draws = (None, None) if order.walk is None else walk(viewer, order.walk)
    viewer.close()
    return Drawn(seconds, peak, worst, draws, shows(picture))


def walk(viewer: Any, files: Sequence[str]) -> tuple[float, float]:
    """Zoom to single pixels and back and pan in between: worst block, draws for each step."""
    drawn: list[float] = []
    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    canvas.events.draw.connect(lambda event: drawn.append(time.perf_counter()))
    settle()
    forget(files)
    camera = viewer.scene.camera
    fit, (_, y, x) = camera.zoom, camera.center
    steps: list[Callable[[], None]] = []

    def zoom(to: float) -> None:
        camera.zoom = to

    def pan(right: float, up: float) -> None:
        camera.center = (0, y + up, x + right)

    inward = np.geomspace(fit, 1.0, 16)
    steps += [partial(zoom, float(to)) for to in inward]
    steps += [partial(pan, 200.0 * n, 80.0 * n) for n in range(1, 17)]
    steps += [partial(zoom, float(to)) for to in inward[::-1][1:]]
    drawn.clear()
    worst = max(step_s(each) for each in steps)
    return worst, len(drawn) / len(steps)


def step_s(step: Callable[[], None]) -> float:
    """The longest time that a step, and what follows it, kept this thread without a break."""
    begun = time.perf_counter()
    step()
    worst = time.perf_counter() - begun
    while time.perf_counter() - begun < _PAUSE_S:
        before = time.perf_counter()
        QApplication.processEvents()
        worst = max(worst, time.perf_counter() - before)
        time.sleep(0.0005)
    return worst


def settle() -> None:
    """Let the event loop come to rest."""
    until = time.perf_counter() + 0.1
    while time.perf_counter() < until:
        QApplication.processEvents()
        time.sleep(0.0005)


def shows(picture: np.ndarray) -> bool:
    """Whether a picture's middle is neither nearly black nor nearly white."""
    height, width = picture.shape[:2]
    middle = picture[height // 3 : -height // 3, width // 3 : -width // 3, :3]
    return bool(15 < np.median(middle) < 240)


def forget(files: Sequence[str]) -> None:
    """Make the system forget what it has cached of some files."""
    for name in files:
        if hasattr(os, "posix_fadvise") and Path(name).exists():
            number = os.open(name, os.O_RDONLY)
            try:
                os.fsync(number)
                os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(number)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(asdict(main(Order(**given)))))
