"""Coverage: areas and numbers of what was marked before and what is predicted now."""

from __future__ import annotations

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.coverage import add_coverage, coverage

BEFORE = np.zeros((20, 30), np.int32)
BEFORE[2:6, 2:12] = 1  # 40 pixels, found again by two
BEFORE[10:12, 2:12] = 4  # 20, lost
NOW = np.zeros_like(BEFORE)
NOW[2:4, 2:7] = 1  # 10, within 1
NOW[4:8, 8:12] = 2  # 16, half within 1
NOW[15:18, 20:25] = 5  # 15, new


def test_areas_and_numbers() -> None:
    found = coverage(BEFORE, NOW, 4.0 * u.arcmin**2)
    assert (found.only_original, found.both, found.only_predicted) == (
        42 * 4 * u.arcmin**2,
        18 * 4 * u.arcmin**2,
        23 * 4 * u.arcmin**2,
    )
    assert (found.original.shared, found.original.alone) == (1, 1)
    assert (found.predicted.shared, found.predicted.alone) == (2, 1)
    assert found.original.touching == ((1, 2), ())
    assert found.predicted.touching == ((1,), (1,), ())
    assert found.original.covered.tolist() == [18 / 40, 0.0]
    assert found.predicted.covered.tolist() == [1.0, 0.5, 0.0]
    assert "of 2 original structures 1 are found again" in found.sentence
    assert "of 3 predicted ones 1 are new" in found.sentence


def test_missing_pixels_count_for_neither() -> None:
    missing = np.zeros(BEFORE.shape, bool)
    missing[:, 8:] = True
    found = coverage(BEFORE, NOW, missing=missing)
    assert found.predicted.ids.tolist() == [1]
    assert found.original.pixels.tolist() == [24, 12]
    assert found.both == 10 * u.pix**2
    assert found.only_predicted == 0 * u.pix**2


def test_json_holds_it_all() -> None:
    told = json.loads(json.dumps(coverage(BEFORE, NOW).as_dict()))
    assert told["area"] == {"only_original": 42.0, "both": 18.0, "only_predicted": 23.0}
    assert told["structures"]["original"] == {"all": 2, "found_again": 1, "lost": 1}
    assert told["structures"]["predicted"] == {"all": 3, "known": 2, "new": 1}
    assert told["predicted"][1] == {"id": 2, "pixels": 16, "covered": 0.5, "touching": [1]}


def test_columns_join_by_number() -> None:
    catalogue = Catalogue(QTable({"id": [5, 1, 7], "x": [0.0, 0, 0], "y": [0.0, 0, 0]}))
    table = add_coverage(catalogue, coverage(BEFORE, NOW)).table
    np.testing.assert_array_equal(table["covered"], [0.0, 1.0, np.nan])
    assert list(table["original_ids"]) == ["", "1", ""]
    assert table["covered"].info.description


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ImageError, match="align them first"):
        coverage(BEFORE, NOW[:, 1:])
    with pytest.raises(ImageError, match="align them first"):
        coverage(BEFORE, NOW, missing=np.zeros((3, 3), bool))


def test_nothing_against_nothing() -> None:
    nothing = np.zeros((5, 6), np.int32)
    found = coverage(nothing, nothing)
    assert (len(found.original), len(found.predicted)) == (0, 0)
    assert found.both == 0 * u.pix**2


LABELS = arrays(np.int32, (7, 9), elements=st.integers(0, 4))


@given(LABELS, LABELS, arrays(bool, (7, 9)))
def test_it_adds_up_and_is_symmetric(
    before: np.ndarray, now: np.ndarray, missing: np.ndarray
) -> None:
    found, turned = coverage(before, now, missing=missing), coverage(now, before, missing=missing)
    assert found.both + found.only_original == ((before > 0) & ~missing).sum() * u.pix**2
    assert found.both + found.only_predicted == ((now > 0) & ~missing).sum() * u.pix**2
    assert found.only_original == turned.only_predicted
    assert found.original.touching == turned.predicted.touching
    for label, touching in zip(found.predicted.ids, found.predicted.touching, strict=True):
        under = before[(now == label) & ~missing]
        assert touching == tuple(np.unique(under[under > 0]))
