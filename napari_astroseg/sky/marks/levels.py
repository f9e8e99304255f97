"""Levels: what somebody drew at halved and halved-again resolution, ready for any view.

A pixel of a coarse level has the label that most of the four pixels below it have, those without
any left out, so that a thin line is seen from far away. Only chunks that hold labels exist. They
are kept packed, in memory (some KB each), so that reading a view never waits for the store, which
may be waiting for a disk. A change is followed up through its own chunks alone.
"""

from __future__ import annotations

import threading
import zlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.sparse import Place, empty_chunk
from napari_astroseg.sky.marks.steps import Labels
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.pyramids.chunks import CHUNK, axes, extent
from napari_astroseg.sky.pyramids.grown import layout_of
from napari_astroseg.sky.window import Window

_BATCH = 16
"""Chunks that are read in one go, while nothing else can be followed up."""

_UNPACKED = 96
"""Chunks that are held unpacked: 48 MiB."""

_HALF = CHUNK // 2

_Address = tuple[int, int, int]
"""Level, row and column of a chunk."""


class MarkLevels:
    """Someone's labels at all resolutions; empty until `build`, safe to share between threads.

    Parameters
    ----------
    store
        Where they are.
    annotator
        Whose labels.
    """

    def __init__(self, store: MarkStore, annotator: str = "") -> None:
        self.store, self.annotator = store, annotator
        layout = layout_of(store.shape)
        self.factors = (1, *reversed(layout.factors))
        """Side of a level's pixel, image pixels; finest first."""
        self.shapes = tuple(layout.level_shape(factor) for factor in self.factors)
        """(rows, columns) of each level, padded to whole pixels of the coarsest."""
        self._packed: dict[_Address, bytes] = {}
        self._unpacked: OrderedDict[_Address, Labels] = OrderedDict()
        self._counts: dict[Place, Counter[int]] = {}
        self._total: Counter[int] = Counter()
        self._following, self._guard = threading.Lock(), threading.Lock()

    @property
    def levels(self) -> list[MarkLevel]:
        """One array for each, finest first."""
        return [MarkLevel(self, number) for number in range(len(self.factors))]

    @property
    def counts(self) -> dict[int, int]:
        """How many pixels have each label, of those that have any."""
        with self._guard:
            return {label: count for label, count in sorted(self._total.items()) if count}

    def build(self, progress: Progress = silent) -> None:
        """Read all that was drawn; slow, for a thread of its own.

        Parameters
        ----------
        progress
            Told chunks read; raising `Stopped` from it ends the work.

        Raises
        ------
        MarkError
            When a file is damaged.
        """
        places = sorted(self.store.places(self.annotator))
        for start in range(0, len(places), _BATCH):
            progress("reading what was drawn", start, len(places))
            self._follow(places[start : start + _BATCH])

    def follow(self, change: Change) -> list[Window]:
        """Bring all levels up to date where a change of the store changed them; gives where.

        Raises
        ------
        MarkError
            When a file is damaged.
        """
        windows = [window for who, window in change.places if who == self.annotator]
        self._follow({place for window in windows for place in places_under(window)})
        return windows

    def read(self, number: int, window: Window) -> Labels:
        """The labels of a level in a window of its own pixels; 0 off the image."""
        labels = np.zeros(window.shape, np.uint16)
        for row, column in places_under(window):
            chunk = self._chunk((number, row, column))
            whole = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK)
            part = whole.overlap(window)
            if chunk is not None and part is not None:
                there = part.moved(-window.x, -window.y).slices
                labels[there] = chunk[part.moved(-whole.x, -whole.y).slices]
        return labels

    def _follow(self, places: Iterable[Place]) -> None:
        """Read chunks from the store as it is now, and all that lies above them."""
        with self._following:
            found = set(places)
            for place in found:
                self._take(place)
            for number in range(1, len(self.factors)):
                found = self._raise(number, found)

    def _take(self, place: Place) -> None:
        row, column = place
        window = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK)
        chunk = self.store.read(window, self.annotator)
        found = np.bincount(chunk.ravel())
        counts = Counter({int(n): int(found[n]) for n in np.flatnonzero(found) if n})
        with self._guard:
            self._total.subtract(self._counts.pop(place, Counter()))
            self._total.update(counts)
            if counts:
                self._counts[place] = counts
        self._put((0, row, column), chunk)

    def _raise(self, number: int, below: set[Place]) -> set[Place]:
        """Make a level's chunks above some of the next finer one's; gives their places."""
        above: dict[Place, list[Place]] = {}
        for row, column in below:
            above.setdefault((row // 2, column // 2), []).append((row, column))
        for (row, column), parts in above.items():
            old = self._chunk((number, row, column))
            chunk = empty_chunk() if old is None else old.copy()
            for part in parts:
                finer = self._chunk((number - 1, *part))
                top, left = part[0] % 2 * _HALF, part[1] % 2 * _HALF
                quarter = chunk[top : top + _HALF, left : left + _HALF]
                quarter[...] = 0 if finer is None else halved(finer)
            self._put((number, row, column), chunk)
        return set(above)

    def _put(self, address: _Address, chunk: Labels) -> None:
        packed = zlib.compress(chunk.tobytes(), 1) if chunk.any() else None
        with self._guard:
            self._unpacked.pop(address, None)
            if packed is None:
                self._packed.pop(address, None)
            else:
                self._packed[address] = packed
                self._hold(address, chunk)

    def _chunk(self, address: _Address) -> Labels | None:
        """A chunk, not to be written to; None where nothing is."""
        with self._guard:
            packed = self._packed.get(address)
            held = self._unpacked.get(address)
            if packed is None:
                return None
            if held is not None:
                self._unpacked.move_to_end(address)
                return held
        chunk = np.frombuffer(zlib.decompress(packed), np.uint16).reshape(CHUNK, CHUNK)
        with self._guard:
            if self._packed.get(address) is packed:
                self._hold(address, chunk)
        return chunk

    def _hold(self, address: _Address, chunk: Labels) -> None:
        self._unpacked[address] = chunk
        while len(self._unpacked) > _UNPACKED:
            self._unpacked.popitem(last=False)


class MarkLevel:
    """One level as a lazy array: uint16, (rows, columns), read where it is looked at.

    Parameters
    ----------
    marks
        All levels.
    number
        Which of them; 0 is the finest.
    """

    dtype = np.dtype(np.uint16)
    ndim = 2
    chunks = (CHUNK, CHUNK)

    def __init__(self, marks: MarkLevels, number: int) -> None:
        self.marks, self.number = marks, number
        self.shape = marks.shapes[number]
        self.size = self.shape[0] * self.shape[1]

    @property
    def factor(self) -> int:
        """Side of a pixel, image pixels."""
        return self.marks.factors[self.number]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Labels for integers and slices of any step."""
        rows, columns = axes(key)
        (top, height, of_rows), (left, width, of_columns) = (
            extent(rows, self.shape[0]),
            extent(columns, self.shape[1]),
        )
        if height == 0 or width == 0:
            return np.empty((height, width), self.dtype)[of_rows, of_columns]
        labels = self.marks.read(self.number, Window(left, top, width, height))
        return labels[of_rows, of_columns]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it."""
        return np.asarray(self[...], dtype=dtype, copy=copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> MarkLevel:
        return self  # a duplicated layer may show the same


def halved(labels: Labels) -> Labels:
    """Labels of blocks of 2 × 2: the most frequent one that is not 0.

    Of equals it is the largest and the smallest in turn, like black and white on a chequerboard,
    so that no class hides the others from afar.

    Parameters
    ----------
    labels
        (H, W), both even.
    """
    a, b, c, d = (labels[y::2, x::2] for y in (0, 1) for x in (0, 1))
    low, other_low = np.minimum(a, b), np.minimum(c, d)
    high, other_high = np.maximum(a, b), np.maximum(c, d)
    first, fourth = np.minimum(low, other_low), np.maximum(high, other_high)
    middle, other_middle = np.maximum(low, other_low), np.minimum(high, other_high)
    second, third = np.minimum(middle, other_middle), np.maximum(middle, other_middle)
    best = fourth.copy()
    for n in (0, 1):  # the black squares
        there = np.s_[n::2, n::2]
        smallest = third[there]
        for smaller in (second[there], first[there]):
            smallest = np.where(smaller > 0, smaller, smallest)
        best[there] = np.where(smallest > 0, smallest, fourth[there])
    for one, other, rest in ((first, second, (third, fourth)), (third, fourth, (first, second))):
        pair = (one == other) & (one > 0) & ((rest[0] != rest[1]) | (rest[0] == 0))
        best[pair] = one[pair]
    pair = (second == third) & (second > 0)
    best[pair] = second[pair]
    return best


def places_under(window: Window) -> Iterator[Place]:
    """Row and column of each chunk under a window."""
    for row in range(window.y // CHUNK, -(-window.y_end // CHUNK)):
        for column in range(window.x // CHUNK, -(-window.x_end // CHUNK)):
            yield row, column
