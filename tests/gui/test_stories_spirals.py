"""Spiral arms: votes of a crowd, a threshold, a short training, and how well it then does."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_stories import story
from gui.story import Story, names
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QDialogButtonBox

from napari_astroseg.engine.card import read_card
from napari_astroseg.gui.resultsview.kept import kept
from napari_astroseg.sky.simulate.spirals import write

pytestmark = pytest.mark.once

SIDE, PEOPLE = 128, 3
LEARNT, UNSEEN = 9000, 9006
"""Seeds of the galaxies that are learnt from, and of those that are not."""


@pytest.fixture
def galaxies(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of simulated galaxies with the votes of simulated volunteers."""
    folders = tmp_path / "learnt", tmp_path / "unseen"
    for folder, seed, count in zip(folders, (LEARNT, UNSEEN), (30, 14), strict=True):
        for number in range(count):
            write(folder, number, SIDE, seed)
    return folders


def picked(path: Path) -> Callable[[Any], None]:
    """What is said to a dialog that asks for a file: this one, by its button."""

    def answer(dialog: Any) -> None:
        dialog.selectFile(str(path))
        box = dialog.findChild(QDialogButtonBox)
        QTest.mouseClick(
            box.button(QDialogButtonBox.StandardButton.Open), Qt.MouseButton.LeftButton
        )

    return answer


def threshold_chosen(story: Story, real: Path, learnt: Path) -> None:
    """Look at votes, and send Train those of three people or more."""
    # a real galaxy: nobody saw arms, several marked its centre
    votes = story.turn_to("Votes")
    story.press(votes.choose, dialog=picked(real))
    story.wait(lambda: votes.ballot is not None and not votes.busy, "the votes")
    story.choose(votes.kind, "center")
    story.type(votes.number, str(PEOPLE))
    assert votes.threshold == PEOPLE
    inside = votes.votes.at_least(PEOPLE)
    assert 0 < np.count_nonzero(inside) < 0.01 * inside.size
    assert f"{np.count_nonzero(inside):,} px" in votes.area.text(), votes.area.text()
    story.shot("real-votes")
    story.choose(votes.kind, "spiral")
    assert votes.votes.most == 0 and not votes.mask.data.any()

    # a simulated one with arms; a key is a vote more, and the mask shrinks
    armed = max(learnt.glob("*.fits.gz"), key=lambda path: path.stat().st_size)
    story.press(votes.choose, dialog=picked(armed))
    story.wait(lambda: votes.ballot is not None and votes.ballot.place == armed, "the votes")
    story.wait(lambda: not votes.busy)
    story.choose(votes.kind, "spiral")
    assert votes.votes.most >= PEOPLE, armed
    story.type(votes.number, "1")
    widest = votes.area.text()
    for _ in range(PEOPLE - 1):
        story.key(Qt.Key.Key_BracketRight)
    assert votes.threshold == PEOPLE and votes.area.text() != widest
    story.press(votes.learn)
    assert f"spiral at {PEOPLE} votes, on all of learnt" in votes.told.text()
    story.shot("votes")


def trained(story: Story, learnt: Path) -> Path:
    """Train what Votes has sent, an epoch from the weights in the box; gives the run."""
    train = story.turn_to("Train")
    assert (train.form.value().data.threshold, train.data.path()) == (PEOPLE, learnt)
    story.choose(train.weights, "spiral_arms_small")
    story.type(train.form.section["schedule"]["epochs"], "1")
    story.press(train.go)
    story.wait(lambda: not train.busy, "the training")
    assert "Jaccard" in train.progress.words.text()
    story.shot("trained")
    story.press(train.use)
    run = train.out.path()
    assert run is not None and read_card(run).recipe.data.threshold == PEOPLE
    return Path(run)


def test_spirals(story: Story, shared_data: Path, galaxies: tuple[Path, Path]) -> None:
    learnt, unseen = galaxies
    story.open()
    threshold_chosen(story, next((shared_data / "gz3d").glob("*.fits.gz")), learnt)
    run = trained(story, learnt)

    # the galaxy that is open, predicted with it
    predict = story.turn_to("Predict")
    story.choose(predict.models.findChild(QComboBox), run.name)
    story.press(predict.place.by_whole)
    story.predicted()
    story.shot("predicted")
    assert story.layers("probability")

    # and how it does on galaxies that it has not seen
    results = story.turn_to("Results")
    story.choose(results.models.findChild(QComboBox), run.name)
    story.type(results.data, str(unseen))
    story.press(results.go)
    story.wait(lambda: not results.busy and kept(), "the figures")
    (folder,) = kept()
    told = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    figures = {row[0]: row[1] for row in results.figures.rows()}
    assert figures["galaxies"] == "14"
    assert figures["Jaccard"].startswith(f"{told['figures']['jaccard']:.3f} ± ")
    bars = told["histograms"]["jaccard"]
    assert sum(bars) == round(told["figures"]["both"] * 14) > 0
    titles = [results.tabs.tabText(at) for at in range(results.tabs.count())]
    bar = results.tabs.tabBar()
    at = next(at for at, title in enumerate(titles) if "Jaccard" in title)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(at).center())
    story.wait(lambda: len(results.tabs.currentWidget().drawn) == 1, "the histogram")
    story.shot("jaccard")
    heavy = {"torch", "lightning_fabric", "torchvision"} & sys.modules.keys()
    assert not heavy, "what is trained and predicted brings nothing of it into the window"
