"""Figures of maps area by area: by hand, over thresholds, and only where nothing was learnt."""

import numpy as np
import pytest

from napari_astroseg.engine.batches import untrained
from napari_astroseg.engine.bootstrap import DRAWS, spread, spread_of_curves, weights
from napari_astroseg.engine.mapareas import THRESHOLDS, Areas
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.sky.fourmaps import open_four_maps


@pytest.fixture
def scene():
    """Three true squares of 36 px, one to an area; answers of 0.85, 0.35, none, and one in vain."""
    truth, probability = np.zeros((128, 128), bool), np.zeros((128, 128), np.float32)
    for row, column, told in ((10, 10, 0.85), (10, 90, 0.35), (90, 10, 0.0)):
        truth[row : row + 6, column : column + 6] = True
        probability[row : row + 6, column : column + 6] = told
    probability[90:96, 90:96] = 0.65
    return truth, probability


def summed(areas, weight=None):
    (total,) = areas.summed(np.ones((1, len(areas.parts))) if weight is None else weight)
    return total


def test_figures_over_thresholds_by_hand(scene):
    truth, probability = scene
    everywhere = np.ones_like(truth)
    total = summed(Areas.of(probability, (truth, everywhere, everywhere), 0.5, 4))
    dice, recovery, _, missed, new = total.curves()
    # From 0.1: two of three found, one in vain. From 0.4: one, and one in vain. From 0.7: one.
    found = [3, 3, 3, 2, 2, 2, 1, 1, 0]
    hits = [2, 2, 2, 1, 1, 1, 1, 1, 0]
    assert np.allclose(dice, [2 * h / (f + 3) for h, f in zip(hits, found, strict=True)])
    assert np.allclose(recovery, [h / 3 for h in hits])
    assert np.allclose(missed, [1 - h / 3 for h in hits])
    expected = [(f - h) / f if f else np.nan for h, f in zip(hits, found, strict=True)]
    assert np.allclose(new, expected, equal_nan=True)
    own = total.figures(0.5, -1)
    assert (own["missed"], own["new"]) == (pytest.approx(2 / 3), 0.5)
    assert own == total.figures(0.5, THRESHOLDS.index(0.5))


def test_areas_are_drawn_and_left_out_whole(scene):
    truth, probability = scene
    everywhere, left = np.ones_like(truth), np.arange(128) < 64
    unseen = np.broadcast_to(left, truth.shape)
    half = summed(Areas.of(probability, (truth, everywhere & unseen, unseen), 0.5, 4))
    assert half.pixels.on.sum() == 72
    assert half.figures(0.5, -1)["missed"] == 0.5
    assert half.figures(0.5, -1)["new"] == 0.0
    areas = Areas.of(probability, (truth, everywhere, everywhere), 0.5, 4)
    twice = summed(areas, np.array([[2.0, 0, 1, 0]]))
    assert twice.pixels.on.sum() == 3 * 36
    assert twice.missed(-1) == pytest.approx(1 / 3)


def test_a_folder_that_taught_is_measured_where_it_did_not(small_recipe, maps):
    from napari_astroseg.engine.batches import TrainingSet

    fields = open_four_maps(maps, "one_vs_all")
    unseen = untrained(small_recipe.data, fields)
    share = np.mean([mask.mean() for mask in unseen])
    assert 0.05 < share < 0.5
    patches, _ = TrainingSet(small_recipe, maps).epoch(1)
    side = small_recipe.data.patch_px
    for field, x, y in zip(patches.field, patches.x, patches.y, strict=True):
        assert not unseen[field][y : y + side, x : x + side].any()


def test_errors_are_those_of_the_mean():
    """Of 400 units of spread 1 the mean's error is 1 / 20."""
    values = np.random.default_rng(5).normal(size=400)
    drawn = weights(400)
    assert drawn.shape == (DRAWS, 400) and (drawn.sum(1) == 400).all()
    means = drawn @ values / 400
    assert spread(means.tolist()) == pytest.approx(values.std() / 20, rel=0.15)
    curves = [np.array([[mean, np.nan]]) for mean in means]
    assert spread_of_curves(curves)[0, 0] == spread(means.tolist())
    assert np.isnan(spread_of_curves(curves)[0, 1])
    assert np.array_equal(weights(400), drawn)


def test_the_worst_come_first_and_what_has_no_figure_is_left_out():
    units = [
        {"name": n, "dice": d, "new": np.nan} for n, d in (("a", 0.5), ("b", np.nan), ("c", 0.1))
    ]
    told = worst_first("dice", units)
    assert told["by"] == "dice"
    assert [unit["name"] for unit in told["units"]] == ["c", "a"]
    assert told["units"][0]["new"] is None
