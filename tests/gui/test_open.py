"""Open: FITS images in a real window, drawn right, read right, and refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from napari.components import ViewerModel
from napari.layers import Image, Points
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest

from napari_astroseg.gui import layers
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.reader import NO_LAYER, napari_get_reader, read
from napari_astroseg.gui.readout import read_out
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.looks.stretch import KINDS
from napari_astroseg.sky.opening import open_image

PLUGIN = "napari-astroseg"


def galactic_wcs(side: int) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval = [side / 2, side / 2], [30.0, 0.0]
    wcs.wcs.cdelt = [-11.5 / 3600, 11.5 / 3600]
    return wcs


@pytest.fixture
def ramp_file(tmp_path: Path) -> Path:
    """100 × 100 px, brighter to the right and upwards, the upper left quarter missing."""
    values = np.add.outer(np.arange(100.0), 2.0 * np.arange(100.0)).astype(np.float32)
    values[50:, :50] = np.nan
    header = galactic_wcs(100).to_header()
    header["BUNIT"] = "MJy/sr"
    path = tmp_path / "ramp.fits"
    fits.PrimaryHDU(values, header).writeto(path)
    return path


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    path = tmp_path / "table.fits"
    columns = [fits.Column("flux", "E", array=np.arange(3.0))]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    return path


@pytest.fixture
def dock(viewer: Any) -> MosaicDock:
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "AstroSeg: Open")
    return widget


def settled(dock: MosaicDock, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not dock.busy, timeout=10_000)


def drop(viewer: Any, path: Path) -> None:
    """What Qt does when a file is let go over the canvas."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    nothing = Qt.KeyboardModifier.NoModifier
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, nothing
    )
    viewer.window._qt_viewer.dropEvent(event)


def at(viewer: Any, y: float, x: float) -> tuple[int, ...]:
    """The colour on screen at a world position, layer blending and all."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    height, width = picture.shape[:2]
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center[1:]
    column = round(width / 2 + (x - centre[1]) * zoom)
    row = round(height / 2 - (y - centre[0]) * zoom)  # upwards on screen
    return tuple(int(part) for part in picture[row, column, :3])


# --- opening -----------------------------------------------------------------------------------


def test_a_dropped_file_becomes_a_lazy_image(viewer: Any, ramp_file: Path) -> None:
    drop(viewer, ramp_file)
    (layer,) = viewer.layers
    image = layers.sky_image(layer)
    assert image is not None
    assert (layer.name, image.unit, image.shape) == ("ramp", "MJy/sr", (100, 100))
    assert layer.multiscale
    assert tuple(layer.scale) == (1.0, 1.0)
    assert tuple(layer.translate) == (0.0, 0.0)
    assert [str(unit) for unit in layer.units] == ["pixel", "pixel"]


def test_the_dock_opens_files_as_the_reader_does(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any
) -> None:
    dock.open_files([ramp_file])
    assert dock.busy
    assert dock.open_button.isEnabled()  # more can be wished for meanwhile
    settled(dock, qtbot)
    viewer.open(ramp_file, plugin=PLUGIN)
    docked, dropped = viewer.layers
    assert dock.layer is dropped
    for name in ("contrast_limits", "contrast_limits_range", "multiscale", "blending"):
        assert getattr(docked, name) == getattr(dropped, name)
    assert docked.colormap == dropped.colormap
    assert docked.data.shapes == dropped.data.shapes
    assert looks.stretch_of(docked) == looks.stretch_of(dropped)


@pytest.mark.parametrize("name", ["a.fits", "a.FITS", "a.fit", "a.fts", "a.fits.fz", "A.FIT"])
def test_fits_endings_are_ours(plugin: Any, name: str) -> None:
    found = [reader.plugin_name for reader in plugin.iter_compatible_readers([name])]
    assert PLUGIN in found
    assert napari_get_reader(name) is not None


def test_other_endings_are_not(plugin: Any) -> None:
    assert not list(plugin.iter_compatible_readers(["a.png"]))
    assert napari_get_reader(["a.fits", "a.png"]) is None


def test_integers_are_images_too(viewer: Any, tmp_path: Path) -> None:
    fits.PrimaryHDU(np.arange(600, dtype=np.int16).reshape(20, 30)).writeto(tmp_path / "i.fits")
    viewer.open(tmp_path / "i.fits", plugin=PLUGIN)
    assert viewer.layers[0]._type_string == "image"
    assert layers.sky_image(viewer.layers[0]).value(29, 19) == 599


def test_a_wrong_file_dropped_gives_one_sentence(
    viewer: Any, table_file: Path, ramp_file: Path, sentences: Callable[[], list[str]]
) -> None:
    drop(viewer, table_file)
    (sentence,) = sentences()
    assert sentence.startswith("table.fits holds tables but no image")
    assert "Traceback" not in sentence
    assert not viewer.layers
    drop(viewer, ramp_file)
    assert len(viewer.layers) == 1


def test_the_dock_says_what_is_wrong_and_goes_on(
    dock: MosaicDock,
    viewer: Any,
    table_file: Path,
    ramp_file: Path,
    qtbot: Any,
    sentences: Callable[[], list[str]],
) -> None:
    dock.open_files([table_file, ramp_file])
    settled(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["ramp"]
    assert dock.notice.isVisible()
    assert dock.notice.text.startswith("table.fits holds tables but no image")
    assert sentences() == []  # the dock is in sight and says it
    dock.open_files([ramp_file])
    assert not dock.notice.isVisible()
    settled(dock, qtbot)


def test_bad_files_are_sentences(
    shared_data: Path, viewer: Any, sentences: Callable[[], list[str]]
) -> None:
    found = sorted((shared_data / "bad").glob("*.fits"))
    assert found
    refused = [path.name for path in found if read(str(path)) is NO_LAYER]
    assert len(sentences()) == len(refused) > 3
    for sentence in sentences():
        assert "\n" not in sentence
        assert "Traceback" not in sentence


# --- drawing -----------------------------------------------------------------------------------


def test_the_origin_is_at_the_lower_left(viewer: Any, ramp_file: Path) -> None:
    viewer.open(ramp_file, plugin=PLUGIN)
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("up", "right")
    dark, right, up = (at(viewer, *place)[0] for place in [(5, 5), (5, 90), (40, 5)])
    assert dark < up < right


def test_missing_data_are_transparent_and_dark_data_are_not(viewer: Any, ramp_file: Path) -> None:
    viewer.add_image(np.ones((100, 100)), colormap="green", contrast_limits=(0, 1), name="behind")
    viewer.open(ramp_file, plugin=PLUGIN)
    layer = viewer.layers["ramp"]
    behind, black = (0, 255, 0), (0, 0, 0)
    assert at(viewer, 90, 10) == behind
    assert at(viewer, 1, 1) != behind
    for limits in [(0.6, 0.9), (-0.4, 0.1), (1.2, 1.9)]:
        layer.contrast_limits = limits
        assert at(viewer, 90, 10) == behind
        assert at(viewer, 30, 30) != behind
    assert at(viewer, 1, 1) == black  # far below the low limit, and there all the same
    layer.gamma = 0.5
    assert at(viewer, 90, 10) == behind


@pytest.mark.parametrize("kind", KINDS)
def test_a_stretch_changes_the_picture_between_the_same_limits(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any, kind: str
) -> None:
    dock.open_files([ramp_file])
    settled(dock, qtbot)
    looks.set_limits(dock.layer, Limits(50.0, 150.0))
    dock.appearance.stretch.setCurrentText(kind)
    stretch = looks.stretch_of(dock.layer)
    assert stretch is not None
    assert stretch.kind == kind
    limits = looks.raw_limits(dock.layer)
    assert (limits.low, limits.high) == pytest.approx((50.0, 150.0), rel=1e-3)
    assert [float(dock.appearance.low.text()), float(dock.appearance.high.text())] == pytest.approx(
        [50, 150], rel=1e-3
    )
    expected = 255 * (stretch(20 + 2 * 30) - layer_low(dock)) / layer_span(dock)
    assert at(viewer, 20, 30)[0] == pytest.approx(float(expected), abs=4)


def layer_low(dock: MosaicDock) -> float:
    return float(dock.layer.contrast_limits[0])


def layer_span(dock: MosaicDock) -> float:
    low, high = dock.layer.contrast_limits
    return float(high - low)


def test_a_stretch_changes_where_one_has_zoomed_in(viewer: Any, qtbot: Any) -> None:
    values = np.random.default_rng(0).normal(size=(4200, 4200)).astype(np.float32)
    layer = layers.add_image(viewer, SkyImage.from_array(values))
    viewer.screenshot(flash=False)
    assert layer.data_level > 0
    viewer.scene.camera.zoom, viewer.scene.camera.center = 2.0, (3000.0, 3000.0)
    viewer.screenshot(flash=False)
    assert layer.data_level == 0
    before = viewer.screenshot(flash=False)
    looks.set_stretch(layer, "linear")
    after = viewer.screenshot(flash=False)
    assert layer.data_level == 0
    assert after.std() > 0
    assert not np.array_equal(before, after)
    looks.set_stretch(layer, "asinh")
    assert np.array_equal(before, viewer.screenshot(flash=False))


def test_keys_change_stretch_and_limits(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any
) -> None:
    dock.open_files([ramp_file])
    settled(dock, qtbot)
    window, canvas = viewer.window._qt_window, viewer.window._qt_viewer.canvas.native
    window.activateWindow()
    canvas.setFocus()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(canvas, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert looks.stretch_of(dock.layer).kind == KINDS[1]
    dock.layer.contrast_limits = (0.2, 0.7)
    assert dock.appearance.rule.currentText() == "as set below"
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ShiftModifier)
    assert dock.layer.contrast_limits == [0.0, 1.0]
    assert dock.appearance.rule.currentText() == "zscale"


def test_limits_by_rule_and_by_hand(dock: MosaicDock, ramp_file: Path, qtbot: Any) -> None:
    dock.open_files([ramp_file])
    settled(dock, qtbot)
    look = dock.appearance
    look.rule.setCurrentText("min–max")
    limits = looks.raw_limits(dock.layer)
    assert (limits.low, limits.high) == pytest.approx((0.0, 297.0), abs=0.5)
    assert look.rule.currentText() == "min–max"
    type_into(look.high, "200")
    assert looks.raw_limits(dock.layer).high == pytest.approx(200.0, rel=1e-3)
    assert look.rule.currentText() == "as set below"
    type_into(look.low, "300")
    assert "lower one first" in dock.notice.text
    assert looks.raw_limits(dock.layer).high == pytest.approx(200.0, rel=1e-3)
    type_into(look.low, "1,5")
    assert "'1,5' is not a number" in dock.notice.text


def type_into(edit: Any, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def test_a_duplicated_layer_is_an_image_too(viewer: Any, ramp_file: Path) -> None:
    from napari.layers._layer_actions import _duplicate_layer

    viewer.open(ramp_file, plugin=PLUGIN)
    viewer.layers.select_all()
    _duplicate_layer(viewer.layers)
    copied = viewer.layers[-1]
    assert layers.sky_image(copied).unit == "MJy/sr"
    assert looks.stretch_of(copied) == looks.stretch_of(viewer.layers[0])


# --- reading out -------------------------------------------------------------------------------


def test_the_status_bar_tells_the_sky_and_the_raw_value(viewer: Any, ramp_file: Path) -> None:
    viewer.open(ramp_file, plugin=PLUGIN)
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (20.2, 71.6)
    viewer.update_status_from_cursor()
    told = viewer.status["coordinates"]
    expected = SkyCoord.from_pixel(71.6, 20.2, galactic_wcs(100))
    assert "164 MJy/sr" in told  # 20 + 2 × 72, whatever the stretch
    assert "pixel x 72, y 20" in told
    assert position_in(told, "ICRS ").separation(expected).arcsec < 1.0
    galactic = told.split("Galactic ")[1].split("°")
    assert float(galactic[0]) == pytest.approx(expected.l.deg, abs=1e-4)
    assert float(galactic[1].replace("−", "-")) == pytest.approx(expected.b.deg, abs=1e-4)


def position_in(text: str, after: str) -> SkyCoord:
    """The sexagesimal position that follows a word."""
    ra, dec = text.split(after)[1].split()[:2]
    dec = dec.replace("−", "-").replace("°", "d").replace("′", "m").replace("″", "s")
    return SkyCoord(ra, dec)


def test_over_another_layer_both_are_told(viewer: Any, ramp_file: Path) -> None:
    viewer.open(ramp_file, plugin=PLUGIN)
    labels = viewer.add_labels(np.full((100, 100), 7))
    viewer.layers.selection.active = labels
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (10.0, 20.0)
    viewer.update_status_from_cursor()
    assert ": 7" in viewer.status["coordinates"]
    assert "50 MJy/sr" in viewer.status["coordinates"]
    assert layers.cursor_readout(viewer).value == "50 MJy/sr"


def test_the_dock_reads_under_the_mouse(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any
) -> None:
    dock.open_files([ramp_file])
    settled(dock, qtbot)
    canvas = viewer.window._qt_viewer.canvas.native
    for shift in (10, 12):
        QTest.mouseMove(canvas, QPoint(canvas.width() // 2 + shift, canvas.height() // 2 + shift))
    image, lines = layers.sky_image(dock.layer), dock.cursor_box.lines

    def told() -> bool:
        y, x = viewer.cursor.position
        at = read_out(image, x, y)
        texts = [lines[title].text() for title in ("ICRS", "Galactic", "Value", "Pixel")]
        return at.value.endswith("MJy/sr") and texts == [at.icrs, at.galactic, at.value, at.pixel]

    qtbot.waitUntil(told)
    x = viewer.cursor.position[1]
    assert 50 < x < 60  # a little to the right of the middle, where the mouse is


@pytest.mark.parametrize(
    "name",
    [
        "filaments/HIGAL_L_Fil10_N.fits",
        "spitzer/spitzer_example_image.fits",
        "twomass/gc_2mass_k.fits",
        "odd/galsim__1904-66_ARC.fits",
        "odd/nomtam__m13_rice.fits",
    ],
)
def test_positions_are_astropys(shared_data: Path, name: str) -> None:
    path = shared_data / name
    image = open_image(path)
    with fits.open(path) as hdus:
        hdu = next(each for each in hdus if each.header["NAXIS"] == 2)
        wcs, values = WCS(hdu.header), hdu.data
        for x, y in [(60, 61), (100, 90)]:
            told = read_out(image, x, y)
            expected = SkyCoord.from_pixel(x, y, wcs).icrs
            found = position_in(told.line, "ICRS ")
            assert found.separation(expected) < 0.1 * image.pixel_scale_arcsec * u.arcsec
            if np.isfinite(values[y, x]):
                assert float(told.value.split()[0]) == pytest.approx(values[y, x], rel=1e-5)
            else:
                assert told.value == "no data"


def test_the_dock_reads_the_image_that_is_selected(
    dock: MosaicDock, viewer: Any, qtbot: Any
) -> None:
    first, second = (
        layers.add_image(viewer, SkyImage.from_array(np.full((9, 9), n), unit="K")) for n in (1, 2)
    )
    viewer.cursor.position = (4.0, 4.0)
    value = dock.cursor_box.lines["Value"]
    qtbot.waitUntil(lambda: value.text() == "2 K")
    viewer.layers.selection.active = first
    qtbot.waitUntil(lambda: value.text() == "1 K")
    viewer.layers.selection.active = second
    qtbot.waitUntil(lambda: value.text() == "2 K")


def test_nothing_is_told_off_the_image(viewer: Any, ramp_file: Path) -> None:
    viewer.open(ramp_file, plugin=PLUGIN)
    viewer.cursor.position = (-5.0, 20.0)
    assert layers.cursor_readout(viewer).line == ""
    viewer.cursor.position = (80.0, 20.0)
    assert layers.cursor_readout(viewer).value == "no data"
    viewer.dims.ndisplay = 3
    assert layers.cursor_readout(viewer).line == ""


def test_the_dock_describes_the_selected_image(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any
) -> None:
    assert "drop a FITS file" in dock.appearance.info.text()
    plain = layers.add_image(viewer, SkyImage.from_array(np.ones((40, 50)), unit="K", name="plain"))
    dock.open_files([ramp_file])
    settled(dock, qtbot)
    assert dock.appearance.title() == "ramp"
    info = "100 × 100 px · MJy/sr · GLON-CAR/GLAT-CAR · 11.5″/px"
    assert dock.appearance.info.text() == info
    viewer.layers.selection.active = plain
    assert dock.appearance.info.text() == "50 × 40 px · K"
    viewer.layers.selection.active = viewer.add_points([[1, 2]])
    assert dock.appearance.title() == "plain"
    viewer.layers.clear()
    assert dock.layer is None
    assert not dock.appearance.rule.isEnabled()


def test_notes_are_shown(dock: MosaicDock, tmp_path: Path, qtbot: Any) -> None:
    fits.PrimaryHDU(np.ones((20, 30), np.float32)).writeto(tmp_path / "bare.fits")
    dock.open_files([tmp_path / "bare.fits"])
    settled(dock, qtbot)
    assert "no sky coordinates in its header" in dock.appearance.notes.text()
    assert dock.appearance.notes.isVisible()


def test_a_closed_dock_lets_go_of_the_viewer(
    dock: MosaicDock, viewer: Any, ramp_file: Path, qtbot: Any
) -> None:
    viewer.window.remove_dock_widget(dock)
    viewer.open(ramp_file, plugin=PLUGIN)
    viewer.cursor.position = (3.0, 4.0)
    assert dock.layer is None
    assert dock.cursor_box.lines["Value"].text() == "–"
    dock.deleteLater()
    qtbot.wait(10)
    viewer.layers[0].contrast_limits = (0.1, 0.2)


# --- other people's layers, samples, giants ----------------------------------------------------


def test_plain_layers_are_adopted() -> None:
    plain = Image(np.arange(12.0).reshape(3, 4), name="plain")
    adopted = layers.adopt(plain)
    assert adopted is not None
    assert (adopted.name, adopted.shape, adopted.wcs) == ("plain", (3, 4), None)
    assert adopted.value(3, 2) == 11.0
    own = layers.add_image(ViewerModel(), adopted)
    assert layers.adopt(own) is adopted


@pytest.mark.parametrize(
    "layer",
    [
        Image(np.zeros((3, 4, 5))),
        Image(np.zeros((3, 4, 3)), rgb=True),
        Image(np.zeros((3, 4)), scale=(2, 2)),
        Image(np.zeros((3, 4)), translate=(0, 9)),
        Image([np.zeros((8, 8)), np.zeros((4, 4))], multiscale=True),
        Points([[0, 0]]),
        None,
    ],
)
def test_layers_that_are_no_plane_of_pixels_are_not(layer: Any) -> None:
    assert layers.adopt(layer) is None
    assert looks.stretch_of(layer) is None
    assert looks.raw_limits(layer) is None


def test_the_sample_opens(viewer: Any) -> None:
    viewer.open_sample(PLUGIN, "galactic_plane")
    infrared, density, truth = viewer.layers
    assert not infrared.visible
    assert density.visible
    assert truth._type_string == "labels"
    assert truth.data.shape == layers.sky_image(density).shape == (768, 768)
    assert 0 < truth.data.mean() < 0.5
    assert layers.sky_image(density).unit == "cm-2"
    assert layers.sky_image(infrared).unit == "MJy/sr"
    assert layers.sky_image(density).frame == "galactic"
    assert tuple(map(str, viewer.scene.camera.orientation2d)) == ("up", "right")


def test_menus_and_widgets_are_announced(viewer: Any, plugin: Any) -> None:
    manifest = plugin.get_manifest(PLUGIN)
    widgets = [each.display_name for each in manifest.contributions.widgets]
    names = "Open", "Votes", "Draw", "Data", "Predict", "Compare", "Vet", "Train", "Results"
    assert widgets == [f"AstroSeg: {name}" for name in names]
    assert set(manifest.contributions.menus) >= {"napari/layers/segment"}


def test_a_sparse_giant_opens_with_little_memory(
    dock: MosaicDock, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    import psutil

    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2})
    header["NAXIS1"] = header["NAXIS2"] = side = 20_000
    start, path = header.tostring().encode(), tmp_path / "giant.fits"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + side * side * 4 + 2880)
    viewer.screenshot(flash=False)
    before = psutil.Process().memory_info().rss
    dock.open_files([path])
    settled(dock, qtbot)
    viewer.screenshot(flash=False)
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    (layer,) = viewer.layers
    assert layer.data.shapes[0] == (side, side)
    assert layer.data_level > 0
    assert grown < 200  # the image itself has 1526 MiB
