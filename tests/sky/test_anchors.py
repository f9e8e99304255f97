"""Images matched by points that are marked in both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.anchors import match_anchors
from napari_astroseg.sky.image import SkyImage

SHAPE = (80, 100)


def image(shape: tuple[int, int] = SHAPE, name: str = "photo") -> SkyImage:
    values = gaussian_filter(np.random.default_rng(0).normal(size=shape), 3).astype(np.float32)
    return SkyImage.from_array(values, name=name)


def places(seen: SkyImage) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where on the image every pixel of the part that it reaches lies."""
    (tile,) = seen.pixels.tiles
    x, y = tile.pixels.places(range(tile.window.height), range(tile.window.width))
    full = np.full((2, *seen.shape), np.nan)
    full[:, *tile.window.slices] = x, y
    return full[0], full[1]


@settings(max_examples=25)
@given(
    turned=st.floats(0, 2 * np.pi), scale=st.floats(0.2, 5), x=st.floats(-20, 20),
    y=st.floats(-20, 20),
)  # fmt: skip
def test_two_pairs_recover_a_similarity(turned: float, scale: float, x: float, y: float) -> None:
    turn = scale * np.exp(1j * turned)

    def onto(there: complex) -> complex:
        return turn * (there - (50 + 40j)) + (50 + 40j) + complex(x, y)

    points = [10 + 12j, 71 + 33j]
    pairs = [((p.real, p.imag), (onto(p).real, onto(p).imag)) for p in points]
    done = match_anchors(image(), image(name="map"), pairs)
    assert done.how.kind == "anchors" and done.how.error_px < 1e-9
    assert done.how.sentence.startswith("a similarity through 2 pairs")
    found_x, found_y = places(done.image)
    row, column = np.indices(SHAPE)
    there = (column + 1j * row - complex(x, y) - (50 + 40j)) / turn + (50 + 40j)
    known = np.isfinite(found_x)
    on = (there.real > 0) & (there.real < 99) & (there.imag > 0) & (there.imag < 79)
    assert known[on].all()
    np.testing.assert_allclose(found_x[known], there.real[known], atol=1e-6)
    np.testing.assert_allclose(found_y[known], there.imag[known], atol=1e-6)


@pytest.mark.parametrize("count", [3, 4, 9])
def test_more_pairs_recover_an_affine_with_a_mirror_and_a_shear(count: int) -> None:
    rng = np.random.default_rng(count)
    slopes, start = np.array([[-0.8, 0.2], [0.1, 1.1]]), np.array([90.0, -5.0])
    there = rng.uniform(5, 75, (count, 2))
    here = there @ slopes.T + start
    pairs = list(zip(map(tuple, there), map(tuple, here), strict=True))
    seen = match_anchors(image(), image(name="map"), pairs)
    assert seen.how.error_px < 1e-9 and seen.how.pairs == count
    found_x, found_y = places(seen.image)
    row, column = np.indices(SHAPE)
    back = np.einsum(
        "ij,jhw->ihw", np.linalg.inv(slopes), np.stack([column, row]) - start[:, None, None]
    )
    known = np.isfinite(found_x)
    assert known.sum() > 3000
    np.testing.assert_allclose(np.stack([found_x, found_y])[:, known], back[:, known], atol=1e-6)
    off = [*pairs[:-1], (pairs[-1][0], (here[-1, 0] + 4.0, here[-1, 1]))]
    worse = match_anchors(image(), image(name="map"), off)
    if count == 3:
        assert worse.how.error_px < 1e-9 and "none to spare" in worse.how.sentence
    else:
        assert 0.1 < worse.how.error_px < 4.0
        assert f"off by up to {worse.how.error_px:.2g} px" in worse.how.sentence


def test_values_come_along_and_lie_where_the_points_say() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[20, 30] = values[60, 80] = 1.0
    photo = SkyImage.from_array(gaussian_filter(values, 1.5), name="photo")
    pairs = [((30.0, 20.0), (40.0, 10.0)), ((80.0, 60.0), (65.0, 30.0))]
    seen = match_anchors(photo, image((50, 90), "map"), pairs).image
    assert seen.shape == (50, 90) and seen.wcs is None
    top = seen.pixels[:, :]
    assert np.unravel_index(np.nanargmax(top[:20]), (20, 90)) == (10, 40)
    assert np.unravel_index(np.nanargmax(top[20:]), (30, 90)) == (10, 65)
    nearest = match_anchors(photo, image((50, 90), "map"), pairs, sampling="nearest").image
    assert set(np.unique(nearest.pixels[:, :])[:-1]) <= set(np.unique(photo.pixels[:, :]))


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([], "photo cannot be placed by no points; mark at least two"),
        ([((1, 1), (2, 2))], "placed by one pair of points"),
        ([((1, 1), (2, 2)), ((1, 1), (30, 30))], "in photo lie within a pixel"),
        ([((1, 1), (2, 2)), ((30, 1), (2.2, 2.1))], "in map lie within a pixel"),
        ([((0, 0), (0, 0)), ((10, 10), (9, 0)), ((30, 30), (0, 9))], "in photo lie on one line"),
        ([((0, 0), (0, 0)), ((9, 0), (10, 10)), ((0, 9), (30, 30))], "in map lie on one line"),
        ([((1, 1), (2, 2)), ((np.nan, 1), (30, 30))], "has no position"),
        ([((1, 1), (900, 2)), ((50, 50), (950, 50))], "photo lies beside map"),
    ],
)
def test_pairs_that_place_nothing_are_refused(pairs: list, why: str) -> None:
    with pytest.raises(ImageError, match=why) as told:
        match_anchors(image(), image(name="map"), pairs)
    assert str(told.value).count(";") == 1
