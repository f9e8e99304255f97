"""Objects that tiles saw in part: put together where tiles agree, else left apart."""

import numpy as np

from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.stitching import stitched
from napari_astroseg.sky.window import Window

SHAPE = (64, 112)
LEFT, RIGHT = Window(0, 0, 64, 64), Window(48, 0, 64, 64)


def seen(*things):
    """Objects (window, score, class) that fill their windows."""
    windows = [thing[0] for thing in things]
    boxes = [(w.x - 0.5, w.y - 0.5, w.x_end - 0.5, w.y_end - 0.5) for w in windows]
    scores = np.array([thing[1] for thing in things])
    masks = tuple(Footprint(w, np.ones(w.shape, bool)) for w in windows)
    doubts = Doubts(1 - scores)
    return Instances(
        np.array(boxes), scores, np.array([t[2] for t in things]), masks, doubts=doubts
    )


def test_two_halves_are_one_with_the_strongest_s_score():
    halves = (
        (LEFT, seen((Window(30, 10, 34, 20), 0.7, 2))),
        (
            RIGHT,
            seen((Window(48, 11, 40, 20), 0.9, 2)),
        ),
    )
    told = stitched(halves, SHAPE)
    assert told.masks[0].window == Window(30, 10, 58, 21)
    assert told.boxes.tolist() == [[29.5, 9.5, 87.5, 30.5]]
    assert told.scores.tolist() == [0.9] and told.doubts.score.tolist() == [0.09999999999999998]
    assert told.areas.tolist() == [34 * 20 + 40 * 20 - 16 * 19]


def test_what_disagrees_or_is_of_another_kind_stays_apart():
    left = seen((Window(30, 10, 34, 6), 0.7, 2))
    for other in ((Window(48, 14, 40, 20), 0.9, 2), (Window(48, 10, 40, 6), 0.9, 1)):
        assert len(stitched([(LEFT, left), (RIGHT, seen(other))], SHAPE)) == 2
    assert len(stitched([(LEFT, left), (LEFT, left)], SHAPE)) == 2  # one tile has two words


def test_a_whole_one_takes_the_piece_that_another_tile_saw():
    piece, whole = seen((Window(50, 10, 14, 20), 0.8, 2)), seen((Window(50, 10, 30, 20), 0.9, 2))
    told = stitched([(LEFT, piece), (RIGHT, whole)], SHAPE)
    assert [mask.window for mask in told.masks] == [Window(50, 10, 30, 20)]


def test_an_image_s_own_edge_cuts_nothing():
    at_edge = seen((Window(0, 0, 10, 64), 0.8, 2), (Window(20, 5, 10, 10), 0.5, 2))
    assert len(stitched([(LEFT, at_edge), (RIGHT, Instances.none())], SHAPE)) == 2
    assert len(stitched([], SHAPE)) == 0
