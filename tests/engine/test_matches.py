"""Matches: recovered bubbles, new detections, and the score cut of highest F2."""

import numpy as np
import pytest

from napari_astroseg.engine.matches import CUTS, Matches, f2
from napari_astroseg.sky.objects import Objects


def objects(*each):
    boxes = np.array([e[:4] for e in each], float).reshape(-1, 4)
    return Objects(boxes, np.array([e[4] for e in each], float), np.ones(len(each), np.int64))


def test_a_third_of_the_catalogue_box_recovers_a_bubble():
    bubbles = np.array([[0, 0, 30, 30], [100, 0, 130, 30], [200, 0, 230, 30.0]])
    found = objects(
        (0, 0, 10, 30, 0.9),  # just a third
        (100, 0, 109.9, 30, 0.8),  # just less
        (190, -10, 240, 40, 0.6),  # all of it
        (205, 0, 235, 30, 0.7),  # most of it, and surer
        (500, 500, 520, 520, 0.95),
    )
    matches = Matches.of(found, bubbles)
    assert matches.best.tolist() == [0.9, 0.0, 0.7]
    assert matches.known.tolist() == [True, False, True, True, False]
    told = matches.figures(0.65)
    assert told == {
        "f2": pytest.approx(f2(2 / 4, 2 / 3)),
        "precision": 2 / 4,
        "recall": 2 / 3,
        "detections": 4,
        "new": 2,
    }
    assert matches.figures(0.85)["recall"] == 1 / 3
    assert f2(0.5, 2 / 3) == pytest.approx(5 * 0.5 * (2 / 3) / (2 + 2 / 3))


def test_the_cut_of_highest_f2():
    bubbles = np.array([[0, 0, 30, 30], [100, 0, 130, 30.0]])
    found = objects(
        (0, 0, 30, 30, 0.9), (100, 0, 130, 30, 0.72), *((n, 200, n + 9, 209, 0.6) for n in range(9))
    )
    matches = Matches.of(found, bubbles)
    assert matches.best_cut() == 0.61
    assert matches.figures(0.61)["f2"] == 1.0
    assert CUTS[0] == 0.5 and CUTS[-1] == 0.95 and len(CUTS) == 46


def test_nothing_found_is_an_f2_of_zero_and_no_precision():
    matches = Matches.of(Objects.none(), np.array([[0, 0, 30, 30.0]]))
    told = matches.figures(0.5)
    assert told["f2"] == told["recall"] == 0
    assert np.isnan(told["precision"])
    assert matches.best_cut() == 0.5
    assert np.isnan(Matches.of(Objects.none(), np.zeros((0, 4))).figures(0.5)["f2"])


def test_areas_of_sky_are_drawn_whole():
    bubbles = np.array([[0, 0, 30, 30], [10, 10, 40, 40], [1000, 0, 1030, 30.0]])
    found = objects((0, 0, 30, 30, 0.9), (1000, 600, 1030, 630, 0.8))
    one, other = Matches.of(found, bubbles, 0), Matches.of(found, bubbles, 1)
    both = Matches.joined([one, other])
    assert len(np.unique(np.concatenate((both.areas, both.places)))) == 6
    rng = np.random.default_rng(1)
    counts = set()
    for _ in range(40):
        drawn = both.drawn(rng)
        first = int((drawn.areas == one.areas[0]).sum())
        assert first % 2 == 0  # its two bubbles come and go together
        counts.add(first // 2)
        assert len(drawn.best) == len(drawn.areas) and len(drawn.known) == len(drawn.scores)
    assert {0, 1, 2} <= counts
