"""Spiral arms from votes: what is learnt, that it resumes, and what it is measured by."""

import json
import time

import numpy as np
import pytest
import torch
from layouts import write_galaxies

from napari_astroseg.engine import galaxies as module
from napari_astroseg.engine.card import read_card
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import (
    EpochDone,
    ExamplesDone,
    Finished,
    Preparing,
    StepDone,
    TileDone,
    Warned,
)
from napari_astroseg.engine.galaxies import GalaxySet
from napari_astroseg.engine.galaxyfigures import Agreement
from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.engine.unitview import view_of
from napari_astroseg.errors import DataError, MisfitError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import silent
from napari_astroseg.sky.votes.gz3d import Galaxy, open_gz3d
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like
from napari_astroseg.sky.window import Window

SIDE = 48


def write_lit_galaxies(folder, count=8):
    """Galaxies whose arm is a bright bar on noise; one in four has none."""
    rng = np.random.default_rng(5)
    for number in range(count):
        picture = rng.integers(0, 40, (SIDE, SIDE, 3)).astype(np.uint8)
        arm = np.zeros((SIDE, SIDE), bool)
        if number % 4:
            y, x = rng.integers(8, 28, 2)
            arm[y : y + 12, x : x + 12] = True
            picture[arm] += np.array([120, 150, 180], np.uint8)
        people = [Annotator(f"p{n}", {"spiral": arm}) for n in range(4)]
        path = folder / f"gz3d_1-{number}_37_100{number}.fits.gz"
        write_gz3d_like(path, picture, people, galaxy=Galaxy(manga_id=f"1-{number}"))


@pytest.fixture(scope="module")
def galaxies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("galaxies")
    write_lit_galaxies(folder)
    return folder


@pytest.fixture(scope="module")
def recipe():
    return Recipe.preset("spiral_arms").replace(
        **{
            "family.channels": [8],
            "family.bottleneck": 12,
            "family.dropout": 0.05,
            "data.stamp_px": 32,
            "schedule.epochs": 2,
            "schedule.batch_size": 2,
            "schedule.learning_rate": 1e-2,
        }
    )


@pytest.fixture(scope="module")
def trained(recipe, galaxies, tmp_path_factory):
    """A run of several epochs, and its events."""
    out = tmp_path_factory.mktemp("run")
    longer = recipe.replace(**{"schedule.epochs": 20})
    return out, list(train(longer, Run(data=galaxies, out=out, device="cpu")))


def without_seconds(run):
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_it_learns_bright_arms_and_keeps_the_best_epoch(trained):
    out, events = trained
    epochs = [event for event in events if isinstance(event, EpochDone)]
    told = [event.validation["jaccard"] for event in epochs]
    last = events[-1]
    assert isinstance(last, Finished)
    assert max(told) > 0.6
    assert last.result["epoch"] == int(np.argmax(told)) + 1
    assert last.result["figures"]["jaccard"] == max(told)
    assert set(epochs[0].validation) == {"loss", "jaccard", "precision", "accuracy", "threshold"}
    shown = [event for event in events if isinstance(event, ExamplesDone)]
    assert len(shown) == len([event for event in events if isinstance(event, EpochDone)])
    assert shown[0].classes == ("structure",)
    assert shown[0].truth.any()
    card = read_card(out)
    assert card.threshold == 0.5
    assert card.trained_on == "6 galaxies and 2 for validation, spiral from 3 votes"
    assert len(card.data_digest) == 32


def test_a_resumed_training_equals_an_uninterrupted_one(recipe, galaxies, tmp_path):
    """Dropout too: what it leaves out depends on seed and epoch alone."""
    list(train(recipe, Run(data=galaxies, out=tmp_path / "whole", device="cpu")))
    parted = tmp_path / "parted"
    for event in train(recipe, Run(data=galaxies, out=parted, device="cpu")):
        if isinstance(event, EpochDone):
            break
    list(train(recipe, Run(data=galaxies, out=parted, device="cpu", resume=True)))
    whole, again = load_model(tmp_path / "whole"), load_model(parted)
    assert whole.digest == again.digest
    assert without_seconds(tmp_path / "whole") == without_seconds(parted)


def test_the_published_preset_takes_two_steps(galaxies, tmp_path):
    recipe = Recipe.preset("spiral_arms").replace(**{"schedule.batch_size": 1})
    run = Run(data=galaxies, out=tmp_path, device="cpu")
    steps = []
    for event in train(recipe, run):
        if isinstance(event, StepDone):
            steps.append(event.loss)
            if len(steps) == 2:
                break
    assert np.isfinite(steps).all()
    assert steps[0] == pytest.approx(np.log(2), abs=0.5)


def test_masks_turn_with_their_pictures_and_epochs_differ(recipe, galaxies):
    data = GalaxySet(recipe, galaxies)
    count, batches = data.batches(1)
    first = list(batches)
    assert count == len(first) == 3
    for batch in first:
        on, off = batch.target[:, 0] > 0, batch.target[:, 0] == 0
        blue = batch.planes[:, 2]
        assert not on.any() or blue[on].min() > blue[off].max() - 0.25
        assert batch.planes.shape[1:] == (3, 32, 32) and batch.planes.max() <= 1
    same, other = (next(GalaxySet(recipe, galaxies).batches(n)[1]) for n in (1, 2))
    assert np.array_equal(same.planes, first[0].planes)
    assert not np.array_equal(other.planes, first[0].planes)
    before = data.training.copy()
    list(data.batches(3)[1])
    assert np.array_equal(before, data.training)


def test_galaxies_that_cannot_teach_are_refused(recipe, galaxies, tmp_path):
    with pytest.raises(
        DataError, match=r"has 5 or more votes for spiral; lower data\.threshold, or add"
    ):
        GalaxySet(recipe.replace(**{"data.threshold": 5}), galaxies)
    write_galaxies(tmp_path, 1)
    with pytest.raises(DataError, match="no validation galaxy; bring at least two"):
        GalaxySet(recipe, tmp_path)


def test_a_damaged_file_is_told_and_left_out(recipe, tmp_path):
    write_lit_galaxies(tmp_path)
    (tmp_path / "gz3d_1-9_37_1009.fits.gz").write_bytes(b"\x1f\x8b broken")
    events = train(recipe, Run(data=tmp_path, out=tmp_path / "run", device="cpu"))
    told = [event.message for event in events if isinstance(event, Warned)]
    assert len(told) == 1 and told[0].startswith("gz3d_1-9_37_1009.fits.gz")


def test_stamps_of_many_galaxies_are_read_once_and_kept(recipe, galaxies, monkeypatch):
    monkeypatch.setattr(module, "_LEAST_KEPT", 1)
    asked = []
    first = GalaxySet(recipe, galaxies, lambda what, *_: asked.append(what))
    assert asked.count("reading galaxies") == 8
    second = GalaxySet(recipe, galaxies, lambda what, *_: asked.append(what))
    assert asked.count("reading galaxies") == 8
    monkeypatch.setattr(module, "_LEAST_KEPT", 2**30)
    fresh = GalaxySet(recipe.replace(**{"data.stamp_px": 16}), galaxies)
    assert fresh.training.shape[2:] == (16, 16)
    for one in (first, second):
        batch = next(one.batches(1)[1])
        assert batch.planes.shape == (2, 3, 32, 32)
    assert np.array_equal(first.training, second.training)
    assert first.training.filename == second.training.filename


def test_a_full_cache_costs_memory_only(recipe, galaxies, monkeypatch):
    monkeypatch.setattr(module, "_LEAST_KEPT", 1)
    monkeypatch.setattr(module, "_CACHE", Cache("no-stamps", 10))
    data = GalaxySet(recipe, galaxies)
    assert type(data.training) is np.ndarray and data.training[:, 3].any()


def test_closing_a_training_that_reads_stops_the_reading(recipe, galaxies, monkeypatch):
    seen = []

    def endless(spec, data, progress):
        while True:
            time.sleep(0.02)
            seen.append(0)
            progress("reading", len(seen), None)

    monkeypatch.setattr(module, "open_galaxies", endless)
    events = train(recipe, Run(data=galaxies, out=galaxies / "never", device="cpu"))
    assert next(events) == Preparing("reading", seen.index(0) + 1, None)
    events.close()
    count = len(seen)
    time.sleep(0.1)
    assert len(seen) == count


def test_agreement_by_hand():
    found, marked = np.zeros((2, 4, 2, 4), bool)
    found[0, 0], marked[0, 0, :2], marked[0, 1, :1] = True, True, True
    found[1, 1], marked[2, 1] = True, True
    figures = Agreement.of(found, marked).figures()
    assert figures["accuracy"] == 5 / 8
    assert figures["precision"] == 0.5
    assert figures["jaccard"] == pytest.approx(2 / 5)
    assert figures["jaccard_std"] == 0.0
    histogram = Agreement.of(found, marked).histograms()["jaccard"]
    assert len(histogram) == 20 and histogram[8] == sum(histogram) == 1
    parts = ("both", "neither", "only_volunteers", "only_network")
    assert [figures[name] for name in parts] == [0.25] * 4


def test_evaluation_counts_validation_galaxies_alone_where_it_was_trained(trained, galaxies):
    out, _ = trained
    told = evaluate(out, galaxies, device="cpu")
    assert told["figures"]["galaxies"] == 2
    assert {"accuracy", "precision", "jaccard"} <= set(told["figures"])
    assert set(told["errors"]) == set(told["figures"]) - {"galaxies"}
    assert told["data"] == read_card(out).data_digest
    with pytest.raises(DataError, match="whole galaxies; leave out --window"):
        evaluate(out, galaxies, window=Window(0, 0, 9, 9), device="cpu")


def test_area_falls_with_the_votes_that_are_asked_for(trained, tmp_path):
    """Of eight galaxies two are empty; in the others people mark nested squares of 12 to 2 px."""
    rng = np.random.default_rng(1)
    for number in range(8):
        picture = rng.integers(0, 40, (SIDE, SIDE, 3)).astype(np.uint8)
        people = []
        for person in range(6):
            arm = np.zeros((SIDE, SIDE), bool)
            side = 12 - 2 * person if number % 4 else 0
            arm[9 : 9 + side, 20 : 20 + side] = True
            people.append(Annotator(f"p{person}", {"spiral": arm}))
            picture[arm & (person == 2)] += np.array([120, 150, 180], np.uint8)
        path = tmp_path / f"gz3d_1-{number}_37_100{number}.fits.gz"
        write_gz3d_like(path, picture, people, galaxy=Galaxy(manga_id=f"1-{number}"))
    told = evaluate(trained[0], tmp_path, device="cpu")
    for votes in range(1, 7):
        area = told["figures"][f"area_{votes}"]
        assert area == pytest.approx((14 - 2 * votes) ** 2 / SIDE**2)
        assert told["errors"][f"area_{votes}"] == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < told["figures"]["area_found"] < 0.1


def test_evaluation_elsewhere_counts_every_galaxy(trained, tmp_path):
    write_lit_galaxies(tmp_path, 6)
    told = evaluate(trained[0], tmp_path, device="cpu")
    figures, worst, model_digest = told["figures"], told["worst"], told["model"]
    assert figures["galaxies"] == 6
    assert figures["jaccard"] > 0.4
    told = worst["units"]
    assert [unit["jaccard"] for unit in told] == sorted(unit["jaccard"] for unit in told)
    assert all((tmp_path / unit["name"]).exists() for unit in told)
    view = view_of(load_model(trained[0]), tmp_path, told[-1]["name"], None, "cpu", silent)
    assert view.truth.shape == view.found.shape == view.image.shape == (SIDE, SIDE)
    shared = np.count_nonzero(view.truth & view.found)
    assert shared / np.count_nonzero(view.truth | view.found) > 0.3
    assert figures["both"] > 0.5
    model, calls = load_model(trained[0]).turned(4), []
    model.swift(torch.device("cpu")).register_forward_hook(lambda *_: calls.append(1))
    turned = evaluate(model, tmp_path, device="cpu")
    assert len(calls) == 4 * 3  # turns, and batches of two
    assert turned["model"] != model_digest
    assert turned["figures"]["jaccard"] == pytest.approx(figures["jaccard"], abs=0.25)


def test_a_galaxy_is_predicted_as_it_was_seen_in_training(trained, galaxies):
    model = load_model(trained[0])
    path = next(p for p in sorted(galaxies.iterdir()) if open_gz3d(p).votes["spiral"].most > 2)
    image = open_image(path)
    answer = predicted(predict(model, image, device="cpu"))
    assert answer.shape == (1, SIDE, SIDE)
    arm = open_gz3d(path).votes["spiral"].at_least(3)
    assert answer[0][arm].mean() > answer[0][~arm].mean() + 0.3
    part = Window(7, 20, 30, 11)
    assert np.array_equal(
        predicted(predict(model, image, part, device="cpu"), part), answer[:, *part.slices]
    )


def test_a_larger_picture_is_brought_to_the_scale_of_the_stamps(trained):
    """Twice as many pixels of half the size give the same answer, each four times."""
    from skies import galactic_wcs

    model = load_model(trained[0])
    rng = np.random.default_rng(1)
    small = rng.integers(0, 255, (40, 56, 3)).astype(np.float32)

    def answer(values, scale):
        from napari_astroseg.sky.stack import stacked

        wcs = galactic_wcs(scale / 3600)
        bands = [SkyImage.from_array(values[..., n], wcs) for n in range(3)]
        events = predict(model, stacked(bands, "RGB", "picture"), device="cpu")
        return predicted(event for event in events if isinstance(event, TileDone))[0]

    once = answer(small, 51.975 / 32)
    twice = answer(small.repeat(2, 0).repeat(2, 1), 51.975 / 64)
    assert once.shape == (40, 56)
    assert np.array_equal(twice, once.repeat(2, 0).repeat(2, 1))


def test_every_file_of_a_picture_s_prediction_is_there(trained, galaxies, tmp_path):
    path = sorted(galaxies.iterdir())[0]
    *_, last = predict_to_folder(trained[0], path, tmp_path, device="cpu")
    for name in ("probability.fits", "regions.fits", "catalogue.ecsv", "preview.png"):
        assert (tmp_path / name).stat().st_size
    assert open_image(tmp_path / "probability.fits").shape == (SIDE, SIDE)
    assert last.result["threshold"] == 0.5


@pytest.mark.parametrize(("kind", "words"), [("map", "holds one plane"), ("bright", "up to 255")])
def test_what_is_no_picture_is_refused(trained, noise_image, kind, words):
    from napari_astroseg.sky.stack import stacked

    image = noise_image if kind == "map" else stacked([noise_image] * 3, "RGB", "bright")
    with pytest.raises(MisfitError, match=words):
        list(predict(trained[0], image, device="cpu"))
