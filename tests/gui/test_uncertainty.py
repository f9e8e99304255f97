"""A prediction of several classes with uncertainties: its maps, and the limit that moves live."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import own_settings, sky, spin, viewer
from gui.make_model import write_model
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.kinds import is_picture
from napari_astroseg.gui.comparing.regions import holding_regions, regions_of
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.bivariate import coded
from napari_astroseg.gui.predicting.extramaps import BOTH
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.looks import suppressed
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui

MAPS = ["isolated", "overlap", "uncertainty"]


@pytest.fixture
def dock(viewer: Any, own_settings: Path) -> PredictDock:
    """The dock with a model of two classes, and its answer to the whole image."""
    path = write_model(
        own_settings / "galaxies.safetensors", "galaxies", Recipe.preset("blended_galaxies")
    )
    dock = PredictDock(viewer, target="gui.fake_work:sampled")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.add(path)
    predict(dock)
    return dock


def predict(dock: PredictDock) -> None:
    dock.predict_whole()
    assert spin(lambda: not dock.predictions.busy)
    assert spin(lambda: dock.predictions.current.settled)


def roles(viewer: Any) -> list[tuple[str, Any]]:
    told = ((each.metadata.get(METADATA, {}).get("role"), each) for each in viewer.layers)
    return [(role, each) for role, each in told if role]


def of_role(viewer: Any, role: str) -> Any:
    (found,) = [each for name, each in roles(viewer) if name == role]
    return found


def visible(viewer: Any) -> list[str]:
    return [role for role, each in roles(viewer) if each.visible]


def test_each_class_and_the_uncertainty_is_a_map(viewer: Any, dock: PredictDock) -> None:
    value = sky().cutout(dock.predictions.current.window)
    expected = {
        "probability": value,
        "isolated": value - value**2,
        "overlap": value**2,
        "uncertainty": value * (1 - value),
    }
    for role, values in expected.items():
        np.testing.assert_allclose(of_role(viewer, role).data, values, atol=1e-6)
    assert visible(viewer) == ["probability", "regions"]
    regions = of_role(viewer, "regions")
    np.testing.assert_array_equal(regions.data > 0, of_role(viewer, "probability").data >= 0.5)


def test_one_map_is_shown_at_a_time(viewer: Any, dock: PredictDock) -> None:
    assert dock.found.shown_map.isVisible()
    assert [dock.found.shown_map.itemText(n) for n in range(4)] == ["probability", *MAPS]
    assert "unsure" in dock.found.shown_map.toolTip()
    for name in MAPS:
        dock.found.shown_map.setCurrentText(name)
        assert visible(viewer) == ["regions", name]
    dock.found.shown_map.setCurrentText("probability")
    assert visible(viewer) == ["probability", "regions"]
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, Qt.Key.Key_U)
    assert visible(viewer) == ["regions", "uncertainty"]
    assert dock.found.shown_map.currentText() == "uncertainty"
    QTest.keyClick(canvas, Qt.Key.Key_U)
    assert visible(viewer) == ["probability", "regions"]


def test_both_are_one_map_once_it_is_looked_at(viewer: Any, dock: PredictDock) -> None:
    both = of_role(viewer, BOTH)
    assert not both.visible and not both.data.any() and not dock.found.legend.isVisible()
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert visible(viewer) == ["regions", BOTH] and dock.found.legend.isVisible()
    assert spin(lambda: dock.predictions.current.settled)
    probability, unsure = (of_role(viewer, name).data for name in ("probability", "uncertainty"))
    wanted = suppressed.codes(probability, unsure, suppressed.DEVIATIONS)
    np.testing.assert_array_equal(both.data, wanted)
    assert len(np.unique(wanted)) > 8 and wanted.all()
    dock.repeat()  # tiles that land while it is shown
    assert spin(lambda: not dock.predictions.busy)
    assert spin(lambda: dock.predictions.current.settled)
    np.testing.assert_array_equal(of_role(viewer, BOTH).data, wanted)
    QTest.keyClick(canvas, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert visible(viewer) == ["probability", "regions"]


@pytest.mark.once
def test_a_map_that_the_layer_list_shows_is_worked_out_and_named(
    viewer: Any, dock: PredictDock
) -> None:
    both = of_role(viewer, BOTH)
    both.visible = True
    assert dock.found.shown_map.currentText() == BOTH and dock.found.legend.isVisible()
    assert spin(lambda: dock.predictions.current.settled)
    assert both.data.all()
    both.visible = False
    assert dock.found.shown_map.currentText() == "probability"
    assert not dock.found.legend.isVisible()


def test_what_is_too_unsure_is_no_region(viewer: Any, dock: PredictDock, tmp_path: Path) -> None:
    regions = of_role(viewer, "regions")
    value = sky().cutout(dock.predictions.current.window)
    areas = []
    for limit in (0.5, 0.2, 0.1):
        dock.found.most_unsure.setValue(limit)
        wanted = (value >= 0.5) & (value * (1 - value) <= limit + 1e-6)
        assert spin(lambda wanted=wanted: (regions.data > 0).sum() == wanted.sum())
        areas.append(int(wanted.sum()))
    assert areas[0] > areas[1] > areas[2] > 0
    assert np.array_equal(dock.predictions.current.labels > 0, regions.data > 0)
    file = tmp_path / "found.ecsv"
    dock.found.write(file)
    assert spin(file.exists)
    table = Catalogue.read(file).table
    assert 0 < table["uncertainty"][0] < 0.1 < table["score"][0]


def test_the_same_window_again_keeps_its_layers(viewer: Any, dock: PredictDock) -> None:
    before = set(viewer.layers)
    dock.found.shown_map.setCurrentText("overlap")
    dock.repeat()
    assert spin(lambda: not dock.predictions.busy)
    assert spin(lambda: dock.predictions.current.settled)
    assert set(viewer.layers) == before
    assert dock.found.shown_map.currentText() == "overlap"
    assert np.isfinite(of_role(viewer, "overlap").data).all()


def test_a_model_of_one_class_brings_no_maps(
    viewer: Any, dock: PredictDock, own_settings: Path
) -> None:
    dock.models.add(write_model(own_settings / "fake.safetensors"))
    dock.predictions._target = "gui.fake_work:predict"
    predict(dock)
    assert not dock.found.shown_map.isVisible()
    assert not dock.found.most_unsure.isVisible()
    viewer.layers.selection.active = of_role(viewer, "overlap")
    assert dock.found.shown_map.isVisible()
    canvas = viewer.window._qt_viewer.canvas.native
    viewer.layers.remove(of_role(viewer, "overlap"))
    assert [role for role, _ in roles(viewer)] == ["probability", "regions"]
    QTest.keyClick(canvas, Qt.Key.Key_U)


@pytest.mark.once
def test_who_draws_no_samples_is_asked_how_unsure_it_is(
    viewer: Any, dock: PredictDock, own_settings: Path, tmp_path: Path
) -> None:
    assert not dock.place.unsure.isEnabled() and "samples" in dock.place.unsure.toolTip()
    assert "uncertainty" not in dock._options()
    dock.models.add(write_model(own_settings / "fake.safetensors"))
    dock.predictions._target = "gui.fake_work:unsure"
    assert dock.place.unsure.isEnabled()
    for way, largest, words in (("turns", 0.5, "8 turns"), ("entropy", 1.0, "entropy")):
        dock.place.unsure.setCurrentIndex(dock.place.unsure.findData(way))
        dock.place.keep.setChecked(False)
        predict(dock)
        assert words in dock.found.unsure_words.text() and dock.found.unsure_words.isVisible()
        assert dock.found.most_unsure.maximum() == largest
        shown = of_role(viewer, "uncertainty")
        assert tuple(shown.contrast_limits) == (0.0, largest)
        regions = of_role(viewer, "regions")
        assert (regions.data > 0).any()  # where nothing is too unsure
        file = tmp_path / f"{way}.ecsv"
        dock.found.write(file)
        assert spin(file.exists)
        column = Catalogue.read(file).table["uncertainty"]
        assert words in column.info.description
        assert column[0] == pytest.approx(0.9 * largest)


def test_compare_takes_regions_and_probability_from_the_right_layers(
    viewer: Any, dock: PredictDock
) -> None:
    assert not any(is_picture(of_role(viewer, name)) for name in MAPS)
    told = list(holding_regions(viewer))
    assert told[0] is of_role(viewer, "regions")
    assert not {of_role(viewer, name) for name in MAPS} & set(told)
    numbered = regions_of(viewer, told[0]).read()
    np.testing.assert_array_equal(numbered.probability, of_role(viewer, "probability").data)


def test_a_large_window_says_why_its_limit_does_not_move(
    make_napari_viewer: Any, own_settings: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky(2100))
    path = write_model(own_settings / "g.safetensors", "g", Recipe.preset("blended_galaxies"))
    dock = PredictDock(viewer, target="gui.fake_work:sampled")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.add(path)
    predict(dock)
    assert dock.found.most_unsure.isVisible() and not dock.found.most_unsure.isEnabled()
    assert "2048" in dock.found.most_unsure.toolTip()
    dock.found.shown_map.setCurrentText("uncertainty")
    assert visible(viewer) == ["regions", "uncertainty"]


def test_both_are_worked_out_at_every_level_of_a_large_window() -> None:
    shape, place = (4500, 4200), Window(901, 1203, 333, 517)
    probability, unsure, told = (Planes(shape, kind) for kind in (np.float32, np.float32, np.uint8))
    rng = np.random.default_rng(0)
    probability.put(place, rng.random(place.shape, np.float32))
    unsure.put(place, rng.random(place.shape, np.float32) / 4)
    coded(probability, unsure, told, place, suppressed.DEVIATIONS)
    levels = list(zip(probability.levels, unsure.levels, told.levels, strict=True))
    assert len(levels) > 2
    for step, (values, doubts, codes) in enumerate(levels):
        rows = slice(place.y >> step, -(-place.y_end >> step))
        columns = slice(place.x >> step, -(-place.x_end >> step))
        wanted = suppressed.codes(values[rows, columns], doubts[rows, columns], (0.05, 0.1, 0.2))
        np.testing.assert_array_equal(codes[rows, columns], wanted)
        assert np.count_nonzero(codes) == wanted.size  # and nothing beside it
