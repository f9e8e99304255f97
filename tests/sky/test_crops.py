"""Crops: resized without skipping a pixel, between 0 and 1, stars out of the statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.sky.crops import crop, prepared, raw_crop, resized
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import peaks_clipped
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.stars import star_mask
from napari_astroseg.sky.window import Window

Y, X = np.mgrid[:120, :120].astype(float)


def sky(noise: float = 0.1) -> np.ndarray:
    """A slope with noise."""
    rng = np.random.default_rng(0)
    return (10 + 0.02 * X + rng.normal(0, noise, X.shape)).astype(np.float32)


def star(x: float, y: float, fwhm: float = 2.0) -> np.ndarray:
    return np.exp(-4 * np.log(2) * ((X - x) ** 2 + (Y - y) ** 2) / fwhm**2)


def ring(x: float, y: float, radius: float, width: float = 3.0) -> np.ndarray:
    return np.exp(-(((np.hypot(X - x, Y - y) - radius) / width) ** 2))


def test_stars_are_found_and_rims_and_cores_are_not() -> None:
    places = [(20, 30), (90, 25), (60, 100), (118, 60)]
    light = sum(50 * star(*place) for place in places)
    rim, core = 30 * ring(60, 55, 22), 40 * np.exp(-((X - 60) ** 2 + (Y - 55) ** 2) / 2 / 9.0**2)
    mask = star_mask(sky() + light + rim + core, 4)
    for x, y in places:
        assert mask[y, x]
    near = np.min([np.hypot(X - x, Y - y) for x, y in places], 0)
    assert not mask[near > 10].any()
    assert 0.005 < mask.mean() < 0.05


def test_a_star_on_a_rim_is_found() -> None:
    mask = star_mask(sky() + 20 * ring(60, 60, 25) + 60 * star(85, 60), 4)
    assert mask[60, 85]
    assert mask.sum() < 200


def test_noise_and_nothing_hold_no_star() -> None:
    assert star_mask(sky(1.0), 4).mean() < 0.01
    assert not star_mask(np.zeros((30, 30)), 4).any()
    assert not star_mask(np.ones((2, 2)), 4).any()


def test_a_crop_is_clipped_by_what_is_no_star() -> None:
    values = sky() + 5 * ring(60, 60, 25)
    rng = np.random.default_rng(1)
    for x, y in rng.uniform(3, 117, (12, 2)):
        values += 3000 * star(x, y)
    with_stars = prepared(values[None])[0]
    rim = ring(60, 60, 25) > 0.9
    without = peaks_clipped(values, np.ones(values.shape, bool), np.zeros(values.shape, bool))
    assert with_stars.min() == 0 and with_stars.max() == 1
    # Stars would have set the limit, and the rim would have been lost.
    assert np.median(with_stars[rim]) > 0.5
    assert np.median(without[rim]) < 0.1


def test_the_clip_is_at_mean_and_three_sigma() -> None:
    values = np.arange(100.0).reshape(10, 10)
    values[0, 0] = 9999.0
    stars = np.zeros(values.shape, bool)
    stars[0, 0] = True
    every = np.ones(values.shape, bool)
    above = values - 1
    top = above[~stars].mean() + 3 * above[~stars].std()
    expected = np.minimum(above, top) / min(top, above.max())
    assert peaks_clipped(values, every, stars) == pytest.approx(expected, rel=1e-6)
    flat = np.full((4, 4), 7.0)
    assert not peaks_clipped(flat, np.ones((4, 4), bool), np.zeros((4, 4), bool)).any()
    assert not peaks_clipped(flat, np.zeros((4, 4), bool), np.zeros((4, 4), bool)).any()
    hidden = values.copy()
    hidden[5] = np.nan
    valid = np.isfinite(hidden)
    found = peaks_clipped(hidden, valid, ~valid)
    assert np.isfinite(found).all() and not found[5].any()
    assert peaks_clipped(values, every, every).max() == 1  # all stars: all of it counts


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_constant_stays_constant_and_a_slope_a_slope(length: int, side: int) -> None:
    values = np.full((2, length, length), 3.0)
    assert resized(values, side) == pytest.approx(np.full((2, side, side), 3.0), rel=1e-5)
    slope = np.tile(np.arange(length, dtype=float), (length, 1))
    found, step = resized(slope[None], side)[0, 0], length / side
    away = found - ((np.arange(side) + 0.5) * step - 0.5)
    assert away == pytest.approx(-away[::-1], abs=1e-3)  # nothing is shifted
    margin = int(np.ceil(max(1, side / length)))  # at the edges the outermost pixel goes on
    assert np.abs(away[margin : side - margin]).max(initial=0) <= 0.26
    if step <= 1:
        assert np.abs(away[margin : side - margin]).max(initial=0) < 1e-3


def test_fewer_pixels_are_means_of_all() -> None:
    values = np.zeros((1, 300, 300))
    values[0, 151, 150] = 1.0  # nearest-neighbour would lose it
    found = resized(values, 30)
    assert found.sum() * 100 == pytest.approx(1, rel=1e-3)
    assert np.unravel_index(found[0].argmax(), (30, 30)) == (15, 15)
    same = np.random.default_rng(0).random((1, 20, 20)).astype(np.float32)
    assert np.array_equal(resized(same, 20), same)


def test_a_crop_has_the_bands_that_are_asked_for_and_no_missing_pixel() -> None:
    bands = [SkyImage.from_array(sky() * n) for n in (1, 2, 3)]
    image = stacked(bands, ("r", "g", "b"), "tile")
    window = Window(10, 20, 60, 60)
    found = crop(image, window, 30, (0, 1))
    assert found is not None and found.shape == (2, 30, 30) and found.dtype == np.float32
    assert found[0] == pytest.approx(found[1], abs=1e-4)  # a factor makes no difference
    raw = raw_crop(image, window)
    assert raw is not None and raw.shape == (3, 60, 60)
    assert crop(image, Window(-1, 0, 20, 20), 30) is None
    holed = sky()
    holed[40, 40] = np.nan
    image = stacked([bands[0], SkyImage.from_array(holed)], ("r", "g"), "tile")
    assert crop(image, window, 30) is None
    assert crop(image, window, 30, (0,)) is not None


def test_stars_of_a_real_mosaic_are_a_small_part(shared_data: Path) -> None:
    image = open_image(shared_data / "spitzer" / "spitzer_example_image.fits")
    window = Window(300, 150, 250, 250)
    raw = raw_crop(image, window)
    assert raw is not None
    mask = star_mask(raw[0], 4)
    bright = raw[0] > np.percentile(raw[0], 99.8)
    assert mask[bright].mean() > 0.8
    assert 0.01 < mask.mean() < 0.6
    found = crop(image, window, 300)
    assert found is not None and found.max() == 1
    assert np.median(found) > 2 * np.median((raw - raw.min()) / (raw.max() - raw.min()))
