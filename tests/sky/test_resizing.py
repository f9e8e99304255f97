"""Resizing: the nearest pixel there and back, read lazily and without gaps."""

import numpy as np
import pytest

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.resizing import Resizing, nearest
from napari_astroseg.sky.stack import flattened, stacked
from napari_astroseg.sky.window import Window


def test_the_pixel_under_the_centre_is_taken():
    assert nearest(4, 2).tolist() == [1, 3]
    assert nearest(5, 2).tolist() == [1, 3]
    assert nearest(2, 5).tolist() == [0, 0, 1, 1, 1]
    wanted = np.floor((np.arange(128) + 0.5) * (525 / 128))
    assert np.array_equal(nearest(525, 128), wanted)


@pytest.mark.parametrize("shape", [(7, 5), (20, 30), (41, 83)])
def test_windows_go_there_and_back_without_gap_or_overlap(shape):
    values = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    resizing = Resizing(SkyImage.from_array(values), shape)
    rows, columns = (nearest(n, m) for n, m in zip((20, 30), shape, strict=True))
    small = values[rows[:, None], columns]
    assert np.array_equal(resizing.resized.cutout(Window.whole(shape)), small)
    assert np.array_equal(resizing.resized.cutout(Window(1, 2, 3, 2)), small[2:4, 1:4])
    seen = np.zeros((20, 30), int)
    for y in range(0, shape[0], 3):
        for x in range(0, shape[1], 4):
            place = Window(x, y, min(4, shape[1] - x), min(3, shape[0] - y))
            back = resizing.back(place, small[None, *place.slices])
            if back is not None:
                seen[back[0].slices] += 1
                assert back[1].shape[1:] == back[0].shape
    assert (seen == 1).all()


def test_a_window_there_holds_all_that_comes_back_to_it():
    values = np.arange(600, dtype=np.float32).reshape(20, 30)
    resizing = Resizing(SkyImage.from_array(values), (7, 11))
    part = Window(4, 3, 9, 6)
    there = resizing.there(part)
    place, _ = resizing.back(there, np.zeros((1, *there.shape), np.float32))
    assert place.overlap(part) == part


def test_a_stack_is_resized_plane_by_plane_and_flattened_to_its_mean():
    planes = np.random.default_rng(0).normal(size=(3, 8, 6)).astype(np.float32)
    planes[1, 2, 3] = np.nan
    image = stacked([SkyImage.from_array(plane) for plane in planes], "RGB", "picture")
    small = Resizing(image, (4, 3)).resized
    assert small.count == 3
    wanted = planes[:, 1::2, 1::2]
    assert np.array_equal(small.cutout(Window(0, 0, 3, 4)), wanted, equal_nan=True)
    mean = flattened(image)
    assert mean.planes is None
    assert np.allclose(mean.cutout(Window(0, 0, 6, 8)), planes.mean(0), equal_nan=True)
