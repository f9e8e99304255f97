"""Objects in the window: found by a model of boxes, drawn at a score, written as a catalogue."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import own_settings, sky, spin, viewer
from gui.make_model import write_model

from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.objectoverlay import sides
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
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


def test_objects_with_pixels_are_outlined_and_their_areas_written(
    viewer: Any, tmp_path: Path
) -> None:
    recipe = Recipe.preset("astro_rcnn_small")
    Shelf().add(write_model(tmp_path / "stars" / "model.safetensors", recipe=recipe))
    dock = PredictDock(viewer, target="gui.fake_work:instances")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.choose_named("fake")
    dock.place.by_whole.click()
    assert done(dock)
    (layer,) = outlines(viewer)
    assert layer.metadata[METADATA]["role"] == "objects"
    star, galaxy = dock.found.summary.text().split(", ")
    assert "#35f0c8" in star and star.endswith("1 × star")
    assert "#ffd23f" in galaxy and galaxy.endswith("1 × galaxy")
    assert not dock.found.min_area.isEnabled() and not dock.found.filled.isEnabled()
    path = tmp_path / "found.ecsv"
    dock.found.write(path)
    assert spin(path.exists)
    table = Catalogue.read(path).table
    assert float(table["area"][1] / table["area"][0]) == pytest.approx(32 / 9)
    assert list(table["kind"]) == ["star", "galaxy"]
    assert "radius" not in table.colnames


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


def test_sides_of_boxes_close() -> None:
    vectors = sides(np.array([[1.0, 2.0, 5.0, 10.0], [0.0, 0.0, 1.0, 1.0]]))
    assert vectors.shape == (8, 2, 2)
    assert np.allclose(vectors[:4, 1].sum(0), 0) and np.allclose(vectors[4:, 1].sum(0), 0)
    ends = vectors[:, 0] + vectors[:, 1]
    assert np.allclose(ends[:4], np.roll(vectors[:4, 0], -1, 0))
