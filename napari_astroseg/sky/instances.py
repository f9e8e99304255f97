"""Instances: objects found on an image, each with its own pixels, which others may share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]


class Footprint(NamedTuple):
    """The pixels of one object: its mask (height, width) in a window."""

    window: Window
    mask: Mask


@dataclass(frozen=True, eq=False)
class Instances(Objects):
    """N objects with masks.

    Parameters
    ----------
    masks
        (N) the pixels of each.
    """

    masks: tuple[Footprint, ...] = ()

    @classmethod
    def none(cls) -> Instances:
        """No object at all."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), ())

    @classmethod
    def gathered(cls, parts: Iterable[Instances]) -> Instances:
        """Those of several sets."""
        each = [cls.none(), *parts]
        together = Objects.joined(each)
        masks = tuple(mask for part in each for mask in part.masks)
        boxes, scores, classes = together.boxes, together.scores, together.classes
        return cls(boxes, scores, classes, masks, doubts=together.doubts)

    def __getitem__(self, which: NDArray[np.generic] | slice) -> Self:
        """Some of them, by a mask, numbers or a slice."""
        masks = tuple(self.masks[number] for number in np.arange(len(self))[which].tolist())
        return replace(super().__getitem__(which), masks=masks)

    @property
    def areas(self) -> NDArray[np.int64]:
        """(N,) pixels of each."""
        return np.array([np.count_nonzero(each.mask) for each in self.masks], np.int64)

    @property
    def lying(self) -> NDArray[np.int64]:
        """(4, N) first column and row of the windows of all masks, and the ends of both."""
        windows = [each.window for each in self.masks]
        edges = [(each.x, each.y, each.x_end, each.y_end) for each in windows]
        return np.array(edges, np.int64).reshape(-1, 4).T

    @property
    def centres(self) -> NDArray[np.float64]:
        """(N, 2) x and y of the mean of each object's pixels, px; of none, its box's middle."""
        found = self.middles.copy()
        for number, (window, mask) in enumerate(self.masks):
            rows, columns = np.nonzero(mask)
            if len(rows):
                found[number] = window.x + columns.mean(), window.y + rows.mean()
        return found

    def moved(self, dx: int, dy: int) -> Instances:
        """All of them shifted by (dx, dy) pixels."""
        boxes = self.boxes + np.array([dx, dy, dx, dy], float)
        masks = tuple(Footprint(each.window.moved(dx, dy), each.mask) for each in self.masks)
        return replace(self, boxes=boxes, masks=masks)

    def clipped(self, shape: tuple[int, int]) -> Instances:
        """What of them lies inside an image of `shape` (H, W)."""
        height, width = shape
        whole = Window.whole(shape)
        kept = np.array([bool(each.window.overlap(whole)) for each in self.masks], bool)
        mine = self[kept]
        ends = np.array([width, height, width, height]) - 0.5
        masks = tuple(_cut(each, whole) for each in mine.masks)
        return replace(mine, boxes=np.clip(mine.boxes, -0.5, ends), masks=masks)

    def labels(self, window: Window) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Number of the object of each pixel of a window, and its score.

        The n-th object has the number n, counted from 1. A pixel of several is the strongest's; 0
        where there is none.
        """
        numbers = np.zeros(window.shape, np.int32)
        scores = np.zeros(window.shape, np.float32)
        for n in np.argsort(self.scores, kind="stable").tolist():
            own, mask = self.masks[n]
            shared = own.overlap(window)
            if shared is None:
                continue
            seen = mask[shared.moved(-own.x, -own.y).slices]
            place = shared.moved(-window.x, -window.y).slices
            numbers[place][seen] = n + 1
            scores[place][seen] = self.scores[n]
        return numbers, scores


def _cut(footprint: Footprint, area: Window) -> Footprint:
    """The part of a footprint inside an area that it touches."""
    own, mask = footprint
    shared = own.overlap(area)
    assert shared is not None
    return Footprint(shared, mask[shared.moved(-own.x, -own.y).slices])


def mask_overlaps(found: Sequence[Footprint], truth: Sequence[Footprint]) -> NDArray[np.float64]:
    """(N, M) pixels shared over pixels of either (IoU) of each of N masks with each of M."""
    overlaps = np.zeros((len(found), len(truth)))
    sizes = [np.count_nonzero(each.mask) for each in truth]
    for n, (own, mask) in enumerate(found):
        size = np.count_nonzero(mask)
        for m, (other, theirs) in enumerate(truth):
            shared = own.overlap(other)
            if shared is None:
                continue
            mine = mask[shared.moved(-own.x, -own.y).slices]
            both = np.count_nonzero(mine & theirs[shared.moved(-other.x, -other.y).slices])
            if both:
                overlaps[n, m] = both / (size + sizes[m] - both)
    return overlaps
