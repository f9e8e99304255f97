"""Bands of one image brought to the range of a network: Lupton's contrast, z-score, as they are."""

import numpy as np
import pytest

from napari_astroseg.sky.normalise import lupton, over_percentile, zscore

BANDS = np.array([[[3.0, 0.0, -1.0]], [[1.0, 0.0, -1.0]], [[2.0, 0.0, -1.0]]])
ALL = np.ones((1, 3), bool)


def test_lupton_by_hand():
    """I = 2: arcsinh(0.5 × 10 × 2) / (10 × 2) = 0.1499; at 0 the stretch; below 0 as above."""
    planes = lupton(BANDS, ALL, 0.5, 10.0, 0.0)
    factor = np.arcsinh(10.0) / 20.0
    assert planes[:, 0, 0] == pytest.approx(factor * BANDS[:, 0, 0])
    assert not planes[:, 0, 1].any()
    assert planes[:, 0, 2] == pytest.approx([-np.arcsinh(5.0) / 10.0] * 3)


def test_at_no_light_the_factor_is_the_stretch():
    """Two bands of +1 and -1 have I = 0, and colours of their own."""
    planes = lupton(np.array([[[1.0]], [[-1.0]]]), np.ones((1, 1), bool), 0.3, 10.0, 0.0)
    assert planes[:, 0, 0] == pytest.approx([0.3, -0.3])
    near = lupton(np.array([[[1.0]], [[-1.0 + 1e-9]]]), np.ones((1, 1), bool), 0.3, 10.0, 0.0)
    assert near == pytest.approx(planes, rel=1e-6)


def test_a_minimum_shifts_the_light_under_the_arcsinh_alone():
    planes = lupton(BANDS, ALL, 0.5, 10.0, 1.0)
    assert planes[:, 0, 0] == pytest.approx(np.arcsinh(5.0) / 20.0 * BANDS[:, 0, 0])


def test_colours_stay():
    planes = lupton(BANDS * 1e4, ALL, 0.5, 10.0, 0.0)
    assert planes[0, 0, 0] / planes[1, 0, 0] == pytest.approx(3.0)
    assert planes[0, 0, 0] < 10


def test_zscore_is_of_each_band_s_valid_pixels():
    values = np.array([[[1.0, 3.0, np.nan]], [[5.0, 5.0, 9.0]]])
    valid = np.array([[True, True, False]])
    assert zscore(values, valid).tolist() == [[[-1, 1, 0]], [[0, 0, 0]]]
    assert not zscore(values, np.zeros((1, 3), bool)).any()


def test_a_percentile_of_all_bands_becomes_1():
    planes = np.arange(200, dtype=np.float32).reshape(2, 10, 10)
    valid = np.ones((10, 10), bool)
    assert over_percentile(planes, valid, 100).max() == 1.0
    halved = over_percentile(planes, valid, 50)
    assert halved.max() == pytest.approx(199 / 99.5)
    valid[5:] = False
    assert over_percentile(planes, valid, 100)[1, 4, 9] == 1.0
    assert over_percentile(-planes, valid, 50) is not None
    assert np.array_equal(over_percentile(-planes, valid, 50), -planes)
    assert np.array_equal(over_percentile(planes, np.zeros((10, 10), bool), 50), planes)
