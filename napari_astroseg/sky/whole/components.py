"""Components: the connected regions of a map that is looked at part by part.

The regions, and their numbers, are those that `sky.structures.label_structures` gives to the whole
map at once. Parts are labelled one by one, joined where they touch along an edge or by a corner,
and labelled again when they are asked for: kept is a number for each region of each part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from napari_astroseg.sky.structures import EIGHT, Labels
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]
_Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Components:
    """The regions of a map.

    Parameters
    ----------
    count
        How many there are.
    """

    count: int
    _tables: dict[Window, Labels]

    def labels(self, part: Window, mask: Mask) -> Labels:
        """Numbers (h, w) of the regions of a part, 0 outside, given its mask once more."""
        labels, _ = ndimage.label(mask, EIGHT, output=np.int32)
        return np.asarray(self._tables[part][labels])


def components(
    window: Window, side: int, mask_of: Callable[[Window], Mask], min_area_px: int = 0
) -> Components:
    """Find the regions of a window by parts of `side` × `side` pixels (`Window.parts`).

    Parameters
    ----------
    mask_of
        The mask (h, w) of a part.
    min_area_px
        Regions of fewer pixels are dropped, as are those that hold no square of 2 × 2 pixels.
    """
    joining = _Joining(window)
    for part in window.parts(side):
        joining.add(part, mask_of(part))
    return joining.done(min_area_px)


class _Joining:
    """Regions of parts that come row by row, and which of them are one."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._offsets: dict[Window, int] = {}
        self._areas: list[_Numbers] = [np.zeros(1, np.int64)]
        self._firsts: list[_Numbers] = [np.zeros(1, np.int64)]
        self._solid: list[Mask] = [np.zeros(1, bool)]
        self._pairs: list[_Numbers] = []
        self._total = 0
        # Numbers of the last rows of the parts above, and of the last column of the part before;
        # none beyond the window.
        self._above = np.zeros(window.width + 2, np.int64)
        self._below = np.zeros(window.width + 2, np.int64)
        self._before = np.zeros(0, np.int64)

    def add(self, part: Window, mask: Mask) -> None:
        labels, count = ndimage.label(mask, EIGHT, output=np.int32)
        offset = self._offsets[part] = self._total
        self._total += count
        x = part.x - self._window.x
        if x == 0:
            self._above, self._below = self._below, np.zeros_like(self._below)
            self._before = np.zeros(part.height, np.int64)
        above = self._above[x : x + part.width + 2]
        bordered = self._bordered(labels, above)
        self._note(part, labels, count, bordered)
        self._join(labels, offset, above)
        self._before = _known(labels[:, -1], offset)
        self._below[x + 1 : x + 1 + part.width] = _known(labels[-1], offset)

    def _bordered(self, labels: Labels, above: _Numbers) -> Mask:
        """The mask with the row above and the column before."""
        bordered = np.zeros(np.add(labels.shape, 1), bool)
        bordered[1:, 1:] = labels > 0
        bordered[0] = above[:-1] > 0
        bordered[1:, 0] = self._before > 0
        return bordered

    def _note(self, part: Window, labels: Labels, count: int, bordered: Mask) -> None:
        """Area, first pixel, and whether there is a square of 2 × 2, of each region."""
        self._areas.append(np.bincount(labels[labels > 0], minlength=count + 1)[1:])
        square = bordered[1:, 1:] & bordered[:-1, 1:] & bordered[1:, :-1] & bordered[:-1, :-1]
        solid = np.zeros(count + 1, bool)
        solid[labels[square]] = True
        self._solid.append(solid[1:])
        place = np.flatnonzero(labels)
        first = np.empty(count + 1, np.int64)
        first[labels.ravel()[place[::-1]]] = place[::-1]  # the last one written is the first one
        rows, columns = np.divmod(first[1:], part.width)
        rows, columns = rows + part.y - self._window.y, columns + part.x - self._window.x
        self._firsts.append(rows * self._window.width + columns)

    def _join(self, labels: Labels, offset: int, above: _Numbers) -> None:
        """Which regions of this part are one with some above or before it."""
        top, left = _known(labels[0], offset), _known(labels[:, 0], offset)
        for shift in (0, 1, 2):
            self._pair(top, above[shift : shift + len(top)])
        self._pair(left, self._before)
        self._pair(left[1:], self._before[:-1])
        self._pair(left[:-1], self._before[1:])

    def _pair(self, here: _Numbers, there: _Numbers) -> None:
        both = (here > 0) & (there > 0)
        if both.any():
            self._pairs.append(np.unique(np.stack([here[both], there[both]]), axis=1))

    def done(self, min_area_px: int) -> Components:
        """Numbers in the order of first pixels, of those that are large enough."""
        size = self._total + 1
        pairs = np.concatenate(self._pairs, axis=1) if self._pairs else np.zeros((2, 0), np.int64)
        graph = sparse.coo_array((np.ones(pairs.shape[1], bool), tuple(pairs)), shape=(size, size))
        groups, group = csgraph.connected_components(graph, directed=False)
        area = np.bincount(group, np.concatenate(self._areas), minlength=groups)
        first = np.full(groups, np.iinfo(np.int64).max)
        np.minimum.at(first, group, np.concatenate(self._firsts))
        keep = np.zeros(groups, bool)
        keep[group[np.concatenate(self._solid)]] = True
        keep &= area >= max(1, min_area_px)
        keep[group[0]] = False  # what is no region
        kept = np.flatnonzero(keep)
        number = np.zeros(groups, np.int32)
        number[kept[np.argsort(first[kept])]] = np.arange(1, len(kept) + 1)
        return Components(len(kept), dict(self._tables(number[group])))

    def _tables(self, numbers: Labels) -> Iterator[tuple[Window, Labels]]:
        ends = [*self._offsets.values(), self._total][1:]
        for (part, start), end in zip(self._offsets.items(), ends, strict=True):
            yield part, np.concatenate([np.zeros(1, np.int32), numbers[start + 1 : end + 1]])


def _known(labels: Labels, offset: int) -> _Numbers:
    """Numbers among all regions of all parts; 0 outside."""
    return np.where(labels > 0, labels.astype(np.int64) + offset, 0)
