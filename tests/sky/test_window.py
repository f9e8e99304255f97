"""Windows: rectangles of pixels that may hang over an edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.window import Window

places = st.integers(-60, 60)
sizes = st.integers(1, 60)
windows = st.builds(Window, places, places, sizes, sizes)
shapes = st.tuples(sizes, sizes)


def covered(window: Window) -> set[tuple[int, int]]:
    """Every (x, y) in the window."""
    xs, ys = range(window.x, window.x_end), range(window.y, window.y_end)
    return {(x, y) for x in xs for y in ys}


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5)])
def test_an_empty_window_is_refused(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="holds nothing; give a width and a height of at least 1"):
        Window(0, 0, width, height)


def test_its_sides() -> None:
    window = Window(3, 4, 10, 20)
    assert (window.x_end, window.y_end, window.shape) == (13, 24, (20, 10))
    assert window.slices == (slice(4, 24), slice(3, 13))
    assert Window.whole((7, 9)) == Window(0, 0, 9, 7)


@given(windows, windows)
def test_the_overlap_is_what_both_cover(one: Window, other: Window) -> None:
    shared = one.overlap(other)
    assert (covered(shared) if shared else set()) == covered(one) & covered(other)
    assert other.overlap(one) == shared


@given(windows, shapes)
def test_a_clipped_window_lies_inside(window: Window, shape: tuple[int, int]) -> None:
    whole = Window.whole(shape)
    if window.overlap(whole) is None:
        with pytest.raises(
            ImageError, match=r"lies outside the image .*choose one that touches it"
        ):
            window.clipped(shape)
    else:
        clipped = window.clipped(shape)
        assert covered(clipped) <= covered(whole)
        assert np.zeros(shape)[clipped.slices].shape == clipped.shape


@given(windows, st.integers(0, 20), places, places)
def test_growing_and_moving(window: Window, margin: int, dx: int, dy: int) -> None:
    assert window.grown(margin).grown(-margin) == window
    assert window.moved(dx, dy).moved(-dx, -dy) == window
    assert window.moved(dx, dy).shape == window.shape


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), sizes)
def test_around_puts_the_position_in_the_middle(x: float, y: float, size: int) -> None:
    window = Window.around(x, y, size)
    assert window.shape == (size, size)
    # Pixel centres are whole numbers: the middle of n pixels from x0 is x0 + (n - 1) / 2.
    assert abs(window.x + (size - 1) / 2 - x) <= 0.5 + 1e-9
    assert abs(window.y + (size - 1) / 2 - y) <= 0.5 + 1e-9


def test_around_a_pixel_centre_is_that_pixel() -> None:
    assert Window.around(5.0, 7.0, 1) == Window(5, 7, 1, 1)
    assert Window.around(5.0, 7.0, 3) == Window(4, 6, 3, 3)
