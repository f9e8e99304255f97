"""Stage: the window that is photographed, and pictures as files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

IMAGES = Path(__file__).resolve().parents[1] / "images"
SIZE = (1400, 900)
COLOURS = 128
"""Of a picture's palette: a third of the bytes, and nobody sees it where the sky is grey."""
PATIENCE_S = 900.0


def wait_for(done: Callable[[], bool], after_ms: int = 2000) -> None:
    """Let the window live until `done`, then a moment more for it to draw."""
    from qtpy.QtTest import QTest

    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            sys.exit(f"error: nothing came within {PATIENCE_S:.0f} s; run it where less else runs")
        QTest.qWait(20)
    QTest.qWait(after_ms)


def dock(viewer: Any, name: str, kind: type) -> Any:
    """One of our docks, brought to the front."""
    from qtpy.QtWidgets import QDockWidget

    from napari_astroseg.gui.later import dock_of

    inner = viewer.window.dock_widgets[name]
    frame = inner
    while not isinstance(frame, QDockWidget):
        frame = frame.parent()
    frame.raise_()
    made = dock_of(inner)
    return made if isinstance(made, kind) else made.findChild(kind)


def window(places: Sequence[Path], **aids: bool) -> tuple[Any, Any]:
    """A window with images in it, and its Open dock; `aids` as `Choices` names them."""
    from napari_astroseg.gui.aids.choices import Choices
    from napari_astroseg.gui.mosaic import MosaicDock
    from napari_astroseg.gui.workspace import open_window

    viewer = open_window(places)
    viewer.window.resize(*SIZE)
    opening = dock(viewer, "Open", MosaicDock)
    opening.aids.choose(Choices(**aids))
    wait_for(lambda: not opening.busy)
    viewer.reset_view()
    wait_for(lambda: not opening.growth.isVisibleTo(opening))
    return viewer, opening


def sample_window() -> Any:
    """The window with the demo's sample in it."""
    from napari_astroseg.cli import demo
    from napari_astroseg.sky.simulate import write_filaments

    return window([write_filaments(Path("sample"), 1, demo.SIZE, demo.SEED)[0]])[0]


def shoot(viewer: Any, name: str, colours: int = COLOURS) -> None:
    """The whole window as it is."""
    keep(viewer.screenshot(canvas_only=False, flash=False), name, colours)


def keep(pixels: Any, name: str, colours: int = COLOURS) -> None:
    """Write a picture, in few colours, or in all with 0."""
    from PIL import Image

    whole = Image.fromarray(np.ascontiguousarray(pixels)[..., :3])
    few = whole.quantize(colours, dither=Image.Dither.NONE) if colours else whole
    few.save(IMAGES / f"{name}.png", optimize=True)
    print(IMAGES / f"{name}.png", (IMAGES / f"{name}.png").stat().st_size)
