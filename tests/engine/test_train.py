"""Training: learns, validates honestly, resumes exactly, stops, and says what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file
from skies import write_four_maps

from napari_astroseg.engine.batches import TrainingSet
from napari_astroseg.engine.card import read_card
from napari_astroseg.engine.events import EpochDone, Finished, Started, StepDone, Warned
from napari_astroseg.engine.examples import Examples
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import Training, train
from napari_astroseg.errors import DataError, SetupError, TrainingError


def run_in(folder, maps, **options):
    return Run(data=maps, out=folder, device="cpu", **options)


def test_every_normalisation_trains(small_recipe, maps, tmp_path):
    for kind in ("minmax", "log", "local"):
        recipe = small_recipe.replace(**{"normalisation.kind": kind})
        events = list(train(recipe, run_in(tmp_path / kind, maps)))
        assert isinstance(events[0], Started) and isinstance(events[-1], Finished)
        epochs = [e for e in events if isinstance(e, EpochDone)]
        assert [e.epoch for e in epochs] == [1, 2]
        assert all(np.isfinite(e.loss) and 0 <= e.validation["dice"] <= 1 for e in epochs)
        assert len([e for e in events if isinstance(e, StepDone)]) >= 2


def test_it_learns_what_bars_look_like(small_recipe, maps, tmp_path):
    long = {"schedule.epochs": 12, "data.positions": 8, "data.anywhere": 30}
    recipe = small_recipe.replace(**long)
    *_, last = train(recipe, run_in(tmp_path, maps))
    assert last.result["figures"]["dice"] > 0.8
    card = read_card(tmp_path)
    assert card.threshold == last.result["figures"]["threshold"]
    assert card.recipe == recipe


def test_a_resumed_training_equals_an_uninterrupted_one(small_recipe, maps, tmp_path):
    recipe = small_recipe.replace(**{"schedule.epochs": 4, "schedule.decay_every": 2})
    list(train(recipe, run_in(tmp_path / "whole", maps)))
    events = train(recipe, run_in(tmp_path / "cut", maps))
    for event in events:
        if isinstance(event, StepDone) and event.epoch == 3:
            events.close()  # in the middle of the third epoch
    resumed = list(train(recipe, run_in(tmp_path / "cut", maps, resume=True)))
    assert [e.epoch for e in resumed if isinstance(e, EpochDone)] == [3, 4]
    whole, cut = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)
    assert history(tmp_path / "whole") == history(tmp_path / "cut")


def history(run):
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9")
def test_a_killed_training_resumes_exactly(small_recipe, maps, tmp_path):
    recipe = small_recipe.replace(**{"schedule.epochs": 60, "data.positions": 6})
    (tmp_path / "r.yaml").write_text(recipe.to_yaml())
    run = tmp_path / "run"
    command = [sys.executable, "-m", "napari_astroseg", "train", str(tmp_path / "r.yaml"),
               "--data", str(maps), "--out", str(run), "--device", "cpu"]  # fmt: skip
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    deadline = time.monotonic() + 120
    while not (run / "last.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    done = Training(recipe, run_in(run, maps, resume=True)).progress.epoch
    assert done >= 1
    short = recipe.replace(**{"schedule.epochs": 60})
    events = train(short, run_in(run, maps, resume=True))
    for event in events:
        if isinstance(event, EpochDone) and event.epoch >= done + 1:
            events.close()
    straight = train(short, run_in(tmp_path / "straight", maps))
    for event in straight:
        if isinstance(event, EpochDone) and event.epoch >= done + 1:
            straight.close()
    assert history(run) == history(tmp_path / "straight")


def test_patience_stops_early(small_recipe, maps, tmp_path):
    recipe = small_recipe.replace(
        **{"schedule.epochs": 50, "schedule.patience": 2, "schedule.learning_rate": 1e-12}
    )
    epochs = [e for e in train(recipe, run_in(tmp_path, maps)) if isinstance(e, EpochDone)]
    best = max(e.epoch for e in epochs if e.best)
    assert len(epochs) == best + 2 < 50


def test_a_loss_that_is_no_number_stops_with_a_sentence(small_recipe, maps, tmp_path):
    recipe = small_recipe.replace(**{"schedule.learning_rate": 1.0, "schedule.epochs": 1})
    training = Training(recipe, run_in(tmp_path, maps))
    with __import__("torch").no_grad():
        next(training.bare.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"lower schedule\.learning_rate"):
        list(training.epoch())


def test_resuming_something_else_is_refused(small_recipe, maps, tmp_path):
    list(train(small_recipe.replace(**{"schedule.epochs": 1}), run_in(tmp_path / "a", maps)))
    with pytest.raises(TrainingError, match="another recipe"):
        list(train(small_recipe, run_in(tmp_path / "a", maps, resume=True)))
    other = tmp_path / "maps"
    write_four_maps(other, seed=7)
    once = small_recipe.replace(**{"schedule.epochs": 1})
    with pytest.raises(TrainingError, match="data have changed"):
        list(train(once, run_in(tmp_path / "a", other, resume=True)))
    (tmp_path / "a" / "last.safetensors").write_bytes(b"rubbish")
    with pytest.raises(TrainingError, match="cannot be read"):
        list(train(once, run_in(tmp_path / "a", maps, resume=True)))


def test_resuming_nothing_begins_and_says_so(small_recipe, maps, tmp_path):
    once = small_recipe.replace(**{"schedule.epochs": 1})
    events = list(train(once, run_in(tmp_path / "new", maps, resume=True)))
    assert any(isinstance(e, Warned) and "from the beginning" in e.message for e in events)


def test_data_that_cannot_teach_are_refused(small_recipe, maps, tmp_path):
    for change, says in (
        ({"data.min_mask": 1.0}, "lower data.min_mask"),
        ({"data.patch_px": 256}, "smaller than a patch"),
        ({"data.patch_px": 96}, "raise data.split.area_px"),
    ):
        with pytest.raises(DataError, match=says):
            list(train(small_recipe.replace(**change), run_in(tmp_path, maps)))


def test_a_device_that_is_not_there_is_refused(small_recipe, maps, tmp_path):
    with pytest.raises(SetupError, match="no device is called"):
        list(train(small_recipe, Run(data=maps, out=tmp_path, device="toaster")))


def test_an_epoch_depends_on_seed_and_number_alone(small_recipe, maps):
    first, second = (TrainingSet(small_recipe, maps) for _ in range(2))
    list(first.batches(1)[1])
    mine, theirs = next(first.batches(2)[1]), next(second.batches(2)[1])
    assert np.array_equal(mine.planes, theirs.planes)
    assert not np.array_equal(next(first.batches(1)[1]).planes, mine.planes)


def test_targets_turn_with_their_images(small_recipe, maps):
    data = TrainingSet(small_recipe, maps)
    for batch in data.batches(1)[1]:
        on = batch.planes[(batch.target > 0) & (batch.weight > 0)].mean()
        off = batch.planes[(batch.target == 0) & (batch.weight > 0)].mean()
        assert on > off + 0.05


@pytest.mark.parametrize("background", ["one_vs_all", "conservative"])
def test_the_real_sample_trains(small_recipe, shared_data, tmp_path, background):
    recipe = small_recipe.replace(**{"data.background": background, "schedule.epochs": 1})
    image = shared_data / "filaments" / "higal_sample_image.fits"
    *_, last = train(recipe, run_in(tmp_path, image))
    assert 0 < last.result["figures"]["dice"] <= 1


def test_the_preset_itself_takes_two_steps(maps, tmp_path):
    from napari_astroseg.recipes.recipe import Recipe

    recipe = Recipe.preset("filaments").replace(
        **{"schedule.batch_size": 2, "data.min_mask": 0.1, "data.allow_missing": True}
    )
    steps = 0
    for event in train(recipe, run_in(tmp_path, maps)):
        if isinstance(event, StepDone):
            steps += 1
            if steps == 2:
                break
    assert steps == 2 and np.isfinite(event.loss)


def test_starting_afresh_forgets_the_earlier_checkpoint(small_recipe, maps, tmp_path):
    once = small_recipe.replace(**{"schedule.epochs": 1})
    list(train(once, run_in(tmp_path, maps)))
    next(train(once, run_in(tmp_path, maps)))  # begun again, killed before its first epoch
    events = list(train(once, run_in(tmp_path, maps, resume=True)))
    assert any(isinstance(e, Warned) and "from the beginning" in e.message for e in events)
    assert any(isinstance(e, EpochDone) for e in events)


@pytest.mark.parametrize("left", [None, "", "{"])
def test_a_lost_history_is_told(small_recipe, maps, tmp_path, left):
    once = small_recipe.replace(**{"schedule.epochs": 1})
    list(train(once, run_in(tmp_path, maps)))
    (tmp_path / "history.jsonl").unlink()
    if left is not None:
        (tmp_path / "history.jsonl").write_text(left)
    with pytest.raises(TrainingError, match="does not hold the epochs"):
        list(train(once, run_in(tmp_path, maps, resume=True)))


def test_a_net_broken_by_an_epoch_s_last_step_is_not_kept(small_recipe, maps, tmp_path):
    torch = pytest.importorskip("torch")
    training = Training(small_recipe, run_in(tmp_path, maps))
    for event in training.epoch():
        if isinstance(event, StepDone) and event.step == event.total:
            break
    with torch.no_grad():
        next(training.bare.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="the validation of epoch 1"):
        training._validated(1, Examples(small_recipe.data.classes))


def test_the_optimiser_is_resumed_after_the_weights_found_their_device(
    small_recipe, maps, tmp_path, monkeypatch
):
    from lightning_fabric import Fabric

    from napari_astroseg.engine import train as module

    once = small_recipe.replace(**{"schedule.epochs": 1})
    list(train(once, run_in(tmp_path, maps)))
    order = []
    setup, load = Fabric.setup, module.load_checkpoint
    monkeypatch.setattr(Fabric, "setup", lambda *a: order.append("setup") or setup(*a))
    monkeypatch.setattr(module, "load_checkpoint", lambda *a: order.append("load") or load(*a))
    Training(once, run_in(tmp_path, maps, resume=True))
    assert order == ["setup", "load"]


def test_validation_without_a_structure_is_refused(small_recipe, maps, tmp_path):
    from astropy.io import fits

    write_four_maps(tmp_path / "maps", seed=0)
    with fits.open(tmp_path / "maps" / "000_target.fits", mode="update") as hdus:
        hdus[0].data[:64, :64] = 0
    one = {"data.split.area_px": 64, "data.split.folds": 12}
    with pytest.raises(DataError, match=r"choose another data\.split\.validation_fold"):
        TrainingSet(small_recipe.replace(**one), tmp_path / "maps")


def test_the_rate_falls_as_the_schedule_says(small_recipe, maps, tmp_path):
    falling = {"schedule.epochs": 3, "schedule.decay_every": 2, "schedule.decay": 0.5}
    events = train(small_recipe.replace(**falling), run_in(tmp_path, maps))
    rates = [e.learning_rate for e in events if isinstance(e, EpochDone)]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4])


def test_a_held_out_longitude_neither_trains_nor_validates(small_recipe, maps):
    recipe = small_recipe.replace(
        **{"data.anywhere": 50, "data.split.hold_out_lon_deg": (29.5, 29.8)}
    )
    data = TrainingSet(recipe, maps)
    patches, _ = data.epoch(1)
    for drawn in (patches, data.validation):
        mine = drawn.field == 0
        corners = np.concatenate([drawn.x[mine], drawn.x[mine] + 31])
        lon = data.fields[0].image.sky(corners, np.full(len(corners), 50.0)).spherical.lon.deg
        assert len(lon) and not ((lon >= 29.5) & (lon <= 29.8)).any()


def test_a_threshold_in_the_recipe_is_the_model_s(small_recipe, maps, tmp_path):
    once = small_recipe.replace(**{"schedule.epochs": 1, "prediction.threshold": 0.31})
    list(train(once, run_in(tmp_path, maps)))
    assert read_card(tmp_path).threshold == 0.31


def test_an_epoch_that_finds_few_places_is_drawn_again(small_recipe, maps, monkeypatch):
    from napari_astroseg.sky.patches import Patches, Sampler

    data, luck, draw = TrainingSet(small_recipe, maps), iter([False] * 6), Sampler.draw

    def unlucky(self, *asked):
        return draw(self, *asked) if next(luck, True) else Patches.joined([])

    monkeypatch.setattr(Sampler, "draw", unlucky)
    assert len(data.epoch(1)[0])
