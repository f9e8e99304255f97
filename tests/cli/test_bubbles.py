"""Bubbles as a person types it: two bands of one mosaic, and figures of a folder of tiles."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy

import pytest
import torch

from napari_astroseg.cli.main import main
from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.nets import build
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.simulate import bubbles as sky


def astroseg(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two tiles with their catalogue, and a network that has learnt nothing."""
    folder = tmp_path_factory.mktemp("bubbles")
    for number in range(2):
        sky.write(folder / "tiles", number, 160, 5)
    sky.finish(folder / "tiles", 2, 160, 5)
    recipe = Recipe.preset("bubbles_small").replace(
        **{"family.width": 0.03, "data.windows_px": [150], "data.step": 1.0}
    )
    torch.manual_seed(1)
    net = build(recipe.family).eval()
    with torch.no_grad():
        net.scores[3].bias[1::2] += 50.0  # sure of whatever the fourth map answers
    count = sum(each.numel() for each in net.parameters())
    model = Model(ModelCard("random", recipe, count, threshold=0.5), net)
    model.save(folder / "random.safetensors")
    return folder


def bands(place):
    tile = sorted((place / "tiles").glob("spitzer_*"))[0]
    return tile / "r.fits", tile / "g.fits"


def test_bands_of_one_mosaic_leave_one_catalogue(place, tmp_path, capsys):
    model = place / "random.safetensors"
    words = ("predict", *bands(place), "--bands", "--model", model, "--out", tmp_path)
    assert astroseg(*words, "--json", "--quiet") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert set(told["files"]) == {"catalogue.ecsv", "catalogue.reg", "preview.png",
                                  "provenance.json"}  # fmt: skip
    assert told["structures"] > 0 and told["what"] == "objects"
    command = json.loads((tmp_path / "provenance.json").read_text())["command"]
    assert [name[-6:] for name in command["bands"]] == ["r.fits", "g.fits"]
    assert astroseg(*words, "--threshold", 1.0, "--resume") == 0
    out = capsys.readouterr()
    assert out.out.startswith(f"{told['structures']} objects; see ") or "objects; see" in out.out
    assert "windows on cpu" in out.err


def test_turns_of_several_models_tell_how_unsure_each_bubble_is(place, tmp_path):
    one, two = place / "random.safetensors", tmp_path / "two.safetensors"
    model = load_model(one)
    net = deepcopy(model.net)
    for weight in net.parameters():
        weight.data.mul_(1.001)  # another network, that finds the same
    Model(model.card, net).save(two)
    words = ("predict", *bands(place), "--bands", "--model", one, "--model", two, "--ensemble", 2)
    assert astroseg(*words, "--out", tmp_path / "found", "--threshold", 0.5, "--quiet") == 0
    table = Catalogue.read(tmp_path / "found" / "catalogue.ecsv").table
    assert len(table) and {"uncertainty", "edge_uncertainty", "seen"} <= set(table.colnames)
    assert "4 answers, of several models" in table["uncertainty"].info.description
    assert table["seen"].min() >= 0.25 and table["seen"].max() <= 1
    command = json.loads((tmp_path / "found" / "provenance.json").read_text())["command"]
    assert command["ensemble"] == 2 and command["others"] == [str(two)]


def test_known_by_the_distance_of_centres(place, tmp_path, capsys):
    out, known = tmp_path / "found", tmp_path / "known.ecsv"
    words = ("predict", *bands(place), "--bands", "--model", place / "random.safetensors",
             "--out", out, "--threshold", 0.5, "--quiet")  # fmt: skip
    assert astroseg(*words, "--known-share", 0.5) == 1
    assert "say how --known is compared" in capsys.readouterr().err
    assert astroseg(*words) == 0
    shutil.copy(out / "catalogue.ecsv", known)
    capsys.readouterr()
    assert astroseg(*words, "--known", known, "--known-within", '1"', "--json", "--resume") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["known"] == told["structures"] > 0
    command = json.loads((out / "provenance.json").read_text())["command"]
    assert command["known_within"] == '1"' and command["known_share"] is None


def test_one_band_is_refused_with_the_way_out(place, tmp_path, capsys):
    model = place / "random.safetensors"
    assert astroseg("predict", bands(place)[0], "--model", model, "--out", tmp_path) == 1
    assert "takes 24 and 8 µm together" in capsys.readouterr().err


def test_figures_of_a_folder_of_tiles(place, capsys):
    model = place / "random.safetensors"
    assert astroseg("evaluate", model, place / "tiles", "--json", "--device", "cpu") == 0
    told = json.loads(capsys.readouterr().out)
    assert {"f2", "precision", "recall", "new", "bubbles"} <= set(told["figures"])
    assert told["recipe"] == "bubbles_small"
