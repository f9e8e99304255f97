"""Overlapping galaxies from stamps: what is learnt, predicted, scored, and measured."""

import json

import numpy as np
import pytest
import torch
from astropy.io import fits
from astropy.table import QTable
from layouts import write_stamps

from napari_astroseg.engine.blended import BlendedSet, batch_arrays, open_stamps
from napari_astroseg.engine.blendobjects import catalogued
from napari_astroseg.engine.card import ModelCard, read_card
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import EpochDone, ExamplesDone, StepDone, TileDone
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.sampled import noise_at
from napari_astroseg.engine.scoring import central, score_galaxies, scored
from napari_astroseg.engine.train import train
from napari_astroseg.engine.unitview import view_of
from napari_astroseg.errors import DataError, MisfitError, RecipeError
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import silent
from napari_astroseg.sky.window import Window

SIDE = 32


def galaxy(y, x, height, width):
    """Brightness (SIDE, SIDE) of a flat galaxy."""
    light = np.zeros((SIDE, SIDE), np.float32)
    light[y : y + height, x : x + width] = 1.0
    return light


def write_field(folder, name="field_0", stamps=16, seed=0):
    """A folder of stamps: one galaxy, or two that overlap, or none; and their catalogue."""
    rng = np.random.default_rng(seed)
    images = 0.05 * rng.standard_normal((stamps, SIDE, SIDE)).astype(np.float32)
    truth = np.zeros((stamps, SIDE, SIDE), np.uint8)
    rows = []
    for number in range(stamps):
        y, x = rng.integers(4, 14, 2)
        parts = [galaxy(y, x, 8, 8), galaxy(y + 5, x + 4, 8, 8)][: number % 4]
        for light in parts if number % 4 < 3 else []:
            images[number] += light
            truth[number] += light > 0
            row, column = np.argwhere(light > 0).mean(0)
            rows.append((column + 128 * SIDE, row + 3 * SIDE, 20.0 + number % 5, number, 64))
    np.save(folder / f"stamps_WithNoise_{name}.npy", images)
    np.save(folder / f"stamps_seg_{name}.npy", truth)
    table = QTable(rows=rows, names=("x", "y", "magnitude", "stamp", "area"))
    Catalogue(table).write(folder / f"catalogue_{name}.ecsv")


@pytest.fixture(scope="module")
def stamps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stamps")
    write_field(folder, stamps=24)
    return folder


@pytest.fixture(scope="module")
def recipe():
    return Recipe.preset("blended_galaxies").replace(
        **{
            "family.channels": [8, 12, 16],
            "family.convolutions": 1,
            "family.latent": 2,
            "family.samples": 6,
            "family.warmup_steps": 10,
            "family.cross_entropy": 1.0,
            "data.stamp_px": SIDE,
            "data.validation": 0.3,
            "normalisation.softening": None,
            "schedule.epochs": 2,
            "schedule.batch_size": 4,
            "schedule.learning_rate": 5e-3,
            "schedule.decay": 1.0,
            "schedule.clip": 1.0,
            "prediction.tile_px": 64,
        }
    )


@pytest.fixture(scope="module")
def trained(recipe, stamps, tmp_path_factory):
    """A run of several epochs, and its events."""
    out = tmp_path_factory.mktemp("run")
    longer = recipe.replace(**{"schedule.epochs": 45})
    return out, list(train(longer, Run(data=stamps, out=out, device="cpu")))


@pytest.fixture(scope="module")
def drawing(recipe):
    """An untrained model whose samples differ much."""
    torch.manual_seed(0)
    net = build(recipe.family)
    with torch.no_grad():
        net.head.draw.weight *= 3
    return Model(ModelCard("drawing", recipe, 1, threshold=0.5), net.eval())


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.05, (75, 90)).astype(np.float32)
    values[20:30, 40:50] += 1
    values[50:54, 10:20] = np.nan
    return SkyImage.from_array(values, name="field")


def without_seconds(run):
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def answered(events):
    """Probability and deviation, (classes, H, W), of the whole."""
    tiles = [event for event in events if isinstance(event, TileDone)]
    height, width = (max(getattr(t.window, end) for t in tiles) for end in ("y_end", "x_end"))
    maps = np.full((2, 2, height, width), np.nan, np.float32)
    for tile in tiles:
        for each, values in zip(maps, (tile.probability, tile.deviation), strict=True):
            each[:, *tile.window.slices] = values
    return maps


# --- recipe -------------------------------------------------------------------------------


def test_the_published_recipe():
    recipe = Recipe.preset("blended_galaxies")
    assert recipe.data == BlendedData()
    assert recipe.family.channels == (32, 64, 128, 192, 192, 192, 256)
    assert (recipe.family.latent, recipe.family.samples) == (10, 50)
    assert recipe.family.class_weights == (0.4, 0.5, 0.9)
    rates = [recipe.schedule.rate_at(epoch) for epoch in range(1, 6)]
    assert rates[0] == 1e-3 and rates[-1] == pytest.approx(3e-4, rel=0.01)
    assert recipe.schedule.batch_size == 32


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family.class_weights": [0.5, 0.5]}, "with 3 `family.class_weights`"),
        ({"family.class_weights": [0.5, 0.5, 0.0]}, "every class must weigh more than 0"),
        ({"family.channels": [8] * 8}, "must be a multiple of 128, at least 256"),
        ({"family.channels": [8, 0]}, "every level needs 1 to 4096"),
        ({"family.kind": "unet5"}, "must tell 2 classes and background apart"),
        ({"family.bands": 2}, "`family.bands` must be 1"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(changes, words):
    with pytest.raises(RecipeError, match=words):
        Recipe.preset("blended_galaxies").replace(**changes)


def test_one_class_can_be_learnt_from_maps_too():
    recipe = Recipe.preset("filaments").replace(
        family__kind="probunet", family__class_weights=[0.4, 0.5], family__channels=[8, 8, 8]
    )
    assert recipe.family.by_stamp


# --- learning -----------------------------------------------------------------------------


def test_it_learns_to_tell_galaxies_from_sky(trained):
    """Overlaps come later, at an epoch that differs from processor to processor."""
    out, events = trained
    epochs = [event.validation for event in events if isinstance(event, EpochDone)]
    assert max(figures["iou_isolated"] for figures in epochs) > 0.7
    assert min(figures["loss"] for figures in epochs) < 0.25 * epochs[0]["loss"]
    assert set(epochs[0]) == {"loss", "iou", "iou_isolated", "iou_overlap", "dice", "threshold"}
    shown = [event for event in events if isinstance(event, ExamplesDone)]
    assert len(shown) == len([event for event in events if isinstance(event, EpochDone)])
    assert shown[0].classes == ("isolated", "overlap")
    assert shown[0].truth.any()
    card = read_card(out)
    assert card.trained_on == "17 stamps and 7 for validation"
    assert card.threshold == 0.5


def test_a_resumed_training_equals_an_uninterrupted_one(recipe, stamps, tmp_path):
    """The divergence's weight goes on where it was, and the draws are those of the epoch."""
    list(train(recipe, Run(data=stamps, out=tmp_path / "whole", device="cpu")))
    parted = tmp_path / "parted"
    for event in train(recipe, Run(data=stamps, out=parted, device="cpu")):
        if isinstance(event, EpochDone):
            break
    list(train(recipe, Run(data=stamps, out=parted, device="cpu", resume=True)))
    assert load_model(tmp_path / "whole").digest == load_model(parted).digest
    assert without_seconds(tmp_path / "whole") == without_seconds(parted)


@pytest.mark.parametrize("name", ["blended_galaxies", "blended_galaxies_small"])
def test_every_preset_takes_two_steps(name, tmp_path):
    rng = np.random.default_rng(0)
    truth = (rng.random((4, 128, 128)) < 0.1).astype(np.uint8)
    np.save(tmp_path / "stamps_WithNoise_a.npy", rng.normal(size=truth.shape).astype("f4"))
    np.save(tmp_path / "stamps_seg_a.npy", truth)
    recipe = Recipe.preset(name).replace(**{"schedule.batch_size": 1})
    steps = []
    for event in train(recipe, Run(data=tmp_path, out=tmp_path / "run", device="cpu")):
        if isinstance(event, StepDone):
            steps.append(event.loss)
            if len(steps) == 2:
                break
    assert np.isfinite(steps).all()
    assert 0.3 < steps[0] < 1.0 + 4.0 * recipe.family.cross_entropy


def test_truth_turns_with_its_stamp_and_epochs_differ(recipe, stamps):
    data = BlendedSet(recipe, stamps)
    count, batches = data.batches(1)
    first = list(batches)
    assert count == len(first) == 5
    for batch in first:
        on = batch.target > 0
        assert not on.any() or batch.planes[on].min() > 0.5
        assert set(np.unique(batch.target)) <= {0, 1, 2}
        assert batch.weight.all()
    same, other = (next(BlendedSet(recipe, stamps).batches(n)[1]) for n in (1, 2))
    assert np.array_equal(same.planes, first[0].planes)
    assert not np.array_equal(other.planes, first[0].planes)
    seen = [len(batch) for batch in data.validation_batches()]
    assert sum(seen) == 7


def test_pixels_without_a_value_do_not_teach(recipe, tmp_path):
    write_field(tmp_path, stamps=4)
    path = tmp_path / "stamps_WithNoise_field_0.npy"
    values = np.load(path)
    values[1, :5] = np.nan
    np.save(path, values)
    planes, _, weight = batch_arrays(open_stamps(recipe.data, tmp_path), np.arange(4), recipe)
    assert np.isfinite(planes).all()
    assert not weight[1, 0, :5].any() and weight[1, 0, 5:].all()


def test_stamps_that_cannot_teach_are_refused(recipe, tmp_path):
    write_stamps(tmp_path)
    with pytest.raises(DataError, match=r"16 × 16 pixels .* set data\.stamp_px"):
        BlendedSet(recipe, tmp_path)
    empty = np.zeros((6, SIDE, SIDE), np.float32)
    np.save(tmp_path / "stamps_WithNoise_field_0.npy", empty)
    np.save(tmp_path / "stamps_seg_field_0.npy", empty.astype(np.uint8))
    with pytest.raises(DataError, match=r"the training stamps of .* show no galaxy; add stamps"):
        BlendedSet(recipe, tmp_path)


# --- predicting ---------------------------------------------------------------------------


def test_tiles_carry_mean_and_deviation_of_each_class(drawing, field):
    probability, deviation = answered(predict(drawing, field, device="cpu"))
    gaps = np.isnan(field.cutout(Window.whole(field.shape)))
    for maps in (probability, deviation):
        assert maps.shape == (2, 75, 90)
        assert np.array_equal(np.isnan(maps), np.broadcast_to(gaps, maps.shape))
    assert (deviation[:, ~gaps] > 1e-4).mean() > 0.9
    limit = probability * (1 - probability)  # no spread between 0 and 1 is larger
    assert (deviation**2 <= limit + 1e-5)[:, ~gaps].all()


def test_a_lone_stamp_has_the_moments_of_its_samples(recipe, drawing):
    values = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    alone = Model(
        ModelCard("one", recipe.replace(prediction__overlap=0.0), 1, threshold=0.5), drawing.net
    )
    image = SkyImage.from_array(values)
    probability, deviation = answered(predict(alone, image, samples=9, device="cpu"))
    from napari_astroseg.engine.prepare import prepared

    planes = prepared(values, np.isfinite(values), recipe)[None, None]
    noise = noise_at([(0, 0)], 9, 2, recipe.schedule.seed)
    with torch.inference_mode():
        samples = torch.stack(list(drawing.net.drawn(torch.from_numpy(planes), noise)))[:, 0]
    assert np.allclose(probability, samples.numpy().mean(0), atol=1e-5)
    assert np.allclose(deviation, samples.numpy().std(0), atol=1e-4)


def test_the_answer_does_not_depend_on_the_tiles(drawing, field):
    whole = answered(predict(drawing, field, device="cpu"))
    part = Window(20, 10, 45, 50)
    tiles = predict(drawing, field, part, device="cpu")
    for tile in (event for event in tiles if isinstance(event, TileDone)):
        place = tile.window.slices
        for mine, theirs in zip((tile.probability, tile.deviation), whole, strict=True):
            assert np.allclose(mine, theirs[:, *place], atol=1e-5, equal_nan=True)


def test_the_same_draws_every_time_and_more_when_asked(drawing, field):
    first, again = (answered(predict(drawing, field, device="cpu")) for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)
    more = answered(predict(drawing, field, samples=12, device="cpu"))
    assert not np.array_equal(first, more, equal_nan=True)
    twelve = answered(predict(drawing.drawing(12), field, device="cpu"))
    assert np.array_equal(more, twelve, equal_nan=True)


def test_samples_are_refused_where_they_make_no_sense(drawing, random_model, field, noise_image):
    with pytest.raises(MisfitError, match="1 samples tell no uncertainty"):
        list(predict(drawing, field, samples=1, device="cpu"))
    with pytest.raises(MisfitError, match="deterministic and draws no samples"):
        list(predict(random_model, noise_image, samples=5, device="cpu"))
    with pytest.raises(MisfitError, match="deterministic"):
        random_model.drawing(5)
    with pytest.raises(MisfitError, match="cannot be scored by it"):
        score_galaxies(random_model, noise_image, np.array([[4.0, 4.0]]), device="cpu")
    nothing = SkyImage.from_array(np.full((40, 40), np.nan), name="nothing")
    with pytest.raises(MisfitError, match="no pixel of this window of nothing has a value; choose"):
        list(predict(drawing, nothing, device="cpu"))


def test_a_stopped_prediction_resumes_with_its_deviations(drawing, field, tmp_path):
    store = tmp_path / "s.zarr"
    events = predict(drawing, field, store=store, device="cpu")
    for event in events:
        if isinstance(event, TileDone):
            events.close()
    resumed = answered(predict(drawing, field, store=store, resume=True, device="cpu"))
    expected = answered(predict(drawing, field, device="cpu"))
    assert np.array_equal(resumed, expected, equal_nan=True)
    from napari_astroseg.errors import OutputError

    with pytest.raises(OutputError, match="another model, image or window"):
        list(predict(drawing, field, samples=7, store=store, resume=True, device="cpu"))


def test_an_empty_stamp_yields_an_empty_map(trained):
    """The null test, on skies without a value above 0 and on noise alone."""
    model = load_model(trained[0])
    rng = np.random.default_rng(7)
    for values in (np.zeros((64, 64)), 0.05 * rng.standard_normal((64, 64))):
        image = SkyImage.from_array(values.astype(np.float32))
        probability, deviation = answered(predict(model, image, device="cpu"))
        assert np.isfinite(probability).all() and np.isfinite(deviation).all()
        assert (probability.sum(0) >= 0.5).mean() < 0.02


def test_every_file_is_there_with_a_plane_for_each_class(trained, field, tmp_path):
    *_, last = predict_to_folder(trained[0], field, tmp_path, device="cpu")
    for name in ("probability.fits", "uncertainty.fits"):
        with fits.open(tmp_path / name) as hdus:
            assert hdus[1].shape == (2, 75, 90)
            assert (hdus[1].header["CLASS1"], hdus[1].header["CLASS2"]) == ("isolated", "overlap")
    table = Catalogue.read(tmp_path / "catalogue.ecsv").table
    assert len(table) == last.result["structures"] >= 1
    assert {"score", "uncertainty", "summed", "overlap"} <= set(table.colnames)
    nearest = np.argmin(np.hypot(table["x"] - 44.5, table["y"] - 24.5))
    assert table["score"][nearest] > 0.5
    assert 0 <= table["uncertainty"][nearest] < 0.5
    assert table["summed"][nearest] > 40


# --- one score for a galaxy ---------------------------------------------------------------


def test_the_central_object_alone_is_kept():
    mask = np.zeros((20, 20), bool)
    mask[8:12, 9:13] = mask[1:4, 1:4] = True
    mask[12, 13] = True  # touches by a corner
    kept = central(mask)
    assert kept.sum() == 17 and not kept[:5].any()
    assert not central(mask & (np.arange(20) < 5)).any()
    assert not central(np.zeros((4, 4), bool)).any()


def test_scores_by_hand():
    """Three samples of a square of four pixels; in one of them two of its pixels overlap."""
    samples = np.zeros((3, 2, 20, 20), np.float32)
    for sample, value in zip(samples, (0.6, 0.9, 0.9), strict=True):
        sample[0, 10:12, 10:12] = value
    samples[2, :, 10, 10:12] = [[0.1], [0.8]]
    samples[:, 0, 2, 2] = 1.0
    score, uncertainty, summed, overlap = scored(samples, 0.5)
    assert score == pytest.approx(0.8)
    assert uncertainty == pytest.approx(np.std([0.6, 0.9, 0.9]), rel=1e-5)
    assert summed == pytest.approx(3.2)
    assert overlap == pytest.approx(1 / 3)
    none = scored(samples, 0.95)
    assert none[0] == none[2] == none[3] == 0.0 and np.isnan(none[1])


def test_a_galaxy_is_scored_in_a_stamp_centred_on_it(trained, field):
    model = load_model(trained[0])
    shifted = SkyImage.from_array(
        np.roll(np.nan_to_num(field.cutout(Window.whole(field.shape))), (7, -13), (0, 1))
    )
    plain = SkyImage.from_array(np.nan_to_num(field.cutout(Window.whole(field.shape))))
    places = np.array([[44.0, 24.0], [75.0, 60.0]])
    moved = places + np.array([-13, 7])
    here = score_galaxies(model, plain, places, samples=100, device="cpu")
    there = score_galaxies(model, shifted, moved, samples=100, device="cpu")
    assert here.score[0] > 0.5 and here.summed[0] > 30
    assert there.score[0] == pytest.approx(here.score[0], abs=0.05)
    assert here.score[1] < 0.5 or here.summed[1] < 10


# --- measuring ----------------------------------------------------------------------------


def test_evaluation_gives_the_paper_s_figures(trained, tmp_path):
    write_field(tmp_path, seed=9)
    told = evaluate(trained[0], tmp_path, device="cpu")
    names = {f"{name}_{kind}" for kind in ("isolated", "blended")
             for name in ("completeness", "purity", "detected", "iou", "authors_completeness",
                          "authors_purity", "authors_iou")}  # fmt: skip
    assert set(told["figures"]) == names | {"stamps", "null", "ece", "ece_galaxy", "ece_overlap"}
    assert set(told["errors"]) == set(told["figures"]) - {"stamps"}
    assert told["figures"]["stamps"] == 16
    assert told["figures"]["detected_isolated"] > 0.6
    assert told["figures"]["iou_isolated"] > 0.5
    assert 0 <= told["figures"]["ece"] < 0.2
    worst = told["worst"]["units"]
    assert 0 < len(worst) <= 16 and worst[0]["dice"] <= worst[-1]["dice"]
    assert all(isinstance(unit["objects"], int) for unit in worst)
    view = view_of(load_model(trained[0]), tmp_path, worst[-1]["name"], None, "cpu", silent)
    assert view.truth.shape == view.found.shape == (SIDE, SIDE)
    assert view.truth.max() >= 1 and ((view.truth > 0) & (view.found > 0)).any()
    assert [row["from"] for row in told["magnitudes"]] == [20.0, 21.0, 22.0, 23.0]
    assert sum(row["isolated"]["galaxies"] for row in told["magnitudes"]) == 4
    assert sum(row["blended"]["galaxies"] for row in told["magnitudes"]) == 8
    assert all(row["isolated"]["iou_error"] is not None for row in told["magnitudes"][1:2])
    assert json.dumps(told) == json.dumps(evaluate(trained[0], tmp_path, device="cpu"))


def test_evaluation_where_it_was_trained_is_of_the_validation_stamps(trained, stamps):
    told = evaluate(trained[0], stamps, device="cpu")
    assert told["figures"]["stamps"] == 7
    with pytest.raises(DataError, match="leave out --window"):
        evaluate(trained[0], stamps, window=Window(0, 0, 4, 4), device="cpu")


def test_evaluation_without_catalogue_or_galaxy(trained, tmp_path):
    write_field(tmp_path, stamps=8)
    (tmp_path / "catalogue_field_0.ecsv").unlink()
    assert evaluate(trained[0], tmp_path, device="cpu")["magnitudes"] == []
    np.save(tmp_path / "stamps_seg_field_0.npy", np.zeros((8, SIDE, SIDE), np.uint8))
    with pytest.raises(DataError, match=r"no stamp of .* shows a galaxy"):
        evaluate(trained[0], tmp_path, device="cpu")


def test_positions_of_a_catalogue_are_those_of_the_stamp(recipe, stamps):
    data = open_stamps(recipe.data, stamps)
    truth = np.load(stamps / "stamps_seg_field_0.npy")
    for number in range(24):
        rows = catalogued(data.items[number])
        assert len(rows["x"]) == (0, 1, 2, 0)[number % 4]
        for x, y in zip(rows["x"], rows["y"], strict=True):
            assert truth[number, round(y), round(x)]
