"""TrainDock: from a recipe to curves to a model that Predict finds."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import alive, job_threads, model, own_settings, spin

from napari_astroseg.engine.card import read_card
from napari_astroseg.engine.service import Call
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.training.closing import Choice
from napari_astroseg.recipes.recipe import Recipe


@pytest.fixture
def dock(qtbot: Any, own_settings: Path, tmp_path: Path) -> Any:
    dock = TrainDock(target="gui.fake_training:train")
    qtbot.addWidget(dock)
    dock.show()
    dock.data.set_path(tmp_path)
    dock.out.set_path(tmp_path / "run")
    dock.form.setValue(dock.form.value().replace(schedule__epochs=3))
    yield dock
    dock.shut_down()


def test_a_training_draws_its_curves_and_ends_on_the_shelf(dock: Any, tmp_path: Path) -> None:
    assert dock.go.isEnabled()
    assert not dock.use.isEnabled()
    assert "first epoch" in dock.use.toolTip()
    dock.go.click()
    assert not dock.go.isEnabled()
    assert dock.halt.isEnabled()
    assert spin(lambda: not dock.busy)
    assert [event.epoch for event in dock.curves.epochs] == [1, 2, 3]
    assert dock.curves.best_epoch == 2
    assert spin(lambda: "best epoch 2" in dock.curves.best.text())
    assert "Dice = 0.600" in dock.progress.words.text()
    assert Shelf().paths() == [tmp_path / "run"]
    assert read_card(tmp_path / "run").name == "run"
    assert dock.use.isEnabled()


@pytest.mark.once
def test_stop_keeps_the_epochs_and_resume_is_offered(dock: Any, tmp_path: Path) -> None:
    dock.form.setValue(dock.form.value().replace(schedule__epochs=500))
    dock.go.click()
    assert spin(lambda: len(dock.curves.epochs) >= 2)
    pids = dock.pids
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    assert "kept" in dock.progress.words.text()
    assert spin(lambda: not any(alive(pid) for pid in pids))
    assert not dock.go.isEnabled()
    assert "resume" in dock.go.toolTip()
    assert dock.resume.isEnabled()
    assert dock.use.isEnabled()
    dock.resume.click()
    assert spin(lambda: dock.curves.epochs)
    dock.halt.click()
    assert spin(lambda: not dock.busy)


@pytest.mark.once
def test_how_far_reading_is_is_told(qtbot: Any, own_settings: Path, tmp_path: Path) -> None:
    dock = TrainDock(target="gui.fake_training:reads_long")
    qtbot.addWidget(dock)
    dock.data.set_path(tmp_path)
    dock.out.set_path(tmp_path / "run")
    dock.go.click()
    assert spin(lambda: dock.progress.words.text() == "Reading NGC files …")
    assert dock.progress.bar.text() == "3 / 10 files"
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    dock.shut_down()


@pytest.mark.once
def test_a_killed_training_is_a_sentence(dock: Any) -> None:
    dock.form.setValue(dock.form.value().replace(schedule__epochs=500))
    dock.go.click()
    assert spin(lambda: dock.curves.epochs)
    os.kill(dock.pids[0], signal.SIGKILL)
    assert spin(lambda: not dock.busy)
    assert "ended unexpectedly" in dock.progress.words.text()


def test_closing_the_window_mid_run_leaves_no_orphans(
    make_napari_viewer: Any, own_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = TrainDock(viewer, target="gui.fake_training:train")
    viewer.window.add_dock_widget(dock, name="Train", area="right")
    dock.data.set_path(tmp_path)
    dock.out.set_path(tmp_path / "run")
    dock.form.setValue(dock.form.value().replace(schedule__epochs=500))
    dock.go.click()
    assert spin(lambda: dock.curves.epochs)
    pids = dock.pids
    assert pids
    monkeypatch.setattr(dock, "ask_closing", lambda: Choice.CANCEL)
    assert not viewer.window._qt_window.close()
    assert viewer.window._qt_window.isVisible()
    assert dock.busy
    viewer.close()  # by a script: nobody is asked
    assert spin(lambda: not any(alive(pid) for pid in pids) and not job_threads())


@pytest.mark.once
def test_a_form_that_is_wrong_cannot_start(dock: Any) -> None:
    dock.form.section["family"].sections[0]["channels"].setText("many")
    assert not dock.go.isEnabled()
    assert "family.channels" in dock.go.toolTip()


@pytest.mark.once
def test_a_run_that_exists_shows_its_recipe_and_curves(dock: Any, tmp_path: Path) -> None:
    import json
    from dataclasses import asdict

    from napari_astroseg.engine.events import EpochDone

    run = tmp_path / "old"
    run.mkdir()
    recipe = dock.form.value().replace(schedule__epochs=77)
    (run / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    rows = [EpochDone(n, 77, 1.0 / n, {"dice": 0.1 * n}, 1e-3, True, 1.0) for n in (1, 2)]
    text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    (run / "history.jsonl").write_text(text + "{half a l", encoding="utf-8")
    dock.out.set_path(run)
    assert dock.form.value() == recipe
    assert [event.epoch for event in dock.curves.epochs] == [1, 2]


@pytest.mark.once
def test_skies_are_simulated_and_become_the_data(dock: Any, tmp_path: Path) -> None:
    from napari_astroseg.gui.training.simulating import TARGET

    dock.simulate(Call(TARGET, ("filaments", tmp_path / "skies", 1, 128, 0)))
    assert dock.busy
    assert spin(lambda: not dock.busy)
    assert dock.data.path() == tmp_path / "skies"
    assert len(list((tmp_path / "skies").glob("*_image.fits"))) == 1


@pytest.mark.once
def test_data_of_every_layout_can_be_made_up(dock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_astroseg.gui import train

    dock.preset.setCurrentText("spiral_arms_small")
    assert dock.make_up.isEnabled()
    assert dock._kind.name == "spirals"
    monkeypatch.setattr(train, "kinds_of", lambda layout: ())  # as of a layout from elsewhere
    dock.preset.setCurrentText("filaments_small")
    assert not dock.make_up.isEnabled()
    assert "choose a folder" in dock.make_up.toolTip()


@pytest.mark.once
def test_the_command_says_what_the_form_says(dock: Any, tmp_path: Path) -> None:
    from napari_astroseg.gui.predicting.commandline import train_command

    words = train_command(dock.form.value(), "filaments_small", Path("/a b"), Path("/run"))
    told = "astroseg train filaments_small --data '/a b' --out /run --set schedule.epochs=3"
    assert words == told


@pytest.mark.once
def test_what_another_dock_proposes_is_shown_and_not_started(dock: Any, tmp_path: Path) -> None:
    recipe = Recipe.preset("spiral_arms_small").replace(data__threshold=5)
    folder = tmp_path / "galaxies"
    folder.mkdir()
    Proposals().make(recipe, folder, start_from="spiral_arms_small")
    assert spin(lambda: dock.data.path() == folder)
    assert dock.form.value() == recipe
    assert dock.weights.value() == "spiral_arms_small"
    assert dock._ordered().how.start_from == "spiral_arms_small"
    assert "--from spiral_arms_small" in dock._ordered().how.command
    assert dock.preset.currentText() == "spiral_arms_small"
    assert not dock.busy
    assert dock.go.isEnabled()
    later = TrainDock(target="gui.fake_training:train")
    assert later.form.value() == recipe
    later.shut_down()


@pytest.mark.once
def test_what_another_window_proposes_is_left_to_it(dock: Any, own_settings: Path) -> None:
    before = dock.form.value()
    Proposals().make(Recipe.preset("filaments"), own_settings)
    assert spin(lambda: dock.data.path() == own_settings)
    file = own_settings / "astroseg" / "proposal.json"
    told = json.loads(file.read_text())
    for wrong in ({**told, "process": 1}, {**told, "recipe": "x: ["}, [], {"process": os.getpid()}):
        file.write_text(json.dumps(wrong))
        assert Proposals().latest() is None
    assert before.name == "filaments_small"


@pytest.mark.once
def test_a_proposal_does_not_disturb_a_training(dock: Any, own_settings: Path) -> None:
    dock.form.setValue(dock.form.value().replace(schedule__epochs=500))
    dock.go.click()
    assert spin(lambda: len(dock.curves.epochs) >= 1)
    before = dock.data.path()
    dock.propose(Recipe.preset("filaments"), own_settings)
    assert "stop this one" in dock.progress.words.text()
    assert dock.data.path() == before
    dock.halt.click()
    assert spin(lambda: not dock.busy)
