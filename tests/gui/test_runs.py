"""Whole images: predicted run by run, paused, taken up by another window, removed."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import model, own_settings, sky, spin, viewer
from gui.make_model import write_model

from napari_astroseg.errors import OutputError
from napari_astroseg.gui import layers
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.runs import Runs
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

pytestmark = [pytest.mark.gui, pytest.mark.once]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "astroseg" / "predictions"


@pytest.fixture
def image(viewer: Any, tmp_path: Path) -> Any:
    """The only layer: a file."""
    values = sky().cutout(Window(0, 0, 600, 600))
    path = write_image(tmp_path / "plane.fits", values, sky().header, "cm-2")
    viewer.layers.clear()
    return layers.add_image(viewer, open_image(path))


def add(viewer: Any, work: str) -> PredictDock:
    dock = PredictDock(viewer, target=f"gui.fake_work:{work}")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.choose_named("fake")
    return dock


def states(dock: PredictDock) -> list[str]:
    table = dock.whole.list.table
    return [table.item(row, 2).text() for row in range(table.rowCount())]


def test_a_whole_image_is_a_run_that_outlives_its_window(
    viewer: Any, image: Any, model: Path, folder: Path
) -> None:
    first = add(viewer, "slow")
    buttons = first.whole.list
    assert not buttons.resume.isEnabled() and "No whole image" in buttons.resume.toolTip()
    first.predict_whole()
    runs = first.whole.runs
    assert spin(lambda: runs.items and runs.items[0].done >= 2)
    assert states(first)[0].startswith("running, ") and states(first)[0].endswith(" of 100 tiles")
    options = first.predictions.last.options
    assert options["resume"] and options["near"] == pytest.approx((300, 300), abs=30)
    (run,) = runs.items
    assert options["store"] == folder / run.key / "prediction.zarr"
    assert not buttons.remove.isEnabled() and "Pause it first" in buttons.remove.toolTip()
    other = Runs(None, folder.parent)
    with pytest.raises(OutputError, match="another window predicts plane"):
        other.begin(run)
    with pytest.raises(OutputError, match="pause it there"):
        other.remove(run.key)
    assert (folder / run.key).is_dir()
    buttons.pause.click()
    assert spin(lambda: states(first)[0].startswith("paused, "))
    buttons.resume.click()
    assert spin(lambda: states(first)[0].startswith("running"))
    assert spin(lambda: first.predictions.busy)
    first.shut_down()  # in the middle of it
    assert states(first)[0].startswith("paused")

    second = add(viewer, "predict")
    assert states(second)[0].startswith("paused, ") and second.whole.runs.items[0].done > 0
    second.whole.list.resume.click()
    assert spin(lambda: states(second) == ["done"])
    assert second.predictions.last.options["store"] == options["store"]
    assert second.predictions.current.window == Window(0, 0, 600, 600)
    assert second.whole.list.resume.text() == "Show"
    viewer.layers.remove(image)
    second.whole.list.resume.click()
    assert "first; then this goes on" in second.progress.words.text()
    second.whole.list.remove.click()
    assert states(second) == [] and not (folder / run.key).exists()


def test_a_search_for_objects_is_paused_and_goes_on(
    viewer: Any, image: Any, own_settings: Path, folder: Path
) -> None:
    recipe = Recipe.preset("bubbles")
    Shelf().add(write_model(own_settings / "bubbles" / "model.safetensors", recipe=recipe))
    dock = add(viewer, "objects_kept")
    dock.place.unsure.setCurrentIndex(dock.place.unsure.findData("turns"))
    dock.predict_whole()
    runs, buttons = dock.whole.runs, dock.whole.list
    assert spin(lambda: runs.items and runs.items[0].done >= 2)
    buttons.pause.click()
    assert spin(lambda: states(dock)[0].startswith("paused, ") and not dock.predictions.busy)
    (run,) = runs.items
    store = folder / run.key / "objects.jsonl"
    assert run.objects and run.options == {"uncertainty": "turns"} and 2 <= run.done < 100
    before = store.read_text().splitlines()
    assert run.done <= len(before) - 1 < 100
    buttons.resume.click()
    assert spin(lambda: states(dock) == ["done"])
    after = store.read_text().splitlines()
    assert len(after) == 1 + 100 and after[: len(before)] == before  # none was looked for again
    assert spin(lambda: len(dock.predictions.current.objects) == 100)
