"""VetDock: flies from one detection to the next, keeps every verdict, and says what is wrong."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from gui.fixtures_jobs import own_settings, sky, spin, viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.vet import VetDock
from napari_astroseg.gui.vetting.actions import choose_key, chosen_keys
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.fromlayers import holds_detections, making
from napari_astroseg.gui.vetting.openbox import OpenBox
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.store import Store
from napari_astroseg.sky.structures import label_structures, measure
from napari_astroseg.sky.window import Window

REGIONS = [(100, 150, 20), (130, 160, 12), (300, 300, 30), (500, 80, 15)]


@pytest.fixture
def no_pool() -> Iterator[None]:
    """Dask computes in the thread that asks, and leaves none of its own behind."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def dock(
    viewer: Any, own_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    image, lines = sky(), ["galactic"]
    for x, y, radius in REGIONS:
        there = image.sky(x, y).spherical
        lines.append(f'circle({there.lon.deg:.7f},{there.lat.deg:.7f},{radius * 11.5}")')
    (tmp_path / "found.reg").write_text("\n".join([*lines, 'circle(200,0,60")', "junk(1)"]))
    dock = VetDock(viewer)
    viewer.window.add_dock_widget(dock, name="Vet", area="right")
    dock.open.choose_file(tmp_path / "found.reg")
    dock.open.who.setText("Ada")
    dock.open.store.setText(str(tmp_path / "verdicts.sqlite"))
    yield dock
    dock.shut_down()


def start(dock: Any) -> None:
    dock.open.start.click()
    assert spin(lambda: not dock.busy and dock.desk is not None)


def press(dock: Any, key: str) -> None:
    handler = dock._viewer.window._qt_viewer.canvas._key_map_handler
    handler.press_key(key)
    handler.release_key(key)
    assert spin(lambda: not dock.busy)


def centre(dock: Any) -> tuple[float, float]:
    y, x = camera_of(dock._viewer).center[-2:]
    return round(x), round(y)


def kept(tmp_path: Path) -> list[tuple[str, str]]:
    store = Store(tmp_path / "verdicts.sqlite")
    entries = store.entries(1)
    store.close()
    return [(entry.detection, entry.verdict or entry.act) for entry in entries]


def test_a_verdict_by_a_key_is_kept_and_the_next_one_is_shown(dock: Any, tmp_path: Path) -> None:
    assert "Nothing is being judged" in dock.judging.buttons["real"].toolTip()
    start(dock)
    camera = camera_of(dock._viewer)
    camera.zoom = 2.5
    assert centre(dock) == (100, 150)
    assert "things were left out" in dock.notice.text  # the line that is no region
    assert dock.judging.title.text() == "1   1 of 5"
    dock.judging.tag_line.setText("ring, faint")
    press(dock, "1")
    assert kept(tmp_path) == [("1", "real")]
    assert centre(dock) == (130, 160)
    assert camera.zoom == 2.5  # as it was
    press(dock, "2")
    dock.judging.kinds.setCurrentText("remnant")
    press(dock, "4")
    dock.judging.buttons["duplicate"].click()
    assert spin(lambda: not dock.busy)
    press(dock, "Control-Z")
    press(dock, "Control-Z")
    press(dock, "Control-Shift-Z")
    assert [verdict for _, verdict in kept(tmp_path)] == [
        "real", "not", "reclassify", "duplicate", "undo", "undo", "redo",
    ]  # fmt: skip
    store = Store(tmp_path / "verdicts.sqlite")
    first = store.entries(1)[0]
    store.close()
    assert first.tags == ("ring", "faint")
    assert first.seen["layers"][0]["name"] == "ramp"
    assert first.seen["layers"][0]["stretch"] == "asinh"
    assert first.seen["zoom"] == 2.5
    assert dock.judging.counts.text() == "1 real, 1 not, 1 reclassify"


@pytest.mark.once
def test_it_goes_on_where_one_left_off(dock: Any, tmp_path: Path) -> None:
    start(dock)
    press(dock, "1")
    dock.act("real")
    before = centre(dock)
    dock.open.close_button.click()  # while the second is being written
    QApplication.processEvents()
    assert centre(dock) == before
    assert [layer.name for layer in dock._viewer.layers] == ["ramp"]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not dock.findChildren(Desk)
    start(dock)
    assert centre(dock) == (300, 300)
    assert dock.judging.bar.value() == 2
    press(dock, "Q")
    assert "you said: real" in dock.judging.told.text()
    press(dock, "Shift+E")
    assert dock.judging.title.text().startswith("3 ")
    press(dock, "Z")
    zoom = camera_of(dock._viewer).zoom
    assert 30 * zoom * 6 == pytest.approx(min(dock.desk.flight._canvas), rel=0.01)
    press(dock, "E")
    press(dock, "E")
    assert "off the image" in dock.judging.told.text()
    assert not dock.judging.buttons["revise"].isEnabled()


@pytest.mark.once
def test_an_outline_is_revised_in_place(dock: Any, tmp_path: Path) -> None:
    start(dock)
    press(dock, "6")
    assert dock.desk.revising is not None
    press(dock, "Control-Z")  # leaves it, and takes no verdict back
    assert dock.desk.revising is None
    press(dock, "6")
    layer = dock.desk.revising.layer
    layer.data = [np.add(layer.data[0], (10.0, 0.0))]
    dock.desk.revise()
    assert spin(lambda: not dock.busy)
    store = Store(tmp_path / "verdicts.sqlite")
    (entry,) = store.entries(1)
    store.close()
    assert (entry.verdict, entry.shape.form, entry.shape.frame) == ("revise", "circle", "galactic")
    x, y = sky().pixel(
        open_detections(tmp_path / "found.reg")
        .taken([0])
        .position.__class__(*entry.shape.points[0], unit="deg", frame="galactic")
    )
    assert (round(float(x)), round(float(y))) == (100, 160)
    assert entry.shape.sizes[0] == pytest.approx(20 * 11.5, rel=1e-3)


@pytest.mark.once
def test_marks_are_hidden_and_keys_are_changed(dock: Any) -> None:
    start(dock)
    rings = dock.desk.rings.layer
    assert len(rings.data) > 0
    press(dock, "M")
    assert not rings.visible
    press(dock, "M")
    assert rings.visible
    dock.keys.lines["real"].setKeySequence(QKeySequence("Y"))
    dock.keys.lines["real"].editingFinished.emit()
    assert chosen_keys()["real"] == "Y"
    assert dock.judging.buttons["real"].text() == "Real  Y"
    press(dock, "1")
    assert dock.desk.session.done.judged == 0
    press(dock, "Y")
    assert dock.desk.session.done.judged == 1
    dock.keys.lines["not"].setKeySequence(QKeySequence("Y"))
    dock.keys.lines["not"].editingFinished.emit()
    assert "taken by" in dock.keys.notice.text
    assert chosen_keys()["not"] == "2"
    dock.keys.reset.click()
    assert chosen_keys()["real"] == "1"


@pytest.mark.once
def test_a_store_that_is_locked_costs_a_sentence_and_no_verdict(dock: Any, tmp_path: Path) -> None:
    start(dock)
    other = sqlite3.connect(tmp_path / "verdicts.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    press(dock, "1")
    assert "1 verdict kept on this machine" in dock.notice.text
    assert dock.judging.title.text().startswith("2 ")
    asked = threading.Event()
    dock.desk._work.ask(asked.wait)  # as when the store is asked again
    dock.act("not")  # which takes no key away
    asked.set()
    assert spin(lambda: not dock.busy)
    assert "2 verdicts kept on this machine" in dock.notice.text
    dock.judging.note_line.setText("half a thought")
    press(dock, "6")
    dock.desk.store_waiting()
    assert spin(lambda: not dock.busy)
    assert "2 verdicts kept on this machine" in dock.notice.text
    assert dock.judging.note == "half a thought"
    assert dock.desk.revising is not None  # what one is about is not disturbed
    other.execute("ROLLBACK")
    other.close()
    dock.desk.store_waiting()
    assert spin(lambda: not dock.busy)
    assert dock.notice.text == ""
    assert kept(tmp_path) == [("1", "real"), ("2", "not")]


@pytest.mark.once
def test_what_is_judged_is_exported_and_what_a_layer_holds_is_judged(
    no_pool: None, dock: Any, tmp_path: Path
) -> None:
    assert not holds_detections(Labels(np.zeros((2, 8, 8), np.uint16)))  # of no one plane
    labels = np.zeros((600, 600), np.uint16)
    labels[100:120, 200:240], labels[400:410, 50:60] = 1, 2
    labels = da.from_array(labels[::2, ::2])  # of half the resolution, shifted, and lazy
    dock.open.choose_layer(
        dock._viewer.add_labels(labels, name="regions", scale=(2, 2), translate=(20, 0))
    )
    dock.queue.order.setCurrentIndex(4)  # along the sky
    start(dock)
    assert len(dock.desk.session.queue) == 2
    press(dock, "1")
    dock.write(tmp_path / "out.ecsv")
    assert spin(lambda: not dock.busy)
    found = open_detections(tmp_path / "out.ecsv")
    assert (round(found.x[0]), round(found.y[0])) in ((219, 129), (54, 424))
    assert found.radius[0] == pytest.approx(np.sqrt((800 if found.x[0] > 100 else 100) / np.pi))
    assert "1 judged detections written" in dock.judging.counts.text()


@pytest.mark.once
def test_what_a_model_has_just_found_is_proposed(viewer: Any, qtbot: Any, tmp_path: Path) -> None:
    def found(name: str) -> Labels:
        note = {METADATA: {"window": Window(0, 0, 8, 8)}}
        return Labels(np.ones((8, 8), np.uint16), name=name, metadata=note)

    box = OpenBox(viewer)
    qtbot.addWidget(box)
    viewer.add_layer(Labels(np.ones((8, 8), np.uint16), name="drawn"))
    assert box.layer is None  # nobody said that these are detections
    for name in ("one", "two"):
        viewer.add_layer(found(name))
        assert box.layer.name == name
    box.choose_file(tmp_path)
    viewer.add_layer(found("three"))
    assert box.path == str(tmp_path)  # what was chosen stays


@pytest.mark.once
def test_regions_of_a_prediction_are_the_list_that_its_catalogue_is(tmp_path: Path) -> None:
    image, window = sky(), Window(40, 60, 32, 24)
    probability = gaussian_filter(np.random.default_rng(1).random((24, 32)), 2).astype(np.float32)
    labels = label_structures(probability, float(np.median(probability)), 5)
    measure(labels, probability, image, window).write(tmp_path / "found.ecsv")
    note = {"image": image, "window": window, "model": "m"}
    drawn, shade = (
        kind(values, metadata={METADATA: {**note, "role": role}})
        for kind, values, role in (
            (Labels, labels, "regions"),
            (Image, probability, "probability"),
        )
    )
    made = making(drawn, image, None, [shade, drawn])()
    kept = open_detections(tmp_path / "found.ecsv", image)
    assert len(made) > 1 and made.digest == kept.digest
    np.testing.assert_allclose(made.score, kept.score)


@pytest.mark.once
def test_what_cannot_be_judged_is_told(dock: Any, tmp_path: Path) -> None:
    dock.open.who.setText("")
    assert "Write your name" in dock.open.start.toolTip()
    dock.open.who.setText("Ada")
    (tmp_path / "far.reg").write_text('galactic\ncircle(200,0,60")\n')
    dock.open.choose_file(tmp_path / "far.reg")
    dock.start()
    assert spin(lambda: not dock.busy)
    assert "lies on ramp" in dock.notice.text
    assert dock.desk is None
    dock.open.source.setCurrentIndex(dock.open.source.count() - 1)  # the store: two lists
    (tmp_path / "verdicts.sqlite").unlink()
    dock.start()
    assert spin(lambda: not dock.busy)
    assert "no list" in dock.notice.text


@pytest.mark.once
def test_a_page_of_stamps_is_judged_at_once(dock: Any, tmp_path: Path) -> None:
    start(dock)
    layers.add_image(dock._viewer, replace(sky(), name="other survey"))
    dock.open.sheet.click()
    sheet = dock.sheet
    assert spin(lambda: not sheet.busy and sheet.stamps.count() == 5)
    first = sheet._pictures[0]
    assert first.shape == (96, 2 * 96 + 2, 3)  # both pictures, side by side
    row = first[48, :96, 0].astype(int)
    assert (np.diff(row) >= 0).all()  # the ramp
    assert row[-1] > row[0]
    assert not sheet._pictures[4].any()  # off the image
    sheet.flip(sheet.stamps.item(1))
    sheet.flip(sheet.stamps.item(2))
    sheet.flip(sheet.stamps.item(2))
    assert sheet.flagged == {1}
    written = threading.Event()
    dock.desk.do(written.wait)
    sheet.judge_page()
    assert "still being written" in sheet.notice.text
    dock.act("not")
    assert "press again" in dock.judging.counts.text()
    assert sheet.flagged == {1}  # the page stays
    written.set()
    assert spin(lambda: not dock.busy)
    sheet.judge_page()
    sheet.judge_page()  # of the next page nothing is seen yet
    sheet.turn_to(0)
    assert spin(lambda: not dock.busy and not sheet.busy)
    assert sheet.stamps.count() == 5
    assert [verdict for _, verdict in kept(tmp_path)] == ["real", "not", "real", "real", "real"]
    assert dock.judging.bar.value() == 5
    dock.open.close_button.click()
    assert dock.sheet is None
