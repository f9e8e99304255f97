"""Models on disk: safetensors with a recipe and a card, found by name, refused when not ours."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from napari_astroseg.engine.card import find_model, list_models, read_card
from napari_astroseg.engine.model import load_model, torch_device
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import ModelError, SetupError


def test_a_saved_model_predicts_the_same(random_model, noise_image, tmp_path):
    path = random_model.save(tmp_path / "m.safetensors")
    again = load_model(path)
    assert again.recipe == random_model.recipe
    assert again.digest == random_model.digest
    assert again.parameters == random_model.card.parameters
    assert load_model(again) is again
    expected, got = (predicted(predict(m, noise_image)) for m in (random_model, again))
    assert np.array_equal(expected, got, equal_nan=True)


def test_a_card_is_read_without_the_weights(random_model, tmp_path):
    path = random_model.save(tmp_path / "m.safetensors")
    card = read_card(path)
    assert card.name == "random" and card.path == path and card.bytes == path.stat().st_size
    row = card.describe()
    assert set(row) == {"name", "recipe", "parameters", "bytes", "trained_on", "figures"}
    json.dumps(row)


def test_a_run_s_folder_is_a_model(random_model, tmp_path):
    with pytest.raises(ModelError, match="first epoch"):
        find_model(tmp_path)
    random_model.save(tmp_path / "model.safetensors")
    assert find_model(tmp_path) == tmp_path / "model.safetensors"
    assert list_models((tmp_path,))[-1].name == "random"


def test_what_is_no_model_of_ours_is_refused(random_model, tmp_path):
    with pytest.raises(ModelError, match="no model 'nothing'"):
        load_model("nothing")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(3)}, foreign)
    with pytest.raises(ModelError, match="only safetensors files are loaded"):
        load_model(foreign)
    save_file({"a": np.zeros(3)}, foreign, {"recipe": "name: [", "card": "{}"})
    with pytest.raises(Exception, match=r"not YAML|not made by this package"):
        load_model(foreign)
    evil = tmp_path / "evil.pt"
    evil.write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(ModelError, match="only safetensors"):
        load_model(evil)
    whole = random_model.save(tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_model(tmp_path / "cut.safetensors")
    save_file({"a": np.zeros(3)}, foreign, random_model.card.to_metadata())
    with pytest.raises(ModelError, match="do not fit"):
        load_model(foreign)


def test_devices_by_name():
    assert torch_device("cpu").type == "cpu"
    assert torch_device("auto").type in {"cpu", "cuda", "mps"}
    with pytest.raises(SetupError, match="use auto, cpu, cuda or mps"):
        torch_device("toaster")
    if not torch.cuda.is_available():
        with pytest.raises(SetupError, match="--device cpu"):
            torch_device("cuda")


def test_a_recipe_of_another_version_is_told_with_its_file(random_model, tmp_path):
    texts = random_model.card.to_metadata()
    texts["recipe"] += "moon: full\n"
    path = tmp_path / "later.safetensors"
    save_file({"a": np.zeros(3)}, path, texts)
    with pytest.raises(ModelError, match=r"later\.safetensors holds a recipe .*update"):
        read_card(path)
