"""Tiles cut and pasted give back the image; their halos and strides are as promised."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.sky.tiles import Canvas, cut, patch_corners, taper
from napari_astroseg.sky.window import Window

shapes = st.tuples(st.integers(1, 400), st.integers(1, 400))
strides = st.sampled_from([1, 2, 8, 16])


@st.composite
def windows(draw):
    height, width = draw(shapes)
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (height, width), Window(
        x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y))
    )


@given(windows(), st.integers(16, 300), strides, st.integers(0, 6))
def test_tiles_cut_and_pasted_give_back_the_image(asked, tile_px, stride, strides_of_halo):
    shape, window = asked
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    padded = np.pad(image, ((0, stride), (0, stride)))
    canvas = Canvas(window)
    for tile in cut(window, shape, tile_px, stride, stride * strides_of_halo):
        top, bottom, left, right = tile.halo
        outer = padded[tile.outer.slices]
        canvas.put(tile.core, outer[None, top : outer.shape[0] - bottom, left:][
            ..., : outer.shape[1] - left - right])  # fmt: skip
    assert np.array_equal(canvas.values[0], image[window.slices])


@given(windows(), st.integers(16, 300), strides, st.integers(0, 6))
def test_every_tile_lies_on_the_stride_and_has_all_the_context_there_is(
    asked, tile_px, stride, strides_of_halo
):
    shape, window = asked
    reach = stride * strides_of_halo
    for tile in cut(window, shape, tile_px, stride, reach):
        for place in (tile.core, tile.outer):
            assert not any(n % stride for n in (place.x, place.y, place.width, place.height))
            assert place.x >= 0 and place.y >= 0
            assert place.x_end < shape[1] + stride and place.y_end < shape[0] + stride
        top, bottom, left, right = tile.halo
        assert top == reach or tile.outer.y == 0
        assert left == reach or tile.outer.x == 0
        assert bottom == reach or tile.outer.y_end >= shape[0]
        assert right == reach or tile.outer.x_end >= shape[1]


@given(windows(), st.integers(16, 300), strides)
def test_tiles_share_no_pixel_and_leave_no_sliver(asked, tile_px, stride):
    shape, window = asked
    tiles = [tile.core for tile in cut(window, shape, tile_px, stride, 0)]
    seen = np.zeros((shape[0] + stride, shape[1] + stride), int)
    for core in tiles:
        seen[core.slices] += 1
        assert max(core.shape) <= 1.5 * tile_px + 2 * stride
    assert seen.max() == 1


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from([(64, 32), (32, 16), (64, 64)]))
def test_patches_cover_their_tile_from_one_grid(x, y, sizes):
    patch, step = sizes
    core = Window(x, y, 70, 50)
    covered = np.zeros((core.height + 2 * patch, core.width + 2 * patch), int)
    for px, py in patch_corners(core, patch, step):
        assert px % step == 0 and py % step == 0
        covered[py - y + patch : py - y + 2 * patch, px - x + patch : px - x + 2 * patch] += 1
    inside = covered[patch : patch + core.height, patch : patch + core.width]
    assert np.all(inside == (patch // step) ** 2)


def test_the_taper_is_symmetric_positive_and_highest_in_the_middle():
    weights = taper(64)
    assert weights.min() > 0
    assert np.array_equal(weights, weights.T)
    assert np.allclose(weights, weights[::-1])
    assert weights.argmax() in {31 * 64 + 31, 31 * 64 + 32, 32 * 64 + 31, 32 * 64 + 32}


def test_a_canvas_drops_what_falls_outside():
    canvas = Canvas(Window(10, 10, 4, 4))
    canvas.put(Window(8, 8, 4, 4), np.ones((1, 4, 4), np.float32))
    canvas.put(Window(50, 50, 4, 4), np.zeros((1, 4, 4), np.float32))
    assert canvas.values[0, :2, :2].min() == 1
    assert np.isnan(canvas.values[0, 2:]).all()
