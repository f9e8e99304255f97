"""Objects in the window: found by a model of boxes, drawn at a score, written as a catalogue."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import QTable
from gui.fixtures_jobs import own_settings, sky, spin, viewer
from gui.make_model import write_model

from napari_astroseg.gui import layers
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.gui.predicting.knownbox import KnownBox
from napari_astroseg.gui.predicting.objectoverlay import ObjectOverlay
from napari_astroseg.gui.predicting.outlines import FEW, sides
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(viewer: Any, tmp_path: Path) -> PredictDock:
    """The dock, with a model of bubbles that finds three."""
    file = write_model(tmp_path / "bubbles" / "model.safetensors", recipe=Recipe.preset("bubbles"))
    Shelf().add(file)
    dock = PredictDock(viewer, target="gui.fake_work:objects")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.choose_named("fake")
    return dock


def done(dock: PredictDock) -> bool:
    overlay = dock.predictions
    return spin(lambda: not overlay.busy and (overlay.current is None or overlay.current.settled))


def outlines(viewer: Any) -> list[Any]:
    return [each for each in viewer.layers if METADATA in each.metadata]


def test_objects_are_drawn_where_they_are_and_follow_the_threshold(
    viewer: Any, dock: PredictDock
) -> None:
    dock.place.by_whole.click()
    assert done(dock)
    (layer,) = outlines(viewer)
    assert layer.metadata[METADATA]["role"] == "objects"
    dock.found.threshold.setValue(0.0)
    assert done(dock)
    assert len(layer.data) == 3 * 4  # what was found twice is drawn once
    corners = layer.data[:4, 0]
    # Box 10 to 30 in x and 40 to 80 in y: rows first, on the image's own pixels.
    assert sorted(map(tuple, corners)) == [(40, 10), (40, 30), (80, 10), (80, 30)]
    np.testing.assert_array_equal(layer.data_to_world((40, 10)), (40, 10))
    assert dock.found.summary.text() == "3 objects"
    dock.found.threshold.setValue(0.6)
    assert done(dock)
    assert len(layer.data) == 2 * 4
    assert "2 × bubble" in dock.found.summary.toolTip()
    dock.found.threshold.setValue(0.99)
    assert done(dock)
    assert len(layer.data) == 0
    assert dock.found.summary.text() == "0 objects"
    dock.found.purity.setValue(75.0)  # 0.9 and 0.7 make 0.8, with 0.4 it is 0.67
    assert spin(lambda: 0.4 < dock.found.cut.threshold <= 0.7)
    assert spin(lambda: dock.found.summary.text() == "2 objects")
    assert "real, by their scores: 80%" in dock.found.summary.toolTip()
    dock.found.threshold.setValue(0.8)  # by hand, again
    assert dock.found.purity.value() == 0 and dock.found.purity.text() == "any"
    assert not dock.found.filled.isEnabled() and "finds boxes" in dock.found.filled.toolTip()
    dock.found.threshold.setValue(0.0)
    dock.found.min_area.setValue(500)
    assert done(dock)
    assert len(layer.data) == 2 * 4  # a box of 20 pixels a side is too small


def test_the_objects_shown_are_written_as_a_catalogue(
    viewer: Any, dock: PredictDock, tmp_path: Path
) -> None:
    dock.place.by_whole.click()
    assert done(dock)
    dock.found.threshold.setValue(0.6)
    assert done(dock)
    path = tmp_path / "bubbles.ecsv"
    dock.found.write(path)
    assert spin(path.exists)
    table = Catalogue.read(path).table
    assert list(table["score"]) == [0.9, 0.7]
    assert np.allclose(table["x"], [20, 200]) and set(table["kind"]) == {"bubble"}
    assert spin(lambda: "2 objects written" in dock.progress.words.text())


def test_objects_with_pixels_are_filled_and_their_areas_written(
    viewer: Any, tmp_path: Path
) -> None:
    recipe = Recipe.preset("astro_rcnn_small")
    Shelf().add(write_model(tmp_path / "stars" / "model.safetensors", recipe=recipe))
    dock = PredictDock(viewer, target="gui.fake_work:instances")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.choose_named("fake")
    dock.place.by_whole.click()
    assert done(dock)
    layer, fills = outlines(viewer)
    assert [each.metadata[METADATA]["role"] for each in (layer, fills)] == ["objects", "regions"]
    star, galaxy = dock.found.summary.text().split(", ")
    assert "#35f0c8" in star and star.endswith("1 × star")
    assert "#ffd23f" in galaxy and galaxy.endswith("1 × galaxy")
    assert (fills.data[20:23, 10:13] == 1).all() and (fills.data[40:44, 30:38] == 2).all()
    assert np.count_nonzero(fills.data) == 9 + 32
    assert dock.found.filled.isChecked() and fills.visible
    dock.found.filled.setChecked(False)
    assert not fills.visible
    path = tmp_path / "found.ecsv"
    dock.found.write(path)
    assert spin(path.exists)
    table = Catalogue.read(path).table
    assert float(table["area"][1] / table["area"][0]) == pytest.approx(32 / 9)
    assert list(table["kind"]) == ["star", "galaxy"]
    assert "radius" not in table.colnames
    assert list(table["id"]) == [1, 2]
    dock.found.min_area.setValue(10)
    assert spin(lambda: dock.found.summary.text().count("0 × star") == 1)
    assert done(dock)
    assert np.unique(fills.data).tolist() == [0, 1] and np.count_nonzero(fills.data) == 32
    assert len(layer.data) == 4


@pytest.mark.once
def test_several_models_are_ticked_and_what_is_too_unsure_is_left_out(
    viewer: Any, dock: PredictDock, tmp_path: Path
) -> None:
    together = dock.place.together
    assert not together.isEnabled() and "another seed" in together.toolTip()
    recipe = Recipe.preset("bubbles")
    second = write_model(tmp_path / "second" / "model.safetensors", "second", recipe)
    Shelf().add(second)
    write_model(tmp_path / "maps" / "model.safetensors", "maps")
    Shelf().add(tmp_path / "maps" / "model.safetensors")
    dock.models.refresh()
    assert together.isEnabled() and together.text() == "Alone"
    fitting = {action.text(): action for action in together.listed.actions()}
    assert "second" in fitting and not {"maps", "fake", "filaments"} & set(fitting)
    fitting["second"].setChecked(True)
    assert together.text() == "With 1 more"
    assert dock._options()["others"] == [str(second)]
    dock.place.by_whole.click()
    assert done(dock)
    dock.found.threshold.setValue(0.0)
    assert "score over 2 answers, of several models" in dock.found.unsure_words.text()
    assert dock.found.most_unsure.isVisible() and dock.found.most_unsure.isEnabled()
    dock.found.most_unsure.setValue(0.25)
    assert spin(lambda: dock.found.summary.text() == "2 objects")
    path = tmp_path / "bubbles.ecsv"
    dock.found.write(path)
    assert spin(path.exists)
    column = Catalogue.read(path).table["uncertainty"]
    assert list(column) == [0.1, 0.2] and "several models" in column.info.description
    dock.models.choose_named("filaments")
    assert "others" not in dock._options()


def test_another_answer_takes_the_place_of_the_first(viewer: Any, dock: PredictDock) -> None:
    dock.place.keep.setChecked(False)
    for _ in range(2):
        dock.place.by_whole.click()
        assert done(dock)
    assert len(outlines(viewer)) == 1
    (layer,) = outlines(viewer)
    viewer.layers.remove(layer)
    assert dock.predictions.current is None


def test_outlines_keep_their_width_on_the_screen(viewer: Any, dock: PredictDock) -> None:
    dock.place.by_whole.click()
    assert done(dock)
    (layer,) = outlines(viewer)
    viewer.scene.camera.zoom = 0.5
    wide = layer.edge_width
    viewer.scene.camera.zoom = 2.0
    assert layer.edge_width == pytest.approx(wide / 4, rel=0.3)


def overlay_of(viewer: Any, found: Objects, cut: Cut) -> ObjectOverlay:
    """An overlay of objects over all of the first layer, drawn."""
    base = viewer.layers[0]
    image = layers.sky_image(base)
    assert image is not None
    whole = Window.whole(image.shape)
    overlay = ObjectOverlay(viewer, base, image, whole, "many", cut, ("star", "galaxy"))
    overlay.expect(found)
    overlay.complete({"objects": found})
    assert spin(lambda: overlay.summary is not None and overlay.settled)
    return overlay


def test_thousands_of_outlines_are_lines_and_a_few_are_vectors(viewer: Any) -> None:
    count = FEW + 500
    corners = np.random.default_rng(0).uniform(0, 580, (count, 2))
    boxes = np.concatenate([corners, corners + 9], 1)
    scores = np.linspace(1, 0, count)
    found = Objects(boxes, scores, np.arange(count) % 2 + 1)
    overlay = overlay_of(viewer, found, Cut(0.0, 0))
    (layer,) = overlay.layers
    lines = [line for line in overlay._outlines._lines if line.visible]
    assert len(layer.data) == 0
    assert [line.pos.shape for line in lines] == [(4 * count, 2)] * 2
    first = boxes[0].astype(np.float32)
    assert lines[0].pos[:2].tolist() == [[first[0], first[1]], [first[2], first[1]]]
    layer.opacity = 0.5
    assert lines[0].opacity == 0.5
    overlay.set_cut(Cut(0.5, 0))
    assert spin(lambda: len(layer.data) == 4 * np.count_nonzero(scores >= 0.5))
    assert not any(line.visible for line in lines)
    overlay.remove()
    assert len(viewer.layers) == 1


def test_a_shared_pixel_is_of_the_strongest_that_is_shown(viewer: Any) -> None:
    def square(x: int, y: int) -> Footprint:
        return Footprint(Window(x, y, 4, 4), np.ones((4, 4), bool))

    masks = square(10, 10), square(12, 12), square(596, 2)
    boxes = np.array([(w.x - 0.5, w.y - 0.5, w.x_end - 0.5, w.y_end - 0.5) for w, _ in masks])
    doubts = Doubts(np.array([0.4, 0.1, 0.1]))
    kinds = np.ones(3, np.int64)
    found = Instances(boxes, np.array([0.9, 0.8, 0.7]), kinds, masks, doubts=doubts)
    overlay = overlay_of(viewer, found, Cut(0.5, 0))
    numbers = overlay.layers[1].data
    assert numbers[13, 13] == 1 and numbers[15, 15] == 2 and numbers[3, 598] == 3
    overlay.set_cut(Cut(0.5, 0, 0.2))  # the strongest is too unsure
    assert spin(lambda: numbers[10, 10] == 0)
    assert spin(lambda: overlay.settled)
    assert numbers[13, 13] == 1 and numbers[3, 598] == 2
    overlay.set_cut(Cut(0.75, 0))
    assert spin(lambda: numbers[3, 598] == 0)
    assert overlay.objects.scores.tolist() == [0.9, 0.8]
    overlay.remove()


def known_catalogue(viewer: Any, path: Path, x: float, y: float) -> Path:
    """A catalogue of one object at a pixel, without a size."""
    image = layers.sky_image(viewer.layers[0])
    assert image is not None
    where = image.sky(np.array([x]), np.array([y]))
    table = QTable({"name": ["old"], "l": where.l, "b": where.b})
    table.write(path, format="ascii.ecsv")
    return path


def test_what_is_new_can_be_shown_alone_and_saved_as_such(viewer: Any, tmp_path: Path) -> None:
    boxes = np.array([[10.0, 40, 30, 80], [190, 90, 210, 110], [300, 300, 340, 340]])
    found = Objects(boxes, np.array([0.9, 0.7, 0.4]), np.ones(3, np.int64))
    overlay = overlay_of(viewer, found, Cut(0.5, 0))
    box, said = KnownBox(), []
    box.said.connect(lambda words, _trouble: said.append(words))
    assert box.known is None and not box.shown.isEnabled() and "first" in box.shown.toolTip()
    box.show_overlay(overlay)
    box.set_file(known_catalogue(viewer, tmp_path / "known.ecsv", 200.0, 101.0))
    assert spin(lambda: any("no sizes" in words for words in said))  # by boxes, it cannot be told
    box.rule.setCurrentIndex(1)
    box.within.setValue(20.0)  # a pixel is 11.5 arcsec
    assert spin(lambda: box.told.text() == "1 known, 1 new")
    box.shown.setCurrentText("new ones")
    assert spin(lambda: overlay.objects.scores.tolist() == [0.9])
    overlay.set_cut(Cut(0.0, 0))
    assert spin(lambda: box.told.text() == "1 known, 2 new")
    assert overlay.objects.scores.tolist() == [0.9, 0.4]
    box.shown.setCurrentText("known ones")
    assert overlay.objects.scores.tolist() == [0.7]
    path = tmp_path / "saved.ecsv"
    assert "1 object, 1 known and 0 new, written" in overlay.writing(box.known)(path)
    (row,) = Catalogue.read(path).table
    assert row["known"] and row["known_name"] == "old" and row["known_distance"].value < 20
    box.forget.click()
    assert spin(lambda: len(overlay.objects) == 3 and box.told.text() == "")
    box.show_overlay(None)
    overlay.remove()


def test_numbers_of_large_windows_are_there_at_every_level() -> None:
    planes = Planes((5000, 4500), np.int32)
    assert [level.shape for level in planes.levels] == [(5000, 4504), (2500, 2252), (1250, 1126),
                                                        (625, 563)]  # fmt: skip
    assert all(level.dtype == np.int32 and not level.any() for level in planes.levels)


def test_sides_of_boxes_close() -> None:
    vectors = sides(np.array([[1.0, 2.0, 5.0, 10.0], [0.0, 0.0, 1.0, 1.0]]))
    assert vectors.shape == (8, 2, 2)
    assert np.allclose(vectors[:4, 1].sum(0), 0) and np.allclose(vectors[4:, 1].sum(0), 0)
    ends = vectors[:, 0] + vectors[:, 1]
    assert np.allclose(ends[:4], np.roll(vectors[:4, 0], -1, 0))
