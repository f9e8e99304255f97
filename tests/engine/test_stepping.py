"""Steps: parts add up to the whole, memory that does not suffice, stages, clipping, precision."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.events import EpochDone, StepDone, Warned
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.stepping import BROKEN_FILE
from napari_astroseg.engine.train import Training, train
from napari_astroseg.errors import SetupError, TrainingError
from napari_astroseg.recipes.families.unet38 import Spec


def run_in(folder, maps, **options):
    return Run(data=maps, out=folder, device="cpu", **options)


def still(recipe, **changes):
    """A network without batch norm, whose parts do not see one another, nor dropout."""
    small = {
        "family": Spec(channels=(4,), bottleneck=6, bands=1, dropout=0.0),
        "data.positions": 0,
        "data.anywhere": 20,
        "schedule.epochs": 2,
    }
    return recipe.replace(**(small | changes))


def weights(run):
    return load_file(run / "last.safetensors")


def a_batch(count=6):
    rng = np.random.default_rng(1)
    shape = count, 1, 16, 16
    planes = rng.normal(size=shape).astype(np.float32)
    weight = (rng.random(shape) > 0.4).astype(np.float32)
    return PixelBatch(planes, (planes > 0.5).astype(np.float32), weight)


def test_parts_of_a_batch_are_the_batch():
    batch = a_batch(7)
    for count in (1, 2, 3, 7, 20):
        parts = batch.parts(count)
        assert len(parts) == min(count, 7) and all(len(part) for part in parts)
        assert np.array_equal(np.concatenate([part.planes for part in parts]), batch.planes)
        assert sum(part.worth for part in parts) == batch.worth


def test_gradients_of_parts_add_up_to_the_whole_s():
    net, batch = build(Spec(channels=(4,), bottleneck=6, bands=1, dropout=0.0)), a_batch()

    def gradient(parts):
        net.zero_grad()
        for part in parts:
            loss = net.learn(part.on(torch.device("cpu")))
            (loss * (part.worth / batch.worth)).backward()
        return torch.cat([weight.grad.flatten() for weight in net.parameters()])

    whole = gradient([batch])
    assert torch.allclose(gradient(batch.parts(4)), whole, atol=1e-6)
    assert whole.abs().max() > 1e-3


def test_a_batch_in_parts_learns_the_same(small_recipe, maps, tmp_path):
    for parts in (1, 3):
        recipe = still(small_recipe, **{"schedule.parts": parts})
        list(train(recipe, run_in(tmp_path / str(parts), maps)))
    whole, parted = weights(tmp_path / "1"), weights(tmp_path / "3")
    nets = [name for name in whole if name.startswith("net.")]
    assert all(np.allclose(whole[name], parted[name], atol=2e-4) for name in nets)


def test_memory_that_does_not_suffice_is_told_and_the_batch_halved(
    small_recipe, maps, tmp_path, monkeypatch
):
    recipe = still(small_recipe)
    training = Training(recipe, run_in(tmp_path, maps))
    learn, seen = type(training.bare).learn, []

    def narrow(self, batch):
        seen.append(len(batch))
        if len(batch) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return learn(self, batch)

    monkeypatch.setattr(type(training.bare), "learn", narrow)
    events = list(training.epoch())
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert len(warned) == 2 and all("at a time" in sentence for sentence in warned)
    assert isinstance(events[-1], EpochDone) and np.isfinite(events[-1].loss)
    assert training._stepper.parts == 4
    assert all(count <= 5 for count in seen[2:])


def test_memory_for_not_even_one_patch_ends_in_a_sentence(
    small_recipe, maps, tmp_path, monkeypatch
):
    training = Training(still(small_recipe), run_in(tmp_path, maps))

    def never(self, batch):
        raise MemoryError

    monkeypatch.setattr(type(training.bare), "learn", never)
    with pytest.raises(TrainingError, match="a single patch"):
        list(training.epoch())


def test_other_errors_of_a_step_are_not_taken_for_memory(small_recipe, maps, tmp_path, monkeypatch):
    training = Training(still(small_recipe), run_in(tmp_path, maps))

    def broken(self, batch):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(type(training.bare), "learn", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(training.epoch())


def test_a_batch_that_broke_the_network_is_kept_and_named(small_recipe, maps, tmp_path):
    training = Training(still(small_recipe), run_in(tmp_path, maps))
    with torch.no_grad():
        next(training.bare.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match=rf"epoch 1, step 1 .*{BROKEN_FILE}"):
        list(training.epoch())
    kept = load_file(tmp_path / BROKEN_FILE)
    first = next(training.data.batches(1)[1])
    assert kept.keys() == {"planes", "target", "weight"}
    assert np.array_equal(kept["planes"], first.planes)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_every_optimiser_resumes_exactly(small_recipe, maps, tmp_path, optimiser):
    recipe = still(
        small_recipe,
        **{
            "schedule.optimiser": optimiser,
            "schedule.weight_decay": 1e-3,
            "schedule.clip": 0.5,
            "schedule.epochs": 2,
        },
    )
    list(train(recipe, run_in(tmp_path / "whole", maps)))
    events = train(recipe, run_in(tmp_path / "cut", maps))
    for event in events:
        if isinstance(event, StepDone) and event.epoch == 2:
            events.close()
    list(train(recipe, run_in(tmp_path / "cut", maps, resume=True)))
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)


def test_the_gradient_is_shortened_to_the_clip(small_recipe, maps, tmp_path):
    rate, clip = 0.5, 1e-4
    recipe = still(
        small_recipe,
        **{
            "schedule.optimiser": "sgd",
            "schedule.momentum": 0.0,
            "schedule.learning_rate": rate,
            "schedule.clip": clip,
        },
    )
    training = Training(recipe, run_in(tmp_path, maps))
    before = torch.nn.utils.parameters_to_vector(training.bare.parameters()).detach().clone()
    next(training.epoch())
    after = torch.nn.utils.parameters_to_vector(training.bare.parameters()).detach()
    assert float((after - before).norm()) == pytest.approx(rate * clip, rel=1e-2)


def test_stages_set_the_rate_and_let_all_but_the_heads_rest(
    small_recipe, maps, tmp_path, monkeypatch
):
    recipe = still(
        small_recipe,
        **{
            "schedule.epochs": 3,
            "schedule.stage_epochs": (1, 2),
            "schedule.stage_rates": (1e-2, 1e-3),
            "schedule.head_stages": 1,
        },
    )
    training = Training(recipe, run_in(tmp_path, maps))
    net = training.bare
    monkeypatch.setattr(type(net), "heads", lambda self: self.head.parameters())

    def state():
        return {name: weight.detach().clone() for name, weight in net.named_parameters()}

    told, changed = [], []
    for _ in range(3):
        before = state()
        told += [e.learning_rate for e in training.epoch() if isinstance(e, EpochDone)]
        after = state()
        changed.append({n for n in before if not torch.equal(before[n], after[n])})
    assert told == [1e-2, 1e-3, 1e-3]
    assert changed[0] == {"head.weight", "head.bias"}
    assert changed[1] == changed[2] == set(state())


def test_bfloat16_learns_as_float32_does(small_recipe, maps, tmp_path):
    losses = {}
    for precision in ("32-true", "bf16-mixed"):
        recipe = still(small_recipe, **{"schedule.precision": precision})
        events = train(recipe, run_in(tmp_path / precision, maps))
        losses[precision] = [e.validation["loss"] for e in events if isinstance(e, EpochDone)]
    assert losses["bf16-mixed"] == pytest.approx(losses["32-true"], rel=0.05)
    assert losses["bf16-mixed"] != losses["32-true"]


def test_two_processes_learn_what_one_does(small_recipe, maps, tmp_path):
    recipe = still(small_recipe)
    *_, one = train(recipe, run_in(tmp_path / "one", maps))
    events = list(train(recipe, run_in(tmp_path / "two", maps, devices=2)))
    alone, together = weights(tmp_path / "one"), weights(tmp_path / "two")
    nets = [name for name in alone if name.startswith("net.")]
    assert all(np.allclose(alone[name], together[name], atol=2e-4) for name in nets)
    assert [e.epoch for e in events if isinstance(e, EpochDone)] == [1, 2]
    assert events[-1].result["figures"]["dice"] == pytest.approx(
        one.result["figures"]["dice"], abs=0.01
    )
    assert not torch.distributed.is_initialized()


def test_a_process_that_dies_is_told(small_recipe, maps, tmp_path):
    import psutil

    recipe = still(small_recipe, **{"schedule.epochs": 1000})
    events = train(recipe, run_in(tmp_path, maps, devices=2))
    with pytest.raises(TrainingError, match="one of the 2 processes ended"):
        for event in events:
            if isinstance(event, EpochDone):
                for child in psutil.Process().children():
                    if "napari_astroseg.engine.rank" in child.cmdline():
                        child.kill()
    assert (tmp_path / "last.safetensors").exists()


def test_no_device_at_all_is_refused(tmp_path):
    with pytest.raises(SetupError, match="at least one device"):
        Run(tmp_path, tmp_path, devices=0)
