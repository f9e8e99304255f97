"""Runs side by side: which there are, what is drawn of them, and where they differ."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import own_settings, spin
from qtpy.QtGui import QGuiApplication

from napari_astroseg.engine.events import EpochDone
from napari_astroseg.engine.runlock import RunLock
from napari_astroseg.gui.shelf import RUNS, Shelf
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.training.runs import RunRecord, curves_of, runs_in, table_of
from napari_astroseg.recipes.recipe import Recipe

pytestmark = pytest.mark.once


def write_run(out: Path, recipe: Recipe, figures: list[float], epochs: int = 3) -> Path:
    out.mkdir(parents=True)
    (out / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    rows = [
        EpochDone(
            n, epochs, 1 / n, {"loss": 2 / n, "dice": dice}, 1e-3, dice == max(figures[:n]), 2.0
        )
        for n, dice in enumerate(figures, start=1)
    ]
    text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    (out / "history.jsonl").write_text(text, encoding="utf-8")
    return out


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    recipe = Recipe.preset("filaments_small")
    slower = recipe.replace(schedule__learning_rate=1e-4)
    write_run(tmp_path / "search" / "trial-0000", slower, [0.1])
    return [
        write_run(tmp_path / "one", recipe, [0.5, 0.7, 0.6]),
        write_run(tmp_path / "two", slower, [0.4, 0.45], epochs=9),
    ]


def test_a_run_is_read_as_far_as_it_has_come(runs: list[Path], tmp_path: Path) -> None:
    one, two = (RunRecord.read(path) for path in runs)
    assert (one.state, two.state) == ("ended", "left off")
    with RunLock(runs[1]):
        assert RunRecord.read(runs[1]).state == "running"
    assert one.best is not None
    assert one.best.epoch == 2
    assert one.curve("dice") == ([1, 2, 3], [0.5, 0.7, 0.6])
    assert math.isnan(one.curve("f2")[1][0])
    assert curves_of([one, two]) == ["dice", "validation loss", "training loss"]
    table = table_of([one, two])
    assert table["Dice"] == ["0.7", "0.45"]
    assert table["epochs"] == ["3", "2"]
    assert table["schedule.learning_rate"] == ["0.002", "0.0001"]
    assert not any(name.startswith("data.") for name in table)
    found = runs_in([runs[0], tmp_path / "search", tmp_path, tmp_path / "nowhere"])
    assert [path.name for path in found] == ["one", "trial-0000", "two"]
    assert RunRecord.read(found[1]).name == "search/trial-0000"
    nothing = RunRecord.read(tmp_path / "nowhere")
    assert table_of([nothing]) == {"state": ["left off"], "epochs": ["0"]}


def test_runs_are_ticked_drawn_and_told_apart(
    qtbot: Any, own_settings: Path, runs: list[Path]
) -> None:
    shelf = Shelf(name=RUNS)
    for path in reversed(runs):
        shelf.add(path)
    dock = TrainDock(target="gui.fake_training:train")
    qtbot.addWidget(dock)
    comparison = dock.show_comparison()
    assert spin(lambda: [run.name for run in comparison.runs] == ["one", "two"])
    assert comparison.curve.currentText() == "Dice"
    legend = [label.text for _, label in comparison._legend.items]
    assert legend == ["one", "two"]
    heads = [
        comparison.table.verticalHeaderItem(row).text()
        for row in range(comparison.table.rowCount())
    ]
    assert "schedule.learning_rate" in heads
    comparison.copy_table()
    assert "Dice\t0.7\t0.45" in QGuiApplication.clipboard().text()
    comparison.choose("one", False)
    assert spin(lambda: [run.name for run in comparison.runs] == ["two"])
    comparison.offer([runs[0].parent / "search"])
    comparison.choose("search/trial-0000")
    assert spin(lambda: len(comparison.runs) == 2)
    comparison.log.setChecked(True)
    comparison.curve.setCurrentText("training loss")
    assert len(comparison._lines) == 4
    comparison.close()
    dock.shut_down()
