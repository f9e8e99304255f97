"""What is done to an image is done to its masks and boxes; bubbles are shown in seven ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_astroseg.sky.augment.sample import (
    Sample,
    mask_boxes,
    scaled_boxes,
    seen_boxes,
)
from napari_astroseg.sky.augment.some import WAYS, some_of
from napari_astroseg.sky.augment.turns import FLIPS, QUARTERS, STILL, Turn
from napari_astroseg.sky.augment.views import seen, seven_views
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

TURNS = [Turn(quarters, mirrored) for quarters in range(4) for mirrored in (False, True)]
turns = st.sampled_from(TURNS)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def samples(draw) -> Sample:
    """A few masks of rectangles with a hole here and there, on noise of two bands."""
    height, width = draw(st.integers(3, 20)), draw(st.integers(3, 20))
    count = draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(seeds))
    masks = np.zeros((count, height, width), bool)
    for mask in masks:
        y, x = rng.integers(height), rng.integers(width)
        patch = mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)]
        patch[:] = rng.random(patch.shape) > 0.3
        mask[y, x] = True
    planes = rng.normal(size=(2, height, width)).astype(np.float32)
    return Sample(planes, mask_boxes(masks), np.arange(count), masks)


@given(samples(), turns)
def test_the_boxes_of_turned_masks_are_the_turned_boxes(sample: Sample, turn: Turn) -> None:
    found = sample.turned(turn)
    assert np.array_equal(found.boxes, mask_boxes(found.masks))
    assert np.array_equal(found.kinds, sample.kinds)
    for number, mask in enumerate(found.masks):
        # Each plane's values still lie under the same mask.
        before = np.sort(sample.planes[:, sample.masks[number]])
        assert np.array_equal(np.sort(found.planes[:, mask]), before)


@given(samples(), turns)
def test_a_turn_is_taken_back_by_its_inverse(sample: Sample, turn: Turn) -> None:
    back = sample.turned(turn).turned(turn.inverse)
    assert np.array_equal(back.planes, sample.planes)
    assert np.array_equal(back.masks, sample.masks)
    assert np.array_equal(back.boxes, sample.boxes)


def test_there_are_eight_turns_and_a_quarter_is_numpys() -> None:
    values = np.arange(12).reshape(3, 4)
    assert len({turn.planes(values).tobytes() for turn in TURNS}) == 8
    assert np.array_equal(QUARTERS[0].planes(values), np.rot90(values))
    assert np.array_equal(FLIPS[0].planes(values), values[:, ::-1])
    assert np.array_equal(FLIPS[1].planes(values), values[::-1])
    assert np.array_equal(STILL.planes(values), values)


@given(samples(), st.integers(-8, 18), st.integers(-8, 18), st.integers(1, 24), st.floats(0, 1))
def test_a_cut_keeps_what_is_seen_enough_of(
    sample: Sample, x: int, y: int, side: int, visible: float
) -> None:
    window = Window(x, y, side, side)
    found = sample.cut(window, visible=visible)
    assert np.array_equal(found.boxes, mask_boxes(found.masks))
    image = SkyImage.from_array(sample.planes[0])
    assert np.array_equal(found.planes[0], image.cutout(window), equal_nan=True)
    expected = []
    for number, mask in enumerate(sample.masks):
        rows, columns = np.nonzero(mask)
        inside = (columns >= x) & (columns < x + side) & (rows >= y) & (rows < y + side)
        if inside.any() and inside.sum() >= visible * mask.sum():
            expected.append(number)
    assert found.kinds.tolist() == expected


@given(samples(), st.integers(1, 40))
def test_resizing_takes_masks_and_boxes_along(sample: Sample, side: int) -> None:
    whole = Window(0, 0, *sample.shape[::-1])
    found = sample.cut(whole, side)
    assert found.planes.shape == (2, side, side)
    assert np.array_equal(found.boxes, mask_boxes(found.masks))
    scaled = scaled_boxes(sample.boxes[found.kinds], sample.shape, side)
    away = (found.boxes - scaled) * [1, 1, -1, -1]  # inwards
    assert away.min(initial=0) >= -0.5 - 1e-9
    if side >= max(sample.shape):  # no pixel of a mask is lost
        assert len(found) == len(sample)
        assert away.max(initial=0) <= 0.5 + 1e-9


boxes = hnp.arrays(
    float, st.tuples(st.integers(0, 6), st.just(4)), elements=st.floats(-40, 40, width=32)
)


@given(boxes, st.integers(-20, 20), st.integers(-20, 20), st.integers(1, 40))
def test_a_neighbour_counts_from_three_fifths(ends: np.ndarray, x: int, y: int, side: int) -> None:
    ends = np.concatenate((ends[:, :2], ends[:, :2] + 0.5 + np.abs(ends[:, 2:])), 1)
    window = Window(x, y, side, side)
    found, kept = seen_boxes(ends, window)
    for number, (left, low, right, top) in enumerate(ends.tolist()):
        width = min(right, x + side - 0.5) - max(left, x - 0.5)
        height = min(top, y + side - 0.5) - max(low, y - 0.5)
        share = max(width, 0) * max(height, 0) / ((right - left) * (top - low))
        if share > 0 and abs(share - 0.6) > 1e-6:
            assert (number in kept) == (share > 0.6)
        elif share == 0:
            assert number not in kept
    assert (found >= -0.5).all() and (found <= side - 0.5).all()
    alone, _ = seen_boxes(ends, window, 1.0)
    assert len(alone) <= len(found)


def test_exactly_three_fifths_count() -> None:
    ends = np.array([[4.5, -0.5, 14.5, 9.5], [4.6, -0.5, 14.6, 9.5]])
    found, kept = seen_boxes(ends, Window(0, 0, 11, 10))
    assert kept.tolist() == [0]
    assert found.tolist() == [[4.5, -0.5, 10.5, 9.5]]


@given(
    st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(2, 300), st.floats(2, 300)), seeds
)
def test_a_bubble_is_shown_in_seven_ways(place: tuple[float, ...], seed: int) -> None:
    x, y, width, height = place
    box = (x, y, x + width, y + height)
    views = seven_views(box, np.random.default_rng(seed))
    assert len(views) == 7
    centred, translated, *turned = views
    extent = max(width, height)
    assert abs(centred.window.width - 1.7 * extent) <= 0.5
    middle = centred.window.x + (centred.window.width - 1) / 2
    assert abs(middle - (x + width / 2)) <= 0.5 + 1e-9
    side = translated.window.width
    assert extent / 0.58 - 0.5 <= side <= extent / 0.17 + 0.5
    (found,), _ = seen_boxes(np.array([box]), translated.window, 1.0)  # all of it is seen
    assert found[2] - found[0] == pytest.approx(width)
    assert all(view.window == centred.window for view in turned)
    assert [view.turn for view in (centred, translated)] == [STILL, STILL]
    assert {view.turn for view in turned} == {*QUARTERS, *FLIPS}


@given(seeds)
def test_a_translated_window_lies_inside_where_it_can(seed: int) -> None:
    rng = np.random.default_rng(seed)
    extent, (x, y) = rng.uniform(3, 60), rng.uniform(-5, 150, 2)
    box = (x, y, x + extent, y + extent)
    window = seven_views(box, rng, (150, 200))[1].window
    (found,), _ = seen_boxes(np.array([box]), window, 1.0)
    assert found[2] - found[0] == pytest.approx(extent)
    for edge, first, side, length in (
        (x, window.x, window.width, 200),
        (y, window.y, window.height, 150),
    ):
        if edge >= -0.5 and edge + extent <= length - 0.5 and side <= length:
            assert 0 <= first <= length - side


def test_where_it_is_translated_is_anywhere() -> None:
    rng = np.random.default_rng(0)
    places = []
    for _ in range(400):
        view = seven_views((0, 0, 30, 30), rng)[1]
        (box,), _ = seen_boxes(np.array([[0.0, 0, 30, 30]]), view.window)
        free = view.window.width - 30
        places.append((box[:2] + 0.5) / free)
    found = np.array(places)
    assert (found.min(0) < 0.05).all() and (found.max(0) > 0.95).all()
    assert np.abs(found.mean(0) - 0.5).max() < 0.06


@pytest.fixture
def tile() -> SkyImage:
    """Noise with a bright square of 21 px around (100, 60), and a dimmer one beside it."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.01, (160, 200)).astype(np.float32)
    values[50:71, 90:111] += 1
    values[50:61, 125:136] += 0.7
    values[:, :8] = np.nan
    return SkyImage.from_array(values)


def test_every_view_shows_the_bubble_in_its_box(tile: SkyImage) -> None:
    ends = np.array([[89.5, 49.5, 110.5, 70.5], [124.5, 49.5, 135.5, 60.5]])
    for view in seven_views(ends[0], np.random.default_rng(5)):
        sample = seen(tile, ends, view, 60)
        assert sample is not None and sample.planes.shape == (1, 60, 60)
        left, low, right, top = np.rint(sample.boxes[0]).astype(int)
        inside = np.zeros((60, 60), bool)
        inside[low + 1 : top, left + 1 : right] = True
        bright = sample.planes[0] > 0.8
        assert bright[inside].mean() > 0.9
        near = inside.copy()
        near[max(low - 1, 0) : top + 3, max(left - 1, 0) : right + 3] = True
        others = [np.rint(box).astype(int) for box in sample.boxes[1:]]
        for a, b, c, d in others:
            near[max(b - 1, 0) : d + 3, max(a - 1, 0) : c + 3] = True
        if len(sample) == 2 or view.window.width < 40:
            assert not bright[~near].any()


def test_a_neighbour_is_in_the_view_that_shows_it(tile: SkyImage) -> None:
    ends = np.array([[89.5, 49.5, 110.5, 70.5], [124.5, 49.5, 135.5, 60.5]])
    counts = set()
    rng = np.random.default_rng(1)
    for _ in range(40):
        view = seven_views(ends[0], rng)[1]
        sample = seen(tile, ends, view, 50)
        if sample is not None:
            counts.add(len(sample))
    assert counts == {1, 2}


def test_a_view_with_missing_pixels_is_none(tile: SkyImage) -> None:
    ends = np.array([[9.5, 49.5, 30.5, 70.5]])
    views = seven_views(ends[0], np.random.default_rng(0))
    assert seen(tile, ends, views[0], 40) is None
    over = seven_views((185, 50, 199, 64), np.random.default_rng(0))[0]
    assert seen(tile, ends, over, 40) is None


@given(samples(), seeds)
def test_some_of_it_keeps_masks_and_boxes_together(sample: Sample, seed: int) -> None:
    found = some_of(sample, np.random.default_rng(seed))
    assert np.array_equal(found.boxes, mask_boxes(found.masks))
    assert len(found) == len(sample)
    assert found.planes.dtype == np.float32
    assert sorted(map(np.sum, found.masks)) == sorted(map(np.sum, sample.masks))
    again = some_of(sample, np.random.default_rng(seed))
    assert np.array_equal(found.planes, again.planes)


def test_none_to_four_are_drawn_and_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def noted(number: int):
        return lambda sample, rng: drawn.append(number) or sample

    ways = tuple(noted(number) for number in range(len(WAYS)))
    monkeypatch.setattr("napari_astroseg.sky.augment.some.WAYS", ways)
    sample = Sample(np.zeros((1, 5, 5), np.float32), np.zeros((0, 4)), np.zeros(0, np.int64))
    rng, counts = np.random.default_rng(0), []
    for _ in range(300):
        before = len(drawn)
        assert some_of(sample, rng) is sample
        own = drawn[before:]
        assert len(set(own)) == len(own)
        counts.append(len(own))
    assert set(counts) == {0, 1, 2, 3, 4}
    assert set(drawn) == set(range(len(WAYS)))


def test_blur_and_noise_change_the_image_alone() -> None:
    rng = np.random.default_rng(0)
    planes = rng.normal(size=(2, 40, 40)).astype(np.float32)
    planes[1] *= 50
    masks = np.zeros((1, 40, 40), bool)
    masks[0, 5:9, 6:12] = True
    sample = Sample(planes, mask_boxes(masks), np.array([2]), masks)
    blurred, noisy = sample.blurred(1.5), sample.noisy(0.1, rng)
    assert (blurred.planes.std((1, 2)) < 0.4 * planes.std((1, 2))).all()
    added = (noisy.planes - planes).std((1, 2)) / planes.std((1, 2))
    assert added == pytest.approx([0.1, 0.1], rel=0.1)
    for each in (blurred, noisy):
        assert each.masks is masks and each.boxes is sample.boxes
