"""CompareDock: surveys, files and open images laid over the reference; nothing asks a network."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astroquery.hips2fits import hips2fits
from gui.fixtures_jobs import own_settings, sky, spin
from hipsserver import hips_service
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel

from napari_astroseg.errors import SurveyError
from napari_astroseg.gui import layers
from napari_astroseg.gui.compare import CompareDock
from napari_astroseg.gui.comparing import origins, sources
from napari_astroseg.gui.comparing.brought import COMPARED, compared
from napari_astroseg.gui.drawn.apart import keep_apart
from napari_astroseg.gui.intake.picker import Picker
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.colourdata import colour_data
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.survey import Survey, survey
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui

K, IRAC4 = survey("2mass_k"), survey("irac4")


class Sky:
    """In the place of the CDS: its value is the Galactic longitude in degrees, less 30."""

    def __init__(self) -> None:
        self.asked: list[tuple[Survey, Field]] = []
        self.before: Callable[[Any], None] = lambda progress: None

    def fetch(self, survey: Survey, field: Field, progress: Any) -> SkyImage:
        self.asked.append((survey, field))
        self.before(progress)
        image = SkyImage.from_array(np.empty((field.height_px, field.width_px)), field.wcs)
        y, x = np.indices(image.shape)
        longitude = image.sky(x, y).galactic.l.wrap_at("180d").deg - 30.0
        return SkyImage.from_array(longitude.astype(np.float32), field.wcs, "DN", survey.name)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Sky:
    found = Sky()
    monkeypatch.setattr(origins, "fetch", found.fetch)
    monkeypatch.setattr(sources, "kept_fields", list)
    return found


@pytest.fixture
def viewer(make_napari_viewer: Any, own_settings: Path) -> Any:
    """A shown viewer with one sky image, the middle of it in view."""
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky())
    look_at(viewer, 300.0, 300.0)
    return viewer


@pytest.fixture
def dock(viewer: Any, there: Sky) -> CompareDock:
    made = CompareDock(viewer)
    viewer.window.add_dock_widget(made, name="Compare", area="right")
    spin(lambda: False, 0.05)
    return made


def look_at(viewer: Any, y: float, x: float, zoom: float = 4.0) -> None:
    viewer.scene.camera.center, viewer.scene.camera.zoom = (y, x), zoom


def done(dock: CompareDock) -> bool:
    return spin(lambda: not dock.busy)


def brought(viewer: Any) -> list[Any]:
    return [each for each in viewer.layers if COMPARED in each.metadata]


def off_px(layer: Any, y: int, x: int) -> float:
    """How far what a layer shows at a pixel comes from another place, pixels along x."""
    step = -11.5 / 3600
    return abs(layers.sky_image(layer).value(x, y) - (x + 1 - 300) * step) / abs(step)


def test_a_survey_lies_over_what_is_in_view(viewer: Any, dock: CompareDock, there: Sky) -> None:
    reference = viewer.layers[0]
    labels = viewer.add_labels(np.zeros((600, 600), int))
    viewer.layers.selection.active = reference
    dock.show_over(K)
    assert dock.busy
    assert done(dock)
    (layer,) = brought(viewer)
    assert layer.name == "2MASS K on ramp"
    assert list(viewer.layers) == [reference, layer, labels]
    assert viewer.layers.selection.active is reference
    assert reference.visible
    assert off_px(layer, 300, 300) < 0.3
    assert off_px(layer, 280, 330) < 0.3
    assert np.isnan(layers.sky_image(layer).value(2, 2))
    about = compared(layer)
    assert about is not None
    assert (about.key, about.field) == ("2mass_k", there.asked[0][1])
    assert about.how.error_px <= 0.25
    assert about.how.sentence in dock.told.text()
    assert K.attribution in dock.told.text()
    assert not dock.notice.text
    limits = looks.raw_limits(layer)
    assert limits is not None
    assert limits.span < 1.0


def test_after_a_pan_the_same_layer_shows_more_and_keeps_its_looks(
    viewer: Any, dock: CompareDock, there: Sky
) -> None:
    dock.show_over(K)
    assert done(dock)
    (layer,) = brought(viewer)
    layer.colormap, layer.opacity = "magma", 0.6
    looks.set_stretch(layer, "sqrt")
    assert np.isnan(layers.sky_image(layer).value(60, 500))
    dock.show_over(K)
    assert done(dock)
    assert len(there.asked) == 1
    look_at(viewer, 500.0, 60.0)
    dock.show_over(K)
    assert done(dock)
    assert brought(viewer) == [layer]
    assert off_px(layer, 500, 60) < 0.3
    assert (layer.colormap.name, layer.opacity) == ("magma", 0.6)
    stretch = looks.stretch_of(layer)
    assert stretch is not None
    assert stretch.kind == "sqrt"
    assert there.asked[1][1] == compared(layer).field


def test_three_surveys_make_one_colour_picture(viewer: Any, dock: CompareDock) -> None:
    for each in ("2mass_j", "2mass_h", "2mass_k"):
        dock.show_over(survey(each))
    assert done(dock)
    images = [layers.sky_image(layer) for layer in brought(viewer)]
    assert [image.name for image in images] == [f"2MASS {band} on ramp" for band in "JHK"]
    assert colour_data(*images)[1]["rgb"]


def test_the_view_is_followed_only_when_that_is_asked_for(
    viewer: Any, dock: CompareDock, there: Sky
) -> None:
    dock.show_over(K)
    assert done(dock)
    look_at(viewer, 100.0, 100.0)
    dock.bring._rest.setInterval(150)
    spin(lambda: False, 0.3)
    assert len(there.asked) == 1
    dock.bring.follow.setChecked(True)
    assert spin(lambda: len(there.asked) == 2)
    assert done(dock)
    look_at(viewer, 500.0, 500.0)
    assert spin(lambda: len(there.asked) == 3)
    assert done(dock)
    assert off_px(brought(viewer)[0], 500, 500) < 0.3


def test_cancel_brings_nothing_and_frees_the_dock(
    viewer: Any, dock: CompareDock, there: Sky
) -> None:
    def forever(progress: Any) -> None:
        while True:
            progress("asking the CDS", 1, 2)
            time.sleep(0.01)

    there.before = forever
    dock.show_over(K)
    assert spin(lambda: "sking the CDS" in dock.progress.words.text())
    dock.progress.button.click()
    assert not dock.busy
    there.before = lambda progress: None
    dock.show_over(IRAC4)
    assert done(dock)
    assert [compared(each).key for each in brought(viewer)] == ["irac4"]


def test_closing_the_dock_ends_what_runs(viewer: Any, dock: CompareDock, there: Sky) -> None:
    def forever(progress: Any) -> None:
        while True:
            progress("asking the CDS", 0, None)
            time.sleep(0.01)

    there.before = forever
    dock.show_over(K)
    assert spin(lambda: there.asked)
    viewer.window.remove_dock_widget(dock)
    viewer.layers.clear()
    look_at(viewer, 10.0, 10.0)
    assert not dock.busy  # and no thread outlives the test


def test_a_refusal_is_one_sentence_and_what_was_there_stays(
    viewer: Any, dock: CompareDock, there: Sky
) -> None:
    dock.show_over(K)
    assert done(dock)

    def offline(progress: Any) -> None:
        raise SurveyError("no network; choose a kept field or a local file", "offline")

    there.before = offline
    look_at(viewer, 100.0, 100.0)
    dock.show_over(IRAC4)
    assert done(dock)
    assert dock.notice.text == "no network; choose a kept field or a local file"
    assert len(brought(viewer)) == 1


def test_a_star_of_the_real_protocol_lies_where_it_is_and_is_kept(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path))
    dock = CompareDock(viewer)
    viewer.window.add_dock_widget(dock, name="Compare", area="right")
    with hips_service(sources=[sky().sky(310.0, 285.0)]) as cds:
        monkeypatch.setattr(hips2fits, "server", cds.address)
        dock.show_over(K)
        assert done(dock)
    (layer,) = brought(viewer)
    values = layers.sky_image(layer).cutout(Window(300, 275, 21, 21)) - 7.0
    y, x = np.indices(values.shape)
    assert (values * x).sum() / values.sum() + 300 == pytest.approx(310.0, abs=0.3)
    assert (values * y).sum() / values.sum() + 275 == pytest.approx(285.0, abs=0.3)
    assert spin(lambda: dock.bring.sources.kept == 1)
    dock.show_over(IRAC4)  # nobody is there any more
    assert done(dock)
    assert "kept fields can be used: 1 near here" in dock.notice.text
    viewer.layers.remove(layer)
    dock.bring.sources.filter.setText("no network is needed")
    dock.bring.sources.want()
    assert done(dock)
    assert [compared(each).key for each in brought(viewer)] == ["2mass_k"]


def test_an_open_image_comes_onto_the_reference_unless_it_lies_there(
    viewer: Any, dock: CompareDock
) -> None:
    reference, other = viewer.layers[0], layers.add_image(viewer, coarse())
    assert "Compare" in keep_apart(viewer, [other])
    viewer.layers.selection.active = reference
    other.visible = True
    dock.show_over(other)
    assert done(dock)
    (layer,) = brought(viewer)
    assert layer.name == "coarse on ramp"
    assert (reference.visible, other.visible, layer.visible) == (True, False, True)
    assert off_px(layer, 300, 300) < 0.3
    assert dock.bring.layer is reference
    viewer.layers.selection.active = layer  # what was brought is no reference
    assert dock.bring.layer is reference
    same = layers.add_image(viewer, sky())
    viewer.layers.selection.active = reference
    same.visible = False
    dock.show_over(same)
    assert done(dock)
    assert (brought(viewer), same.visible) == ([layer], True)
    assert "same pixels" in dock.told.text()


def test_the_chosen_reference_stays_when_the_selected_layer_is_brought(
    viewer: Any, dock: CompareDock
) -> None:
    reference, other = viewer.layers[0], layers.add_image(viewer, coarse())
    keep_apart(viewer, [other])
    viewer.layers.selection.active = other
    dock.bring.images.setCurrentIndex(0)
    assert dock.bring.layer is reference
    dock.show_over(other)
    assert done(dock)
    assert len(brought(viewer)) == 1
    assert viewer.layers.selection.active is other
    assert dock.bring.layer is reference
    assert (reference.visible, other.visible) == (True, False)


def test_nothing_is_told_of_layers_that_are_closed(viewer: Any, dock: CompareDock) -> None:
    dock.show_over(K)
    assert done(dock)
    dock.notice.say("something of a layer")
    viewer.layers.remove(brought(viewer)[0])
    assert dock.told.isVisible()
    viewer.layers.clear()
    assert not dock.told.isVisible()
    assert (dock.told.text(), dock.notice.text) == ("", "")


def test_a_word_that_can_be_no_hips_is_refused_unasked(dock: CompareDock, there: Sky) -> None:
    dock.show_hips("nonsense")
    assert not dock.busy
    assert "nonsense names no survey" in dock.notice.text
    assert "CDS/P/" in dock.notice.text
    dock.show_hips("irac4")
    assert done(dock)
    assert [each for each, _ in there.asked] == [IRAC4]


def coarse(side: int = 150) -> SkyImage:
    """The ramp's longitudes, less 30, on pixels of 46 arcsec in equatorial coordinates."""
    from astropy.wcs import WCS

    middle = sky().sky(300, 300).icrs
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [side / 2, side / 2]
    wcs.wcs.crval, wcs.wcs.cdelt = [middle.ra.deg, middle.dec.deg], [-46 / 3600, 46 / 3600]
    image = SkyImage.from_array(np.empty((side, side)), wcs)
    y, x = np.indices(image.shape)
    longitude = image.sky(x, y).galactic.l.wrap_at("180d").deg - 30.0
    return SkyImage.from_array(longitude.astype(np.float32), wcs, "K", "coarse")


def test_a_file_comes_over_the_reference_or_says_why_not(
    viewer: Any, dock: CompareDock, tmp_path: Path
) -> None:
    image = coarse()
    values = image.cutout(Window.whole(image.shape))
    write_image(tmp_path / "coarse.fits", values, image.header, "K")
    write_image(tmp_path / "lost.fits", values, None, "K")
    dock.show_file(str(tmp_path / "coarse.fits"))
    assert done(dock)
    (layer,) = brought(viewer)
    assert layer.name == "coarse.fits on ramp"
    assert off_px(layer, 310, 290) < 0.3
    dock.show_file(str(tmp_path / "lost.fits"))
    assert done(dock)
    assert "lost" in dock.notice.text
    assert "by hand" in dock.notice.text
    dock.show_file(str(tmp_path / "absent.fits"))
    assert done(dock)
    assert "absent.fits" in dock.notice.text


def test_of_a_stack_the_plane_that_is_shown_is_named(
    viewer: Any, dock: CompareDock, tmp_path: Path
) -> None:
    image = sky()
    colours = np.stack([np.full(image.shape, n, np.float32) for n in (1, 2, 3)])
    fits.writeto(tmp_path / "rgb.fits", colours, image.wcs.to_header())
    dock.show_file(str(tmp_path / "rgb.fits"))
    assert done(dock)
    (layer,) = brought(viewer)
    assert layers.sky_image(layer).value(300, 300) == 1
    assert layer.name == "rgb.fits (plane 1 of 3) on ramp"
    assert "rgb.fits (plane 1 of 3)" in dock.told.text()


def test_what_servers_and_files_say_is_words_and_no_markup(dock: CompareDock) -> None:
    for label in (
        *dock.notice.findChildren(QLabel),
        *dock.progress.findChildren(QLabel),
        dock.told,
    ):
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_file_of_several_images_asks_which_one(
    viewer: Any, dock: CompareDock, tmp_path: Path
) -> None:
    image = coarse()
    values = image.cutout(Window.whole(image.shape))
    parts = [fits.ImageHDU(values[: 150 - n], image.header, f"PART{n}") for n in range(2)]
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(tmp_path / "two.fits")
    dock.show_file(str(tmp_path / "two.fits"))
    assert done(dock)
    (picker,) = (each for each in QApplication.topLevelWidgets() if isinstance(each, Picker))
    picker.list.setCurrentItem(picker.list.topLevelItem(1))
    QTest.keyClick(picker.list, Qt.Key.Key_Return)
    assert done(dock)
    (layer,) = brought(viewer)
    assert layer.name == "two.fits [PART1] on ramp"
    assert off_px(layer, 310, 290) < 0.3


def test_any_hips_and_the_keyboard(viewer: Any, dock: CompareDock, there: Sky) -> None:
    dock.bring.hips.setText("CDS/P/SDSS9/g")
    QTest.keyClick(dock.bring.hips, Qt.Key.Key_Return)
    assert done(dock)
    assert there.asked[0][0].hips == "CDS/P/SDSS9/g"
    listed = dock.bring.sources
    QTest.keyClicks(listed.filter, "spitzer glimpse")
    first = listed.chosen
    assert "GLIMPSE" in first.name
    QTest.keyClick(listed.filter, Qt.Key.Key_Down)
    assert listed.tree.hasFocus() or not dock.isActiveWindow()
    QTest.keyClick(listed.tree, Qt.Key.Key_Down)
    second = listed.chosen
    assert second is not first
    QTest.keyClick(listed.tree, Qt.Key.Key_Return)
    assert done(dock)
    assert there.asked[-1][0] == second
    listed.filter.setText("")
    plain_layer = layers.add_image(viewer, plain(np.ones((9, 9)), "small"))
    viewer.layers.selection.active = viewer.layers[0]
    listed.filter.setText("small")
    assert listed.chosen is plain_layer
    listed.filter.setText("")
    plain_layer.name = "smaller"
    assert listed.chosen is plain_layer
    viewer.layers.remove(plain_layer)
    assert listed.chosen is None
    listed.filter.setText("nothing of this name")
    assert listed.chosen is None
    assert not dock.bring.show_button.isEnabled()
    assert "Select" in dock.bring.show_button.toolTip()


def test_napari_opens_it_from_the_manifest_and_without_an_image_it_says_so(
    make_napari_viewer: Any, plugin: Any, there: Sky
) -> None:
    viewer = make_napari_viewer()
    _, dock = viewer.window.add_plugin_dock_widget("napari-astroseg", "AstroSeg: Compare")
    assert isinstance(dock, CompareDock)
    dock.show_over(K)
    assert not dock.busy
    assert "open an image" in dock.notice.text
    assert not dock.bring.show_button.isEnabled()
    assert "no image yet" in dock.bring.show_button.toolTip()
    layers.add_image(viewer, sky(200))
    dock.show_over(K)
    assert done(dock)
    assert len(brought(viewer)) == 1


def plain(values: np.ndarray, name: str) -> SkyImage:
    return SkyImage.from_array(values.astype(np.float32), name=name)


def by_hand(viewer: Any, dock: CompareDock, image: SkyImage) -> Any:
    """An image without sky coordinates, chosen to be matched to the reference."""
    reference, layer = viewer.layers[0], layers.add_image(viewer, image)
    viewer.layers.selection.active = reference
    keep_apart(viewer, [reference])
    dock.by_hand.open()
    dock.bring.sources.filter.setText(image.name)
    assert dock.bring.sources.chosen is layer
    return layer


def test_points_clicked_on_both_place_an_image(viewer: Any, dock: CompareDock) -> None:
    inside = sky().cutout(Window(200, 100, 300, 200))
    layer, reference = by_hand(viewer, dock, plain(inside, "plain")), viewer.layers[0]
    box = dock.anchors
    assert not box.align.isEnabled()
    assert not box.same.isEnabled()
    assert "300 × 200" in box.same.toolTip()
    centre = viewer.scene.camera.center
    box.pick.click()
    shown = []
    for y, x in ((20.0, 30.0), (150.0, 40.0), (90.0, 250.0)):
        for dy, dx in ((0, 0), (100, 200)):
            shown.append((layer.visible, reference.visible))
            box._click.clicked.emit((y + dy, x + dx))
    assert shown == [(True, False), (False, True)] * 3
    assert box.list.topLevelItemCount() == 3
    assert box.list.topLevelItem(2).text(3) == "0.00 px"
    box._click.clicked.emit((5.0, 5.0))
    box._click.clicked.emit((111.0, 205.0))
    assert float(box.list.topLevelItem(3).text(3).split()[0]) > 1.0
    box.list.setCurrentItem(box.list.topLevelItem(3))
    box.remove.click()
    assert len(box.pairs.value) == 3
    dock.bring.sources.filter.setText("2MASS")  # what else is selected meanwhile is no matter
    box._click.clicked.emit((5.0, 5.0))
    box.undo.click()
    assert (box.pairs.turn, len(box.pairs.value)) == ("image", 3)
    box.align.click()
    assert done(dock)
    (made,) = brought(viewer)
    assert reference.visible
    assert viewer.scene.camera.center == pytest.approx(centre)
    assert compared(made).how.kind == "anchors"
    assert compared(made).how.error_px < 1e-6
    found = layers.sky_image(made)
    assert found.value(350, 200) == pytest.approx(inside[100, 150], abs=1e-5)
    assert "3 pairs" in dock.told.text()


def test_pixel_for_pixel_and_anchors_that_are_dragged(viewer: Any, dock: CompareDock) -> None:
    values = np.arange(360_000.0).reshape(600, 600)
    by_hand(viewer, dock, plain(values, "plain"))
    dock.anchors.same.click()
    assert done(dock)
    (made,) = brought(viewer)
    assert compared(made).how.kind == "pixels"
    assert layers.sky_image(made).value(7, 9) == values[9, 7]
    pairs = dock.anchors.pairs
    for place in ((20.0, 30.0), (120.0, 230.0)):
        pairs.add(*place)
    points = next(each for each in viewer.layers if each.name == "anchors on ramp")
    points.data = np.array([[121.0, 233.0]])
    assert pairs.value == [((30.0, 20.0), (233.0, 121.0))]
    viewer.layers.remove(points)
    assert pairs.value == []
    assert pairs.turn == "reference"
