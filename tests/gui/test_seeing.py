"""Two pictures of the same sky: what the canvas shows of each, and that all is put back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QVBoxLayout, QWidget

from napari_astroseg.errors import ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing import contourlines, contours, swipe
from napari_astroseg.gui.comparing.contourlevels import chosen_levels, read_levels
from napari_astroseg.gui.comparing.contourlines import halved, lines_for, smoothed, wish_for
from napari_astroseg.gui.comparing.kinds import has_values, is_comparable, is_overlay
from napari_astroseg.gui.comparing.mirror import Mirror
from napari_astroseg.gui.comparing.seeing import SeeingBox
from napari_astroseg.gui.drawn.apart import keep_apart
from napari_astroseg.sky.image import SkyImage

RED, GREEN, BLUE = range(3)
SIDE = 300


def add(viewer: Any, name: str, colour: str, holes: bool = False) -> Any:
    """An image of one colour throughout, with its right half missing where asked."""
    values = np.random.default_rng(len(name)).normal(5, 1, (SIDE, SIDE)).astype(np.float32)
    if holes:
        values[:, SIDE // 2 :] = np.nan
    layer = layers.add_image(viewer, SkyImage.from_array(values, name=name))
    layer.colormap = colour
    layer.contrast_limits = (-99.0, -98.0)
    return layer


@pytest.fixture
def pair(viewer: Any, qtbot: Any) -> tuple[Any, Any]:
    """A red picture, and a green one over it."""
    made = add(viewer, "msx", "red"), add(viewer, "glimpse", "green")
    qtbot.wait(2 * layers.SETTLED_MS)
    viewer.reset_view()
    return made


@pytest.fixture
def box(viewer: Any, pair: Any, qtbot: Any) -> Iterator[SeeingBox]:
    """A box docked in a window."""
    dock = QWidget()
    box = SeeingBox(viewer)
    QVBoxLayout(dock).addWidget(box)
    viewer.window.add_dock_widget(dock, name="seeing")
    box.set_pair(*pair)
    qtbot.wait(50)
    yield box
    box.untie()


def shot(viewer: Any) -> np.ndarray:
    """What the canvas shows, (rows, columns, 3), true where a colour is bright."""
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3] > 128


def seen(viewer: Any) -> str:
    """The colour in the middle of the canvas."""
    picture = shot(viewer)
    return colour_at(picture, picture.shape[1] // 2 + 3, picture.shape[0] // 2 + 3)


def colour_at(picture: np.ndarray, x: int, y: int) -> str:
    bright = picture[y, x]
    return "".join(letter for letter, on in zip("rgb", bright, strict=True) if on) or "-"


def looks_of(viewer: Any) -> list[tuple[Any, ...]]:
    """All that a comparison may change, of every layer."""
    return [(each.name, each.visible, each.opacity, each.blending) for each in viewer.layers]


def view_of(viewer: Any) -> tuple[Any, ...]:
    camera = camera_of(viewer)
    return camera.center, camera.zoom


def camera_of(viewer: Any) -> Any:
    return getattr(viewer, "scene", viewer).camera


def canvas_of(viewer: Any) -> Any:
    return viewer.window._qt_viewer.canvas.native


def press(viewer: Any, key: Qt.Key, shift: bool = False) -> None:
    native = canvas_of(viewer)
    none, held = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(native, key, held if shift else none)


def test_blink_shows_one_then_the_other(box: SeeingBox, viewer: Any, qtbot: Any) -> None:
    viewer.layers[1].opacity = 0.7
    before, view = looks_of(viewer), view_of(viewer)
    limits = [each.contrast_limits for each in viewer.layers]
    box.controls.rate.setValue(5.0)
    turns: list[float] = []

    box.controls.blink.click()

    assert box.blink.running and seen(viewer) == "r"
    viewer.layers[0].events.opacity.connect(lambda _: turns.append(time.perf_counter()))
    colours = []
    for _ in range(4):
        shown = box.blink.shown
        qtbot.waitUntil(lambda was=shown: box.blink.shown is not was, timeout=20_000)
        colours.append(seen(viewer))
    assert colours == ["g", "r", "g", "r"]
    assert np.diff(turns).min() > 0.1, "no faster than the eye was promised"
    assert view_of(viewer) == view
    assert [each.contrast_limits for each in viewer.layers] == limits

    native = canvas_of(viewer)
    native.hide()  # and nobody can see it
    shown = box.blink.shown
    qtbot.wait(450)
    assert box.blink.shown is shown
    native.show()
    qtbot.waitUntil(lambda: box.blink.shown is not shown, timeout=20_000)

    box.controls.blink.click()
    assert looks_of(viewer) == before and not box.controls.blink.isChecked()


def test_steps_and_held_keys(box: SeeingBox, viewer: Any, qtbot: Any) -> None:
    before, native = looks_of(viewer), canvas_of(viewer)
    assert seen(viewer) == "g"

    QTest.keyPress(native, Qt.Key.Key_J)
    assert seen(viewer) == "r"
    QTest.keyRelease(native, Qt.Key.Key_J)
    assert seen(viewer) == "g" and looks_of(viewer) == before

    colours = []
    for _ in range(3):
        press(viewer, Qt.Key.Key_N)
        colours.append(seen(viewer))
    assert colours == ["r", "g", "r"] and box.blink.on and not box.blink.running
    QTest.keyPress(native, Qt.Key.Key_J)
    assert seen(viewer) == "g"
    QTest.keyRelease(native, Qt.Key.Key_J)
    assert seen(viewer) == "r"
    QTest.keyClick(box.controls.rate, Qt.Key.Key_K)  # wherever the keyboard is
    assert looks_of(viewer) == before


def test_other_pictures_wait_or_come_along(box: SeeingBox, viewer: Any) -> None:
    add(viewer, "wise", "blue")
    flags = add(viewer, "flags", "gray")
    flags.metadata[layers.ROLE] = "flags"
    flags.visible = False
    box.toggle_blink()
    assert seen(viewer) == "r"
    box.toggle_blink()
    assert seen(viewer) == "b"

    box.controls.pair.all.setChecked(True)
    colours = []
    for _ in range(4):
        box.step()
        colours.append(seen(viewer))
    assert sorted(colours[:3]) == ["b", "g", "r"] and colours[0] == colours[3]
    flags.visible = True  # no picture: the comparison goes on
    assert box.blink.on


def test_where_one_has_no_data_the_other_is_not_seen(
    box: SeeingBox, viewer: Any, pair: Any
) -> None:
    holes = add(viewer, "holes", "blue", holes=True)
    box.set_pair(pair[0], holes)

    def halves() -> set[str]:
        picture = shot(viewer)
        middle, off = picture.shape[1] // 2, picture.shape[1] // 8
        return {colour_at(picture, middle + dx, picture.shape[0] // 2) for dx in (-off, off)}

    assert halves() == {"b", "g"}  # as napari draws them
    box.toggle_blink()
    assert halves() == {"r"}
    box.step()
    assert halves() == {"b", "-"}
    box.toggle_fade()
    box.controls.amount.setValue(100)
    assert halves() == {"b", "-"}


TOOLS = ("toggle_blink", "toggle_swipe", "toggle_fade")


@pytest.fixture
def odd(viewer: Any, pair: Any) -> Any:
    """A third, hidden picture; the pair looks as nobody would have guessed."""
    pair[0].opacity, pair[1].blending = 0.6, "additive"
    third = add(viewer, "wise", "blue")
    third.visible = False
    return third


def test_everything_is_put_back(box: SeeingBox, viewer: Any, pair: Any, odd: Any) -> None:
    before = looks_of(viewer)
    for tool, other in zip(TOOLS, TOOLS[1:] + TOOLS[:1], strict=True):
        for end in ("stopped", "another pair", "another tool", "untied"):
            box.set_pair(*pair)
            getattr(box, tool)()
            assert box.stage.layers == pair and pair[1].blending == "translucent_no_depth"
            if end == "stopped":
                getattr(box, tool)()
            elif end == "another pair":
                box.set_pair(pair[0], odd)
            elif end == "another tool":
                getattr(box, other)()
                assert box.stage.layers == pair
                getattr(box, other)()
            else:
                box.untie()
            assert looks_of(viewer) == before and box.stage.layers == (), (tool, end)
            assert box.swipe.divider is None and not box.swipe.on


def test_who_hides_or_takes_a_picture_away_ends_the_comparison(
    box: SeeingBox, viewer: Any, pair: Any, odd: Any
) -> None:
    before = looks_of(viewer)
    for tool in TOOLS:
        getattr(box, tool)()
        pair[0].visible = False
        assert not pair[0].visible and looks_of(viewer)[1:] == before[1:]
        assert pair[0].opacity == 0.6 and box.stage.layers == ()
        pair[0].visible = True

    box.toggle_swipe()
    viewer.layers.remove(odd)  # none of the two, and hidden
    assert box.swipe.on
    viewer.layers.remove(pair[1])
    assert not box.swipe.on and looks_of(viewer) == before[:1]
    assert pair[1].blending == "additive"
    assert viewer.screenshot(canvas_only=True, flash=False)[..., 0].max() == pytest.approx(153, 2)


def test_swipe_shows_one_on_either_side(box: SeeingBox, viewer: Any, qtbot: Any) -> None:
    press(viewer, Qt.Key.Key_W)
    divider, canvas = box.swipe.divider, canvas_of(viewer)
    assert divider is not None and divider.isVisible()

    for place in (0.5, 0.4):
        divider.go(place)
        assert_divided(shot(viewer), place, upright=True)
    press(viewer, Qt.Key.Key_W, shift=True)
    assert_divided(shot(viewer), 0.4, upright=False)
    assert divider.width() == canvas.width()
    press(viewer, Qt.Key.Key_Period)
    assert box.swipe.place == pytest.approx(0.45)
    assert_divided(shot(viewer), 0.45, upright=False)

    camera = camera_of(viewer)
    camera.zoom *= 1.7  # the divider stays where it is on the screen
    qtbot.wait(50)
    assert_divided(shot(viewer), 0.45, upright=False)
    press(viewer, Qt.Key.Key_W, shift=True)
    width = canvas.width()
    viewer.window._qt_window.resize(900, 620)
    qtbot.waitUntil(lambda: canvas.width() != width)
    qtbot.wait(100)
    viewer.reset_view()
    assert_divided(shot(viewer), 0.45, upright=True)

    press(viewer, Qt.Key.Key_W)
    assert seen(viewer) == "g" and not shot(viewer)[..., RED].any()


def assert_divided(picture: np.ndarray, place: float, upright: bool) -> None:
    """Red before the divider and green beyond it, to the pixel."""
    picture = picture if upright else picture.transpose(1, 0, 2)
    middle = picture[picture.shape[0] // 2]
    line = round(place * len(middle))
    covered = np.flatnonzero(middle.any(axis=1))
    low, high = covered[0], covered[-1]
    assert low < line - 10 and high > line + 10
    assert middle[low + 1 : line, RED].all() and not middle[low + 1 : line, GREEN].any()
    assert middle[line:high, GREEN].all() and not middle[line:high, RED].any()


def test_the_divider_is_dragged_and_keyed(box: SeeingBox, viewer: Any, qtbot: Any) -> None:
    box.toggle_swipe()
    divider, canvas = box.swipe.divider, canvas_of(viewer)
    assert divider is not None
    middle = QPoint(divider.width() // 2, 40)

    qtbot.mousePress(divider, Qt.MouseButton.LeftButton, pos=middle)
    drag(divider, middle + QPoint(-60, 25))
    qtbot.mouseRelease(divider, Qt.MouseButton.LeftButton, pos=middle)
    assert box.swipe.place == pytest.approx(0.5 - 60 / canvas.width(), abs=2 / canvas.width())
    assert_divided(shot(viewer), box.swipe.place, upright=True)

    before = box.swipe.place
    qtbot.keyClick(divider, Qt.Key.Key_Right)
    assert box.swipe.place == pytest.approx(before + 0.01)
    qtbot.mouseDClick(divider, Qt.MouseButton.LeftButton, pos=middle)
    assert box.swipe.place == 0.5
    for _ in range(30):
        box.less()
    assert box.swipe.place == 0.0


def drag(widget: QWidget, to: QPoint) -> None:
    """Move the mouse with its left button down."""
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    where = QPointF(to), QPointF(widget.mapToGlobal(to))
    moved = QMouseEvent(QEvent.Type.MouseMove, *where, left, left, no_key)
    QApplication.sendEvent(widget, moved)


def test_fade_mixes_whichever_lies_above(box: SeeingBox, viewer: Any, pair: Any) -> None:
    press(viewer, Qt.Key.Key_G)
    for share in (0, 25, 50, 100):
        box.controls.amount.setValue(share)
        assert mixed(viewer) == pytest.approx((255 - 2.55 * share, 2.55 * share), abs=4)
    press(viewer, Qt.Key.Key_Comma)
    assert box.controls.amount.value() == 95 and box.fade.share == pytest.approx(0.95)

    box.controls.pair.change_places()
    box.toggle_fade()
    box.controls.amount.setValue(25)
    assert mixed(viewer) == pytest.approx((64, 191), abs=4)


def mixed(viewer: Any) -> tuple[int, int]:
    """Red and green in the middle of the canvas."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    red, green = picture[picture.shape[0] // 2 + 3, picture.shape[1] // 2 + 3, :2].tolist()
    return red, green


def test_overlays_go_and_come_back_exactly(box: SeeingBox, viewer: Any) -> None:
    labels = viewer.add_labels(np.ones((SIDE, SIDE), int), name="regions")
    points = viewer.add_points([[10, 10]], name="hidden points")
    points.visible = False
    flags = add(viewer, "flags", "blue")
    flags.metadata[layers.ROLE] = "flags"
    before = looks_of(viewer)

    press(viewer, Qt.Key.Key_H)

    assert [each.name for each in viewer.layers if each.visible] == ["msx", "glimpse"]
    assert seen(viewer) == "g" and box.controls.overlays.isChecked()
    press(viewer, Qt.Key.Key_H)
    assert looks_of(viewer) == before
    press(viewer, Qt.Key.Key_H)
    viewer.layers.remove(labels)
    press(viewer, Qt.Key.Key_H)
    assert looks_of(viewer) == [each for each in before if each[0] != "regions"]


def hill() -> Any:
    """Circles of equal value around (180, 120): 100 minus the distance."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return 100 - np.hypot(x - 180, y - 120)


def test_contours_lie_where_the_values_are(box: SeeingBox, viewer: Any, qtbot: Any) -> None:
    layer = layers.add_image(viewer, SkyImage.from_array(hill(), name="hill"))
    layer.visible = False
    row = box.controls.contour_row
    row.choice.choose(layer)
    row.levels.setText("60, 80")
    row.levels.editingFinished.emit()
    traced: list[Any] = []
    box.contours.drawn.connect(traced.append)

    press(viewer, Qt.Key.Key_K, shift=True)
    qtbot.waitUntil(lambda: bool(traced) and not box.contours.busy, timeout=10_000)

    lines = traced[-1]
    assert lines.levels == (60.0, 80.0) and box.controls.contours.isChecked()
    radii = np.hypot(*(lines.points + lines.origin - (180.0, 120.0)).T)
    away = np.minimum(abs(radii - 40), abs(radii - 20))
    assert (abs(radii - 40) < 1).any() and (abs(radii - 20) < 1).any() and away.max() < 0.7
    # Yellow has red and green: on the canvas it is found at the right places.
    camera = camera_of(viewer)
    picture = shot(viewer)
    rows, columns = np.nonzero(picture[..., RED] & picture[..., GREEN])
    assert len(rows) > 50
    zoom = camera.zoom * picture.shape[1] / canvas_of(viewer).width()
    x = camera.center[-1] + (columns + 0.5 - picture.shape[1] / 2) / zoom
    y = camera.center[-2] - (rows + 0.5 - picture.shape[0] / 2) / zoom
    radii = np.hypot(x - 180, y - 120)
    assert np.minimum(abs(radii - 40), abs(radii - 20)).max() < 0.7 + 1.5 / camera.zoom

    box.toggle_overlays()
    assert not (shot(viewer)[..., RED]).any()
    box.toggle_overlays()
    assert shot(viewer)[..., RED].any()
    count = len(traced)
    camera.center = (*camera.center[:-2], 150.0, 170.0)
    qtbot.waitUntil(lambda: len(traced) > count, timeout=10_000)
    row.levels.setText("1 two")
    row.levels.editingFinished.emit()
    assert "give numbers such as" in box.controls.told.text() and box.controls.told.isVisible()
    viewer.layers.remove(layer)
    assert box.contours.layer is None and not shot(viewer)[..., RED].any()


def test_contours_are_offered_of_what_lies_on_the_pixels_in_view(
    box: SeeingBox, viewer: Any, pair: Any, qtbot: Any
) -> None:
    choice = box.controls.contour_row.choice
    assert choice.layers == [*pair] and choice.layer() is pair[0]
    box.set_pair(pair[1], pair[0])
    assert choice.layer() is pair[1]
    small = layers.add_image(viewer, SkyImage.from_array(hill()[:90, :90], name="small"))
    assert "were hidden" in keep_apart(viewer, [small])
    qtbot.waitUntil(lambda: choice.layers == [small], timeout=20_000)
    assert choice.layer() is small
    small.visible = False
    pair[0].visible = pair[1].visible = True
    qtbot.waitUntil(lambda: choice.layers == [*pair], timeout=20_000)
    assert choice.layer() is pair[1]


def test_without_values_on_the_pixels_in_view_it_is_said_why(
    box: SeeingBox, viewer: Any, pair: Any, qtbot: Any
) -> None:
    colours = viewer.add_image(np.zeros((90, 90, 3), np.uint8), rgb=True, name="colours")
    colours.metadata[layers.METADATA] = SkyImage.from_array(np.zeros((90, 90)), name="colours")
    keep_apart(viewer, [colours])
    button = box.controls.contours
    qtbot.waitUntil(lambda: not button.isEnabled(), timeout=20_000)
    assert "on the pixels in view" in button.toolTip()


def test_levels_are_told_with_their_unit_and_whether_values_reach_them(
    box: SeeingBox, viewer: Any, qtbot: Any
) -> None:
    layer = layers.add_image(viewer, SkyImage.from_array(hill(), unit="MJy/sr", name="hill"))
    row = box.controls.contour_row
    row.choice.choose(layer)
    row.levels.setText("-1e9 60 1e30")
    row.levels.editingFinished.emit()
    box.toggle_contours()
    qtbot.waitUntil(lambda: row.told.isVisible() and not box.contours.busy, timeout=10_000)
    told = row.told.text().splitlines()
    assert told[0].startswith("Lines at 60 MJy/sr;")
    assert told[1:] == [
        "No value in view reaches 1e+30 MJy/sr",
        "All values in view are above -1e+09 MJy/sr",
    ]


def test_what_is_outlined_is_outlined_beside(viewer: Any) -> None:
    labels = viewer.add_labels(np.ones((9, 9), int), name="regions")
    labels.contour = 2
    mirror = Mirror(labels)
    assert mirror.layer.contour == 2
    labels.contour = 0
    assert mirror.layer.contour == 0
    mirror.end()


def test_a_prediction_is_traced_at_its_threshold() -> None:
    viewer = ViewerModel()
    values = np.linspace(0, 1, SIDE, dtype=np.float32)[None, :].repeat(SIDE, 0)
    note = {"astroseg_prediction": {"threshold": 0.6}}
    layer = viewer.add_image(values, metadata=note, translate=(20, 30))
    camera_of(viewer).center, camera_of(viewer).zoom = (0.0, 170.0, 180.0), 2.0
    wish = wish_for(viewer, layer, (800, 600), None, 5)
    assert wish is not None

    lines = lines_for(wish)

    assert lines.levels == (0.6,) and lines.smoothed_px == 0
    x, y = (lines.points + lines.origin).T
    assert np.abs(x - (30 + 0.6 * (SIDE - 1))).max() < 0.01
    assert y.min() == 20 and y.max() == 20 + SIDE - 1
    assert is_comparable(layer) and has_values(layer) and is_overlay(layer)
    camera_of(viewer).center = (0.0, 9000.0, 0.0)
    assert wish_for(viewer, layer, (800, 600), None, 5) is None


def test_coarse_levels_are_traced_where_the_fine_ones_lie() -> None:
    viewer = ViewerModel()
    means = [hill()[: 8 * (SIDE // 8), : 8 * (SIDE // 8)]]
    for _ in range(3):
        half = len(means[-1]) // 2
        means.append(means[-1].reshape(half, 2, half, 2).mean((1, 3)))
    layer = viewer.add_image(means, multiscale=True)
    camera_of(viewer).center = (0.0, 120.0, 180.0)
    for zoom in (4.0, 1.0, 0.5, 0.25):
        camera_of(viewer).zoom = zoom
        wish = wish_for(viewer, layer, (400, 400), (60.0,), 5)
        assert wish is not None
        lines = lines_for(wish)
        x, y = (lines.points + lines.origin).T.astype(float)
        fit = np.linalg.lstsq(np.stack([2 * x, 2 * y, np.ones_like(x)], 1), x**2 + y**2)[0]
        radius = np.sqrt(fit[2] + fit[0] ** 2 + fit[1] ** 2)
        # Without half a coarse pixel it would be 3.5 px off.
        assert fit[:2] == pytest.approx((180, 120), abs=0.3)
        assert radius == pytest.approx(40, abs=1.5)


def test_automatic_levels_follow_the_share_of_the_sky() -> None:
    values = np.random.default_rng(3).normal(0, 1, (512, 512)).astype(np.float32)
    levels = chosen_levels(values, 0, 3)
    assert levels == pytest.approx((0.0, 1.645, 2.576), abs=0.03)


def test_too_many_lines_are_traced_in_coarser_values(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = ViewerModel()
    noise = np.random.default_rng(3).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    noise[:, 150:156] = np.nan
    layer = viewer.add_image(hill() + noise)
    camera_of(viewer).center, camera_of(viewer).zoom = (0.0, 150.0, 150.0), 1.0
    wish = wish_for(viewer, layer, (500, 500), (60.0,), 5)
    assert wish is not None
    many = lines_for(wish)
    monkeypatch.setattr(contourlines, "MOST_POINTS", len(many.points) // 3)

    few = lines_for(wish)

    assert many.smoothed_px == 1.0 and few.smoothed_px == 4.0
    assert 0 < len(few.points) <= len(many.points) // 3
    x, y = (few.points + few.origin).T
    assert np.hypot(x - 180, y - 120).mean() == pytest.approx(40, abs=1)
    assert not ((x > 151) & (x < 154)).any()
    assert halved(np.array([[1, 3, np.nan], [np.nan, 5, 7]], np.float32)).tolist() == [[3.0]]


def test_missing_values_weigh_nothing() -> None:
    values = np.full((20, 20), 3.0, np.float32)
    values[:, 8:12] = np.nan
    smooth = smoothed(values, 2.0)
    assert np.isnan(smooth[:, 8:12]).all()
    assert smooth[:, :8] == pytest.approx(3.0) and smooth[:, 12:] == pytest.approx(3.0)


def test_levels_are_read_or_refused() -> None:
    assert read_levels("3, 1;  -2e3") == (-2000.0, 1.0, 3.0)
    assert read_levels("  ") is None
    for wrong in ("1 two", "nan", "1 inf"):
        with pytest.raises(ImageError, match="give numbers such as"):
            read_levels(wrong)


def test_side_by_side_moves_together(box: SeeingBox, viewer: Any, pair: Any, qtbot: Any) -> None:
    labels = viewer.add_labels(np.zeros((SIDE, SIDE), int), name="regions")
    viewer.window._qt_window.resize(1500, 900)
    qtbot.waitUntil(lambda: canvas_of(viewer).width() > 600, timeout=20_000)
    widths = [each.width() for each in docks(viewer)]
    press(viewer, Qt.Key.Key_J, shift=True)
    pane = box.beside.pane
    assert pane is not None
    qtbot.waitUntil(pane.isVisible)
    # The canvas shows the second picture; the other one is shown beside it, half as wide.
    assert [each.name for each in pane.model.layers] == ["msx", "regions"]
    assert pane.model.layers[0].data[0] is pair[0].data[0]
    canvas = canvas_of(viewer)
    qtbot.waitUntil(lambda: abs(pane.canvas.width() - canvas.width()) < 60, timeout=20_000)

    first, second = camera_of(viewer), camera_of(pane.model)
    first.zoom, first.center = 3.0, (0.0, 100.0, 120.0)
    assert second.zoom == 3.0 and tuple(second.center[-2:]) == (100.0, 120.0)
    second.center = (0.0, 90.0, 110.0)
    assert tuple(first.center[-2:]) == (90.0, 110.0)
    pair[0].colormap = "blue"
    labels.visible = False
    assert not pane.model.layers[1].visible
    qtbot.wait(100)
    assert colour_at(pane.picture()[..., :3] > 128, 60, 60) == "b" and seen(viewer) == "g"
    viewer.cursor.position = (95.0, 125.0)
    at = pane.canvas.width() / 2 + 3 * 15, pane.canvas.height() / 2 - 3 * 5
    assert pane.cross.place == pytest.approx(at, abs=1) and pane.cross.isVisible()

    QTest.keyClick(pane.canvas, Qt.Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert box.beside.pane is None and not box.controls.beside.isChecked()
    qtbot.waitUntil(lambda: [each.width() for each in docks(viewer)] == widths, timeout=20_000)
    first.zoom = 2.0  # nobody follows any more


def docks(viewer: Any) -> list[QDockWidget]:
    """What is docked at the left of the canvas."""
    window = viewer.window._qt_window
    left = Qt.DockWidgetArea.LeftDockWidgetArea
    every = window.findChildren(QDockWidget)
    return [each for each in every if each.isVisible() and window.dockWidgetArea(each) == left]


def test_side_by_side_ends_with_its_dock_or_its_layer(
    box: SeeingBox, viewer: Any, pair: Any, qtbot: Any
) -> None:
    def opened() -> Any:
        box.toggle_beside()
        assert box.beside.pane is not None and box.controls.beside.isChecked()
        return box.beside.pane

    viewer.window.remove_dock_widget(opened())
    qtbot.waitUntil(lambda: box.beside.pane is None, timeout=20_000)
    assert not box.controls.beside.isChecked()
    opened()
    viewer.layers.remove(pair[0])
    qtbot.waitUntil(lambda: box.beside.pane is None, timeout=20_000)
    add(viewer, "wise", "blue")
    opened()
    box.untie()
    assert box.beside.pane is None


def test_what_cannot_be_done_says_why(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = SeeingBox(viewer)
    qtbot.addWidget(box)
    controls = box.controls
    for button in (controls.blink, controls.swipe, controls.fade, controls.beside, controls.next):
        assert not button.isEnabled() and "open another" in button.toolTip()
    box.step()
    box.hold()
    for tool in (*TOOLS, "toggle_beside", "toggle_contours"):
        getattr(box, tool)()
    assert not box.stage.layers

    add(viewer, "msx", "red")
    add(viewer, "glimpse", "green")
    assert box.pair == tuple(viewer.layers)
    assert controls.swipe.isEnabled() and "(W)" in controls.swipe.toolTip()

    monkeypatch.setattr(swipe, "napari_canvas", lambda _viewer: None)
    monkeypatch.setattr(contours, "napari_canvas", lambda _viewer: None)
    controls.pair.change_places()
    assert not controls.swipe.isEnabled() and "blink or fade" in controls.swipe.toolTip()
    assert not controls.contours.isEnabled() and controls.blink.isEnabled()
    box.toggle_swipe()
    box.toggle_contours()
    assert not box.swipe.on and box.contours.layer is None

    bound = {str(key) for key in viewer.keymap}
    assert bound >= {"K", "N", "J", "W", "G", "H", "Shift+K", ",", "."}
    box.untie()
    assert not {"K", "N", "J", "W", "G", "H", "Shift+K"} & {str(key) for key in viewer.keymap}


def test_no_key_is_taken_from_napari() -> None:
    from napari.utils.shortcuts import default_shortcuts

    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    ours = {"K", "N", "J", "W", "Shift+W", "G", ",", ".", "Shift+J", "Shift+K", "H"}
    assert not taken & ours
