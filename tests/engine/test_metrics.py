"""Figures against brute force and against the field's own library."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_auroc,
    binary_average_precision,
    binary_calibration_error,
    binary_fbeta_score,
    binary_jaccard_index,
    binary_precision,
)

from napari_astroseg.engine.calibration import Reliability
from napari_astroseg.engine.galaxyfigures import Agreement
from napari_astroseg.engine.matches import f2
from napari_astroseg.engine.metrics import PixelCounts


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    target = rng.random((50, 60)) < 0.2
    probability = np.clip(rng.normal(0.3 + 0.3 * target, 0.15), 0, 1).round(3).astype(np.float32)
    counted = rng.random((50, 60)) < 0.9
    counts = PixelCounts()
    counts.add(probability, target, counted)
    return counts, probability[counted], target[counted]


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.5, 0.6, 0.8])
def test_dice_and_recoveries_by_hand(scored, threshold):
    counts, probability, target = scored
    mask = probability >= np.float32(threshold)
    hits, rejections = (mask & target).sum(), (~mask & ~target).sum()
    assert counts.dice(threshold) == pytest.approx(2 * hits / (mask.sum() + target.sum()))
    assert counts.recovery(threshold) == pytest.approx(hits / target.sum())
    assert counts.background_recovery(threshold) == pytest.approx(rejections / (~target).sum())


def test_the_best_threshold_is_the_best(scored):
    counts, *_ = scored
    threshold, dice = counts.best()
    assert dice == pytest.approx(counts.dice(threshold))
    assert dice >= max(counts.dice(t / 100) for t in range(1, 100)) - 1e-12


def test_areas_agree_with_torchmetrics(scored):
    counts, probability, target = scored
    given_, truth = torch.from_numpy(probability), torch.from_numpy(target.astype(int))
    assert counts.roc_auc() == pytest.approx(float(binary_auroc(given_, truth)), abs=1e-6)
    expected = float(binary_average_precision(given_, truth))
    assert counts.average_precision() == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_every_thousandth_is_its_own_bin(steps):
    probability = np.array(steps, np.float32) / np.float32(1000)
    counts = PixelCounts()
    everywhere = np.ones(len(steps), bool)
    counts.add(probability, everywhere, everywhere)
    assert np.array_equal(counts.on, np.bincount(steps, minlength=1001))


def test_without_truth_there_is_no_figure():
    counts = PixelCounts()
    counts.add(np.zeros(5, np.float32), np.zeros(5, bool), np.ones(5, bool))
    assert np.isnan(counts.recovery(0.5)) and np.isnan(counts.roc_auc())
    assert np.isnan(counts.average_precision())


def test_galaxies_agree_with_torchmetrics(scored):
    _, probability, target = scored
    mask = probability >= 0.5
    found, truth = torch.from_numpy(mask.astype(int)), torch.from_numpy(target.astype(int))
    agreement = Agreement.of(mask.reshape(1, 1, -1), target.reshape(1, 1, -1))
    for name, measure in (
        ("accuracy", binary_accuracy),
        ("precision", binary_precision),
        ("jaccard", binary_jaccard_index),
    ):
        assert getattr(agreement, name)[0] == pytest.approx(float(measure(found, truth)), abs=1e-6)


def test_calibration_agrees_with_torchmetrics(scored):
    _, probability, target = scored
    given_, truth = torch.from_numpy(probability), torch.from_numpy(target.astype(int))
    expected = float(binary_calibration_error(given_, truth, n_bins=20, norm="l1"))
    assert Reliability.of(probability, target).error() == pytest.approx(expected, abs=1e-6)


def test_f2_agrees_with_torchmetrics(scored):
    counts, probability, target = scored
    given_, truth = torch.from_numpy(probability), torch.from_numpy(target.astype(int))
    expected = float(binary_fbeta_score(given_, truth, beta=2.0, threshold=0.4999))
    assert f2(counts.precision(0.5), counts.recovery(0.5)) == pytest.approx(expected, abs=1e-6)
