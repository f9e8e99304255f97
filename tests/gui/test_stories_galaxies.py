"""Blended galaxies: made up, found by fifty draws, how sure that is, how complete and pure."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import QTable
from gui.fixtures_stories import story
from gui.story import Story, accept, names
from qtpy.QtCore import Qt
from scipy import ndimage

from napari_astroseg.engine.report.figures import rows_of

MODEL = "blended_galaxies_small"
SIDE = 256

needs_galsim = pytest.mark.skipif(find_spec("galsim") is None, reason="GalSim is not installed")


@needs_galsim
@pytest.mark.once
def test_blended_galaxies(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "unseen"
    story.open()
    simulate(story, folder)
    headless = subprocess.Popen(
        [sys.executable, "-m", "napari_astroseg", "evaluate", MODEL, str(folder), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    predict(story, folder)
    said, trouble = headless.communicate()
    assert headless.returncode == 0, trouble
    measure(story, json.loads(said))


def simulate(story: Story, folder: Path) -> None:
    """A field that no model has seen, made up from Results."""
    results = story.turn_to("Results")
    story.choose(results.models, MODEL)

    def answer(dialog: Any) -> None:
        story.type(dialog.n, "1")
        story.type(dialog.size, str(SIDE))
        story.type(dialog.folder, str(folder))
        story.shot("simulate", dialog)
        accept(dialog)

    story.press(results.make_up, dialog=answer)
    story.wait(lambda: not results.busy, "the field")
    assert results.data.path() == folder, results.progress.words.text()


def predict(story: Story, folder: Path) -> None:
    """Fifty draws for each pixel: their mean, and how they differ."""
    image = folder / "image_field_000.fits"
    story.drop(image)
    story.wait(lambda: "image_field_000" in names(story.viewer), "the field")
    dock = story.turn_to("Predict")
    story.choose(dock.models, MODEL)
    assert "draws samples" in dock.place.unsure.toolTip()
    story.press(dock.place.by_whole)
    story.predicted()
    story.shot("found")
    (regions,), (probability,) = story.layers("regions"), story.layers("probability")
    truth = QTable.read(folder / "catalogue_field_000.ecsv")
    bright = truth[(truth["area"] > 60) & (truth["stamp"] >= 0)]
    assert len(bright) > 2
    places = np.stack([np.rint(bright["y"]), np.rint(bright["x"])], axis=1)
    hit = [regions.get_value(place, world=True) for place in places]
    assert np.count_nonzero(hit) >= 0.9 * len(bright)

    story.key(Qt.Key.Key_U)
    (unsure,) = story.layers("uncertainty")
    assert unsure.visible and not probability.visible
    story.shot("uncertainty")
    spread, found = np.asarray(unsure.data), np.asarray(regions.data) > 0
    assert np.isfinite(spread).all() and 0.0 < spread.max() <= 0.5
    edge = found ^ ndimage.binary_erosion(found)
    empty = ~ndimage.binary_dilation(found, iterations=8)
    assert np.median(spread[edge]) > 10.0 * np.median(spread[empty])


def measure(story: Story, headless: dict[str, Any]) -> None:
    """Completeness and purity in Results are those that the command line tells."""
    results = story.turn_to("Results")
    story.press(results.go)
    story.wait(lambda: not results.busy and results.figures.rowCount(), "the figures")
    story.shot("measured")
    here = {row[0]: row[1] for row in results.figures.rows()}
    there = {row.words: row.told for row in rows_of(headless)}
    assert here == there
    told = headless["figures"]
    assert told["completeness_isolated"] > 0.5 and told["purity_isolated"] > 0.5
    story.click_tab(results.tabs.tabBar(), "Completeness and purity")
    story.wait(lambda: results.tabs.currentWidget().drawn, "the plot")
    story.shot("completeness-and-purity")
