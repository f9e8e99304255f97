"""Average precision, curves and overlaps on cases worked out by hand."""

import numpy as np
import pytest

from napari_astroseg.engine.objectmatches import (
    IOUS,
    RECALLS,
    Matches,
    best_cut,
    matched,
    told_figures,
)
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.window import Window

SCORES = np.array([0.9, 0.8, 0.7, 0.6])
OVERLAPS = np.array([[0.9, 0.0, 0.0], [0.8, 0.2, 0.0], [0.0, 0.62, 0.0], [0.0, 0.0, 0.5]])
"""Four found, three there: right; a second one of the first; right to 0.60; right at 0.50 alone."""


def test_overlaps_are_the_ten_of_coco():
    assert IOUS.tolist() == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def test_an_object_is_found_once():
    matches = Matches.of(SCORES, OVERLAPS)
    assert matches.right[0].tolist() == [True, False, True, True]
    assert matches.right[2].tolist() == [True, False, True, False]
    assert matches.right[8].tolist() == [True, False, False, False]
    assert not matches.right[9].any()
    assert matches.overlaps.tolist() == [0.9, 0.0, 0.62, 0.5]


def test_average_precision_by_hand():
    """Right, wrong, right, right of three: precision 1, then the best onwards, 3/4, twice."""
    matches = Matches.of(SCORES, OVERLAPS)
    recall, precision = matches.curve()
    assert recall == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1])
    assert precision == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])
    assert matches.average_precision() == pytest.approx((1 + 3 / 4 + 3 / 4) / 3)
    assert matches.average_precision(2) == pytest.approx((1 + 2 / 3) / 3)
    assert matches.average_precision(8) == pytest.approx(1 / 3)
    assert matches.average_precision(9) == 0.0
    told = matches.figures(0.65)
    two, one = (1 + 2 / 3) / 3, 1 / 3
    assert told["ap"] == pytest.approx((2.5 / 3 + 2 * two + 6 * one) / 10)
    assert told["precision"] == pytest.approx(2 / 3)
    assert told["recall"] == pytest.approx(2 / 3)
    assert told["mask_iou"] == pytest.approx((0.9 + 0.62) / 2)


def test_order_of_what_is_found_does_not_matter():
    shuffled = np.array([2, 0, 3, 1])
    matches = Matches.of(SCORES[shuffled], OVERLAPS[shuffled])
    assert matches.average_precision() == pytest.approx(2.5 / 3)
    assert matches.overlaps.tolist() == [0.62, 0.9, 0.5, 0.0]


def test_the_curve_is_told_at_101_recalls():
    best = Matches.of(SCORES, OVERLAPS).best_precision()
    assert len(best) == len(RECALLS) == 101
    assert best[:34].tolist() == [1.0] * 34
    assert best[34:] == pytest.approx([0.75] * 67)
    nothing = Matches.of(np.zeros(0), np.zeros((0, 2)))
    assert not nothing.best_precision().any()


def test_several_images_are_ranked_together():
    first = Matches.of(np.array([0.5]), np.array([[1.0]]))
    second = Matches.of(np.array([0.9]), np.array([[0.1]]))
    both = Matches.joined([first, second])
    assert (both.count, both.scores.tolist()) == (2, [0.5, 0.9])
    assert both.average_precision() == pytest.approx(0.5 * 0.5)


def test_of_a_class_that_is_nowhere_there_is_no_figure():
    nowhere = Matches.of(np.array([0.9]), np.zeros((1, 0)))
    assert np.isnan(nowhere.average_precision())
    figures = told_figures([nowhere, Matches.of(SCORES, OVERLAPS)], ("star", "galaxy"), 0.65)
    assert np.isnan(figures["ap50_star"])
    assert figures["ap50"] == figures["ap50_galaxy"] == pytest.approx(2.5 / 3)
    none = Matches.joined([]).figures(0.5)
    assert all(np.isnan(value) for value in none.values())


def test_the_best_cut_has_the_best_f1():
    """From 0.6 up three of four are right, F1 6/7; from 0.7 up two of three, F1 4/6."""
    assert best_cut([Matches.of(SCORES, OVERLAPS)]) == pytest.approx(0.05)
    weak = Matches.of(np.append(SCORES, [0.3] * 9), np.vstack((OVERLAPS, np.zeros((9, 3)))))
    assert best_cut([weak]) == pytest.approx(0.35)


def test_classes_are_matched_apart():
    mask = Footprint(Window(2, 2, 4, 4), np.ones((4, 4), bool))
    half = Footprint(Window(2, 2, 4, 2), np.ones((2, 4), bool))
    found = Instances(
        np.array([[1.5, 1.5, 5.5, 5.5]] * 2),
        np.array([0.9, 0.8]),
        np.array([1, 2]),
        (mask, half),
    )
    stars, galaxies = matched(found, [mask], np.array([2]), 2)
    assert (stars.count, galaxies.count) == (0, 1)
    assert not stars.right.any()
    assert galaxies.overlaps.tolist() == [0.5]
