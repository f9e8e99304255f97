"""Every way in opens off the window's thread, with progress, an end to it, and plain words."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from loopback import serving
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_astroseg.errors import ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.asking import AWAITED, Asking
from napari_astroseg.gui.drawn.redraw import reads_of
from napari_astroseg.gui.intake import places
from napari_astroseg.gui.intake.places import choices_in, looks_like_fits
from napari_astroseg.gui.intake.recent import Recent, called
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.reader import NO_LAYER, napari_get_reader, read
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent

PLUGIN = "napari-astroseg"


@pytest.fixture
def dock(viewer: Any) -> MosaicDock:
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "AstroSeg: Open")
    return widget


def write_tile(path: Path, x: int = 0, y: int = 0, level: float = 10.0) -> Path:
    """A tile of 60 × 50 pixels whose corner lies at (x, y) of one large grid; noise and a level."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval = [1 - x, 1 - y], [30.0, 0.0]
    wcs.wcs.cdelt = [-1 / 3600, 1 / 3600]
    values = np.random.default_rng(x).normal(level, 1.0, (50, 60)).astype(np.float32)
    fits.PrimaryHDU(values, wcs.to_header()).writeto(path)
    return path


@pytest.fixture
def tiles(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "tiles"
    folder.mkdir()
    return [write_tile(folder / f"tile_{x}.fits", x, 0, 10.0 + x / 10) for x in (0, 50, 100)]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Opening waits for this event, and tells that it does."""
    go, real = threading.Event(), places.open_image

    def slowly(place: Any, hdu: Any = None, *, progress: Progress = silent) -> Any:
        done = 0
        while not go.wait(0.02):
            progress("unpacking", done := done + 1, 1000)
        return real(place, hdu, progress=progress)

    monkeypatch.setattr(places, "open_image", slowly)
    yield go
    go.set()


def settled(dock: MosaicDock, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not dock.busy, timeout=30_000)


def drop(widget: Any, *paths: Path) -> None:
    """What Qt does when files are let go over a widget, event filters and all."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    nothing, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    copying = Qt.DropAction.CopyAction
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(50, 50), copying, mime, left, nothing))
    QApplication.sendEvent(widget, QDropEvent(QPointF(50, 50), copying, mime, left, nothing))


# --- off the window's thread -------------------------------------------------------------------


def test_the_window_lives_while_a_file_opens(
    dock: MosaicDock, viewer: Any, tiles: list[Path], slow: threading.Event, qtbot: Any
) -> None:
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    dock.open_files([tiles[0]])
    qtbot.waitUntil(lambda: dock.progress.words.text() == "Unpacking …")
    assert dock.progress.button.isVisible()
    viewer.add_points([[1, 2]])
    ticks.clear()
    qtbot.waitUntil(lambda: len(ticks) > 20)
    assert dock.progress.words.text() == "Unpacking …"
    slow.set()
    settled(dock, qtbot)
    assert len(viewer.layers) == 2
    assert not dock.progress.button.isVisible()


def test_progress_counts_more_bytes_than_qt_can(
    dock: MosaicDock, tiles: list[Path], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def unpack(*_: Any, progress: Progress = silent, **__: Any) -> None:
        progress("unpacking", 3 * 2**40, 4 * 2**40)
        go.wait(10)
        raise ImageError("enough; stop")

    monkeypatch.setattr(places, "open_image", unpack)
    dock.open_files([tiles[0]])
    qtbot.waitUntil(lambda: dock.progress.bar.value() == 750)
    assert dock.progress.bar.maximum() == 1000
    go.set()
    settled(dock, qtbot)
    assert dock.notice.text == "enough; stop"


def test_a_file_that_vanishes_is_told_in_the_dock(
    dock: MosaicDock, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "gone.fits"
    values = np.random.default_rng(1).normal(size=(4200, 4200)).astype(np.float32)
    fits.PrimaryHDU(values).writeto(path)
    dock.open_files([path])
    settled(dock, qtbot)
    with path.open("r+b") as file:
        file.truncate(2880 * 4)
    viewer.scene.camera.zoom, viewer.scene.camera.center = 2.0, (500.0, 600.0)
    qtbot.waitUntil(lambda: "gone.fits" in dock.notice.text, timeout=10_000)
    assert len(viewer.layers) == 1
    dock.open_files([write_tile(tmp_path / "next.fits")])
    settled(dock, qtbot)
    assert len(viewer.layers) == 2


def test_opening_can_be_cancelled(
    dock: MosaicDock, viewer: Any, tiles: list[Path], slow: threading.Event, qtbot: Any
) -> None:
    dock.open_files([tiles[0]])
    dock.open_files([tiles[1]])
    qtbot.waitUntil(dock.progress.button.isVisible)
    dock.progress.button.click()
    assert not dock.busy
    assert not dock.progress.button.isVisible()
    slow.set()
    qtbot.wait(200)
    assert not viewer.layers
    assert not dock.notice.isVisible()
    dock.open_files([tiles[2]])
    settled(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["tile_100"]


def test_wishes_are_opened_one_after_the_other(
    dock: MosaicDock, viewer: Any, tiles: list[Path], slow: threading.Event, qtbot: Any
) -> None:
    for tile in tiles:
        dock.open_files([tile])
    slow.set()
    settled(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["tile_0", "tile_50", "tile_100"]


def test_a_closed_window_waits_for_nothing(
    dock: MosaicDock, viewer: Any, tiles: list[Path], slow: threading.Event, qtbot: Any
) -> None:
    dock.open_files([tiles[0]])
    qtbot.wait(50)
    viewer.window.remove_dock_widget(dock)
    assert not dock.busy
    slow.set()


def test_what_nobody_foresaw_is_a_sentence(
    dock: MosaicDock, tiles: list[Path], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(places, "open_image", fail)
    dock.open_files([tiles[0]])
    settled(dock, qtbot)
    assert dock.notice.text == "tile_0.fits: ZeroDivisionError: by zero"


def test_bad_and_real_files_cost_a_sentence_each(
    dock: MosaicDock,
    viewer: Any,
    shared_data: Path,
    qtbot: Any,
    sentences: Callable[[], list[str]],
) -> None:
    bad = sorted(path for path in (shared_data / "bad").iterdir() if path.suffix != ".hdr")
    told = []
    for path in bad:
        before = len(viewer.layers)
        dock.open_files([path])
        settled(dock, qtbot)
        if len(viewer.layers) == before:
            told.append(dock.notice.text)
    assert len(told) >= 8
    assert sentences() == []  # the dock is in sight and says it
    for sentence in told:
        assert sentence
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert "Error" not in sentence


# --- the ways in -------------------------------------------------------------------------------


def test_a_packed_file_dropped_opens_in_the_dock(
    viewer: Any, tiles: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    packed = tmp_path / "tile.fits.gz"
    packed.write_bytes(gzip.compress(tiles[0].read_bytes()))
    assert not viewer.window.dock_widgets
    viewer.open(packed, plugin=PLUGIN)
    assert not viewer.layers
    (dock,) = viewer.window.dock_widgets.values()  # brought up for it
    settled(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["tile"]
    viewer.open(packed, plugin=PLUGIN)
    assert len(viewer.window.dock_widgets) == 1
    settled(dock, qtbot)
    assert len(viewer.layers) == 2


def test_several_images_in_one_file_are_asked_about(
    viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "two.fits"
    each = [fits.ImageHDU(np.ones((9, 9)), name=name) for name in ("a", "b")]
    fits.HDUList([fits.PrimaryHDU(), *each]).writeto(path)
    assert [entry.name for entry in choices_in(Address.of(path))] == ["A", "B"]
    assert read(str(path)) is NO_LAYER
    (dock,) = viewer.window.dock_widgets.values()
    settled(dock, qtbot)
    pickers = [w for w in QApplication.topLevelWidgets() if w.windowTitle() == "Images in two.fits"]
    assert len(pickers) == 1
    pickers[0].reject()


def test_without_a_window_all_is_read_at_once(tiles: list[Path], tmp_path: Path) -> None:
    packed = tmp_path / "tile.fits.gz"
    packed.write_bytes(gzip.compress(tiles[0].read_bytes()))
    (_, arguments, kind), *rest = read(str(packed))
    assert (arguments["name"], kind, rest) == ("tile", "image", [])


def test_a_url_opens(dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any) -> None:
    with serving(tile__fits=tiles[0].read_bytes()) as site:
        assert napari_get_reader(site.url("tile.fits")) is not None
        dock.open_files([site.url("tile.fits")])
        settled(dock, qtbot)
        (layer,) = viewer.layers
        qtbot.waitUntil(lambda: not any(each.busy for each in reads_of(layer)))
        assert layers.sky_image(layer).value(3, 4) == pytest.approx(
            float(fits.getdata(tiles[0])[4, 3])
        )
        dock.open_files([site.url("absent.fits")])
        settled(dock, qtbot)
        assert "absent.fits" in dock.notice.text


def test_the_value_under_the_cursor_is_not_waited_for(
    dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any
) -> None:
    with serving(tile__fits=tiles[0].read_bytes()) as site:
        dock.open_files([site.url("tile.fits")])
        settled(dock, qtbot)
        image = layers.sky_image(viewer.layers[0])
        begun, real, arrived = [], type(image).value, threading.Event()

        def slowly(self: Any, x: float, y: float) -> float:
            arrived.wait(60)  # if it were waited for, it would be told at once, not "…"
            begun.append((x, y))
            return real(self, x, y)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(image), "value", slowly)
            viewer.cursor.position = (4.0, 3.0)
            assert layers.cursor_readout(viewer).value == "…"
            arrived.set()
            expected = f"{float(fits.getdata(tiles[0])[4, 3]):.6g}"
            qtbot.waitUntil(lambda: dock.cursor_box.lines["Value"].text() == expected)
            assert begun == [(3, 4)]


def test_a_pixel_that_was_asked_for_behind_another_is_read_once(qtbot: Any) -> None:
    image = SkyImage.from_array(np.zeros((4, 4), np.float32))
    asking, gate, read = Asking(), threading.Event(), list[int]()
    asking._slow.add(image)

    def text(place: int) -> str:
        def find() -> str:
            gate.wait(20)
            read.append(place)
            return str(place)

        return asking.text(image, place, find)

    asking.answered.connect(lambda: text(2))  # the cursor has gone on to there
    assert text(1) == text(2) == AWAITED
    gate.set()
    qtbot.waitUntil(lambda: text(2) == "2")
    qtbot.waitUntil(lambda: not asking._latest.busy)
    assert read == [1, 2]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("a.fits", True),
        ("a.FITS.GZ", True),
        ("a.fits.bz2", True),
        ("a.fits.Z", True),
        ("a.fz", True),
        ("a.fits[SCI,1]", True),
        ("https://host/a.fits?token=1", True),
        ("a.png", False),
        ("a.gz", False),
        ("a[1]", False),
    ],
)
def test_names_of_ours(name: str, ours: bool) -> None:
    assert looks_like_fits(name) is ours
    assert (napari_get_reader(name) is not None) is ours


def test_napari_offers_what_we_read(plugin: Any, tiles: list[Path], tmp_path: Path) -> None:
    for name in ("a.fits.bz2", "a.fit.gz", "a.fits.Z", "a.fits[1]", str(tiles[0].parent)):
        readers = [each.plugin_name for each in plugin.iter_compatible_readers([name])]
        assert PLUGIN in readers, name
    (tmp_path / "empty").mkdir()
    assert napari_get_reader(str(tmp_path / "empty")) is None
    assert napari_get_reader(str(tiles[0].parent)) is not None


# --- several together --------------------------------------------------------------------------


def test_tiles_dropped_together_are_one_mosaic(
    dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any
) -> None:
    qtbot.waitUntil(dock.isVisible)
    drop(viewer.window._qt_viewer, *tiles)
    assert dock.busy
    settled(dock, qtbot)
    mosaic, counts = viewer.layers
    image = layers.sky_image(mosaic)
    assert image.shape == (50, 160)
    assert not counts.visible
    assert layers.sky_image(counts).value(55, 10) == 2.0
    assert dock.ways.isVisible()
    assert dock.ways.way.currentText() == "one mosaic"
    assert image.value(0, 0) == fits.getdata(tiles[0])[0, 0]
    assert image.value(159, 49) == fits.getdata(tiles[2])[49, 59]


def test_a_folder_of_tiles_is_one_mosaic(
    dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any
) -> None:
    (tiles[0].parent / "notes.txt").write_text("not an image")
    qtbot.waitUntil(dock.isVisible)
    drop(viewer.window._qt_viewer, tiles[0].parent)
    settled(dock, qtbot)
    assert layers.sky_image(viewer.layers[0]).shape == (50, 160)


def test_a_drop_of_other_things_goes_to_napari(
    dock: MosaicDock,
    viewer: Any,
    tiles: list[Path],
    tmp_path: Path,
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canvas, named = viewer.window._qt_viewer, []
    monkeypatch.setattr(type(canvas), "_qt_open", lambda _self, names, **_: named.append(names))
    (tmp_path / "a.png").touch()
    qtbot.waitUntil(dock.isVisible)
    drop(canvas, tiles[0], tmp_path / "a.png")
    assert not dock.busy
    assert named == [[str(tiles[0]), str(tmp_path / "a.png")]]
    drop(canvas, tiles[0])
    assert dock.busy
    assert len(named) == 1
    settled(dock, qtbot)


def test_one_mosaic_becomes_separate_images_and_back(
    dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any
) -> None:
    other = viewer.add_points([[1, 2]], name="mine")
    dock.open_files(tiles)
    settled(dock, qtbot)
    dock.ways.way.setCurrentText("separate images")
    settled(dock, qtbot)
    names = {layer.name for layer in viewer.layers}
    assert names == {"mine", "tile_0", "tile_50", "tile_100"}
    assert not dock.ways.match.isVisible()
    dock.ways.way.setCurrentText("one mosaic")
    settled(dock, qtbot)
    assert len(viewer.layers) == 3
    assert other in viewer.layers
    before = layers.sky_image(viewer.layers[1])
    dock.ways.match.setChecked(True)
    settled(dock, qtbot)
    after = layers.sky_image(viewer.layers[1])
    columns = slice(0, 50), slice(105, 155)

    def jump(image: Any) -> float:
        left, right = (float(np.median(image.pixels[0:50, part])) for part in columns)
        return abs(left - right)

    assert jump(before) == pytest.approx(10.0, abs=1.0)
    assert jump(after) < 1.0


def test_one_grid_is_one_image_of_bands(
    dock: MosaicDock, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    files = [write_tile(tmp_path / f"field_{band}.fits") for band in "gri"]
    dock.open_files(files)
    settled(dock, qtbot)
    (layer,) = viewer.layers
    assert layers.sky_image(layer).bands == ("g", "r", "i")
    assert dock.ways.way.currentText() == "one multi-band image"
    dock.ways.way.setCurrentText("separate images")
    settled(dock, qtbot)
    assert [each.ndim for each in viewer.layers] == [2, 2, 2]


def test_strangers_are_separate_and_nothing_is_asked(
    dock: MosaicDock, viewer: Any, shared_data: Path, qtbot: Any
) -> None:
    names = ("twomass/gc_2mass_k.fits", "spitzer/spitzer_example_image.fits")
    dock.open_files([shared_data / name for name in names])
    settled(dock, qtbot)
    assert len(viewer.layers) == 2
    assert not dock.ways.isVisible()


def test_one_bad_tile_costs_a_sentence_not_the_mosaic(
    dock: MosaicDock, viewer: Any, tiles: list[Path], qtbot: Any
) -> None:
    bad = tiles[0].parent / "tile_150.fits"
    bad.write_bytes(b"")
    dock.open_files([tiles[0].parent])
    settled(dock, qtbot)
    assert dock.notice.text.startswith("tile_150.fits is empty")
    assert layers.sky_image(viewer.layers[0]).shape == (50, 160)


def test_an_empty_folder_is_a_sentence(
    dock: MosaicDock, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    (tmp_path / "empty").mkdir()
    dock.open_files([tmp_path / "empty"])
    settled(dock, qtbot)
    assert dock.notice.text.startswith("empty is a folder without FITS files")


def test_the_m17_tiles_are_one_picture(
    dock: MosaicDock, viewer: Any, shared_data: Path, qtbot: Any
) -> None:
    dock.open_files(sorted((shared_data / "twomass" / "m17").glob("*.gz")))
    settled(dock, qtbot)
    assert [layer.visible for layer in viewer.layers] == [True, False]
    height, width = layers.sky_image(viewer.layers[0]).shape
    assert (height, width) == pytest.approx((2200, 940), abs=10)


# --- what was opened before --------------------------------------------------------------------


def test_what_was_opened_is_in_the_menu(
    dock: MosaicDock, viewer: Any, tiles: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    dock.open_button.recent = Recent(tmp_path / "config")
    dock.open_files([tiles[0]])
    dock.open_files(tiles)
    settled(dock, qtbot)
    dock.open_button.menu.aboutToShow.emit()
    texts = [action.text() for action in dock.open_button.menu.actions()]
    assert texts[-2:] == ["tile_0.fits and 2 more", "tile_0.fits"]
    viewer.layers.clear()
    dock.open_button.menu.actions()[-1].trigger()
    settled(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["tile_0"]


def test_recent_forgets_what_is_gone_and_what_is_old(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "config")
    files = [tmp_path / f"{n}.fits" for n in range(20)]
    for file in files:
        file.touch()
        recent.add([str(file)])
    assert recent.groups()[0] == (str(files[-1]),)
    assert len(recent.groups()) == 12
    files[-1].unlink()
    assert recent.groups()[0] == (str(files[-2]),)
    recent.add(["https://host/a.fits"])
    assert recent.groups()[0] == ("https://host/a.fits",)
    assert called(("/a/b.fits", "/a/c.fits")) == "b.fits and 1 more"
    (tmp_path / "config" / "recent.json").write_text('{"not": "a list"}')
    assert recent.groups() == []
    (tmp_path / "config" / "recent.json").write_text('[["/nowhere/a.fits"], "x", 3, [4], []]')
    assert recent.groups() == []


def test_hdus_in_brackets_must_make_sense() -> None:
    with pytest.raises(ImageError):
        choices_in(Address.of("a.fits[,]"))
