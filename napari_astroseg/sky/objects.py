"""Objects: boxes found on an image, each with its score and its class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.window import Window


@dataclass(frozen=True, eq=False)
class Objects:
    """N objects.

    Parameters
    ----------
    boxes
        (N, 4) x_min, y_min, x_max, y_max of their edges, px, with pixel centres at whole numbers.
    scores
        (N,) 0 to 1.
    classes
        (N,) which kind each is, from 1; 0 would be background.
    doubts
        How unsure each is, where that is told.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    doubts: Doubts | None = field(default=None, kw_only=True)

    @classmethod
    def none(cls) -> Objects:
        """No object at all."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))

    @classmethod
    def joined(cls, parts: Iterable[Objects]) -> Objects:
        """Those of several sets."""
        each = [cls.none(), *parts]
        told = [part.doubts for part in each if part.doubts is not None]
        return cls(
            np.concatenate([part.boxes for part in each]),
            np.concatenate([part.scores for part in each]),
            np.concatenate([part.classes for part in each]),
            doubts=Doubts.joined(told) if told else None,
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: NDArray[np.generic] | slice) -> Self:
        """Some of them, by a mask, numbers or a slice."""
        boxes, scores, classes = self.boxes[which], self.scores[which], self.classes[which]
        doubts = None if self.doubts is None else self.doubts[which]
        return replace(self, boxes=boxes, scores=scores, classes=classes, doubts=doubts)

    @property
    def middles(self) -> NDArray[np.float64]:
        """(N, 2) x and y of the middles of the boxes, px."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2

    def inside(self, window: Window) -> Self:
        """Those whose middles lie in a window."""
        x, y = self.middles.T
        across = (x >= window.x - 0.5) & (x < window.x_end - 0.5)
        return self[across & (y >= window.y - 0.5) & (y < window.y_end - 0.5)]

    def placed(self, window: Window) -> Objects:
        """Boxes told in units of a window's sides, 0 to 1, as boxes on its image."""
        corner = np.array([window.x, window.y] * 2) - 0.5
        sides = np.array([window.width, window.height] * 2)
        doubts = None if self.doubts is None else self.doubts.scaled(np.sqrt(np.prod(sides[:2])))
        return Objects(corner + self.boxes * sides, self.scores, self.classes, doubts=doubts)


def shared_areas(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) areas that boxes (N, 4) share with others (M, 4), px²."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared: NDArray[np.float64] = np.prod(np.maximum(high - low, 0.0), -1)
    return shared


def overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) areas that boxes (N, 4) share with others (M, 4), over the areas of either (IoU)."""
    shared = shared_areas(boxes, others)
    mine, theirs = (np.prod(each[:, 2:] - each[:, :2], 1) for each in (boxes, others))
    either = mine[:, None] + theirs - shared
    told: NDArray[np.float64] = np.divide(shared, either, np.zeros_like(shared), where=either > 0)
    return told
