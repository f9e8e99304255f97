"""Growing: overviews become true block means while the window lives, and only then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from gui.slow_sky import slow_sky

from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn import growing
from napari_astroseg.gui.drawn.growing import grow_behind
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.pyramids.pyramid import grown

SIDE = 4200


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(growing, "PAUSE_MS", 20)


@pytest.fixture
def rough(tmp_path: Path) -> Path:
    """A picture whose pixels differ so much that a sampled overview is far from the means."""
    values = np.random.default_rng(3).normal(100.0, 30.0, (SIDE, SIDE)).astype(np.float32)
    path = tmp_path / "rough.fits"
    fits.PrimaryHDU(values).writeto(path)
    return path


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Growing waits for this event, looking all the while whether it should stop."""
    go, real = threading.Event(), growing.grow

    def slowly(image: SkyImage, progress: Progress, plane: int = 0, apart: bool = False) -> Any:
        step = 0
        while not go.wait(0.01):
            progress("waiting", step := step + 1, 1000)
        return real(image, progress, plane, apart=apart)

    monkeypatch.setattr(growing, "grow", slowly)
    yield go
    go.set()


def finished(viewer: Any, qtbot: Any) -> None:
    grower = grow_behind(viewer)
    assert grower is not None
    qtbot.waitUntil(lambda: not grower.busy, timeout=60_000)
    qtbot.wait(150)


def block_means(path: Path) -> np.ndarray:
    """Of 4 × 4 pixels, straight from the file."""
    values = fits.getdata(path).astype(np.float64)
    return values.reshape(SIDE // 4, 4, SIDE // 4, 4).mean(axis=(1, 3))


def test_the_picture_becomes_block_means_where_it_is(
    viewer: Any, rough: Path, qtbot: Any, held: threading.Event
) -> None:
    image = open_image(rough)
    layer = layers.add_image(viewer, image)
    viewer.screenshot(flash=False)
    qtbot.wait(2 * layers.SETTLED_MS)  # the first image is fitted to the window once more
    viewer.screenshot(flash=False)
    assert layer.data_level == 2
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center
    expected = layer.data[2].stretch(block_means(rough))
    before = np.asarray(layer._slice.image.raw)
    assert np.abs(before - expected[: before.shape[0], : before.shape[1]]).max() > 0.1
    held.set()
    finished(viewer, qtbot)
    assert grown(image)
    viewer.screenshot(flash=False)

    def exact() -> bool:
        after = np.asarray(layer._slice.image.raw)
        shown = expected[: after.shape[0], : after.shape[1]]
        return np.allclose(after, shown, rtol=0, atol=1e-4, equal_nan=True)

    qtbot.waitUntil(exact, timeout=20_000)  # what is not in memory yet is read and drawn again
    assert (viewer.scene.camera.zoom, viewer.scene.camera.center) == (zoom, centre)
    assert layer.data_level == 2


def test_an_image_grown_before_is_not_grown_again(
    viewer: Any, rough: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers.add_image(viewer, open_image(rough))
    finished(viewer, qtbot)
    asked: list[SkyImage] = []
    monkeypatch.setattr(growing, "grow", lambda image, *_, **__: asked.append(image))
    layers.add_image(viewer, open_image(rough))
    finished(viewer, qtbot)
    assert not asked


def test_the_selected_layer_goes_first_and_hidden_ones_wait(
    viewer: Any, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def note(image: SkyImage, *_: object, **__: object) -> None:
        asked.append(image.name)
        raise ValueError("not today")  # so it is not asked again

    monkeypatch.setattr(growing, "grow", note)
    made = []
    for name in ("first", "second", "hidden"):
        fits.PrimaryHDU(np.ones((SIDE, SIDE), np.int16)).writeto(tmp_path / f"{name}.fits")
        made.append(layers.add_image(viewer, open_image(tmp_path / f"{name}.fits")))
    made[2].visible = False
    viewer.layers.selection.active = made[0]
    finished(viewer, qtbot)
    assert asked == ["first", "second"]


def test_what_is_far_or_computed_is_left_alone(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[SkyImage] = []
    monkeypatch.setattr(growing, "grow", lambda image, *_, **__: asked.append(image))
    image, _ = slow_sky()
    layers.add_image(viewer, image)
    finished(viewer, qtbot)
    assert not asked


def test_removing_the_layer_ends_it(
    viewer: Any, rough: Path, qtbot: Any, held: threading.Event
) -> None:
    image = open_image(rough)
    layer = layers.add_image(viewer, image)
    grower = grow_behind(viewer)
    told: list[str] = []
    grower.told.connect(told.append)
    qtbot.waitUntil(lambda: bool(told))
    viewer.layers.remove(layer)
    finished(viewer, qtbot)
    assert not grown(image)
    assert told[-1] == ""
    # nothing_left_behind sees that its thread has ended, though nobody let it go on


def test_it_rests_while_the_view_moves(
    rough: Path, viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def counting(image: SkyImage, progress: Progress, plane: int = 0, apart: bool = False) -> bool:
        for step in range(10**6):
            progress("waiting", step, 10**6)
            steps.append(step)
            time.sleep(0.002)
        return True

    monkeypatch.setattr(growing, "grow", counting)
    monkeypatch.setattr(growing, "REST_MS", 3000)
    layer = layers.add_image(viewer, open_image(rough))
    qtbot.waitUntil(lambda: len(steps) > 5, timeout=20_000)
    viewer.scene.camera.zoom *= 2
    qtbot.wait(200)
    resting = len(steps)
    qtbot.wait(200)
    assert len(steps) == resting
    qtbot.waitUntil(lambda: len(steps) > resting, timeout=20_000)
    viewer.scene.camera.center = (0, 10.0, 20.0)
    viewer.layers.remove(layer)  # resting does not keep it from ending
    finished(viewer, qtbot)


def test_the_dock_tells_quietly(
    viewer: Any, rough: Path, qtbot: Any, held: threading.Event
) -> None:
    dock = MosaicDock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.open_files([rough])
    qtbot.waitUntil(
        lambda: "Sharpening the overview of rough" in dock.growth.text(), timeout=20_000
    )
    assert dock.growth.isVisible()
    held.set()
    finished(viewer, qtbot)
    assert not dock.growth.isVisible()
    assert not dock.notice.isVisible()


def test_there_is_one_for_each_viewer(viewer: Any) -> None:
    assert grow_behind(viewer) is grow_behind(viewer)
