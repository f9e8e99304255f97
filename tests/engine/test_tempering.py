"""Calibrated probabilities: the temperature is found, kept in the card, and changes no region."""

import dataclasses

import numpy as np
import pytest

from napari_astroseg.cli.main import main
from napari_astroseg.engine.calibration import Reliability
from napari_astroseg.engine.card import read_card
from napari_astroseg.engine.ensemble import entropy
from napari_astroseg.engine.events import Started
from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.temperature import steepness, tempered
from napari_astroseg.engine.tempering import OddsCounts, calibrate
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.recipe import Recipe


@pytest.mark.parametrize("temperature", [0.5, 2.0, 3.0])
def test_a_network_too_sure_or_too_unsure_is_seen_through(temperature):
    rng = np.random.default_rng(0)
    honest = rng.beta(0.8, 0.8, 200_000)
    truth = rng.random(honest.shape) < honest
    counts = OddsCounts()
    seen = tempered(honest, 1 / temperature)
    counts.add(seen, truth, np.ones(honest.shape, bool))
    assert counts.temperature() == pytest.approx(temperature, rel=0.03)
    before, after = counts.reliability(1.0).error(), counts.reliability(temperature).error()
    assert after < 0.005
    assert before > 0.03
    assert Reliability.of(seen, truth).error() == pytest.approx(before, abs=0.003)


def test_tempering_keeps_order_halves_and_gaps():
    told = np.array([0.0, 0.1, 0.5, 0.9, 1.0, np.nan], np.float32)
    warm = tempered(told, 2.0)
    assert warm.dtype == np.float32
    assert warm == pytest.approx([0, 0.25, 0.5, 0.75, 1, np.nan], abs=1e-6, nan_ok=True)
    assert np.nanmean(entropy(warm)) > np.nanmean(entropy(told))
    step = (tempered(told[1:4] + np.float32(1e-3), 2.0) - warm[1:4]) / 1e-3
    assert steepness(told, 2.0)[1:4] == pytest.approx(step, rel=0.02)


def test_a_calibrated_model_is_nearer_to_the_truth_and_finds_the_same(
    random_model, maps, field_image, tmp_path, capsys
):
    raw, file = random_model.save(tmp_path / "raw.safetensors"), tmp_path / "m.safetensors"
    out = tmp_path / "out"
    words = ["evaluate", raw, maps, "--device=cpu", "--calibrate", file, "--out", out]
    assert main(list(map(str, words))) == 0
    assert "calibration error" in capsys.readouterr().err
    assert (out / "reliability.png").stat().st_size
    assert main(list(map(str, words))) == 1  # a model is not overwritten
    assert "is there already; name another file" in capsys.readouterr().err
    told = calibrate(load_model(raw), maps, device="cpu")
    card = read_card(file)
    assert card.temperature == told.model.card.temperature != 1.0
    one, other = load_model(raw), load_model(file)
    before = predicted(predict(one, field_image, device="cpu"))
    events = list(predict(other, field_image, device="cpu"))
    after = predicted(iter(events))
    assert isinstance(events[0], Started) and "calibrated (temperature" in events[0].what
    assert np.nanmax(np.abs(after - tempered(before, card.temperature))) < 1e-5
    differ = (after >= card.threshold) != (before >= one.card.threshold)
    assert differ.mean() < 1e-3
    again = calibrate(other, maps, device="cpu").model.card
    assert again.temperature == card.temperature and again.threshold == card.threshold
    assert one.digest != other.digest


def test_models_of_objects_are_not_calibrated(random_model, tmp_path):
    odd = dataclasses.replace(random_model.card, recipe=Recipe.preset("bubbles"))
    with pytest.raises(MisfitError, match="leave out --calibrate"):
        calibrate(dataclasses.replace(random_model, card=odd), tmp_path)
