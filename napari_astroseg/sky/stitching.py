"""Stitching: objects with masks that tiles saw in part, put together where the tiles agree.

A galaxy wider than what two tiles share is whole in neither. What either saw is one object where
their masks agree on the pixels that both tiles hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import shared_areas
from napari_astroseg.sky.window import Window

_AGREED = 0.5
"""Pixels of both masks over those of either (IoU), where both tiles hold them."""

_AT_EDGE_PX = 1
"""A mask that comes so close to its tile's edge may go on beyond it."""


def stitched(parts: Sequence[tuple[Window, Instances]], shape: tuple[int, int]) -> Instances:
    """The objects of tiles of an image of `shape`, parts of one put together.

    An object that was put together has all pixels, the score and the doubts of its strongest part,
    and a box around all boxes. Those of different classes stay apart.

    Parameters
    ----------
    parts
        Each tile, and what it holds, on the image's pixels.
    """
    every = Instances.gathered(objects for _, objects in parts)
    tiles = [tile for tile, objects in parts for _ in range(len(objects))]
    group = np.arange(len(every))
    pairs = zip(tiles, every.masks, strict=True)
    cut = [n for n, (tile, mask) in enumerate(pairs) if _goes_on(mask.window, tile, shape)]
    for number in cut:
        box = every.boxes[number : number + 1]
        near = (shared_areas(box, every.boxes)[0] > 0) & (every.classes == every.classes[number])
        for other in np.nonzero(near)[0].tolist():
            if tiles[other] != tiles[number] and group[other] != group[number]:
                both = tiles[number].overlap(tiles[other])
                if both is not None and _agree(every.masks[number], every.masks[other], both):
                    group[group == group[other]] = group[number]
    return _united(every, group)


def _goes_on(window: Window, tile: Window, shape: tuple[int, int]) -> bool:
    """Whether an object ends where its tile does and the image does not."""
    height, width = shape
    return (
        (window.x <= tile.x + _AT_EDGE_PX and tile.x > 0)
        or (window.y <= tile.y + _AT_EDGE_PX and tile.y > 0)
        or (window.x_end >= tile.x_end - _AT_EDGE_PX and tile.x_end < width)
        or (window.y_end >= tile.y_end - _AT_EDGE_PX and tile.y_end < height)
    )


def _agree(one: Footprint, other: Footprint, both: Window) -> bool:
    """Whether two masks are of one object, by the pixels that both tiles hold."""
    mine, theirs = _within(one, both), _within(other, both)
    shared, either = int(np.sum(mine & theirs)), int(np.sum(mine | theirs))
    return shared > 0 and shared >= _AGREED * either


def _within(footprint: Footprint, window: Window) -> NDArray[np.bool_]:
    """An object's pixels in a window."""
    own, mask = footprint
    seen = np.zeros(window.shape, bool)
    shared = own.overlap(window)
    if shared is not None:
        there = shared.moved(-window.x, -window.y).slices
        seen[there] = mask[shared.moved(-own.x, -own.y).slices]
    return seen


def _united(every: Instances, group: NDArray[np.int64]) -> Instances:
    """One object for each group, in the order of their strongest parts."""
    order = np.argsort(-every.scores, kind="stable")
    _, first, counts = np.unique(group[order], return_index=True, return_counts=True)
    leaders = np.sort(order[first])
    boxes, masks = every.boxes.copy(), list(every.masks)
    for leader in order[first[counts > 1]].tolist():
        members = np.nonzero(group == group[leader])[0].tolist()
        low, high = every.boxes[members, :2].min(0), every.boxes[members, 2:].max(0)
        boxes[leader] = [*low, *high]
        window = masks[leader].window
        for number in members:
            window = window.united(every.masks[number].window)
        parts = [_within(every.masks[number], window) for number in members]
        masks[leader] = Footprint(window, np.logical_or.reduce(parts))
    return replace(every, boxes=boxes, masks=tuple(masks))[leaders]
