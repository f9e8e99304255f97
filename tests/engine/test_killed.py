"""Killed with -9 at any moment: bubbles, and galaxies looked at again, come out the same."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_astroseg.engine import scoring
from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.events import Finished
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.scorestore import ScoreStore
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.opening import open_bands

SURE = 0.99999
"""Above it an untrained network sees a few dozen bubbles, not thousands."""

KILLED = """
import sys, time
from pathlib import Path
from napari_astroseg.engine import detect, linestore, mapoutputs, objectoutputs, scoring
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.sky.opening import open_bands, open_image
model, out, threshold, *images = sys.argv[1:]
detect._AT_ONCE = scoring._AT_ONCE = 1
mapoutputs.draw_preview = objectoutputs.write_box_picture = lambda path, *_: path
add = linestore.LineStore.add
def telling(store, line):
    add(store, line)
    print("kept", flush=True)
    time.sleep(0.005)
linestore.LineStore.add = telling
image = open_bands(images) if len(images) > 1 else open_image(images[0])
how = {"device": "cpu", "threshold": float(threshold), "force": True}
list(predict_to_folder(model, image, Path(out), **how))
"""


@pytest.fixture
def killed():
    """Runs a prediction in a process of its own, and kills it after some steps were kept."""

    def run(most, *words):
        """After 1 to `most` steps; how many were told of."""
        steps = np.random.default_rng(os.getpid()).integers(1, most)
        told = [sys.executable, "-c", KILLED, *map(str, words)]
        with subprocess.Popen(told, stdout=subprocess.PIPE) as child:
            for _ in range(steps):
                assert child.stdout.readline() == b"kept\n"
            child.kill()
        return steps

    return run


def finished(events):
    return next(event for event in events if isinstance(event, Finished)).result


@pytest.fixture
def counted(monkeypatch):
    """How many stamps or crops networks answer from now on; no pictures are drawn."""
    for drawn in ("mapoutputs.draw_preview", "objectoutputs.write_box_picture"):
        monkeypatch.setattr(f"napari_astroseg.engine.{drawn}", lambda path, *_: path)
    monkeypatch.setattr("napari_astroseg.engine.detect._AT_ONCE", 1)
    monkeypatch.setattr("napari_astroseg.engine.scoring._AT_ONCE", 1)
    asked = []

    def count(owner, name):
        answer = getattr(owner, name)

        def counting(*words):
            asked.append(words)
            return answer(*words)

        monkeypatch.setattr(owner, name, counting)
        return asked

    return count


def test_a_killed_search_for_bubbles_goes_on_to_the_same_answer(tmp_path, killed, counted):
    changes = {"family.width": 0.03, "data.windows_px": [150], "data.step": 0.5}
    recipe = Recipe.preset("bubbles_small").replace(**changes)
    torch.manual_seed(0)
    model = Model(ModelCard("random", recipe, 0, threshold=0.3), build(recipe.family).eval())
    path = model.save(tmp_path / "m.safetensors")
    rng = np.random.default_rng(0)
    bands = [
        write_image(tmp_path / f"{band}.fits", rng.random((256, 256)).astype(np.float32))
        for band in "rg"
    ]
    steps = killed(7, path, tmp_path / "out", SURE, *bands)
    kept = (tmp_path / "out" / "objects.jsonl").read_bytes().count(b"\n") - 1
    assert steps <= kept < 9
    asked = counted(type(model.net), "answer")
    how = {"device": "cpu", "threshold": SURE, "force": True}
    image = open_bands(bands)
    resumed = finished(predict_to_folder(path, image, tmp_path / "out", resume=True, **how))
    assert len(asked) == 9 - kept
    once = finished(predict_to_folder(path, image, tmp_path / "once", **how))
    assert len(once["objects"]) > 1
    assert np.array_equal(resumed["objects"].boxes, once["objects"].boxes)
    for name in ("objects.jsonl", "catalogue.ecsv", "catalogue.reg"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def test_a_killed_second_look_at_galaxies_goes_on_to_the_same_answer(tmp_path, killed, counted):
    changes = {
        "family.channels": [4, 6],
        "family.convolutions": 1,
        "family.latent": 2,
        "family.samples": 4,
        "data.stamp_px": 32,
        "prediction.tile_px": 64,
        "prediction.min_area_px": 1,
    }
    recipe = Recipe.preset("blended_galaxies").replace(**changes)
    torch.manual_seed(0)
    model = Model(ModelCard("random", recipe, 0, threshold=0.5), build(recipe.family).eval())
    path = model.save(tmp_path / "m.safetensors")
    values = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    place = write_image(tmp_path / "i.fits", values)
    level = float(np.nanquantile(predicted(predict(model, place, device="cpu")).sum(0), 0.6))
    steps = killed(8, path, tmp_path / "out", level, place)
    kept = (tmp_path / "out" / "scores.jsonl").read_bytes().count(b"\n") - 1
    asked = counted(scoring, "scored")
    how = {"device": "cpu", "threshold": level, "force": True}
    resumed = finished(predict_to_folder(path, place, tmp_path / "out", resume=True, **how))
    assert steps <= kept < resumed["structures"] == kept + len(asked)
    finished(predict_to_folder(path, place, tmp_path / "once", **how))
    for name in ("scores.jsonl", "catalogue.ecsv", "catalogue.reg"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def test_scores_of_other_detections_are_not_kept(tmp_path):
    path, told = tmp_path / "scores.jsonl", np.array([[0.1], [np.nan], [1e-300], [1 / 3]])
    ScoreStore(path, "one", resume=False).put(8, told)
    with path.open("a") as file:
        file.write('{"first": 16, "to')  # killed while it wrote
    again = ScoreStore(path, "one", resume=True)
    assert np.array_equal(again.get(8), told, equal_nan=True) and again.get(16) is None
    assert ScoreStore(path, "another threshold", resume=True).get(8) is None
    assert ScoreStore(path, "one", resume=True).get(8) is None
