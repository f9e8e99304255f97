"""Each normalisation does what its recipe says, and missing pixels never leak into others."""

import numpy as np
import pytest

from napari_astroseg.sky import normalise


@pytest.fixture
def column_density():
    rng = np.random.default_rng(1)
    return (10 ** rng.normal(22, 0.2, (90, 110))).astype(np.float32)


def all_valid(values):
    return np.ones(values.shape, bool)


def test_validity_counts_gaps_infinities_and_the_floor():
    values = np.array([[1e22, np.nan, np.inf, 0.05, 0.1]])
    assert normalise.valid_pixels(values, 0.1).tolist() == [[True, False, False, False, True]]


def test_minmax_spans_the_valid_positive_pixels(column_density):
    values = column_density.copy()
    values[0, 0], values[0, 1] = 1e30, -5
    valid = all_valid(values)
    valid[0, 0] = False
    plane = normalise.minmax(values, valid)
    counted = valid & (values > 0)
    assert plane[counted].min() == 0 and plane[counted].max() == 1
    assert plane[0, 0] == 0 and plane[0, 1] == 0


def test_minmax_of_a_flat_or_empty_patch_is_zero():
    flat = np.full((8, 8), 3.0)
    assert not normalise.minmax(flat, all_valid(flat)).any()
    assert not normalise.minmax(flat, ~all_valid(flat)).any()


def test_log_puts_its_limits_at_zero_and_one():
    values = np.array([[4.160104636600882e20, 3.367595174607165e23, 1.0, -1.0]])
    plane = normalise.log_between(values, all_valid(values), values[0, 0], values[0, 1])
    assert plane[0] == pytest.approx([0, 1, 0, 0], abs=1e-6)


def test_local_contrast_ignores_the_absolute_level(column_density):
    valid = all_valid(column_density)
    once = normalise.local_contrast(column_density, valid, 5.0, 0.15)
    scaled = normalise.local_contrast(column_density * 7.5, valid, 5.0, 0.15)
    assert np.abs(once - scaled).max() < 1e-4


def test_local_contrast_looks_no_further_than_its_reach(column_density):
    valid = all_valid(column_density)
    reach = normalise.local_reach(5.0)
    whole = normalise.local_contrast(column_density, valid, 5.0, 0.15)
    piece = np.s_[10 : 10 + 2 * reach + 20, 15 : 15 + 2 * reach + 20]
    part = normalise.local_contrast(column_density[piece], valid[piece], 5.0, 0.15)
    inner = slice(reach, reach + 20)
    assert np.abs(part[inner, inner] - whole[piece][inner, inner]).max() < 1e-4


def test_missing_pixels_change_no_other_pixel(column_density):
    valid = all_valid(column_density)
    valid[30:40, 30:40] = False
    poisoned = column_density.copy()
    poisoned[30:40, 30:40] = np.nan
    other = column_density.copy()
    other[30:40, 30:40] = 1e25
    for how in (
        normalise.minmax,
        lambda v, m: normalise.log_between(v, m, 1e20, 1e24),
        lambda v, m: normalise.local_contrast(v, m, 4.0, 0.15),
    ):
        first, second = how(poisoned, valid), how(other, valid)
        assert np.array_equal(first, second)
        assert not first[~valid].any()
        assert np.isfinite(first).all()


def test_the_local_mean_is_a_gaussian_one():
    from scipy.ndimage import gaussian_filter

    logs = gaussian_filter(np.random.default_rng(0).normal(size=(300, 300)), 2)
    values = 10 ** (22 + logs)
    plane = normalise.local_contrast(values, all_valid(values), 12.0, 1.0)
    expected = logs - gaussian_filter(logs, 12.0)
    inner = np.s_[50:-50, 50:-50]
    assert (plane - expected)[inner].std() < 0.03 * expected[inner].std()


def test_arcsinh_by_hand():
    values = np.array([[0.0, 2.0, -1.0, 50.0, np.nan]])
    told = normalise.arcsinh(values, np.isfinite(values), 2.0)
    most = np.arcsinh(25.0)
    expected = [0, np.arcsinh(1.0) / most, np.arcsinh(-0.5) / most, 1.0, 0]
    assert told.dtype == np.float32
    assert np.allclose(told, [expected], atol=1e-6)


def test_arcsinh_in_units_of_the_noise_does_not_know_the_unit():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 3.0, (64, 64))
    values[10:14, 10:14] += 400
    valid = np.ones(values.shape, bool)
    told = normalise.arcsinh(values, valid, None)
    assert np.allclose(told, normalise.arcsinh(values * 1e-7, valid, None), atol=1e-6)
    assert np.allclose(told, normalise.arcsinh(values, valid, 3.0), atol=0.02)


@pytest.mark.parametrize("softening", [1.0, None])
@pytest.mark.parametrize("level", [0.0, -2.0, np.nan])
def test_arcsinh_of_a_stamp_without_light_is_nothing(softening, level):
    values = np.full((8, 8), level)
    told = normalise.arcsinh(values, np.isfinite(values), softening)
    assert not told.any()


@pytest.mark.parametrize("shape", [(90, 150), (7, 40), (1, 1)])
def test_the_local_mean_is_one_of_boxes_of_what_counts(shape):
    from scipy.ndimage import uniform_filter

    rng = np.random.default_rng(1)
    values = 10 ** rng.normal(21, 0.3, shape)
    valid = rng.random(shape) < 0.8
    side = normalise.local_reach(6.0) // 3 * 2 + 1
    logs, share = np.where(valid, np.log10(values), 0.0), valid.astype(float)
    for _ in range(3):
        logs, share = (uniform_filter(each, side, mode="constant") for each in (logs, share))
    expected = np.where(valid, (np.log10(values) - logs / np.maximum(share, 1e-30)) / 0.15, 0.0)
    assert np.allclose(normalise.local_contrast(values, valid, 6.0, 0.15), expected, atol=1e-5)
