"""DrawDock: strokes are on the disk at once, can be taken back anywhere, and become files."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from gui.fixtures_jobs import own_settings, sky, spin
from gui.fixtures_marks import dock, drag, kept, look_at, press, release, started, wide

from napari_astroseg.errors import OutputError
from napari_astroseg.gui import layers
from napari_astroseg.gui.draw import DrawDock, marks_folder
from napari_astroseg.gui.marking.ownlayers import METADATA, is_open
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.settings import remembered
from napari_astroseg.sky.marks.classes import DEFAULTS
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

WHOLE = Window(0, 0, 600, 600)


def settle(dock: DrawDock) -> None:
    assert spin(lambda: not dock.busy)


def test_a_stroke_is_on_the_disk_within_a_second(dock: Any, tmp_path: Path) -> None:
    assert not dock.tools.undo.isEnabled()
    assert "Start drawing first" in dock.tools.buttons["paint"].toolTip()
    folder = tmp_path / "own.marks"
    layer = started(dock, folder)
    assert [each.metadata.get(METADATA) for each in dock._viewer.layers] == [None, "cut-out"]
    dock.tools.buttons["paint"].click()
    assert layer.mode == "paint"
    assert dock._viewer.layers.selection.active is layer
    dock.tools.width_px.setValue(20)
    drag(layer, (100, 200), (140, 200), (140, 260))
    assert layer.data[200, 120] == 1
    assert spin(lambda: np.array_equal(kept(folder, WHOLE, "Ada"), layer.data))
    settle(dock)
    assert dock.classes.count(1) == np.count_nonzero(layer.data)
    assert "Kept: brush" in dock.told.text()
    assert remembered("annotator") == "Ada"


def test_every_tool_is_a_step_that_is_taken_back(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    states = [layer.data.copy()]

    def step(name: str) -> None:
        settle(dock)
        assert name in dock.tools.undo.toolTip()
        assert not np.array_equal(layer.data, states[-1])
        states.append(layer.data.copy())
        assert np.array_equal(kept(tmp_path / "own.marks", WHOLE, "Ada"), layer.data)

    dock.tools.choose("polygon")
    for x, y in ((100, 100), (300, 100), (300, 300), (100, 300)):
        press(layer, x, y)
        release(layer, x, y)
    layer._overlays["polygon"].add_polygon_to_labels(layer)
    step("polygon")
    dock.tools.choose("erase")
    drag(layer, (200, 50), (200, 350))
    step("eraser")
    dock.classes.choose(2)
    dock.tools.choose("fill")
    drag(layer, (120, 120))
    step("fill")
    assert layer.data[120, 120] == 2
    assert layer.data[120, 280] == 1
    dock.tools.choose("paint")
    drag(layer, (400, 400), (420, 400))
    step("brush")
    for state in reversed(states[:-1]):
        dock.tools.undo.click()
        settle(dock)
        assert np.array_equal(layer.data, state)
    assert not dock.tools.undo.isEnabled()
    for state in states[1:]:
        dock.tools.redo.click()
        settle(dock)
        assert np.array_equal(layer.data, state)
    assert not dock.tools.redo.isEnabled()


def test_keys_choose_classes_and_undo_is_the_stores(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    viewer = dock._viewer
    handler = viewer.window._qt_viewer.canvas._key_map_handler
    handler.press_key("3")
    assert layer.selected_label == 3
    assert dock.classes.current.name == DEFAULTS[2].name
    handler.press_key("O")
    assert layer.mode == "polygon"
    dock.tools.choose("paint")
    drag(layer, (50, 50), (90, 50))
    settle(dock)
    assert layer.data[50, 70] == 3
    for active in (layer, viewer.layers[0]):
        viewer.layers.selection.active = active
        handler.press_key("Control-Z")
        settle(dock)
        assert not layer.data.any()
        handler.press_key("Control-Shift-Z")
        settle(dock)
        assert layer.data[50, 70] == 3
    layer.selected_label = 2
    assert dock.classes.current.label == 2


def test_classes_are_edited_and_taken_back(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    dock.tools.choose("paint")
    drag(layer, (50, 50), (90, 50))
    settle(dock)
    rows = dock.classes.rows
    rows.item(0, 1).setText("dark cloud")
    settle(dock)
    assert dock.classes.classes[0].name == "dark cloud"
    dock.classes.add.click()
    settle(dock)
    assert rows.rowCount() == len(DEFAULTS) + 1
    rows.item(len(DEFAULTS), 1).setText("dark cloud")
    settle(dock)
    assert "already" in dock.notice.text
    assert dock.classes.classes[-1].name == "class 6"
    rows.item(0, 2).setText("nine")
    assert rows.item(0, 2).text() == "1"
    rows.item(0, 2).setText("9")
    settle(dock)
    assert dock.classes.classes[0].key == "9"
    rows.setCurrentCell(0, 1)
    assert "Undo brings them back" in dock.classes.remove.toolTip()
    dock.classes.remove.click()
    settle(dock)
    assert dock.classes.classes[0].name == "bubble"
    assert not layer.data.any()
    dock.undo()
    settle(dock)
    assert layer.data[50, 70] == 1
    assert dock.classes.classes[0].name == "dark cloud"


def test_a_large_image_is_drawn_on_anywhere(wide: Any, tmp_path: Path) -> None:
    folder = tmp_path / "wide.marks"
    layer = started(wide, folder)
    painting = wide.painting
    look_at(wide, 15_000, 12_000)
    assert painting.cut.window.overlap(Window(14_700, 11_700, 600, 600)) is not None
    wide.tools.choose("paint")
    drag(layer, (15_000, 12_000), (15_100, 12_000))
    settle(wide)
    look_at(wide, 3_000, 4_000)
    here = painting.cut.window
    assert here.x < 3_000 < here.x_end
    assert not layer.data.any()
    drag(layer, (3_000, 4_000), (3_050, 4_000))
    settle(wide)
    overview = painting.overview
    assert np.asarray(overview.layer.data[0][11_990:12_010, 15_000:15_100]).any()
    assert not np.asarray(overview.layer.data[0][here.slices]).any()
    assert np.asarray(overview.marks.levels[0][here.slices]).any()
    assert kept(folder, Window(15_050, 12_000, 1, 1), "Ada") == 1
    counts = wide.classes.count(1)
    wide.undo()
    settle(wide)
    assert not layer.data.any()
    wide.undo()
    settle(wide)
    assert wide.classes.count(1) == 0 < counts
    assert "the view has gone there" in wide.told.text() or "Taken back" in wide.told.text()
    here = painting.cut.window
    assert here.x < 15_000 < here.x_end
    assert wide._viewer.scene.camera.center[-1] == pytest.approx(15_050, abs=20)
    wide.redo()
    settle(wide)
    assert layer.data[12_000 - here.y, 15_050 - here.x] == 1


def test_the_view_is_followed_only_where_wanted_and_never_during_a_stroke(
    wide: Any, tmp_path: Path
) -> None:
    layer = started(wide, tmp_path / "wide.marks")
    look_at(wide, 10_000, 10_000)
    here = wide.painting.cut.window
    wide.tools.choose("paint")
    press(layer, 10_000, 10_000)
    wide._viewer.scene.camera.center = (0.0, 2_000, 2_000)
    assert not spin(lambda: wide.painting.cut.window != here, 0.5)
    assert wide.painting.cut.window == here
    release(layer, 10_000, 10_000)
    settle(wide)
    wide.tools.follow.setChecked(False)
    look_at(wide, 5_000, 5_000)
    assert wide.painting.cut.window == here
    wide.tools.here.click()
    settle(wide)
    there = wide.painting.cut.window
    assert there.x < 5_000 < there.x_end
    assert f"x {there.x}" in wide.tools.where.text()
    _, _, left, right = wide._frame.lines
    for zoom in (1.0, 0.5):
        wide._viewer.scene.camera.zoom = zoom
        assert left.isVisibleTo(left.parentWidget())
        assert right.x() - left.x() == pytest.approx(zoom * there.width, abs=2)
    layer.visible = False
    assert wide.painting.overview.hole is None
    layer.visible = True
    assert wide.painting.overview.hole == there


def test_marks_are_found_again_and_belong_to_their_image(dock: Any, tmp_path: Path) -> None:
    proposed = dock.folder.path()
    assert proposed == marks_folder(dock.images.image())
    folder = tmp_path / "own.marks"
    layer = started(dock, folder)
    dock.tools.choose("paint")
    drag(layer, (50, 50), (90, 50))
    drawn = layer.data.copy()
    dock.close_button.click()
    settle(dock)
    assert not is_open(layer)
    assert not layer.visible
    assert "No marks are open" in dock.close_button.toolTip()
    again = started(dock, folder)
    assert again is layer
    assert np.array_equal(again.data, drawn)
    assert dock.classes.count(1) == np.count_nonzero(drawn)
    other = layers.add_image(dock._viewer, sky(300))
    dock.stop_drawing()
    dock._viewer.layers.selection.active = other
    dock.start.click()
    settle(dock)
    assert "these marks are for ramp of 600" in dock.notice.text
    assert dock.painting is None
    assert started(dock, tmp_path / "other.marks").data.shape == (300, 300)
    dock._viewer.layers.remove(other)
    assert dock.painting is None


def test_planes_of_a_cube_share_their_marks(dock: Any, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(5, 1, (3, 80, 90)).astype(np.float32)
    fits.writeto(tmp_path / "cube.fits", values)
    cube = layers.add_image(dock._viewer, open_image(tmp_path / "cube.fits"))
    dock._viewer.layers.selection.active = cube
    assert dock.folder.path() == marks_folder(layers.sky_image(cube))
    layer = started(dock, tmp_path / "cube.marks")
    assert layer.data.shape == (80, 90)
    dock.tools.choose("paint")
    with layer.block_history():
        layer.paint((40, 40), 1)
    settle(dock)
    for plane in (2, 0):
        layers.show_plane(dock._viewer, cube, plane)
        dock.using.train(tmp_path / f"data{plane}")
        settle(dock)
        (path,) = (tmp_path / f"data{plane}").glob("*_image.fits")
        with fits.open(path) as file:
            assert np.array_equal(file[1].data, values[plane])


def test_each_has_labels_of_their_own(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    layer = started(dock, folder)
    dock.tools.choose("paint")
    drag(layer, (50, 50), (90, 50))
    settle(dock)
    dock.who.setText("Bea")
    dock.who.editingFinished.emit()
    settle(dock)
    assert not layer.data.any()
    assert dock.classes.count(1) == 0
    dock.tools.choose("paint")
    drag(layer, (50, 350), (90, 350))
    settle(dock)
    assert np.array_equal(kept(folder, WHOLE, "Bea"), layer.data)
    assert not np.array_equal(kept(folder, WHOLE, "Ada"), layer.data)
    dock.undo()
    dock.undo()
    settle(dock)
    assert not kept(folder, WHOLE, "Ada").any()  # the steps are the folder's


def test_one_draws_at_a_time(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    with MarkStore.create(folder, dock.images.image()):
        dock.folder.set_path(folder)
        dock.start.click()
        settle(dock)
        assert "is being drawn on by" in dock.notice.text
        assert dock.painting is None
    started(dock, folder)


def test_what_the_disk_refuses_is_written_when_it_can_be(
    dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_astroseg.gui.marking.marks._RETRY_MS", 30)
    folder = tmp_path / "own.marks"
    layer = started(dock, folder)
    write = MarkStore.write

    def refuse(*_: Any, **__: Any) -> None:
        raise OutputError("the disk is full; free some space")

    monkeypatch.setattr(MarkStore, "write", refuse)
    dock.tools.choose("paint")
    drag(layer, (50, 50), (90, 50))
    assert spin(lambda: bool(dock.notice.text))
    drag(layer, (50, 90), (90, 90))
    assert spin(lambda: "2 strokes wait" in dock.notice.text)
    monkeypatch.setattr(MarkStore, "write", write)
    assert spin(lambda: dock.marks.unsaved == 0)
    settle(dock)
    assert np.array_equal(kept(folder, WHOLE, "Ada"), layer.data)


def test_labels_masks_and_a_field_to_learn_from(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    using = dock.using
    assert "Nothing is drawn as filament" in using.learn.toolTip()
    dock.tools.choose("paint")
    drag(layer, (200, 250), (290, 250))
    settle(dock)
    for save, name in ((using.save_labels, "labels.fits"), (using.save_mask, "mask.fits")):
        save(tmp_path / name)
        settle(dock)
        with fits.open(tmp_path / name) as file:
            assert np.array_equal(file[1].data, layer.data)
            assert WCS(file[1].header).wcs.crval == pytest.approx([30.0, 0.0])
    using.train(tmp_path / "data")
    settle(dock)
    recipe, folder = Proposals().latest()
    assert recipe.data.background == "one_vs_all"
    assert folder == tmp_path / "data"
    assert {path.name for path in folder.iterdir()} == {"ramp_image.fits", "ramp_target.fits"}
    dock.classes.choose(5)
    drag(layer, (250, 350), (290, 350))
    settle(dock)
    dock.classes.choose(1)
    using.part.setCurrentIndex(1)
    using.train(tmp_path / "more")
    settle(dock)
    assert Proposals().latest()[0].data.background == "conservative"
    with fits.open(tmp_path / "more" / "ramp_background.fits") as file:
        assert np.array_equal(file[1].data, layer.data == 5)


def test_closed_marks_listen_to_nothing(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    assert {"D", "O"} <= {str(key) for key in dock._viewer.keymap}
    assert "_label_chosen" in str(layer.events.selected_label.callbacks)
    dock.close_button.click()
    settle(dock)
    assert not {"D", "O"} & {str(key) for key in dock._viewer.keymap}
    assert "1" not in {str(key) for key in layer.keymap}
    assert "_label_chosen" not in str(layer.events.selected_label.callbacks)


def test_what_could_not_be_saved_can_be_saved_again(dock: Any, tmp_path: Path) -> None:
    layer = started(dock, tmp_path / "own.marks")
    dock.tools.choose("paint")
    drag(layer, (200, 250), (290, 250))
    settle(dock)
    (tmp_path / "file").write_text("in the way")
    dock.using.save_labels(tmp_path / "file" / "labels.fits")
    settle(dock)
    assert "cannot be written" in dock.using.progress.words.text()
    for button in (dock.using.labels, dock.using.mask, dock.using.learn):
        assert button.isEnabled()
