"""Shapes in the Draw dock: drawn, moved and taken back as steps, and out of files."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from gui.fixtures_jobs import own_settings, sky, spin
from gui.fixtures_marks import Mouse, dock, drag, kept, look_at, started, wide
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_astroseg.errors import OutputError
from napari_astroseg.gui.marking import shapelayer
from napari_astroseg.gui.marking.ownlayers import METADATA
from napari_astroseg.gui.marking.shapeforms import changed_shape, drawn_shapes, new_shape
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.shapes import add_shapes, shapes_of
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.shapes.placing import in_pixels
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.window import Window

WHOLE = Window(0, 0, 600, 600)
ANY = [
    Shape("point", ((30.0, 40.0),)),
    Shape("text", ((60.0, 70.0),), name="words"),
    Shape("line", ((10.0, 10.0), (80.0, 42.0))),
    Shape("polygon", ((100.0, 20.0), (140.0, 30.0), (120.0, 70.0))),
    Shape("circle", ((200.0, 60.0),), (25.0,)),
    Shape("ellipse", ((70.0, 160.0),), (40.0, 15.0), 30.0),
    Shape("box", ((150.0, 160.0),), (40.0, 20.0), 75.0),
    Shape("annulus", ((240.0, 180.0),), (10.0, 30.0)),
    Shape("ellipse_annulus", ((60.0, 260.0),), (10.0, 6.0, 30.0, 18.0), 120.0),
    Shape("box_annulus", ((190.0, 250.0),), (10.0, 6.0, 30.0, 18.0), 200.0),
]


def settle(dock: Any) -> None:
    assert spin(lambda: not dock.busy, 60), "the dock stays busy"


def stored(folder: Path) -> dict[int, Shape]:
    with MarkStore.open(folder, writing=False) as store:
        return shapes_of(store)


def layer_of(dock: Any) -> Any:
    return dock.shapes.shown.layer


def click_along(layer: Any, *places: tuple[float, float]) -> None:
    for x, y in places:
        for type, hear in (
            ("mouse_move", mouse_move_callbacks),
            ("mouse_press", mouse_press_callbacks),
            ("mouse_release", mouse_release_callbacks),
        ):
            event = Mouse(type, (y, x), pos=np.array((x, y)), is_dragging=False)
            hear(layer, ReadOnlyWrapper(event, exceptions=("handled",)))


# --- without a window ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ANY, ids=lambda shape: shape.form)
def test_a_shape_survives_napari(shape: Shape) -> None:
    image = SkyImage.from_array(np.zeros((600, 600), np.float32))
    drawn = drawn_shapes({7: shape}, image)[7]
    assert drawn.number == 7
    moved = changed_shape(drawn, drawn.vertices + np.float32((5, 9)))
    assert moved.form == shape.form
    np.testing.assert_allclose(moved.points, np.add(shape.points, (9, 5)), atol=1e-3)
    np.testing.assert_allclose(moved.sizes, shape.sizes, rtol=1e-4)
    assert abs((moved.angle - shape.angle + 90) % 180 - 90) < 0.01
    assert moved.name == shape.name
    middle = drawn.vertices.mean(0)
    larger = changed_shape(drawn, middle + 2 * (drawn.vertices - middle))
    np.testing.assert_allclose(larger.sizes, 2 * np.array(shape.sizes), rtol=1e-3)
    turn = np.array([[0, 1], [-1, 0]], np.float32)  # by 90 deg, from x towards y
    turned = changed_shape(drawn, middle + (drawn.vertices - middle) @ -turn)
    if shape.has_angle:
        assert abs((turned.angle - shape.angle) % 180 - 90) < 0.05
    assert drawn.lies_at(drawn.vertices + np.float32(0.01))
    assert not drawn.lies_at(drawn.vertices + np.float32(0.2))


def test_what_is_drawn_becomes_a_shape() -> None:
    corners = np.array([(10, 20), (10, 60), (30, 60), (30, 20)], np.float32)
    box = new_shape("rectangle", corners)
    assert (box.form, box.points, box.sizes) == ("box", ((40.0, 20.0),), (40.0, 20.0))
    slanted = corners + np.float32([(0, 0), (0, 0), (0, 9), (0, 9)])
    assert new_shape("rectangle", slanted).form == "polygon"
    assert new_shape("ellipse", corners).sizes == (20.0, 10.0)
    assert new_shape("ellipse", corners, circle=True).sizes == (15.0,)
    assert new_shape("line", corners[:2]).form == "line"
    assert new_shape("path", corners).form == "polygon"
    image = SkyImage.from_array(np.zeros((600, 600), np.float32))
    circle = drawn_shapes({1: ANY[4]}, image)[1]
    assert changed_shape(circle, circle.vertices * np.float32((1, 2))).form == "ellipse"
    annulus = drawn_shapes({1: ANY[7]}, image)[1]
    assert changed_shape(annulus, annulus.vertices[:-1]) == annulus.pixels


# --- in the window ------------------------------------------------------------------------------


def test_shapes_are_drawn_moved_and_taken_back_step_by_step(dock: Any, tmp_path: Path) -> None:
    assert "Start drawing first" in dock.shapes.buttons["circle"].toolTip()
    folder, image = tmp_path / "own.marks", sky()
    cut = started(dock, folder)
    settle(dock)
    assert dock.shapes.shown is None  # nothing to show, so no layer yet
    dock.shapes.choose("add_rectangle")
    settle(dock)
    layer = layer_of(dock)
    assert dock._viewer.layers.selection.active is layer
    drag(layer, (100, 200), (120, 220), (160, 240))
    settle(dock)
    dock.shapes.choose("circle")
    assert dock.shapes.buttons["circle"].isChecked()
    drag(layer, (300, 300), (340, 340), (400, 400))
    settle(dock)
    dock.shapes.choose("add_polygon")
    click_along(layer, (50, 50), (90, 50), (90, 90))
    layer._finish_drawing()
    settle(dock)
    box, circle, polygon = in_pixels(list(stored(folder).values()), image)
    forms = (box.form, circle.form, polygon.form, len(polygon.points))
    assert forms == ("box", "circle", "polygon", 3)
    np.testing.assert_allclose(box.points, [(130, 220)], atol=2)
    np.testing.assert_allclose(sorted(box.sizes), (40, 60), atol=2)
    assert circle.sizes[0] == pytest.approx(50, abs=1)
    one = stored(folder)[1]
    assert (one.who, one.class_name, one.frame) == ("Ada", "filament", "galactic")
    assert dock.shapes.count == len(layer.data) == 3
    assert dock.shapes.told.text() == "3 shapes"

    before = stored(folder)[2]
    assert before.sizes[0] == pytest.approx(circle.sizes[0] * image.pixel_scale_arcsec, rel=1e-3)
    dock.shapes.choose("select")
    drag(layer, (355, 347), (365, 352), (385, 357))  # napari is blind at the very middle
    settle(dock)
    after = stored(folder)[2]
    assert after.sizes == before.sizes  # to the last digit, as it was moved only
    (moved,) = in_pixels([after], image)
    np.testing.assert_allclose(moved.points, np.add(circle.points, (30, 10)), atol=1)
    assert "change circle" in dock.tools.undo.toolTip()

    dock.tools.choose("paint")
    drag(cut, (500, 500), (520, 500))
    settle(dock)
    for count in (3, 3, 2, 1, 0):
        dock.undo()
        settle(dock)
        assert dock.shapes.count == len(stored(folder)) == len(layer.data) == count
    assert not kept(folder, WHOLE, "Ada").any()
    for _ in range(4):
        dock.redo()
        settle(dock)
    np.testing.assert_allclose(stored(folder)[2].points, after.points)
    assert len(layer.data) == 3


def test_selected_shapes_are_named_classed_filled_and_removed(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    with MarkStore.create(folder, sky()) as store, store.step("before") as draft:
        add_shapes(draft, [*ANY[4:6], Shape("circle", ((9e4, 0.0),), (3.0,))])
    cut = started(dock, folder)
    settle(dock)
    layer = layer_of(dock)
    assert len(layer.data) == dock.shapes.count == 3  # in view or not: they are few
    assert "Select a shape first" in dock.shapes.remove.toolTip()
    layer.selected_data = {0}
    dock.classes.choose(2)
    dock.shapes.name.setText("B1")
    dock.shapes.name.editingFinished.emit()
    settle(dock)
    layer.selected_data = {0}
    dock.shapes.give_class.click()
    settle(dock)
    assert (stored(folder)[1].name, stored(folder)[1].class_name) == ("B1", "bubble")
    layer.selected_data = {dock.shapes.shown.numbers.index(1)}
    assert dock.shapes.name.text() == "B1"
    dock.shapes.fill.click()
    settle(dock)
    assert np.count_nonzero(cut.data == 2) == np.count_nonzero(kept(folder, WHOLE, "Ada"))
    assert np.count_nonzero(cut.data == 2) == pytest.approx(np.pi * 25**2, rel=0.02)
    layer.selected_data = {dock.shapes.shown.numbers.index(2)}
    dock.shapes.remove.click()
    settle(dock)
    assert list(stored(folder)) == [1, 3]
    layer.selected_data = {dock.shapes.shown.numbers.index(1)}
    layer.remove_selected()  # as napari's own keys do
    settle(dock)
    assert list(stored(folder)) == [3]
    dock.undo()
    dock.undo()
    settle(dock)
    assert list(stored(folder)) == [1, 2, 3]
    assert len(layer.data) == 3
    layer.selected_data = set()
    dock.shapes.fill.click()
    settle(dock)
    assert "to mark pixels by" in dock.notice.text  # two have no class


def test_a_layer_that_was_removed_comes_back_with_its_shapes(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    with MarkStore.create(folder, sky()) as store, store.step("before") as draft:
        add_shapes(draft, ANY[4:6])
    started(dock, folder)
    settle(dock)
    dock._viewer.layers.remove(layer_of(dock))
    assert dock.shapes.shown is None
    assert len(stored(folder)) == 2
    dock.shapes.choose("select")
    settle(dock)
    assert layer_of(dock) in dock._viewer.layers
    assert len(layer_of(dock).data) == 2


def test_what_makes_no_shape_and_what_cannot_be_kept_does_not_stay(
    dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own.marks"
    started(dock, folder)
    settle(dock)
    dock.shapes.choose("add_rectangle")
    settle(dock)
    layer = layer_of(dock)
    drag(layer, (100, 200), (100.5, 200.5))
    settle(dock)
    dock.shapes.choose("add_polygon")
    click_along(layer, (50, 50), (90, 50))
    layer._finish_drawing()
    settle(dock)
    assert len(layer.data) == 0
    assert not stored(folder)

    def full(*_: Any) -> None:
        raise OutputError("the disk is full; free some space")

    dock.shapes.choose("add_ellipse")
    with monkeypatch.context() as patch:
        patch.setattr(MarkStore, "_act", full)
        drag(layer, (100, 200), (180, 280))
        settle(dock)
    assert "the disk is full" in dock.notice.text
    assert len(layer.data) == 0
    drag(layer, (100, 200), (180, 280))
    settle(dock)
    assert len(stored(folder)) == len(layer.data) == 1


def test_thousands_of_shapes_are_drawn_where_one_looks(
    wide: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("shapes", "shapelayer"):
        monkeypatch.setattr(f"napari_astroseg.gui.marking.{module}.MOST", 20)
    folder = tmp_path / "wide.marks"
    places = [(float(x), float(y)) for x in range(50, 20_000, 400) for y in range(50, 20_000, 400)]
    image = wide._viewer.layers[0].metadata["astroseg"]
    with MarkStore.create(folder, image) as store, store.step("many") as draft:
        add_shapes(draft, [Shape("circle", (place,), (30.0,)) for place in places])
    started(wide, folder)
    look_at(wide, 10_000, 10_000, zoom=0.0005)  # all of it, however little room docks leave
    settle(wide)
    shown = wide.shapes.shown
    assert wide.shapes.count == 2500
    assert len(shown.layer.data) == 20
    assert "the newest 20 of 2,500 in view are drawn: zoom in" in wide.shapes.told.text()
    look_at(wide, 10_050, 10_050, zoom=1.0)
    settle(wide)
    here = np.array([each.mean(0) for each in shown.layer.data])
    assert 1 <= len(here) <= 20
    assert (np.abs(here - 10_050) < 1000).all()
    assert "drawn" not in wide.shapes.told.text()
    wide.stop_drawing()
    settle(wide)
    assert not shown.layer.visible
    assert shown.layer.metadata[METADATA] == "closed shapes"
    started(wide, folder)
    settle(wide)
    assert wide.shapes.shown.layer is shown.layer  # it is used again


def test_files_come_in_as_one_step_with_what_was_skipped(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    cut = started(dock, folder)
    settle(dock)
    regions = tmp_path / "some.reg"
    regions.write_text("image\ncircle(100,100,20) # text={a} tag={bubble}\ncircle(1,1,0)\nwhat\n")
    dock.shapes.files.import_file(regions)
    settle(dock)
    assert [each.name for each in stored(folder).values()] == ["a"]
    files = dock.shapes.files
    assert files.progress.words.text() == "some.reg: 1 shape read, 2 skipped"
    assert files.skipped.toPlainText().splitlines()[0].startswith("line 3: a radius of 0 px")
    assert not files.skipped.isHidden()
    assert "import some.reg" in dock.tools.undo.toolTip()

    out = tmp_path / "out.ecsv"
    files.export_file(out)
    settle(dock)
    dock.undo()
    settle(dock)
    assert not stored(folder)
    files.import_file(out)
    settle(dock)
    assert [each.name for each in stored(folder).values()] == ["a"]
    assert files.skipped.isHidden()

    mask = np.zeros((600, 600), np.int16)
    mask[100:150, 200:260] = 1
    fits.writeto(tmp_path / "mask.fits", mask, sky().header)
    dock.classes.choose(3)
    files.import_file(tmp_path / "mask.fits")
    settle(dock)
    assert np.array_equal(cut.data, mask * 3)
    assert "the same pixels" in files.progress.words.text()
    fits.writeto(tmp_path / "odd.fits", mask + 0.5, sky().header)
    files.import_file(tmp_path / "odd.fits")
    settle(dock)
    assert "is an image, not a mask" in dock.notice.text
    files.import_file(tmp_path / "none.reg")
    settle(dock)
    assert "cannot be read" in files.progress.words.text()


def test_a_long_import_is_cancelled(dock: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own.marks"
    started(dock, folder)
    settle(dock)
    many = tmp_path / "many.reg"
    many.write_text("image\n" + "circle(100,100,20)\n" * 50_000)
    files = dock.shapes.files
    files.import_file(many)
    assert files.busy
    files.progress.button.click()
    settle(dock)
    assert files.progress.words.text() == "Stopped."
    assert not stored(folder)


def test_a_crowd_becomes_a_layer_of_votes(dock: Any, tmp_path: Path) -> None:
    for name, x in (("Bo", 20), ("Cy", 40)):
        with MarkStore.create(tmp_path / f"{name}.marks", sky()) as store:
            store.write(Window(x, 30, 40, 10), np.ones((10, 40), int), "stroke", name)
    crowd = dock.crowd
    assert "Add folders of marks first" in crowd.count.toolTip()
    crowd.add_folder(tmp_path)
    crowd.add_folder(tmp_path / "Bo.marks")
    assert [path.name for path in crowd.paths] == ["Bo.marks", "Cy.marks"]
    crowd.count.click()
    settle(dock)
    layer = dock._viewer.layers[-1]
    assert "filament" in layer.name
    image = layer.metadata["astroseg"]
    assert image.pixels[30:31, 39:42].tolist() == [[1, 2, 2]]
    assert crowd.told.text().splitlines()[0] == "2 people: Bo, Cy"
    assert "Bo and Cy: Dice 0.500" in crowd.told.text()
    crowd.save_votes(tmp_path / "votes.fits")
    settle(dock)
    assert fits.getdata(tmp_path / "votes.fits").max() == 2
    crowd.add_folder(tmp_path / "nothing")
    assert "is no folder of marks, and holds none" in crowd.progress.words.text()
    MarkStore.create(tmp_path / "X.marks", SkyImage.from_array(np.zeros((9, 9)))).close()
    crowd.add_folder(tmp_path / "X.marks")
    crowd.count.click()
    settle(dock)
    assert "marks another image" in crowd.progress.words.text()
    crowd.folders.setCurrentRow(2)
    crowd.remove.click()
    assert len(crowd.paths) == 2


def test_warming_up_is_done_once() -> None:
    shapelayer.warm_up()
    before = shapelayer.warm_up.cache_info().hits
    shapelayer.warm_up()
    assert shapelayer.warm_up.cache_info().hits == before + 1
