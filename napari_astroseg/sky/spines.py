"""Spines: the skeletons of regions, and how long they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from skimage.morphology import skeletonize

from napari_astroseg.sky.window import Window

Places = NDArray[np.intp]
Region = tuple[int, Window, NDArray[np.bool_]]

_AT_ONCE = 2**20
"""Pixels of spines that are measured together."""


class Spines:
    """The spines of `count` regions that come one by one.

    Attributes
    ----------
    lengths
        Pixels, by the number of the region; 1 of those that did not come yet.
    """

    def __init__(self, count: int) -> None:
        self.lengths = np.ones(count)
        self._waiting: list[NDArray[np.int64]] = []
        self._first = self._held = 0

    def passing(self, regions: Iterable[Region]) -> Iterator[Region]:
        """The same regions (number, window, mask), which come in the order of their numbers."""
        for number, where, mask in regions:
            rows, columns = spine(mask)
            places = rows + where.y, columns + where.x, np.full(len(rows), number)
            self._waiting.append(np.stack(places))
            self._held += len(rows)
            if self._held > _AT_ONCE:
                self._measure(number)
            yield number, where, mask
        self._measure(len(self.lengths))

    def _measure(self, last: int) -> None:
        """Measure those that wait, of which `last` is the last."""
        first = self._first
        if self._waiting:
            rows, columns, owner = np.concatenate(self._waiting, axis=1)
            self.lengths[first:last] = lengths(rows, columns, owner - first, last - first)
        self._waiting.clear()
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
    """Rows and columns of the skeleton of a mask (H, W).

    That of a region depends on nothing but the region, so one at a time gives the same as all.
    """
    rows, columns = np.nonzero(skeletonize(mask))
    return rows, columns


def lengths(rows: Places, columns: Places, owner: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Length of each of `count` spines, pixels, of which these are the pixels.

    Parameters
    ----------
    owner
        The number, from 1, of the region of each pixel.
    """
    result = np.ones(count)
    if not len(rows):
        return result
    wide = int(columns.max()) + 2  # the last column does not touch the first of the next row
    place = rows.astype(np.int64) * wide + columns
    order = np.argsort(place)
    place, owner = place[order], owner[order]
    links = [_links(place, step, wide) for step in ((0, 1), (1, 0), (1, 1), (1, -1))]
    start, end, length = (np.concatenate(part) for part in zip(*links, strict=True))
    graph = sparse.coo_array((length, (start, end)), shape=(len(place), len(place))).tocsr()
    first = _farthest(graph, np.unique(owner, return_index=True)[1], owner)[0]
    _, far = _farthest(graph, first, owner)
    result[np.unique(owner) - 1] = far + 1.0
    return result


def _links(
    place: NDArray[np.int64], step: tuple[int, int], wide: int
) -> tuple[Places, Places, NDArray[np.float64]]:
    """Pairs of pixels one `step` apart, both ways, and their distance; places are in order."""
    wanted = place + step[0] * wide + step[1]
    at = np.minimum(np.searchsorted(place, wanted), len(place) - 1)
    a = np.flatnonzero(place[at] == wanted)
    b = at[a]
    distance = np.full(2 * len(a), np.hypot(*step))
    return np.concatenate((a, b)), np.concatenate((b, a)), distance


def _farthest(
    graph: Any, sources: Places, owner: NDArray[Any]
) -> tuple[Places, NDArray[np.float64]]:
    """For each region, the pixel of its spine farthest from its source, and how far.

    One search serves all: regions do not touch, so each is reached from its own source only.
    """
    distance = csgraph.dijkstra(graph, indices=sources, min_only=True)
    order = np.lexsort((distance, owner))
    last = np.append(np.nonzero(np.diff(owner[order]))[0], len(order) - 1)
    return order[last], distance[order[last]]
