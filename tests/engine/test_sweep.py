"""Sweeps: what is tried, that it goes on where it stopped, and what it leaves."""

import json
import math
import subprocess
import sys
import time
from dataclasses import asdict
from importlib import import_module

import pytest
from astropy.table import Table

from napari_astroseg.cli.main import main
from napari_astroseg.engine.events import EpochDone, Finished, TrialBegun, TrialDone, Warned
from napari_astroseg.engine.run import Sweep
from napari_astroseg.engine.study import STUDY_FILE, Study
from napari_astroseg.engine.sweep import sweep
from napari_astroseg.errors import SetupError, TrainingError
from napari_astroseg.recipes.families.unet38 import Spec
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.search import Search

RATES = "schedule.learning_rate=[1e-12, 1e-2]"


@pytest.fixture(scope="module")
def recipe(small_recipe):
    return small_recipe.replace(
        **{
            "family": Spec(channels=(4,), bottleneck=6, bands=1, dropout=0.0),
            "data.positions": 0,
            "data.anywhere": 20,
            "schedule.epochs": 2,
        }
    )


def test_a_grid_tries_all_and_writes_the_best_back(recipe, maps, tmp_path):
    how = Sweep(maps, tmp_path / "s", (RATES, "schedule.seed=[1, 2]"), grid=True, device="cpu")
    events = list(sweep(recipe, how))
    begun = [e for e in events if isinstance(e, TrialBegun)]
    done = [e for e in events if isinstance(e, TrialDone)]
    assert [e.number for e in begun] == [e.number for e in done] == [0, 1, 2, 3]
    assert {(e.changes["schedule.learning_rate"], e.changes["schedule.seed"]) for e in done} == {
        (rate, seed) for rate in (1e-12, 1e-2) for seed in (1, 2)
    }
    assert all(e.state == "complete" and 0 <= e.figure <= 1 for e in done)
    *_, last = events
    assert isinstance(last, Finished)
    best = max(done, key=lambda e: e.figure)
    assert last.result["trial"] == best.number and last.result["figure"] == best.figure
    assert [e.best for e in done if e.number == best.number] == [True]
    written = Recipe.open(tmp_path / "s" / "best.yaml")
    assert written == recipe.replace(**best.changes)
    table = Table.read(tmp_path / "s" / "trials.ecsv")
    assert list(table["trial"]) == [0, 1, 2, 3]
    assert list(table["epochs"]) == [2, 2, 2, 2]
    assert (tmp_path / "s" / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "s" / "trial-0000" / "model.safetensors").exists()
    assert not (tmp_path / "s" / "trial-0000" / "last.safetensors").exists()


def test_a_stopped_sweep_goes_on_and_repeats_what_was_cut_off(recipe, maps, tmp_path):
    how = Sweep(maps, tmp_path, ("schedule.seed=[1, 2, 3]",), grid=True, device="cpu")
    events = sweep(recipe, how)
    for event in events:
        if isinstance(event, EpochDone) and (tmp_path / "trial-0001").exists():
            events.close()
    with pytest.raises(TrainingError, match="add --resume"):
        next(sweep(recipe, how))
    again = Sweep(maps, tmp_path, ("schedule.seed=[1, 2, 3]",), grid=True, resume=True)
    rest = [e for e in sweep(recipe, again) if isinstance(e, TrialDone)]
    assert sorted(e.changes["schedule.seed"] for e in rest) == [2, 3]
    with pytest.raises(TrainingError, match="another search"):
        next(sweep(recipe, Sweep(maps, tmp_path, ("schedule.seed=[1, 2]",), resume=True)))
    with pytest.raises(TrainingError, match="another recipe"):
        other = recipe.replace(schedule__epochs=3)
        next(sweep(other, again))


def test_settings_that_break_cost_one_trial(recipe, maps, tmp_path):
    how = Sweep(maps, tmp_path, ("data.patch_px=[32, 256]",), grid=True, device="cpu")
    with pytest.raises(Exception, match="smaller than a patch"):  # the data's, not the trial's
        list(sweep(recipe, how))
    broken = recipe.replace(**{"schedule.optimiser": "sgd", "schedule.momentum": 0.99})
    how = Sweep(maps, tmp_path / "b", ("family.bands=[1]", "schedule.clip=[1e30, 1.0]"), grid=True)
    assert [e.state for e in sweep(broken, how) if isinstance(e, TrialDone)] == ["complete"] * 2


def test_a_trial_that_diverges_is_told_and_the_rest_goes_on(recipe, maps, tmp_path, monkeypatch):
    from napari_astroseg.engine import sweep as module

    real = module.train

    def sometimes(changed, run):
        if changed.schedule.seed == 1:
            raise TrainingError("the loss is no longer a number")
        yield from real(changed, run)

    monkeypatch.setattr(module, "train", sometimes)
    how = Sweep(maps, tmp_path, ("schedule.seed=[1, 2]",), grid=True, device="cpu")
    events = list(sweep(recipe, how))
    assert [e.message for e in events if isinstance(e, Warned)] == [
        "trial 0: the loss is no longer a number"
    ]
    done = [e for e in events if isinstance(e, TrialDone)]
    assert [e.state for e in done] == ["failed", "complete"]
    assert math.isnan(done[0].figure)
    monkeypatch.setattr(module, "train", lambda *_: (_ for _ in ()).throw(TrainingError("no")))
    with pytest.raises(TrainingError, match="not one training"):
        list(sweep(recipe, Sweep(maps, tmp_path / "n", ("schedule.seed=[1]",), grid=True)))


def test_searching_prefers_what_did_well(tmp_path, recipe):
    """The study alone: its proposals gather where the figure is high."""
    study = Study(tmp_path, recipe, Search.parse(["schedule.learning_rate=1e-6..1:log"], recipe))
    tried = []
    for _ in range(30):
        trial = study.ask(30)
        rate = study.values(trial)["schedule.learning_rate"]
        tried.append(abs(math.log10(rate) + 3))
        study.tell(trial, -tried[-1], "complete")
    assert study.ask(30) is None
    assert sum(tried[20:]) / 10 < 1.0  # drawn at random it would be 1.5
    assert abs(math.log10(study.best.params["schedule.learning_rate"]) + 3) == min(tried)
    lines = (tmp_path / STUDY_FILE).read_text().splitlines()
    assert len(lines) > 60 and all(json.loads(line) for line in lines)


def test_what_stays_below_the_median_is_pruned(tmp_path, recipe):
    long = recipe.replace(**{"schedule.epochs": 8})
    study = Study(tmp_path, long, Search.parse(["schedule.learning_rate=1e-4..1e-2"], long))
    for _ in range(6):
        trial = study.ask(10)
        for epoch in range(1, 9):
            trial.report(0.9, epoch)
        study.tell(trial, 0.9, "complete")
    trial = study.ask(10)
    pruned = []
    for epoch in range(1, 9):
        trial.report(0.1, epoch)
        pruned.append(trial.should_prune())
    assert not pruned[0] and pruned[-1]
    assert study.tell(trial, 0.1, "pruned") is False
    assert list(study.table()["state"])[-1] == "pruned"


def test_several_processes_share_one_search(recipe, maps, tmp_path):
    how = Sweep(
        maps, tmp_path, ("schedule.seed=[1, 2, 3, 4]",), grid=True, processes=2, device="cpu"
    )
    *_, last = sweep(recipe, how)
    table = Table.read(last.result["table"])
    assert sorted(table["schedule.seed"]) == [1, 2, 3, 4]
    assert set(table["state"]) == {"complete"}


def test_a_process_whose_search_is_gone_ends(recipe, maps, tmp_path):
    how = Sweep(maps, tmp_path, ("schedule.seed=[1, 2]",), grid=True, device="cpu")
    long = recipe.replace(schedule__epochs=500)
    Study(tmp_path, long, Search.parse(how.words, long), how.grid).pick_up()
    told = asdict(how) | {"recipe": long.to_yaml(), "most": 2, "worker": 1}
    words = [sys.executable, "-P", "-m", "napari_astroseg.engine.sweeper"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        child.stdin.write(json.dumps(told, default=str).encode() + b"\n")
        child.stdin.flush()
        deadline = time.monotonic() + 150
        while not list(tmp_path.glob("trial-*/history.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(60) == 1
    (trial,) = tmp_path.glob("trial-*")
    assert len((trial / "history.jsonl").read_text().splitlines()) < 500


def test_damaged_and_impossible_ones_are_refused(recipe, maps, tmp_path):
    (tmp_path / STUDY_FILE).write_text("rubbish\n")
    with pytest.raises(TrainingError, match="cannot be read"):
        next(sweep(recipe, Sweep(maps, tmp_path, (RATES,), resume=True)))
    with pytest.raises(SetupError, match="at least one trial"):
        Sweep(maps, tmp_path, (RATES,), trials=0)


def test_the_command_line_searches(recipe, maps, tmp_path, capsys):
    (tmp_path / "r.yaml").write_text(recipe.to_yaml())
    words = ["sweep", tmp_path / "r.yaml", "--data", maps, "--out", tmp_path / "s", "--grid",
             "--search", "schedule.seed=[1, 2]", "--set", "schedule.epochs=1", "--device",
             "cpu"]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("best trial ") and told.out.strip().endswith("best.yaml")
    assert "trial 0: schedule.seed=1" in told.err and "trial 1 complete" in told.err


def test_without_optuna_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "napari_astroseg.engine.study")
    monkeypatch.delitem(sys.modules, "napari_astroseg.engine.sweep")
    with pytest.raises(SetupError, match=r'pip install "napari-astroseg\[sweep\]"'):
        import_module("napari_astroseg.engine.sweep")
