"""What the tests of drawing share: an image, a dock on it, and a hand with a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import sky, spin
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_astroseg.gui import layers
from napari_astroseg.gui.draw import DrawDock
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window


@dataclass
class Mouse:
    """A mouse event as napari hands it to a layer."""

    type: str
    position: tuple[float, float]
    button: int = 1
    pos: Any = field(default_factory=lambda: np.zeros(2))
    view_direction: None = None
    dims_displayed: tuple[int, int] = (0, 1)
    dims_point: tuple[float, float] = (0.0, 0.0)
    modifiers: tuple[str, ...] = ()
    is_dragging: bool = True
    handled: bool = False
    camera_zoom: float = 1.0
    native: None = None


def mouse(type: str, x: float, y: float, button: int = 1) -> Any:
    return ReadOnlyWrapper(Mouse(type, (y, x), button), exceptions=("handled",))


def press(layer: Any, x: float, y: float, button: int = 1) -> None:
    mouse_press_callbacks(layer, mouse("mouse_press", x, y, button))


def release(layer: Any, x: float, y: float) -> None:
    mouse_release_callbacks(layer, mouse("mouse_release", x, y))


def drag(layer: Any, *places: tuple[float, float]) -> None:
    """Press at the first place, move to the others, let go at the last; x and y of the image."""
    press(layer, *places[0])
    for x, y in places[1:]:
        mouse_move_callbacks(layer, mouse("mouse_move", x, y))
    release(layer, *places[-1])


def lazy_sky(side: int) -> SkyImage:
    """An image of any size that takes no memory."""
    small = sky(64)
    values = ArrayPixels(np.broadcast_to(np.zeros((), np.float32), (side, side)))
    return SkyImage(values, small.wcs, small.header, "cm-2", "wide")


def look_at(dock: DrawDock, x: float, y: float, zoom: float = 1.0) -> None:
    """Turn the view to a place, and wait until it is drawn on."""
    camera = dock._viewer.scene.camera
    camera.zoom = zoom
    camera.center = (0.0, y, x)
    assert spin(lambda: not dock.busy)


def started(dock: DrawDock, folder: Path) -> Any:
    """Start drawing in a folder; gives the layer that is drawn in."""
    dock.folder.set_path(folder)
    dock.start.click()
    assert spin(lambda: not dock.busy)
    assert dock.painting is not None, dock.notice.text
    return dock.painting.cut.layer


def kept(folder: Path, window: Window, who: str) -> np.ndarray:
    """What a folder holds for whoever opens it now."""
    with MarkStore.open(folder, writing=False) as store:
        return store.read(window, who)


@pytest.fixture
def dock(make_napari_viewer: Any, own_settings: Path) -> Iterator[DrawDock]:
    """The dock in a viewer with an image of 600 × 600."""
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky())
    yield from docked(viewer)


@pytest.fixture
def wide(make_napari_viewer: Any, own_settings: Path) -> Iterator[DrawDock]:
    """The dock in a viewer with an image of 20 000 × 20 000."""
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, lazy_sky(20_000))
    yield from docked(viewer)


def docked(viewer: Any) -> Iterator[DrawDock]:
    spin(lambda: False, 0.2)
    made = DrawDock(viewer)
    viewer.window.add_dock_widget(made)
    made.who.setText("Ada")
    yield made
    made.shut_down()
