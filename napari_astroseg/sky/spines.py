"""Spines: the skeletons of regions, and how long they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import skeletonize

from napari_astroseg.sky.window import Window

Places = NDArray[np.intp]
Region = tuple[int, Window, NDArray[np.bool_]]

_AT_ONCE = 2**20
"""Pixels of spines that are measured together."""

_PIECE, _AROUND = 4096, 512
"""Pixels along a side of what is thinned at once, and on each side of it."""


class Spines:
    """The spines of `count` regions that come one by one.

    Attributes
    ----------
    lengths
        Pixels, by the number of the region; 1 of those that did not come yet.
    """

    def __init__(self, count: int) -> None:
        self.lengths = np.ones(count)
        self._waiting: list[NDArray[np.int32]] = []
        self._first = self._held = 0

    def passing(self, regions: Iterable[Region]) -> Iterator[Region]:
        """The same regions (number, window, mask), which come in the order of their numbers."""
        for number, where, mask in regions:
            rows, columns = spine(mask)
            if self._held + len(rows) > _AT_ONCE:
                self._measure(number - 1)
            places = np.empty((3, len(rows)), np.int32)
            np.add(rows, where.y, out=places[0], casting="same_kind")
            np.add(columns, where.x, out=places[1], casting="same_kind")
            places[2] = number
            del rows, columns
            self._waiting.append(places)
            self._held += places.shape[1]
            yield number, where, mask
        self._measure(len(self.lengths))

    def _measure(self, last: int) -> None:
        """Measure those that wait, of which `last` is the last."""
        first = self._first
        if self._waiting:
            rows, columns, owner = np.concatenate(self._waiting, axis=1)
            self._waiting.clear()
            owner -= first
            self.lengths[first:last] = lengths(rows, columns, owner, last - first)
        self._first, self._held = last, 0


def spine_lengths(labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Length of each region's spine, pixels: the longest way along its skeleton, plus one.

    Parameters
    ----------
    labels
        (H, W) numbers of regions that touch nowhere, not even by a corner; 0 outside.
    """
    rows, columns = spine(labels > 0)
    owner = labels[rows, columns]
    return lengths(rows, columns, owner, int(labels.max(initial=0)))


def spine(mask: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Rows and columns of the skeleton of a mask (H, W), row by row.

    That of a region depends on nothing but the region, so one at a time gives the same as all.
    Thinning takes four times the memory of a mask, so that one beyond `_PIECE` pixels is thinned in
    pieces, each with so much around it that no round brings in what lies beyond.
    """
    if max(mask.shape) <= _PIECE or _thick(mask):
        rows, columns = np.nonzero(skeletonize(mask))
        return rows, columns
    found = []
    for part, around in _pieces(mask.shape):
        inner = part.moved(-around.x, -around.y).slices
        rows, columns = np.nonzero(skeletonize(mask[around.slices])[inner])
        found.append(np.stack([rows + part.y, columns + part.x]).astype(np.int32))
    places = np.concatenate(found, axis=1)
    rows, columns = places[:, np.lexsort(places[::-1])]
    return rows, columns


def _pieces(shape: tuple[int, int]) -> Iterator[tuple[Window, Window]]:
    """Parts of a mask, each with what lies around it."""
    whole = Window.whole(shape)
    for part in whole.parts(_PIECE):
        around = part.grown(_AROUND).overlap(whole)
        assert around is not None
        yield part, around


def _thick(mask: NDArray[np.bool_]) -> bool:
    """Whether thinning may go on for so many rounds that it brings in what is far away.

    A round takes a pixel from each side, in two passes, each of which looks one pixel farther.
    """
    sides = (mask[around.slices] for _, around in _pieces(mask.shape))
    return any(
        side.all() or ndimage.distance_transform_cdt(side).max() > _AROUND // 2 - 2
        for side in sides
    )


def lengths(rows: Places, columns: Places, owner: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Length of each of `count` spines, pixels, of which these are the pixels.

    Parameters
    ----------
    owner
        The number, from 1, of the region of each pixel.
    """
    from napari_astroseg.sky.spineloops import farthest, firsts, lasts, linked  # it is compiled

    result = np.ones(count)
    if not len(rows):
        return result
    wide = int(columns.max()) + 2  # the last column does not touch the first of the next row
    place = rows.astype(np.int64) * wide
    place += columns
    if (place[1:] < place[:-1]).any():
        order = np.argsort(place)
        place, owner = place[order], owner[order]
    links = linked(place, wide)
    first = lasts(farthest(place, wide, firsts(owner, count), links), owner, count)
    # Regions do not touch, so each is reached from its own pixel only.
    distance = farthest(place, wide, first, links)
    far = lasts(distance, owner, count)
    result[owner[far] - 1] = distance[far] + 1.0
    return result
