"""Objects with pixels of their own: gathered, moved, laid over each other, compared."""

import numpy as np
import pytest

from napari_astroseg.sky.instances import Footprint, Instances, mask_overlaps
from napari_astroseg.sky.window import Window


def square(x, y, side):
    return Footprint(Window(x, y, side, side), np.ones((side, side), bool))


def instances(*squares):
    masks = tuple(square(*each[:3]) for each in squares)
    boxes = np.array([(x - 0.5, y - 0.5, x + s - 0.5, y + s - 0.5) for x, y, s, *_ in squares])
    scores = np.array([each[3] for each in squares])
    return Instances(boxes, scores, np.arange(len(squares)) + 1, masks)


TWO = instances((2, 3, 4, 0.6), (4, 5, 4, 0.9))


def test_areas_and_centres_are_of_the_pixels():
    assert TWO.areas.tolist() == [16, 16]
    assert TWO.centres.tolist() == [[3.5, 4.5], [5.5, 6.5]]
    empty = Instances(
        np.array([[0.0, 0.0, 4.0, 2.0]]),
        np.ones(1),
        np.ones(1, np.int64),
        (Footprint(Window(0, 0, 4, 2), np.zeros((2, 4), bool)),),
    )
    assert empty.areas.tolist() == [0]
    assert empty.centres.tolist() == [[2.0, 1.0]]


def test_some_of_them_keep_their_masks():
    strong = TWO[TWO.scores > 0.7]
    assert strong.masks == (TWO.masks[1],)
    assert TWO[np.array([1, 0])].masks == TWO.masks[::-1]
    assert len(Instances.gathered([TWO, TWO[:1]]).masks) == 3
    assert len(Instances.none()) == 0


def test_a_shared_pixel_is_the_strongest_s():
    labels, scores = TWO.labels(Window(2, 3, 8, 8))
    assert labels[0, 0] == 1 and labels[3, 3] == 2
    assert scores[0, 0] == np.float32(0.6) and scores[3, 3] == np.float32(0.9)
    assert (labels > 0).sum() == 16 + 16 - 4
    assert (labels == 2).sum() == 16


def test_labels_end_where_the_window_does():
    labels, _ = TWO.labels(Window(5, 0, 2, 6))
    assert labels.tolist() == [[0, 0]] * 3 + [[1, 0]] * 2 + [[2, 2]]
    assert not TWO.labels(Window(50, 50, 2, 2))[0].any()


def test_moved_objects_take_their_pixels_along():
    there = TWO.moved(10, -2)
    assert there.masks[0].window == Window(12, 1, 4, 4)
    assert (there.boxes - TWO.boxes).tolist() == [[10, -2, 10, -2]] * 2


def test_overlaps_are_shared_pixels_over_all():
    overlaps = mask_overlaps(TWO.masks, [square(2, 3, 4), square(6, 7, 2), square(40, 40, 3)])
    assert overlaps == pytest.approx(np.array([[1, 0, 0], [4 / 28, 4 / 16, 0]]))
