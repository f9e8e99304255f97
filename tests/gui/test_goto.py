"""Go to: coordinates, names at hand, names asked for, and the way back."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.errors import PlaceError
from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.crosshair import Crosshair
from napari_astroseg.gui.aids.goto import GoTo
from napari_astroseg.gui.aids.written import position_under_cursor
from napari_astroseg.sky.coords import sesame
from napari_astroseg.sky.coords.position import read_position
from napari_astroseg.sky.image import SkyImage


def orion() -> SkyImage:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [200.5, 150.5]
    wcs.wcs.cdelt = [-0.005, 0.005]
    wcs.wcs.crval = [83.8, -5.4]
    wcs.wcs.set()
    return SkyImage.from_array(np.ones((300, 400), np.float32), wcs, name="orion")


@pytest.fixture
def goto(viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A line docked in a window; nobody may be asked for names."""

    def nobody(name: str, timeout_s: float = 0) -> SkyCoord:
        raise AssertionError(f"asked for {name}")

    monkeypatch.setattr(sesame, "resolve", nobody)
    dock = QWidget()
    column = QVBoxLayout(dock)
    goto = GoTo(viewer)
    column.addWidget(goto)
    layers.settle(viewer)
    viewer.window.add_dock_widget(dock, name="go to")
    qtbot.wait(20)
    yield goto
    goto.shut_down()


def centre(viewer: Any) -> tuple[float, float]:
    """Column and row at the middle of the canvas."""
    camera = getattr(viewer, "scene", viewer).camera
    return float(camera.center[-1]), float(camera.center[-2])


@pytest.mark.parametrize(
    "text",
    ["05:35:17.3 -05:23:28", "83.8220833 -5.3911111", "gal 209.01373 -19.38157", "M42",
     "orion nebula", "J053517.3-052328"],
)  # fmt: skip
def test_places_are_gone_to_without_asking_anyone(goto: GoTo, viewer: Any, text: str) -> None:
    image = orion()
    layers.add_image(viewer, image)

    goto.go(text)

    expected = image.pixel(SkyCoord("05h35m17.3s", "-05d23m28s"))
    assert centre(viewer) == pytest.approx([float(each) for each in expected], abs=0.2)
    assert not goto.asking


def test_typing_and_enter_show_a_crosshair_for_a_moment(
    goto: GoTo, viewer: Any, qtbot: Any
) -> None:
    layers.add_image(viewer, orion())
    goto.line.setText("M42")
    canvas = viewer.window._qt_viewer.canvas.native

    qtbot.keyClick(goto.line, Qt.Key.Key_Return)

    (mark,) = canvas.findChildren(Crosshair)
    middle = mark.geometry().center()
    assert abs(middle.x() - canvas.width() / 2) <= 2
    assert abs(middle.y() - canvas.height() / 2) <= 2
    getattr(viewer, "scene", viewer).camera.center = (0, 100.0, 150.0)
    assert mark.geometry().center() != middle
    qtbot.waitUntil(lambda: not canvas.findChildren(Crosshair), timeout=20_000)


def test_back_returns_step_by_step(goto: GoTo, viewer: Any) -> None:
    layers.add_image(viewer, orion())
    start = centre(viewer)
    goto.go("x=10 y=20")
    goto.go("M43")
    assert centre(viewer) != (10.0, 20.0)

    goto.back()
    assert centre(viewer) == (10.0, 20.0)
    goto.back()
    assert centre(viewer) == start
    assert not goto.back_button.isEnabled()
    goto.back()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("M31", "M31 is outside orion; give a place inside it: it is centred at 05:35:1"),
        ("x=4000 y=1", "x=4000 y=1 is outside orion; give a place inside it"),
        ("10 95", "is no place on the sky; give a longitude"),
    ],
)
def test_places_elsewhere_are_told_and_nothing_moves(
    goto: GoTo, viewer: Any, text: str, sentence: str
) -> None:
    layers.add_image(viewer, orion())
    start = centre(viewer)

    goto.go(text)

    assert sentence in goto.told.text()
    assert centre(viewer) == start


def test_without_an_image_or_without_sky_it_is_told(goto: GoTo, viewer: Any) -> None:
    goto.go("M42")
    assert goto.told.text() == "there is no sky image to go to a place on; open one first"

    layers.add_image(viewer, SkyImage.from_array(np.ones((30, 40), np.float32), name="bare"))
    for text in ("M42", "something else"):
        goto.go(text)
        assert goto.told.text().startswith("bare has no sky coordinates; give a pixel")
    goto.go("x=10 y=20")
    assert centre(viewer) == (10.0, 20.0)


def test_catalogues_in_view_are_looked_into(goto: GoTo, viewer: Any) -> None:
    layers.add_image(viewer, orion())
    viewer.add_points([[30.0, 40.0], [50.0, 60.0]], features={"name": ["YSO 1", "YSO 2"]})

    goto.go("yso 2")

    assert centre(viewer) == (60.0, 50.0)


def test_other_names_are_asked_for_in_the_background(
    goto: GoTo, viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def resolve(name: str, timeout_s: float = 0) -> SkyCoord:
        go_on.wait(5)
        return SkyCoord(83.7, -5.3, unit="deg")

    monkeypatch.setattr(sesame, "resolve", resolve)
    image = orion()
    layers.add_image(viewer, image)

    goto.go("V1118 Ori")
    assert goto.asking
    assert "Asking" in goto.told.text()
    go_on.set()
    qtbot.waitUntil(lambda: not goto.asking)

    expected = image.pixel(SkyCoord(83.7, -5.3, unit="deg"))
    assert centre(viewer) == pytest.approx([float(each) for each in expected])
    assert goto.told.text().startswith("V1118 Ori: 05:34:48")


def test_asking_can_be_stopped(
    goto: GoTo, viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, done = threading.Event(), threading.Event()

    def resolve(name: str, timeout_s: float = 0) -> SkyCoord:
        go_on.wait(5)
        done.set()
        return SkyCoord(83.7, -5.3, unit="deg")

    monkeypatch.setattr(sesame, "resolve", resolve)
    layers.add_image(viewer, orion())
    start = centre(viewer)
    goto.go("V1118 Ori")

    goto.stop_button.click()
    go_on.set()
    qtbot.waitUntil(done.is_set)
    qtbot.wait(50)

    assert not goto.asking
    assert goto.told.text() == ""
    assert centre(viewer) == start


def test_a_name_that_nobody_knows_is_told(
    goto: GoTo, viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(name: str, timeout_s: float = 0) -> SkyCoord:
        raise PlaceError(f"{name!r} is not known; check its spelling")

    monkeypatch.setattr(sesame, "resolve", resolve)
    layers.add_image(viewer, orion())

    goto.go("Nibiru")
    qtbot.waitUntil(lambda: not goto.asking)

    assert goto.told.text() == "'Nibiru' is not known; check its spelling"


def test_the_position_under_the_cursor_is_copied_as_it_can_be_read(goto: GoTo, viewer: Any) -> None:
    image = orion()
    layers.add_image(viewer, image)
    viewer.cursor.position = (120.0, 250.0)

    goto.copy_position()

    copied = read_position(QGuiApplication.clipboard().text())
    assert copied is not None
    assert copied.separation(image.sky(250.0, 120.0).icrs).arcsec < 0.1 * 18
    viewer.cursor.position = (-50.0, 250.0)
    assert position_under_cursor(viewer) == ""


def test_keys_are_not_those_of_napari(goto: GoTo, viewer: Any, qtbot: Any) -> None:
    from napari.utils.shortcuts import default_shortcuts

    taken = {str(key).lower() for keys in default_shortcuts.values() for key in keys}
    own = {key.lower() for key in goto.keys}

    assert own == {"ctrl+l", "alt+left", "ctrl+alt+c"}
    assert not own & taken
