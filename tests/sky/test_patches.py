"""Patches: honest splits, masks where asked, no gaps unless allowed, the same under a seed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skies import write_four_maps

from napari_astroseg.sky.fourmaps import open_four_maps
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.patches import (
    HELD_OUT,
    Patches,
    Sampler,
    Sums,
    deal_folds,
    hold_out,
    keep_apart,
)
from napari_astroseg.sky.window import Window

PATCH = 32


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    return open_four_maps(write_four_maps(tmp_path_factory.mktemp("maps")))[0]


def sampler(field, fold=0, folds=5, area=64):
    dealt = deal_folds([field.target.shape], area, folds)[0]
    validation = dealt == fold
    return Sampler(field, 0, validation, dealt == HELD_OUT, PATCH), validation


def stamps(patches, plane):
    return [plane[y : y + PATCH, x : x + PATCH] for x, y in zip(patches.x, patches.y, strict=True)]


@given(st.integers(10, 300), st.integers(10, 300), st.integers(16, 100), st.integers(2, 9))
def test_areas_are_dealt_evenly_and_every_pixel_has_a_fold(height, width, area, folds):
    dealt = deal_folds([(height, width), (height, width)], area, folds)
    corners = np.concatenate([fold[::area, ::area].ravel() for fold in dealt])
    counts = np.bincount(corners, minlength=folds)
    assert counts.max() - counts.min() <= 1
    assert dealt[0].shape == (height, width)


@pytest.mark.parametrize("fold", range(5))
def test_no_training_patch_touches_validation_sky(field, fold):
    taker, validation = sampler(field, fold)
    drawn = taker.draw(np.random.default_rng(0), 5, 0.05, 20, True)
    assert len(drawn) > 5
    assert not any(stamp.any() for stamp in stamps(drawn, validation))
    assert all(stamp.all() for stamp in stamps(taker.validation(), validation))


def test_patches_hold_the_mask_asked_for_and_no_gap(field):
    taker, _ = sampler(field)
    drawn = taker.draw(np.random.default_rng(0), 3, 0.15, 0, False)
    assert len(drawn)
    assert min(stamp.mean() for stamp in stamps(drawn, field.target)) >= 0.15
    assert all(stamp.all() for stamp in stamps(drawn, field.valid))


def test_the_same_seed_draws_the_same_patches(field):
    taker, _ = sampler(field)
    first, second, other = (
        taker.draw(np.random.default_rng(seed), 3, 0.05, 10, True) for seed in (4, 4, 5)
    )
    assert np.array_equal(first.x, second.x) and np.array_equal(first.y, second.y)
    assert len(first) != len(other) or not np.array_equal(first.x, other.x)


def test_a_longitude_range_is_kept_out_of_both(field):
    folds = deal_folds([field.target.shape], 64, 5)[0]
    lon = field.image.sky(np.arange(256), np.full(256, 96.0)).spherical.lon.deg
    hold_out(folds, field, (float(lon[200]), float(lon[100])))
    assert (folds[:, 100:201] == HELD_OUT).all()
    assert (folds[:, :95] != HELD_OUT).all()


def test_sums_over_squares_are_sums():
    mask = np.random.default_rng(0).random((40, 50)) > 0.5
    x, y = np.array([0, 3, 18]), np.array([0, 7, 8])
    expected = [mask[b : b + 32, a : a + 32].sum() for a, b in zip(x, y, strict=True)]
    assert Sums(mask).over(x, y, 32).tolist() == expected


def test_nothing_joined_is_nothing():
    assert len(Patches.joined([])) == 0


def test_a_longitude_range_is_kept_out_of_a_rotated_map_too(field):
    wcs = field.image.wcs.deepcopy()
    wcs.wcs.pc = [[0.8, -0.6], [0.6, 0.8]]
    turned = replace(field, image=SkyImage.from_array(field.values, wcs))
    folds = deal_folds([field.target.shape], 64, 5)[0]
    hold_out(folds, turned, (29.8, 29.95))
    rows, columns = np.indices(folds.shape)
    lon = turned.image.sky(columns, rows).spherical.lon.deg
    assert np.array_equal(folds == HELD_OUT, (lon >= 29.8) & (lon <= 29.95))
    assert 0 < (folds == HELD_OUT).sum() < folds.size


def moved(field, dx, dy):
    """The same sky on another map, whose first pixel lies (dx, dy) pixels into it."""
    height, width = field.target.shape
    wcs = field.image.wcs.deepcopy()
    wcs.wcs.crpix -= (dx, dy)
    values = field.image.cutout(Window(dx, dy, width - dx, height - dy))
    image = SkyImage.from_array(values, wcs, "cm-2", "moved")
    cut = slice(dy, None), slice(dx, None)
    return replace(
        field,
        image=image,
        values=field.values[cut],
        target=field.target[cut],
        background=field.background[cut],
        valid=field.valid[cut],
    )


def test_maps_of_the_same_sky_do_not_train_where_the_other_validates(field):
    dx, dy = 37, 21
    fields = [field, moved(field, dx, dy)]
    shapes = [each.target.shape for each in fields]
    folds = deal_folds(shapes, 64, 5)
    before = [fold.copy() for fold in folds]
    keep_apart(folds, fields, 0, 64)
    validating = [fold == 0 for fold in before]
    assert all(
        np.array_equal(fold == 0, then) for fold, then in zip(folds, validating, strict=True)
    )
    there = np.zeros(shapes[0], bool)
    there[dy:, dx:] = validating[1]
    clash = there & (before[0] != 0)
    assert clash.sum() > 1000
    assert (folds[0][clash] == HELD_OUT).all()
    clash = validating[0][dy:, dx:] & (before[1] != 0)
    assert clash.sum() > 1000 and (folds[1][clash] == HELD_OUT).all()
    # What lies far from both stays as it was.
    assert (folds[0] == before[0]).mean() > 0.5


def test_maps_of_other_skies_and_of_none_keep_their_folds(field):
    far = moved(field, 0, 0)
    far.image.wcs.wcs.crval = [120.0, 0.0]
    unplaced = replace(field, image=SkyImage.from_array(field.image.cutout(Window(0, 0, 256, 192))))
    fields = [field, far, unplaced]
    folds = deal_folds([each.target.shape for each in fields], 64, 5)
    before = [fold.copy() for fold in folds]
    keep_apart(folds, fields, 0, 64)
    assert all(np.array_equal(*pair) for pair in zip(folds, before, strict=True))
