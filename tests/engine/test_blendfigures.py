"""Figures of overlapping galaxies, held against cases worked out by hand."""

import numpy as np
import pytest

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.blended import ClassJudge, confusion, iou, likeliest
from napari_astroseg.engine.blendfigures import figures_of, magnitudes_of
from napari_astroseg.engine.blendobjects import Galaxies, Objects
from napari_astroseg.engine.calibration import Reliability
from napari_astroseg.sky.structures import any_class

SIDE = 32


def scene(*squares):
    """Classes (H, W) of squares (y, x, side, class)."""
    made = np.zeros((SIDE, SIDE), np.uint8)
    for y, x, side, kind in squares:
        made[y : y + side, x : x + side] = kind
    return made


def sure(classes):
    """Probabilities (2, H, W) of an answer without doubt."""
    return np.stack([classes == 1, classes == 2]).astype(np.float32)


def objects(found, truth, variance=0.0, least=4):
    spread = np.full((3, SIDE, SIDE), variance, np.float32)
    return Objects.of(sure(found), spread, truth, 0.5, least)


TRUTH = scene((2, 2, 6, 1), (14, 2, 6, 1), (14, 6, 2, 2), (2, 20, 4, 1), (26, 26, 1, 1))
"""An isolated one, a blended one, a second isolated one, and one of a single pixel."""


def counts(*each):
    rows = [one.counts() for one in each]
    return {name: np.sum([row[name] for row in rows], 0) for name in rows[0]}


def blank():
    return {name: np.zeros((20, 3)) for name in ("class", "galaxy", "overlap")}


def test_a_perfect_answer():
    told = figures_of(counts(objects(TRUTH, TRUTH)) | blank())
    for kind in ("isolated", "blended"):
        for name in (
            "completeness", "purity", "detected", "iou", "authors_completeness", "authors_purity",
            "authors_iou",
        ):  # fmt: skip
            assert told[f"{name}_{kind}"] == 1.0
    assert np.isnan(told["null"])


def test_completeness_and_purity_by_hand():
    """One isolated missed, the blend taken for isolated, one found where there is nothing."""
    found = scene((2, 2, 6, 1), (14, 2, 6, 1), (24, 10, 4, 1))
    told = figures_of(counts(objects(found, TRUTH)) | blank())
    assert told["completeness_isolated"] == told["detected_isolated"] == 0.5
    assert told["purity_isolated"] == pytest.approx(1 / 3)
    assert (told["completeness_blended"], told["detected_blended"]) == (0.0, 1.0)
    assert np.isnan(told["purity_blended"])
    assert told["iou_isolated"] == 1.0
    assert told["iou_blended"] == 0.0


def test_the_authors_ask_whether_isolated_ones_are_found_and_blends_as_what():
    """One isolated found, one missed, one found for a blend; the blend for an isolated one; one
    found where there is nothing."""
    truth = TRUTH + scene((24, 18, 4, 1))
    found = scene((2, 2, 6, 1), (14, 2, 6, 1), (24, 10, 4, 1), (24, 18, 4, 1), (24, 18, 2, 2))
    told = figures_of(counts(objects(found, truth)) | blank())
    assert told["completeness_isolated"] == pytest.approx(1 / 3)
    assert told["authors_completeness_isolated"] == 0.5
    assert told["authors_purity_isolated"] == 0.5
    assert told["authors_completeness_blended"] == told["completeness_blended"] == 0.0
    assert told["authors_purity_blended"] == 0.0
    assert told["authors_iou_isolated"] == 1.0 and np.isnan(told["authors_iou_blended"])


def test_iou_is_of_the_object_or_of_its_overlap():
    found = scene((2, 4, 6, 1), (14, 2, 6, 1), (14, 7, 2, 2))
    first, blend, *_ = objects(found, TRUTH).pairs if TRUTH[2, 2] else ()
    by_kind = {pair.kind: pair for pair in objects(found, TRUTH).pairs if pair.detected}
    assert by_kind[0].iou == pytest.approx(24 / 48)
    assert by_kind[1].iou == pytest.approx(2 / 6)
    assert {first.large, blend.large} == {True}


def test_a_true_object_of_few_pixels_counts_on_neither_side():
    found = scene((26, 26, 4, 1))
    told = counts(objects(found, TRUTH))
    assert told["true"].tolist() == [2, 1]
    assert told["found"].tolist() == told["right"].tolist() == [1, 0]


def test_the_null_test_counts_stamps_without_a_galaxy():
    nothing = scene()
    noisy = scene((4, 4, 3, 1))
    told = figures_of(
        counts(objects(nothing, nothing), objects(noisy, nothing), objects(noisy, TRUTH)) | blank()
    )
    assert told["null"] == 0.5


def test_galaxies_fall_into_bins_of_magnitude():
    found = scene((2, 2, 6, 1), (14, 2, 6, 1), (14, 6, 2, 2))
    rows = {
        "x": np.array([4.0, 4.0, 21.0, 26.0, 15.0, 40.0]),
        "y": np.array([4.0, 16.0, 3.0, 26.0, 28.0, 4.0]),
        "magnitude": np.array([20.2, 22.0, 22.9, 21.0, 21.0, 21.0]),
    }
    edges = np.arange(20.0, 24.0)
    galaxies = Galaxies.of(objects(found, TRUTH, variance=0.25), rows, edges)
    told = magnitudes_of({"galaxies": galaxies.sums}, edges)
    assert [row["from"] for row in told] == [20.0, 21.0, 22.0]
    names = "galaxies", "detected", "iou", "variance"
    shown = [
        [row[kind][name] for name in names] for row in told for kind in ("isolated", "blended")
    ]
    assert shown == [
        [1, 1.0, 1.0, 0.25], [0, None, None, None],
        [0, None, None, None], [0, None, None, None],
        [1, 0.0, None, None], [1, 1.0, 1.0, 0.25],
    ]  # fmt: skip
    assert told[0]["isolated"]["iou_error"] is None
    drawn = [{"galaxies": galaxies.sums}, {"galaxies": galaxies.sums * np.array([1, 1, 0.5, 1])}]
    spread = magnitudes_of({"galaxies": galaxies.sums}, edges, drawn)
    assert spread[0]["isolated"]["iou_error"] == 0.25
    assert spread[0]["isolated"]["detected_error"] == 0.0
    assert magnitudes_of({"galaxies": np.zeros((2, 0, 4))}, np.zeros(0)) == []


def test_calibration_by_hand():
    """Of ten pixels at 0.8 six are hit, of ten at 0.2 two: errors 0.2 and 0."""
    probability = np.repeat([0.8, 0.2], 10)
    hit = np.r_[np.arange(10) < 6, np.arange(10) < 2]
    told = Reliability.of(probability, hit)
    assert told.error() == pytest.approx(0.1)
    low, high = told.curve()
    assert low == {"pixels": 10, "probability": pytest.approx(0.2), "true": 0.2}
    assert high == {"pixels": 10, "probability": pytest.approx(0.8), "true": 0.6}
    assert Reliability.of(np.array([1.0, 0.0]), np.array([True, False])).error() == 0.0
    assert np.isnan(Reliability.of(np.zeros(0), np.zeros(0, bool)).error())


def test_classes_and_their_sum():
    maps = np.array([[[0.2, 0.5, 0.1]], [[0.1, 0.2, 0.85]]], np.float32)
    assert likeliest(maps).tolist() == [[0, 1, 2]]
    assert any_class(maps)[0].tolist() == pytest.approx([0.3, 0.7, 0.95])
    assert any_class(maps[:1]) is not None and np.shares_memory(any_class(maps[:1]), maps)
    table = confusion(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2]))
    assert table.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert iou(table).tolist() == [1.0, 0.5, 0.5]
    assert np.isnan(iou(np.diag([3, 0, 0])))[1:].all()


def test_the_judge_of_an_epoch():
    truth = np.zeros((1, 1, 2, 4), np.float32)
    truth[0, 0, 0] = [1, 1, 2, 2]
    weight = np.ones_like(truth)
    weight[0, 0, 1, 0] = 0
    answer = sure(np.array([[1, 1, 1, 2], [1, 0, 0, 1]]))[None]
    judge = ClassJudge(0.5)
    judge.add(answer, PixelBatch(truth, truth, weight))
    told = judge.figures()
    assert told["iou_isolated"] == pytest.approx(2 / 4)
    assert told["iou_overlap"] == pytest.approx(1 / 2)
    assert told["iou"] == pytest.approx(0.5)
    assert told["dice"] == pytest.approx(2 * 4 / (4 + 5))
    assert told["threshold"] == 0.5
    assert ClassJudge(0.5).figures()["iou"] == 0.0
