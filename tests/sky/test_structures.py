"""Regions: labelled, monotone in the threshold, measured against shapes of known size."""

import astropy.units as u
import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.outlineloops import simplified
from napari_astroseg.sky.spines import spine_lengths
from napari_astroseg.sky.structures import label_structures, measure, outlines
from napari_astroseg.sky.window import Window


@pytest.fixture
def galactic():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.cdelt = [-0.01, 0.01]
    wcs.wcs.crpix = [1, 1]
    wcs.wcs.crval = [30.0, 0.0]
    return wcs


probabilities = npst.arrays(
    np.float32, (24, 24), elements=st.floats(0, 1, width=32) | st.just(np.float32(np.nan))
)


@given(probabilities, st.floats(0.01, 1), st.floats(0.01, 1), st.integers(0, 30))
def test_a_higher_threshold_never_adds_a_pixel(probability, one, other, min_area):
    low, high = sorted((one, other))
    wide = label_structures(probability, low, min_area) > 0
    narrow = label_structures(probability, high, min_area) > 0
    assert not (narrow & ~wide).any()


@given(probabilities, st.floats(0.01, 1), st.integers(0, 30))
def test_labels_count_from_one_without_gaps_and_respect_the_area(probability, threshold, area):
    labels = label_structures(probability, threshold, area)
    numbers = np.unique(labels[labels > 0])
    assert np.array_equal(numbers, np.arange(1, len(numbers) + 1))
    assert (np.bincount(labels.ravel())[1:] >= max(1, area)).all()
    assert (probability[labels > 0] >= threshold).all()


def test_corners_connect_and_specks_vanish():
    probability = np.zeros((20, 20), np.float32)
    probability[2:6, 2:6] = 1
    probability[6:9, 6:9] = 1  # touches by a corner
    probability[15, 15] = 1  # a speck
    probability[12, 2:18] = 1  # one pixel thin
    assert label_structures(probability, 0.5).max() == 1


def test_a_bar_is_measured_as_what_it_is(galactic):
    probability = np.zeros((60, 80), np.float32)
    probability[20:23, 10:60] = 0.75
    density = np.full((60, 80), 2e22, np.float32)
    density[21, 30] = 4e22
    image = SkyImage.from_array(density, galactic, "cm-2")
    labels = label_structures(probability, 0.5, 15)
    row = measure(labels, probability, image, Window.whole(image.shape)).table[0]
    assert (row["x"], row["y"]) == pytest.approx((34.5, 21.0))
    assert row["lon"].to_value(u.deg) == pytest.approx(30 - 0.345)
    assert row["lat"].to_value(u.deg) == pytest.approx(0.21)
    assert row["area"].to_value(u.arcmin**2) == pytest.approx(150 * 0.36)
    assert row["length"].to_value(u.arcmin) == pytest.approx(50 * 0.6, abs=2 * 0.6)
    assert row["mean_value"].to_value("cm-2") == pytest.approx(2e22 * 151 / 150)
    assert row["peak_value"].to_value("cm-2") == pytest.approx(4e22)
    assert row["score"] == pytest.approx(0.75)


def test_positions_of_a_window_are_those_of_the_whole_image(galactic):
    probability = np.zeros((30, 30), np.float32)
    probability[10:14, 10:14] = 1
    image = SkyImage.from_array(np.ones((100, 100), np.float32), galactic)
    labels = label_structures(probability, 0.5)
    row = measure(labels, probability, image, Window(40, 50, 30, 30)).table[0]
    assert (row["x"], row["y"]) == pytest.approx((51.5, 61.5))
    line = outlines(labels, Window(40, 50, 30, 30))[1][0]
    assert line.min(0) == pytest.approx((49.5, 59.5))
    assert line.max(0) == pytest.approx((53.5, 63.5))


def test_spines_follow_the_longest_way():
    labels = np.zeros((60, 120), np.int32)
    labels[10, 5:45] = 1
    labels[11:21, 25] = 1  # a branch, shorter than either half
    labels[np.arange(30, 50), np.arange(60, 80)] = 2
    lengths = spine_lengths(labels)
    assert lengths[0] == pytest.approx(40, abs=2)
    assert lengths[1] == pytest.approx(1 + 19 * np.sqrt(2), abs=1e-6)


def test_nothing_found_is_an_empty_catalogue(galactic):
    nothing = np.zeros((20, 20), np.float32)
    image = SkyImage.from_array(nothing + 1, galactic)
    labels = label_structures(nothing, 0.5)
    catalogue = measure(labels, nothing, image, Window.whole((20, 20)))
    assert len(catalogue) == 0
    assert outlines(labels, Window.whole((20, 20))) == {}


def test_positions_of_another_frame_are_icrs(galactic):
    galactic.wcs.ctype = ["RA---CAR", "DEC--CAR"]
    galactic.wcs.radesys, galactic.wcs.equinox = "FK5", 1975.0
    image = SkyImage.from_array(np.ones((20, 20), np.float32), galactic)
    labels = np.zeros((20, 20), np.int32)
    labels[5:8, 5:8] = 1
    catalogue = measure(labels, labels.astype(float), image, Window.whole((20, 20)))
    assert image.frame == "fk5" and catalogue.frame == "icrs"
    assert catalogue.position[0].separation(image.sky(6, 6)) < 1e-6 * u.arcsec


@pytest.mark.parametrize("seed", range(5))
def test_a_simpler_outline_stays_near_every_vertex(seed):
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).random((60, 70)), 2)
    (line, *_) = sorted(find_contours(smooth > np.median(smooth), 0.5), key=len, reverse=True)
    simple = simplified(line, 0.3)
    assert len(simple) < 0.8 * len(line)
    assert (simple[[0, -1]] == line[[0, -1]]).all()
    start, step = simple[:-1], np.diff(simple, axis=0)
    to = line[:, None] - start
    share = np.clip((to * step).sum(-1) / (step**2).sum(-1), 0, 1)
    assert np.hypot(*np.moveaxis(to - share[..., None] * step, -1, 0)).min(1).max() <= 0.3
    assert len(simple) == pytest.approx(len(approximate_polygon(line, 0.3)), rel=0.05)
