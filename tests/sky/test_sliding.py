"""Windows slid over a mosaic, and small holes filled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.sky.holes import filled
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects, shared_areas
from napari_astroseg.sky.sliding import blocks
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window


@given(
    height=st.integers(150, 5000),
    width=st.integers(150, 5000),
    x=st.integers(0, 4000),
    y=st.integers(0, 4000),
)
def test_windows_cover_what_is_asked_and_stay_inside(height, width, x, y):
    shape = height, width
    window = Window(min(x, width - 1), min(y, height - 1), 300, 200).clipped(shape)
    made = blocks(window, shape, (150, 600), 1 / 3)
    covered = np.zeros(window.shape, bool)
    for block in made:
        assert block.outer.overlap(Window.whole(shape)) == block.outer
        assert max(block.outer.shape) <= 2048
        for each in block.windows:
            assert each.overlap(block.outer) == each
            part = each.overlap(window)
            covered[part.moved(-window.x, -window.y).slices] = True
    assert covered.all()
    everywhere = {w for b in blocks(Window.whole(shape), shape, (150, 600), 1 / 3)
                  for w in b.windows}  # fmt: skip
    asked = [w for block in made for w in block.windows]
    assert len(set(asked)) == len(asked)
    assert set(asked) == {w for w in everywhere if w.overlap(window)}


def test_windows_step_by_a_third_and_the_last_ends_with_the_image():
    (block,) = blocks(Window(0, 0, 1000, 300), (300, 1000), (300,), 1 / 3)
    assert [w.x for w in block.windows] == [0, 100, 200, 300, 400, 500, 600, 700]
    (block,) = blocks(Window(0, 0, 350, 300), (300, 350), (300, 400), 1 / 3)
    assert [w.x for w in block.windows] == [0, 50]
    assert blocks(Window(0, 0, 100, 100), (100, 100), (150,), 1 / 3) == []


def test_what_is_read_at_once_is_bounded():
    made = blocks(Window(0, 0, 9000, 6000), (6000, 9000), (150, 3000), 1 / 3)
    assert max(max(block.outer.shape) for block in made) == 4000


# --- holes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def holed():
    values = np.arange(200 * 300, dtype=np.float32).reshape(200, 300)
    values[50:60, 100:105] = np.nan  # a star
    values[59:62, 105] = np.nan  # touching it at a corner
    values[:, 280:] = np.nan  # where the survey ends
    values[0:3, 0:3] = np.nan  # at the corner of the image
    return values


def test_small_holes_take_the_largest_value_beside_them(holed):
    image = filled(SkyImage.from_array(holed), 20)
    values = image.cutout(Window.whole(image.shape))
    assert np.isfinite(values[:, :280]).all()
    assert (values[50:60, 100:105] == holed[62, 106]).all()
    assert values[60, 105] == holed[62, 106]
    assert (values[0:3, 0:3] == holed[3, 3]).all()
    assert np.isnan(values[:, 280:]).all()
    kept = np.isfinite(holed)
    assert np.array_equal(values[kept], holed[kept])
    assert np.isnan(filled(SkyImage.from_array(holed), 11).cutout(Window(100, 50, 5, 5))).all()


@given(x=st.integers(0, 299), y=st.integers(0, 199), size=st.integers(1, 90))
def test_what_a_pixel_becomes_does_not_depend_on_what_is_read(holed, x, y, size):
    image = filled(SkyImage.from_array(holed), 20)
    whole = image.cutout(Window(0, 0, 300, 200))
    part = image.cutout(Window(x, y, size, size))
    inside = Window(x, y, size, size).clipped(image.shape)
    assert np.array_equal(part[: inside.height, : inside.width], whole[inside.slices],
                          equal_nan=True)  # fmt: skip


def test_bands_are_filled_each_by_itself(holed):
    bands = [SkyImage.from_array(holed), SkyImage.from_array(np.ones_like(holed))]
    image = filled(stacked(bands, ("r", "g"), "both"), 20)
    assert image.bands == ("r", "g") and image.count == 2
    values = image.cutout(Window(90, 40, 30, 30))
    assert np.isfinite(values[0]).all() and (values[1] == 1).all()
    assert image.plane(0).pixels.identity is None


# --- objects --------------------------------------------------------------------------------


def test_objects_are_placed_joined_and_chosen():
    one = Objects(np.array([[0.25, 0.5, 0.75, 1.0]]), np.array([0.9]), np.array([1]))
    placed = one.placed(Window(100, 200, 40, 20))
    assert placed.boxes.tolist() == [[109.5, 209.5, 129.5, 219.5]]
    assert placed.middles.tolist() == [[119.5, 214.5]]
    both = Objects.joined([placed, one])
    assert len(both) == 2 and len(Objects.joined([])) == 0
    assert len(both[both.scores > 1]) == 0
    assert both.inside(Window(119, 210, 2, 6)).boxes.tolist() == placed.boxes.tolist()
    assert len(both.inside(Window(121, 210, 2, 6))) == 0


def test_shared_areas_by_hand():
    boxes = np.array([[0, 0, 4, 4.0], [10, 10, 12, 12]])
    others = np.array([[2, 1, 6, 3.0]])
    assert shared_areas(boxes, others).tolist() == [[4.0], [0.0]]
