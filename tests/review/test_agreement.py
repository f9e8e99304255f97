"""Kappas against figures worked out by hand and by scikit-learn; consensus against known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_astroseg.errors import VettingError
from napari_astroseg.review.agreement import (
    ANSWERS,
    Answers,
    answers_of,
    cohen_kappa,
    confusion,
    fleiss_kappa,
    habits,
    pairs,
)
from napari_astroseg.review.consensus import consensus
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.standing import standings

REAL, NOT, UNSURE, DUPLICATE = range(4)


def _answers(*columns):
    given = np.array(columns).T
    return Answers(tuple("ABCDE"[: len(columns)]), tuple(map(str, range(len(given)))), given)


def test_cohen_by_hand():
    # 20 real by both, 15 not by both, 5 and 10 one way and the other: o = 0.7, e = 0.5.
    first = np.repeat([REAL, REAL, NOT, NOT], [20, 5, 10, 15])
    second = np.repeat([REAL, NOT, REAL, NOT], [20, 5, 10, 15])
    table = confusion(first, second)
    assert table[:2, :2].tolist() == [[20, 5], [10, 15]]
    assert cohen_kappa(table) == pytest.approx(0.4)


def test_cohen_as_scikit_learn_has_it():
    # sklearn.metrics.cohen_kappa_score of the same two columns, release 1.9.1.
    first = np.array([0, 1, 2, 0, 0, 1, 3, 2, 0, 1, 1, 0])
    second = np.array([0, 1, 0, 0, 1, 1, 3, 2, 0, 2, 1, 1])
    assert cohen_kappa(confusion(first, second)) == pytest.approx(0.5151515151515151, abs=1e-12)


def test_only_what_both_judged_counts():
    table = confusion(np.array([REAL, -1, NOT, REAL]), np.array([REAL, REAL, -1, NOT]))
    assert table.sum() == 2
    assert math.isnan(cohen_kappa(confusion(np.array([-1]), np.array([REAL]))))
    assert math.isnan(cohen_kappa(confusion(np.zeros(3, int), np.zeros(3, int))))


def test_fleiss_of_his_own_example():
    # Ten subjects, fourteen raters, five categories (Fleiss 1971): 0.210.
    counts = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ]
    )  # fmt: skip
    assert fleiss_kappa(counts) == pytest.approx(0.20993, abs=5e-6)
    assert fleiss_kappa(np.array([[2, 0], [0, 2]])) == 1.0
    assert math.isnan(fleiss_kappa(np.array([[1, 0], [0, 1]])))
    assert math.isnan(fleiss_kappa(np.array([[3, 0], [3, 0]])))


def test_verdicts_become_answers():
    log = [
        Entry("a", "Ada", verdict="real"),
        Entry("b", "Ada", verdict="reclassify", kind="ring"),
        Entry("b", "Ben", verdict="duplicate", same_as="a"),
        Entry("c", "Ben", verdict="not", seconds=2.0),
        Entry("d", "Ben", verdict="unsure", seconds=4.0),
        Entry("x", "Ben", verdict="real"),
    ]
    standing = standings(log)
    answers = answers_of(standing, ["a", "b", "c", "d", "e"])
    assert answers.vetters == ("Ada", "Ben")
    assert answers.given.tolist() == [
        [REAL, -1], [REAL, DUPLICATE], [-1, NOT], [-1, UNSURE], [-1, -1],
    ]  # fmt: skip
    assert answers.counts.sum() == 5
    assert answers.disagreements == [1]
    (pair,) = pairs(answers)
    assert (pair.first, pair.second, pair.both, pair.alike) == ("Ada", "Ben", 1, 0.0)
    ada, ben = habits(standing, ["a", "b", "c", "d"], ["real", "", "not", "not"])
    assert (ada.judged, ada.skill.completeness) == (2, 1.0)
    assert math.isnan(ada.skill.false_alarms)
    assert (ben.counts["not"], ben.seconds, ben.skill.false_alarms) == (1, 3.0, 0.0)


def test_the_most_divided_come_first():
    answers = _answers([0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 2, 1])
    assert answers.disagreements == [1, 2]


def test_majority_and_its_ties():
    agreed = consensus(_answers([0, 0, 1, -1], [0, 1, 1, -1], [1, -1, 1, -1]))
    assert agreed.answer.tolist() == [REAL, UNSURE, NOT, -1]
    assert agreed.probability[0, REAL] == pytest.approx(2 / 3)
    assert np.isnan(agreed.probability[3]).all()
    with pytest.raises(VettingError, match="majority or weighted"):
        consensus(_answers([0]), "loudest")


def test_the_weighted_consensus_listens_to_who_is_right():
    # Two who are right nine times in ten against three who toss a coin.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    skilled = [np.where(rng.random(400) < 0.9, truth, 1 - truth) for _ in range(2)]
    random = [rng.integers(0, 2, 400) for _ in range(3)]
    answers = _answers(*skilled, *random)
    weighted, majority = consensus(answers, "weighted"), consensus(answers)
    assert (majority.answer == truth).mean() < 0.85
    assert (weighted.answer == truth).mean() > 0.88
    right = weighted.matrices[:, [REAL, NOT], [REAL, NOT]].mean(1)
    assert right[:2].min() > 0.8
    assert right[2:].max() < 0.65
    assert np.allclose(weighted.matrices.sum(2), 1)
    assert len(ANSWERS) == weighted.probability.shape[1]
