"""Patient levels: the window never waits long, and the picture is right in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from gui.slow_sky import SlowPixels, slow_sky, slow_stack
from qtpy.QtCore import QTimer

from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn import reads
from napari_astroseg.gui.drawn.patient import PatientLevel, patient
from napari_astroseg.gui.drawn.redraw import reads_of
from napari_astroseg.gui.drawn.stretched import Stretched
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.looks.stretch import Stretch
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.pyramid import levels


class Ears:
    """Hears of what has landed and of what cannot be read."""

    def __init__(self) -> None:
        self.landed, self.sentences = 0, list[str]()

    def land(self) -> None:
        self.landed += 1

    def listen(self, level: PatientLevel) -> None:
        self._calls = self.land, self.sentences.append
        level.reads.listen(*self._calls)


def hearing(image: SkyImage) -> tuple[list[PatientLevel], Ears]:
    """Patient levels of an image that somebody watches, the coarsest of them in memory."""
    pyramid, ears = patient(levels(image)), Ears()
    np.asarray(pyramid[-1])
    ears.listen(pyramid[0])
    return pyramid, ears


def test_nobody_watching_gets_the_values_themselves() -> None:
    image, pixels = slow_sky(pause_s=0.1)
    finest = patient(levels(image))[0]
    assert np.array_equal(finest[100:140, 1000:1100], pixels.array[100:140, 1000:1100])


def test_other_threads_get_the_values_themselves() -> None:
    image, pixels = slow_sky(pause_s=0.2)
    pyramid, _ = hearing(image)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(pyramid[0][0:40, 0:40]))
    thread.start()
    thread.join(10)
    assert np.array_equal(found[0], pixels.array[0:40, 0:40])


def test_the_window_gets_a_coarser_picture_at_once_and_the_right_one_soon() -> None:
    image, pixels = slow_sky(pause_s=0.25)
    pyramid, ears = hearing(image)
    early = pyramid[0][1000:1600, 600:1500]
    expected = pixels.array[1000:1600, 600:1500]
    assert early.shape == expected.shape
    assert np.isfinite(early).all()  # of the coarsest level, four pixels to each of its own
    assert np.abs(early - 10.0).max() < 3.0 < np.abs(expected - 10.0).max()
    coarse = np.asarray(levels(image)[2])[250:400, 150:375].repeat(4, 0).repeat(4, 1)
    assert np.array_equal(early, coarse)
    pyramid[0].reads.wait(20)
    assert ears.landed > 0
    assert np.array_equal(pyramid[0][1000:1600, 600:1500], expected)


@pytest.mark.parametrize(
    "key",
    [
        (slice(0, 4200), slice(0, 4200)),
        (slice(511, 513), slice(1023, 1025)),
        (slice(4190, 4300), slice(4000, 4204)),
        (slice(700, 100, -3), slice(None, None, 7)),
        (5, slice(3, 9)),
        (slice(3, 3), slice(0, 5)),
        (Ellipsis, -1),
        7,
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_picture_in_the_end_is_the_level(key: Any, number: int) -> None:
    image, _ = slow_sky()
    pyramid, _ = hearing(image)
    pyramid[number][key]
    pyramid[number].reads.wait(20)
    expected = levels(image)[number][key]
    assert np.array_equal(pyramid[number][key], expected, equal_nan=True)


def test_a_newer_wish_goes_first_and_an_older_one_is_dropped() -> None:
    image, pixels = slow_sky(pause_s=0.1)
    pyramid, _ = hearing(image)
    pixels.reads.clear()
    pyramid[0][0:4096, 0:500]  # eight rows of chunks
    pyramid[0][3600:4000, 3600:4000]  # one chunk
    pyramid[0].reads.wait(20)
    tops = [(rows.start, columns.start) for rows, columns in pixels.reads]
    assert (3584, 3584) in tops[:2]
    far = [top for top in tops if top[1] == 0]
    assert len(far) < 4


def test_a_view_larger_than_the_cache_comes_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_astroseg.sky.pyramids.pyramid.CACHE_BYTES", 4 * 2**20)
    image, pixels = slow_sky(pause_s=0.01)
    pyramid, _ = hearing(image)
    whole = (slice(0, 4200), slice(0, 2000))
    for _ in range(3):
        pyramid[0][whole]
        pyramid[0].reads.wait(20)
    count = len(pixels.reads)
    assert np.array_equal(pyramid[0][whole], pixels.array[whole])
    assert not pyramid[0].reads.busy
    assert len(pixels.reads) == count


def test_what_cannot_be_read_is_a_hole_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image, pixels = slow_sky()
    pyramid, ears = hearing(image)
    pixels.broken = True
    for start in (0, 600, 1200, 0):
        pyramid[0][start : start + 400, 0:400]
        pyramid[0].reads.wait(10)
    assert ears.sentences == ["slow.fits is gone; open it again"]
    assert np.isnan(pyramid[0][0:400, 0:400]).all()
    count = len(pixels.reads)
    pyramid[0][0:400, 0:400]
    assert not pyramid[0].reads.busy
    assert len(pixels.reads) == count  # not again so soon
    monkeypatch.setattr(reads, "RETRY_S", 0.0)
    pixels.broken = False
    pyramid[0][0:400, 0:400]
    pyramid[0].reads.wait(10)
    assert np.array_equal(pyramid[0][0:400, 0:400], pixels.array[0:400, 0:400])


def test_what_nobody_foresaw_is_a_sentence_too() -> None:
    image, pixels = slow_sky()
    pyramid, ears = hearing(image)
    pixels.array = None  # type: ignore[assignment]
    pyramid[0][0:400, 0:400]
    pyramid[0].reads.wait(10)
    (sentence,) = ears.sentences
    assert sentence.startswith("slow cannot be read on (AttributeError")


def test_planes_of_a_stack_are_patient() -> None:
    image = slow_stack(side=1500, pause_s=0.2)
    pyramid, ears = patient(levels(image)), Ears()
    ears.listen(pyramid[0].plane(0))
    early = np.asarray(pyramid[0][:, 0:700, 0:600][2])
    assert np.isnan(early).all()  # nothing of that plane is known yet
    pyramid[0].reads.wait(20)
    assert np.nanmedian(pyramid[0][2, 0:700, 0:600]) == pytest.approx(20.0, abs=0.1)


def test_chunks_are_stretched_once_and_let_go() -> None:
    chunks = [np.full((10, 10), n, np.float32) for n in range(3)]
    stretch, kept = Stretch("linear", Limits(0.0, 2.0)), Stretched(limit=900)
    drawn = kept.of(chunks[2], stretch)
    assert np.array_equal(drawn, np.ones((10, 10)))
    assert kept.of(chunks[2], Stretch("linear", Limits(0.0, 2.0))) is drawn
    assert kept.of(chunks[2], Stretch("linear", Limits(0.0, 4.0)))[0, 0] == 0.5
    kept.of(chunks[0], stretch)
    kept.of(chunks[1], stretch)
    assert kept.held == 800
    assert kept.of(chunks[2], stretch) is not drawn
    kept.clear()
    assert kept.held == 0


# --- in the window -----------------------------------------------------------------------------


class Blocks:
    """The longest pauses of the window's thread, by a 5 ms timer."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def start(self) -> None:
        self.worst, self._last = 0.0, time.perf_counter()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.worst, self._last = max(self.worst, now - self._last), now


def rested(layer: Any, qtbot: Any) -> None:
    """Wait until everything has been read and drawn."""
    for _ in range(2):
        qtbot.wait(200)
        qtbot.waitUntil(lambda: not any(each.busy for each in reads_of(layer)), timeout=20_000)
    qtbot.wait(100)


def shown(layer: Any) -> np.ndarray:
    """What napari draws now, display values."""
    return np.asarray(layer._slice.image.raw)


def exact(layer: Any) -> np.ndarray:
    """What it should draw: the same part of the same level, read without haste."""
    (top, left), (bottom, right) = np.asarray(layer.corner_pixels)[:, -2:]
    drawn = layer.data[layer.data_level]
    return drawn.stretch(drawn.level.level[top : bottom + 1, left : right + 1])


def test_panning_and_zooming_do_not_wait_for_a_slow_disk(viewer: Any, qtbot: Any) -> None:
    image, pixels = slow_sky(6000)
    layer = layers.add_image(viewer, image)
    rested(layer, qtbot)
    pixels.pause_s = 2.0
    blocks = Blocks()
    for zoom, centre in [(1.0, (3000, 3000)), (2.0, (1000, 1500)), (2.0, (4500, 5000))]:
        blocks.start()
        viewer.scene.camera.zoom, viewer.scene.camera.center = zoom, centre
        qtbot.wait(250)
        assert blocks.worst < 1.8  # a read alone takes 2 s, a view several
        assert np.isfinite(shown(layer)).all()
    pixels.pause_s = 0.0
    rested(layer, qtbot)
    assert layer.data_level == 0
    assert np.array_equal(shown(layer), exact(layer))


def test_a_picture_at_rest_is_not_drawn_again(viewer: Any, qtbot: Any) -> None:
    image, pixels = slow_sky(6000, pause_s=0.05)
    layer = layers.add_image(viewer, image)
    viewer.scene.camera.zoom = 1.0
    rested(layer, qtbot)
    drawn: list[int] = []
    layer.events.set_data.connect(lambda _: drawn.append(1))
    count = len(pixels.reads)
    qtbot.wait(600)
    assert not drawn
    assert len(pixels.reads) == count


def test_a_step_is_painted_once(viewer: Any, qtbot: Any) -> None:
    image, _ = slow_sky(6000)
    layer = layers.add_image(viewer, image)
    viewer.show()
    rested(layer, qtbot)
    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    painted: list[int] = []
    canvas.events.draw.connect(lambda _: painted.append(layer.data_level))
    viewer.scene.camera.zoom = 1.0
    qtbot.waitUntil(lambda: bool(painted))
    assert painted[0] == 0  # not the level that it had before


def test_a_layer_that_is_removed_reads_no_more(viewer: Any, qtbot: Any) -> None:
    image, pixels = slow_sky(6000)
    layer = layers.add_image(viewer, image)
    rested(layer, qtbot)
    pixels.pause_s = 0.2
    viewer.scene.camera.zoom = 2.0
    qtbot.wait(100)
    (reading,) = reads_of(layer)
    viewer.layers.remove(layer)
    reading.wait(5)
    assert not reading.watched
    assert not reading.busy


def test_a_file_that_vanishes_costs_one_sentence(
    viewer: Any, tmp_path: Path, qtbot: Any, sentences: Callable[[], list[str]]
) -> None:
    path = tmp_path / "gone.fits"
    values = np.random.default_rng(1).normal(size=(5000, 5000)).astype(np.float32)
    fits.PrimaryHDU(values).writeto(path)
    layer = layers.add_image(viewer, open_image(path))
    rested(layer, qtbot)
    with path.open("r+b") as file:
        file.truncate(2880 * 4)
    for centre in [(1000, 1000), (4000, 4000), (2500, 600)]:
        viewer.scene.camera.zoom, viewer.scene.camera.center = 2.0, centre
        qtbot.wait(150)
        rested(layer, qtbot)
    told = [sentence for sentence in sentences() if "gone.fits" in sentence]
    assert len(told) == 1
    assert "Traceback" not in told[0]
    assert "\n" not in told[0]
    assert layer in viewer.layers
    other = layers.add_image(viewer, SkyImage.from_array(np.ones((50, 50))))
    assert other in viewer.layers


def test_slow_pixels_are_slow() -> None:
    pixels = SlowPixels(np.zeros((4, 4), np.float32), 0.05)
    begun = time.perf_counter()
    assert pixels[0:2, 0:2].shape == (2, 2)
    assert time.perf_counter() - begun >= 0.05
