"""Bubbles: what is learnt, that it resumes, what is found on a mosaic, and what is measured."""

import json

import numpy as np
import pytest
import torch
from astropy.table import QTable
from regions import Regions
from sharedwork import backwards

from napari_astroseg.engine.bubblejudge import BubbleJudge
from napari_astroseg.engine.bubbles import BubbleSet, open_tiles
from napari_astroseg.engine.card import ModelCard, read_card
from napari_astroseg.engine.detect import detect, works
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import (
    EpochDone,
    ExamplesDone,
    Finished,
    ObjectsDone,
    Started,
    StepDone,
    Warned,
)
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.engine.unitview import view_of
from napari_astroseg.errors import DataError, MisfitError, OutputError, RecipeError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.clusters.choice import Choice, CropClass
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.opening import open_bands
from napari_astroseg.sky.progress import silent
from napari_astroseg.sky.simulate import bubbles as sky
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

SIDE = 256


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Three small tiles with their catalogue."""
    folder = tmp_path_factory.mktemp("tiles")
    for number in range(3):
        sky.write(folder, number, SIDE, 3)
    sky.finish(folder, 3, SIDE, 3)
    return folder


@pytest.fixture(scope="module")
def recipe():
    return Recipe.preset("bubbles_small").replace(
        **{
            "family.width": 0.03,
            "data.windows_px": [150, 250],
            "data.step": 0.5,
            "data.negatives_drawn": 30,
            "data.negatives": 0.25,
            "data.validation": 0.34,
            "schedule.epochs": 2,
            "schedule.batch_size": 8,
        }
    )


@pytest.fixture(scope="module")
def data(recipe, tiles):
    return BubbleSet(recipe, tiles)


@pytest.fixture(scope="module")
def trained(recipe, tiles, tmp_path_factory):
    """A run of two epochs, and its events."""
    out = tmp_path_factory.mktemp("run")
    return out, list(train(recipe, Run(data=tiles, out=out, device="cpu")))


@pytest.fixture(scope="module")
def seer(recipe):
    """A network that sees one bubble in the middle of every crop, a third of it wide."""
    torch.manual_seed(0)
    net = build(recipe.family).eval()

    class Seeing(type(net)):
        def answer(self, planes):
            box = np.array([[1 / 3, 1 / 3, 2 / 3, 2 / 3]])
            sure = [0.5 + 0.4 * float(each.mean()) for each in planes]
            return [Objects(box, np.array([score]), np.array([1])) for score in sure]

        def fused(self):
            return self

    net.__class__ = Seeing
    return Model(ModelCard("seer", recipe, 0, threshold=0.5), net)


@pytest.fixture
def mosaic(tiles):
    place = sorted(tiles.glob("spitzer_*"))[0]
    return open_bands([place / "r.fits", place / "g.fits"])


# --- what is learnt from --------------------------------------------------------------------


def test_batches_hold_bubbles_and_a_share_of_crops_without(data):
    count, batches = data.batches(1)
    made = list(batches)
    assert count == len(made) > 1
    for batch in made[:-1]:
        assert batch.planes.shape == (8, 2, 300, 300) and batch.planes.dtype == np.float32
        assert batch.planes.min() == 0 and batch.planes.max() == 1
        held = [len(boxes) for boxes in batch.boxes]
        assert all(held[:6]) and not any(held[6:])
    for boxes in (boxes for batch in made for boxes in batch.boxes):
        assert ((boxes >= -1e-6) & (boxes <= 1 + 1e-6)).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_views_lie_in_training_tiles_and_epochs_differ(data):
    first, again, other = (list(data.batches(number)[1]) for number in (1, 1, 2))
    places = np.concatenate([batch.places for batch in first])
    assert set(places[:, 0].tolist()) <= set(data.training)
    assert not set(data.training) & set(data.validation)
    assert (places[:, 1:3] >= 0).all() and (places[:, 1:3] + places[:, 3:] <= SIDE).all()
    assert all(np.array_equal(a.planes, b.planes) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].planes[:6], other[0].planes[:6])


def test_a_box_frames_the_bubble_that_its_crop_shows(data, recipe):
    """Boxes turn with their crops: what a turned crop shows in its box is what the tile has."""
    (batch, *_) = data.batches(3)[1]
    for planes, boxes, (tile, x, y, side) in zip(
        batch.planes[:6], batch.boxes[:6], batch.places[:6].tolist(), strict=True
    ):
        truth = data.tiles[tile].boxes
        inside = (truth[:, :2] + truth[:, 2:]) / 2 - [x, y]
        inside = inside[((inside > 0) & (inside < side)).all(1)]
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2 * side
        spread = np.abs(middles[:, None] - side / 2).max(2).min(1)
        wanted = np.abs(inside[:, None] - side / 2).max(2).min(1)
        assert len(boxes) >= 1
        assert planes.shape == (2, 300, 300)
        # Turns keep how far a bubble is from the middle; cut boxes may move a little.
        assert np.abs(spread[:, None] - wanted[None]).min() < 0.05 * side + 1


def test_validation_looks_at_whole_tiles_as_prediction_does(data, seer):
    places = np.concatenate([batch.places for batch in data.validation_batches()])
    (number,) = data.validation
    tile = data.tiles[number].image
    windows = {(w.x, w.y, w.width) for each in works(seer, tile, Window.whole(tile.shape))
               for w in each.windows}  # fmt: skip
    assert set(map(tuple, places[:, 1:].tolist())) <= windows
    assert len(places) > 0.5 * len(windows)


def test_what_is_told_of_the_data(data, recipe, tiles):
    assert data.told.startswith("2 tiles with ") and ", 1 tile with" in data.told
    assert data.digest == open_tiles(recipe.data, tiles).digest
    assert 20 < len(data._without) <= 30


def test_chosen_non_bubbles_are_shown_by_their_weights(recipe, tiles):
    drawn = BubbleSet(recipe, tiles)
    names = [item.name for item in open_tiles(recipe.data, tiles).items]
    crops = [
        (names[p.tile], p.view.window.x, p.view.window.y, p.view.window.width)
        for p in drawn._without
    ]
    classes = (CropClass(crops=crops[:1], weight=1000.0), CropClass(crops=crops[1:3], weight=0.01),
               CropClass(crops=crops[3:], dropped=True))  # fmt: skip
    chosen = Choice(data=drawn.digest, count=30, seed=0, classes=classes).write(tiles)
    try:
        data = BubbleSet(recipe, tiles)
        assert len(data._without) == 3
        batch = next(data.batches(1)[1])
        assert {tuple(place[1:]) for place in batch.places[6:].tolist()} == {crops[0][1:]}
        assert data.digest.startswith(drawn.digest) and data.digest != drawn.digest
    finally:
        chosen.unlink()


def test_without_negatives_every_crop_shows_a_bubble(recipe, tiles):
    data = BubbleSet(recipe.replace(**{"data.negatives": 0.0}), tiles)
    assert "and 0 crops without" in data.told
    assert all(len(boxes) for batch in data.batches(1)[1] for boxes in batch.boxes)


def test_tiles_without_bubbles_are_refused(recipe, tmp_path):
    for number in range(2):
        sky.write(tmp_path, number, 256, 1)
    row = f"MWP2G0000000+0000000\t{100:8.4f}\t{0:8.4f}\t 0.22\t{1.0:5.2f}\t 0.49"
    (tmp_path / "bubbles.dat").write_text(row + "\t 0.53\t     \t161\t133\t0.530\t 0.06\t0.180\tR")
    with pytest.raises(DataError, match="show no bubble of the catalogue"):
        BubbleSet(recipe, tmp_path)


def test_a_bubble_network_and_its_data_go_together(recipe):
    with pytest.raises(RecipeError, match=r"takes 300 × 300 pixels and `data.patch_px` is 64"):
        Recipe.preset("filaments").replace(**{"family.kind": "ssd300", "family.bands": 1})
    with pytest.raises(RecipeError, match="do not go together"):
        recipe.replace(**{"family.kind": "unet5", "family.bands": 2})
    with pytest.raises(RecipeError, match="must be clipped"):
        recipe.replace(**{"normalisation.kind": "log"})
    with pytest.raises(RecipeError, match="side of 16 to 100000"):
        recipe.replace(**{"data.windows_px": [4]})


# --- training -------------------------------------------------------------------------------


def test_an_epoch_ends_with_figures_and_a_model(trained):
    out, events = trained
    epoch, _ = [event for event in events if isinstance(event, EpochDone)]
    assert set(epoch.validation) == {"loss", "f2", "precision", "recall", "threshold"}
    assert np.isfinite(epoch.validation["loss"])
    shown = [event for event in events if isinstance(event, ExamplesDone)]
    assert len(shown) == len([event for event in events if isinstance(event, EpochDone)])
    assert shown[0].classes == ("bubble",)
    assert shown[0].truth.any()
    card = read_card(out)
    assert 0.5 <= card.threshold <= 0.95
    assert card.recipe.family.kind == "ssd300"


def test_a_resumed_training_equals_an_uninterrupted_one(recipe, tiles, trained, tmp_path):
    for event in train(recipe, Run(data=tiles, out=tmp_path, device="cpu")):
        if isinstance(event, EpochDone):
            break
    list(train(recipe, Run(data=tiles, out=tmp_path, device="cpu", resume=True)))
    last = [load_checkpointed(run) for run in (trained[0], tmp_path)]
    assert all(np.array_equal(a, b) for a, b in zip(*last, strict=True))


def load_checkpointed(run):
    from safetensors.numpy import load_file

    tensors = load_file(run / "last.safetensors")
    return [tensors[name] for name in sorted(tensors)]


def test_the_published_preset_takes_a_step(tiles, tmp_path):
    recipe = Recipe.preset("bubbles").replace(
        **{"schedule.batch_size": 1, "data.negatives_drawn": 5}
    )
    for event in train(recipe, Run(data=tiles, out=tmp_path, device="cpu")):
        if isinstance(event, StepDone):
            assert np.isfinite(event.loss)
            break


def test_the_judge_puts_windows_together(recipe):
    judge = BubbleJudge({7: np.array([[100, 100, 160, 160.0]])}, 0.3)
    middle = Objects(np.array([[0.2, 0.2, 0.8, 0.8]]), np.array([0.9]), np.array([1]))
    weaker = Objects(np.array([[0.2, 0.2, 0.8, 0.8]]), np.array([0.7]), np.array([1]))
    places = np.array([[7, 80, 80, 100], [7, 85, 80, 100], [7, 400, 0, 100]])
    batch = type("Batch", (), {"places": places})
    judge.add([middle, weaker, weaker], batch)
    told = judge.figures()
    assert told == {"f2": 1.0, "precision": 1.0, "recall": 1.0, "threshold": 0.71}


# --- detection ------------------------------------------------------------------------------


def test_windows_become_objects_on_the_mosaic(seer, mosaic):
    events = list(detect(seer, mosaic, device="cpu"))
    started, *middle, finished = events
    assert isinstance(started, Started) and started.unit == "windows"
    told = [event for event in middle if isinstance(event, ObjectsDone)]
    assert told[-1].done == told[-1].total == started.total == 3 * 3 + 2 * 2
    found = Objects.joined(event.objects for event in told)
    objects = finished.result["objects"]
    assert 0 < len(objects) <= len(found)
    assert (np.diff(objects.scores) <= 0).all()
    sides = objects.boxes[:, 2:] - objects.boxes[:, :2]
    assert set(np.round(sides.ravel()).tolist()) <= {50.0, 83.0}
    assert ((objects.boxes > -0.5) & (objects.boxes < SIDE - 0.5)).all()
    assert finished.result["threshold"] == 0.5


def test_windows_looked_at_elsewhere_in_any_order_tell_the_same(seer, mosaic, monkeypatch):
    *_, here = detect(seer, mosaic, device="cpu")
    monkeypatch.setattr("napari_astroseg.engine.detect.sharing", backwards)
    *_, there = detect(seer, mosaic, device="cpu")
    assert np.array_equal(there.result["objects"].boxes, here.result["objects"].boxes)
    assert np.array_equal(there.result["objects"].scores, here.result["objects"].scores)


def test_a_window_takes_what_lies_in_it_of_the_same_answer(seer, mosaic):
    *_, whole = detect(seer, mosaic, device="cpu")
    window = Window(60, 60, 150, 150)
    *_, part = detect(seer, mosaic, window, device="cpu")
    inside = whole.result["objects"].inside(window)
    boxes = part.result["objects"].boxes
    assert len(inside) > 0
    assert {tuple(b) for b in inside.boxes.tolist()} <= {tuple(b) for b in boxes.tolist()}


def test_what_is_near_is_looked_at_first_and_a_run_goes_on_from_anywhere(seer, tmp_path):
    values = np.random.default_rng(0).random((2, 150, 4500)).astype(np.float32)
    bands = [SkyImage.from_array(each, unit="MJy/sr") for each in values]
    image = stacked(bands, ("r", "g"), "strip")
    how = {"device": "cpu", "force": True, "store": tmp_path / "objects.jsonl"}
    events = detect(seer, image, near=(3000.0, 80.0), **how)
    told = [event for event in events if isinstance(event, ObjectsDone)]
    away = [event.window.away((3000.0, 80.0)) for event in told]
    assert away[0] == 0 < away[-1] and away == sorted(away)
    lines = (tmp_path / "objects.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "objects.jsonl").write_text("".join(lines[:2]))  # killed after the first
    *_, again = detect(seer, image, near=(10.0, 10.0), resume=True, **how)
    *_, plain = detect(seer, image, device="cpu", force=True)
    for name in ("boxes", "scores"):
        mine, theirs = (getattr(each.result["objects"], name) for each in (again, plain))
        assert np.array_equal(mine, theirs)


def test_windows_that_miss_data_are_passed_over(seer):
    values = np.random.default_rng(0).random((2, 300, 600)).astype(np.float32)
    values[1, :, 300:] = np.nan
    values[0, 100:110, 100:110] = np.nan  # a saturated star is filled
    bands = [SkyImage.from_array(each, unit="MJy/sr") for each in values]
    image = stacked(bands, ("r", "g"), "half")
    *_, finished = detect(seer, image, device="cpu", force=True)
    assert finished.result["missing_fraction"] == pytest.approx(0.5, abs=0.2)
    objects = finished.result["objects"]
    assert objects.boxes[:, 2].max() < 300 and objects.boxes[:, 0].min() < 60
    values[0] = np.nan
    bands = [SkyImage.from_array(each, unit="MJy/sr") for each in values]
    with pytest.raises(MisfitError, match="every window of half misses data"):
        list(detect(seer, stacked(bands, ("r", "g"), "half"), device="cpu", force=True))


def test_images_that_do_not_suit_are_refused(seer, mosaic):
    one = mosaic.plane(0)
    with pytest.raises(MisfitError, match="holds one plane and seer takes 24 and 8 µm"):
        next(detect(seer, one, device="cpu"))
    small = [SkyImage.from_array(np.ones((100, 400), np.float32)) for _ in range(2)]
    with pytest.raises(MisfitError, match="smaller than the smallest window of 150"):
        next(detect(seer, stacked(small, ("r", "g"), "small"), device="cpu", force=True))


def test_of_three_bands_the_two_by_name_are_seen(seer, tiles, mosaic):
    place = sorted(tiles.glob("spitzer_*"))[0]
    *_, plain = predict(seer, mosaic, device="cpu")
    for bands in ("bgr", "gr"):
        others = open_bands([place / f"{band}.fits" for band in bands])
        *_, shuffled = detect(seer, others, device="cpu")
        assert np.array_equal(shuffled.result["objects"].scores, plain.result["objects"].scores)


def test_a_folder_takes_catalogue_outlines_picture_and_provenance(seer, mosaic, tmp_path):
    *_, finished = predict_to_folder(
        seer, mosaic, tmp_path, threshold=0.55, device="cpu", command={"verb": "predict"}
    )
    names = {path.name for path in finished.result["files"]}
    assert names == {"catalogue.ecsv", "catalogue.reg", "preview.png", "provenance.json"}
    table = QTable.read(tmp_path / "catalogue.ecsv")
    assert len(table) == finished.result["structures"] > 0
    assert table["score"].min() >= 0.55 and set(table["kind"]) == {"bubble"}
    scale = 1.2 / 60
    assert table["width"].to_value("arcmin")[0] == pytest.approx(
        {50: 50 * scale, 83: 250 / 3 * scale}[round(table["width"].value[0] / scale)]
    )
    assert np.allclose(table["radius"], (table["width"] + table["height"]) / 5.2)
    catalogue = Catalogue.read(tmp_path / "catalogue.ecsv")
    x, y = mosaic.pixel(catalogue.position)
    assert np.allclose([x, y], [table["x"], table["y"]], atol=1e-3)
    assert len(Regions.read(tmp_path / "catalogue.reg", format="ds9")) == len(table)
    told = json.loads((tmp_path / "provenance.json").read_text())
    assert [place["path"][-6:] for place in told["inputs"]] == ["r.fits", "g.fits"]
    assert told["recipe"]["data"]["layout"] == "bubbles"


def test_a_cut_below_what_a_model_tells_is_told(seer, mosaic, tmp_path):
    first = next(predict_to_folder(seer, mosaic, tmp_path, threshold=0.1, device="cpu"))
    assert isinstance(first, Warned) and "no object of a score below 0.3" in first.message


def test_a_killed_run_goes_on_where_it_was(seer, mosaic, tmp_path, monkeypatch):
    *_, whole = predict_to_folder(seer, mosaic, tmp_path / "whole", device="cpu")
    out = tmp_path / "parted"
    for event in predict_to_folder(seer, mosaic, out, device="cpu"):
        if isinstance(event, ObjectsDone):
            break
    with (out / "objects.jsonl").open("a") as file:
        file.write('{"piece": 1, "loo')  # killed while it wrote
    asked = []
    answer = type(seer.net).answer

    def counted(net, planes):
        asked.append(len(planes))
        return answer(net, planes)

    monkeypatch.setattr(type(seer.net), "answer", counted)
    *_, again = predict_to_folder(seer, mosaic, out, device="cpu", resume=True)
    assert sum(asked) == 9  # the window that is kept holds four
    assert np.array_equal(again.result["objects"].boxes, whole.result["objects"].boxes)
    text = (tmp_path / "whole" / "objects.jsonl").read_text()
    assert (out / "objects.jsonl").read_text() == text
    with pytest.raises(OutputError, match="another model, image or window"):
        window = Window(0, 0, 200, 200)
        list(predict_to_folder(seer, mosaic, out, window, device="cpu", resume=True))


# --- figures --------------------------------------------------------------------------------


def test_evaluation_gives_the_papers_figures(trained, tiles, seer):
    told = evaluate(trained[0], tiles, device="cpu")
    figures = told["figures"]
    assert figures["tiles"] == 1  # it learnt from the other two
    assert {"f2", "precision", "recall", "detections", "new", "f2_best"} <= set(figures)
    assert set(told["errors"]) == {"f2", "precision", "recall", "detections", "new", "f2_best"}
    all_of_them = evaluate(seer, tiles, device="cpu")
    everywhere, sizes = all_of_them["figures"], all_of_them["sizes"]
    assert everywhere["tiles"] == 3 and everywhere["bubbles"] > figures["bubbles"]
    assert everywhere["f2_best"] >= everywhere["f2"]
    assert everywhere["recall"] > 0
    scan = all_of_them["scan"]
    assert scan["cut"][0] == 0.5 and max(scan["f2"]) == everywhere["f2_best"]
    assert scan["f2_error"][scan["f2"].index(everywhere["f2_best"])] > 0
    worst = all_of_them["worst"]
    assert worst["by"] == "f2" and len(worst["units"]) == 3
    assert sum(unit["bubbles"] for unit in worst["units"]) == everywhere["bubbles"]
    view = view_of(seer, tiles, worst["units"][0]["name"], None, "cpu", silent)
    assert view.boxed and view.truth.shape == (worst["units"][0]["bubbles"], 4)
    assert view.found.shape[1] == 4
    assert sum(sizes["bubbles"]) == everywhere["bubbles"]
    assert sum(sizes["recovered"]) == round(everywhere["recall"] * everywhere["bubbles"])
    assert sizes["arcmin"][0] == 0 and len(sizes["recovered"]) == len(sizes["arcmin"])
    with pytest.raises(DataError, match="whole tiles; leave out --window"):
        evaluate(seer, tiles, window=Window(0, 0, 9, 9), device="cpu")


def test_the_model_opens_again_as_it_was(trained):
    model = load_model(trained[0])
    assert model.recipe.name == "bubbles_small"
    assert isinstance(trained[1][-1], Finished)
