"""Aids on a real canvas: they point and measure as the sky does, and leave when told to."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids import choices as aid_choices
from napari_astroseg.gui.aids import colourbar, compass, grid, hatch
from napari_astroseg.gui.aids.box import AidsBox
from napari_astroseg.gui.aids.choices import Choices
from napari_astroseg.gui.aids.sheet import Sheet
from napari_astroseg.gui.aids.view import View, view_of
from napari_astroseg.gui.look import looks
from napari_astroseg.sky.coords.orientation import orientation
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import Limits

ALL = Choices(grid=True, hatch=True)
NONE = Choices(colour_bar=False, compass=False, scale_bar=False)


def field(turn: float = 0.0, mirrored: bool = False, holes: bool = False) -> SkyImage:
    """400 × 300 pixels of 2″ at declination 60, north turned from up."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [200.5, 150.5]
    wcs.wcs.cdelt = [2 / 3600 if mirrored else -2 / 3600, 2 / 3600]
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    wcs.wcs.pc = [[c, -s], [s, c]]
    wcs.wcs.crval = [100.0, 60.0]
    wcs.wcs.set()
    values = np.random.default_rng(1).normal(5, 1, (300, 400)).astype(np.float32)
    if holes:
        values[:, :200] = np.nan
    return SkyImage.from_array(values, wcs, "MJy/sr", "field")


@pytest.fixture
def box(viewer: Any, qtbot: Any) -> Any:
    """A box docked in a window."""
    dock = QWidget()
    column = QVBoxLayout(dock)
    box = AidsBox(viewer)
    column.addWidget(box)
    layers.settle(viewer)
    viewer.window.add_dock_widget(dock, name="aids")
    qtbot.waitUntil(lambda: box.sheet is not None)
    box.choose(Choices())
    yield box
    box.shut_down()


def settled(box: AidsBox, qtbot: Any) -> tuple[Sheet, View]:
    """The sheet and what it shows, once all is drawn."""
    sheet = box.sheet
    assert sheet is not None
    qtbot.wait(30)
    qtbot.waitUntil(lambda: not sheet.busy, timeout=10_000)
    view = sheet.view
    assert view is not None
    return sheet, view


def painted(sheet: Sheet) -> np.ndarray:
    """What is on a sheet, (height, width), how opaque."""
    image = QImage(sheet.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    sheet.draw(painter)
    painter.end()
    alpha = image.convertToFormat(QImage.Format.Format_Alpha8)
    bits = alpha.constBits()
    bits.setsize(alpha.sizeInBytes() if hasattr(alpha, "sizeInBytes") else alpha.byteCount())
    return np.frombuffer(bits, np.uint8).reshape(alpha.height(), -1)[:, : alpha.width()].copy()


def ink_in(sheet: Sheet, rect: QRectF) -> int:
    """How much is painted in a rectangle."""
    r = rect.toAlignedRect()
    top, left = max(0, r.top()), max(0, r.left())
    return int((painted(sheet)[top : r.bottom(), left : r.right()] > 0).sum())


def test_a_view_maps_pixels_as_napari_does(box: AidsBox, viewer: Any, qtbot: Any) -> None:
    layers.add_image(viewer, field())
    viewer.reset_view()
    sheet, _ = settled(box, qtbot)
    camera = getattr(viewer, "scene", viewer).camera
    camera.center = (0, 100.0, 250.0)
    camera.zoom = 3.0
    _, view = settled(box, qtbot)

    assert view.centre == pytest.approx((250.0, 100.0))
    middle = (sheet.width() / 2, sheet.height() / 2)
    assert view.to_canvas((250.0, 100.0)) == pytest.approx(middle)
    # The origin is at the lower left: one pixel up in the image is three up on the canvas.
    assert view.to_canvas((251.0, 101.0)) == pytest.approx((middle[0] + 3, middle[1] - 3))
    assert view.to_pixels(view.to_canvas((12.0, 34.0))) == pytest.approx((12.0, 34.0))


def test_a_pixel_is_drawn_where_the_view_says(box: AidsBox, viewer: Any, qtbot: Any) -> None:
    values = np.zeros((300, 400), np.float32)
    values[200:210, 300:310] = 1.0
    layers.add_image(viewer, SkyImage.from_array(values)).contrast_limits = (0.9, 1.0)
    looks.set_limits(viewer.layers[0], Limits(0.4, 0.6))
    viewer.reset_view()
    sheet, view = settled(box, qtbot)

    shot = viewer.screenshot(canvas_only=True, flash=False)[..., 0]

    rows, columns = np.nonzero(shot > 200)
    scale = shot.shape[1] / sheet.width()
    seen = np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / scale
    assert np.abs(seen - view.to_canvas((304.5, 204.5))).max() < 1.0


@pytest.mark.parametrize("turn", [0.0, 120.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_arrows_and_bar_agree_with_the_sky(
    box: AidsBox, viewer: Any, qtbot: Any, turn: float, mirrored: bool
) -> None:
    image = field(turn, mirrored)
    layers.add_image(viewer, image)
    viewer.reset_view()
    _, view = settled(box, qtbot)
    x, y = view.centre
    around = orientation(image, x, y)
    assert around is not None
    here, middle = image.sky(x, y), view.to_canvas((x, y))

    for way, angle in zip(compass.arrows(view, around), (0.0, 90.0), strict=True):
        there = image.sky(*view.to_pixels(middle + way))
        off = here.position_angle(there).deg - angle
        assert abs((off + 180) % 360 - 180) < 0.1
    length, text = compass.bar_of(view, around)
    end = image.sky(*view.to_pixels((middle[0] + length, middle[1])))
    assert text.endswith("′") or text.endswith("″")
    unit = 1.0 if text.endswith("″") else 60.0
    assert here.separation(end).arcsec == pytest.approx(float(text[:-1]) * unit, rel=1e-3)


def test_the_colour_bar_follows_stretch_and_limits(box: AidsBox, viewer: Any, qtbot: Any) -> None:
    layer = layers.add_image(viewer, field(), "asinh")
    looks.set_limits(layer, Limits(0.0, 10.0))
    viewer.reset_view()
    _, view = settled(box, qtbot)

    bar = colourbar.ColourBar.of(view)
    assert bar is not None
    assert bar.unit == "MJy/sr"
    stretch = looks.stretch_of(layer)
    assert stretch is not None
    low, high = layer.contrast_limits
    for fraction, text in bar.marks:
        raw = float(stretch.inverse(low + fraction * (high - low)))
        assert raw == pytest.approx(float(text.replace("−", "-")), abs=0.02)

    looks.set_stretch(layer, "linear")
    looks.set_limits(layer, Limits(0.0, 20.0))
    _, view = settled(box, qtbot)
    linear = colourbar.ColourBar.of(view)
    assert linear is not None
    values = [float(text.replace("−", "-")) for _, text in linear.marks]
    assert np.allclose(np.diff(values), values[1] - values[0])
    assert [f for f, _ in linear.marks] == pytest.approx([v / 20 for v in values], abs=1e-3)


def test_choices_are_drawn_and_remembered(box: AidsBox, viewer: Any, qtbot: Any) -> None:
    layers.add_image(viewer, field())
    viewer.reset_view()
    sheet, view = settled(box, qtbot)
    around = orientation(view.image, *view.centre)
    assert around is not None
    places = {
        "colour_bar": colourbar.whole_box(view),
        "compass": compass.compass_box(view, around),
        "scale_bar": compass.bar_box(view),
    }
    assert all(ink_in(sheet, place) > 50 for place in places.values())

    for name, place in places.items():
        box.toggles[name].click()
        settled(box, qtbot)
        assert ink_in(sheet, place) == 0
        assert getattr(aid_choices.remembered(), name) is False
    assert painted(sheet).max() == 0
    box.toggles["grid"].click()
    settled(box, qtbot)
    assert painted(sheet).max() > 0
    assert AidsBox(viewer).choices == box.choices


def test_wrong_memories_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "aids.json").write_text('{"grid": "yes", "compass": false, "else": 3}')
    assert aid_choices.remembered(tmp_path) == Choices(compass=False)
    (tmp_path / "aids.json").write_text("[1")
    assert aid_choices.remembered(tmp_path) == Choices()
    aid_choices.remember(ALL, tmp_path)
    assert aid_choices.remembered(tmp_path) == ALL


def test_grid_labels_do_not_overlap_and_stay_on_the_canvas(
    box: AidsBox, viewer: Any, qtbot: Any
) -> None:
    box.choose(ALL)
    layers.add_image(viewer, field(30.0))
    viewer.reset_view()
    sheet, view = settled(box, qtbot)
    made = grid.grid_over(view, "icrs")

    placed = list(grid.placed_labels(view, made, []))

    assert len(placed) > 4
    assert len({text for _, text in placed}) == len(placed)
    assert all(QRectF(sheet.rect()).contains(each) for each, _ in placed)
    for n, (one, _) in enumerate(placed):
        assert not any(one.intersects(other) for other, _ in placed[:n])


def test_missing_data_are_hatched_where_they_are(box: AidsBox, viewer: Any, qtbot: Any) -> None:
    box.choose(Choices(colour_bar=False, compass=False, scale_bar=False, hatch=True))
    layers.add_image(viewer, field(holes=True))
    viewer.reset_view()
    sheet, view = settled(box, qtbot)
    wish = hatch.wish_for(view)
    assert wish is not None

    missing = hatch.missing_on_canvas(wish)

    expected = 200 * 300 * view.zoom**2
    assert missing.sum() == pytest.approx(expected, rel=0.02)
    (left, bottom), (right, top) = view.to_canvas([(0, 0), (399, 299)])
    middle = (left + right) / 2
    assert ink_in(sheet, QRectF(left, top, middle - left, bottom - top)) > 1000
    assert ink_in(sheet, QRectF(middle + 2, top, right - middle, bottom - top)) == 0


def test_aids_follow_resizes_and_hide_where_they_do_not_belong(
    box: AidsBox, viewer: Any, qtbot: Any
) -> None:
    layers.add_image(viewer, field())
    viewer.reset_view()
    sheet, _ = settled(box, qtbot)
    canvas = sheet.parentWidget()

    canvas.window().resize(canvas.window().width() - 60, canvas.window().height() - 40)
    qtbot.waitUntil(lambda: sheet.size() == canvas.size())
    assert painted(sheet).max() > 0
    viewer.dims.ndisplay = 3
    assert painted(sheet).max() == 0
    viewer.dims.ndisplay = 2
    viewer.canvas.grid.enabled = True
    assert painted(sheet).max() == 0
    viewer.canvas.grid.enabled = False
    viewer.theme = "light"
    settled(box, qtbot)
    assert painted(sheet).max() > 0
    viewer.layers[0].visible = False
    assert painted(sheet).max() == 0
    viewer.layers.clear()
    qtbot.wait(50)
    assert painted(sheet).max() == 0


def test_an_image_without_sky_has_its_colour_bar_only(
    box: AidsBox, viewer: Any, qtbot: Any
) -> None:
    box.choose(ALL)
    layers.add_image(viewer, SkyImage.from_array(np.eye(50, dtype=np.float32)))
    viewer.reset_view()
    sheet, view = settled(box, qtbot)

    assert ink_in(sheet, colourbar.whole_box(view)) > 50
    assert ink_in(sheet, compass.bar_box(view)) == 0


def test_a_saved_picture_has_the_aids(
    box: AidsBox, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    layers.add_image(viewer, field())
    viewer.reset_view()
    sheet, view = settled(box, qtbot)
    without = viewer.screenshot(canvas_only=True, flash=False)

    box.save(tmp_path / "picture")

    image = QImage(str(tmp_path / "picture.png"))
    assert (image.height(), image.width()) == without.shape[:2]
    bar = colourbar.bar_box(view)
    scale = image.width() / sheet.width()
    x, y = round(bar.center().x() * scale), round((bar.top() + 3) * scale)
    assert image.pixelColor(x, y).lightness() > 240
    assert without[y, x, :3].max() < 60


def test_a_picture_that_cannot_be_written_is_told(
    box: AidsBox, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    told: list[str] = []
    box.refused.connect(told.append)

    box.save(tmp_path / "none" / "picture.png")

    assert len(told) == 1
    assert "cannot be written; choose a folder" in told[0]


def test_nothing_stays_on_the_canvas_when_the_dock_is_closed(
    box: AidsBox, viewer: Any, qtbot: Any
) -> None:
    layers.add_image(viewer, field())
    sheet, _ = settled(box, qtbot)
    canvas = sheet.parentWidget()
    box.shut_down()
    qtbot.wait(50)

    assert canvas.findChildren(Sheet) == []
    viewer.layers[0].contrast_limits = (0.1, 0.9)
    getattr(viewer, "scene", viewer).camera.zoom = 2.0
    viewer.layers.clear()
    assert view_of(viewer, 100, 100) is None


def test_panning_repaints_what_moves_with_the_sky_only(
    box: AidsBox, viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers.add_image(viewer, field())
    viewer.reset_view()
    settled(box, qtbot)
    camera = getattr(viewer, "scene", viewer).camera
    asked: list[str] = []
    update, settle = Sheet.update, Sheet.settle

    def pan() -> list[str]:
        asked.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Sheet, "update", lambda s, *a: (asked.append("paint"), update(s, *a)))
            patch.setattr(Sheet, "settle", lambda s: asked.append("work"))
            for step in range(5):
                camera.center = (0, 150.0 + step, 200.0)
        settle(box.sheet)
        return list(asked)

    assert pan() == []
    box.choose(ALL)
    settled(box, qtbot)
    assert pan() == ["paint"] * 5
