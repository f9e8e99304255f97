"""Examples: a few validation stamps, what is true of them, and what a network says of them so far.

They are picked out of what validation answers anyway, so that they cost no time of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.bubblejudge import BoxBatch
from napari_astroseg.engine.events import ExamplesDone
from napari_astroseg.engine.objectjudge import ObjectBatch
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

_COUNT = 6
_SIDE = 64
"""No thumbnail is larger, px."""

_MOST_BOXES = 30
_SHOWN = 1.0, 99.5
"""Percentiles of a stamp that are drawn black and white."""

Planes = NDArray[np.float32]
Picture = NDArray[np.uint8]


class Example(NamedTuple):
    """One stamp as `ExamplesDone` holds it."""

    image: Picture
    truth: Picture
    answer: Picture


class Examples:
    """Picks stamps that show something, spread evenly over all that validate.

    Which ones depends on the stamps alone, so that they are the same after every epoch.

    Parameters
    ----------
    classes
        What is told apart.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._kept: list[Example] = []
        self._met, self._every = 0, 1

    def add(self, answer: Any, batch: Any) -> None:
        """Look at the answer to one batch of arrays."""
        for number in range(len(batch)):
            if not _shows(batch, number):
                continue
            if self._met % self._every == 0:
                self._keep(batch, answer[number], number)
            self._met += 1

    def after(self, epoch: int) -> Iterator[ExamplesDone]:
        """The stamps that were picked; nothing where none shows anything."""
        if not self._kept:
            return
        places = np.linspace(0, len(self._kept) - 1, min(_COUNT, len(self._kept)))
        chosen = [self._kept[round(place)] for place in places.tolist()]
        image, truth, answer = (np.stack(each) for each in zip(*chosen, strict=True))
        yield ExamplesDone(epoch, self._classes, image, truth, answer)

    def _keep(self, batch: Any, answer: Any, number: int) -> None:
        count = len(self._classes)
        self._kept.append(
            Example(
                _picture(batch.planes[number]),
                _truth(batch, number, count),
                _answer(answer, batch.planes.shape[-1], count),
            )
        )
        if len(self._kept) == 2 * _COUNT:  # twice as far apart from now on
            del self._kept[1::2]
            self._every *= 2


def _shows(batch: Any, number: int) -> bool:
    if isinstance(batch, PixelBatch):
        return bool((batch.target[number] * batch.weight[number]).any())
    return len(batch.boxes[number]) > 0


def _picture(planes: Planes) -> Picture:
    """Planes (bands, H, W) as a small picture in grey, or in the colours of the first three."""
    small = _small(planes)
    if len(small) == 2:
        small = np.stack((small[0], small.mean(0), small[1]))
    low, high = np.percentile(small, _SHOWN)
    grey = np.clip((small - low) / max(high - low, 1e-12), 0, 1)
    colours = grey[:3] if len(grey) > 2 else np.repeat(grey[:1], 3, axis=0)
    return _bytes(np.moveaxis(colours, 0, -1))


def _truth(batch: Any, number: int, count: int) -> Picture:
    """The classes of a stamp (count, height, width)."""
    side = batch.planes.shape[-1]
    if isinstance(batch, PixelBatch):
        target = batch.target[number, 0]
        each = [target == kind for kind in range(1, count + 1)] if count > 1 else [target > 0]
        return _bytes(_small(np.stack(each).astype(np.float32)))
    classes = batch.classes[number]
    if isinstance(batch, ObjectBatch):
        planes = np.zeros((count, side, side), np.float32)
        for mask, kind in zip(batch.masks[number], classes.tolist(), strict=True):
            planes[kind - 1][mask > 0] = 1
        return _bytes(_small(planes))
    assert isinstance(batch, BoxBatch)
    return _outlines(batch.boxes[number], np.ones(len(classes)), classes, side, count)


def _answer(answer: Any, side: int, count: int) -> Picture:
    """What a network says of a stamp (count, height, width)."""
    if isinstance(answer, Instances):
        window = Window(0, 0, side, side)
        planes = [answer[answer.classes == kind].labels(window)[1] for kind in range(1, count + 1)]
        return _bytes(_small(np.stack(planes)))
    if isinstance(answer, Objects):
        best = answer[np.argsort(-answer.scores)[:_MOST_BOXES]]
        return _outlines(best.boxes, best.scores, best.classes, side, count)
    return _bytes(_small(answer))


def _outlines(
    boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any], side: int, count: int
) -> Picture:
    """Edges of boxes told in units of the side, as bright as their scores."""
    small = side // _factor(side)
    planes = np.zeros((count, small, small), np.float32)
    edges = np.clip(np.round(np.asarray(boxes) * small - 0.5), 0, small - 1).astype(int)
    for (x, y, x_end, y_end), score, kind in zip(edges.tolist(), scores, classes, strict=True):
        plane = planes[int(kind) - 1]
        for edge in (
            plane[y, x : x_end + 1],
            plane[y_end, x : x_end + 1],
            plane[y : y_end + 1, x],
            plane[y : y_end + 1, x_end],
        ):
            np.maximum(edge, score, out=edge)
    return _bytes(planes)


def _factor(side: int) -> int:
    """Pixels of a stamp in one of its thumbnail, along a side."""
    return -(-side // _SIDE)


def _small(planes: NDArray[Any]) -> Planes:
    """Means of blocks of planes (…, H, W); a rest at the far edges is cut off."""
    factor = _factor(planes.shape[-1])
    rows, columns = (length // factor for length in planes.shape[-2:])
    cut = planes[..., : rows * factor, : columns * factor]
    blocks = cut.reshape(*planes.shape[:-2], rows, factor, columns, factor)
    means: Planes = blocks.mean((-3, -1), dtype=np.float32)
    return means


def _bytes(values: NDArray[Any]) -> Picture:
    """Values from 0 to 1 as bytes."""
    return np.round(255 * values).astype(np.uint8)
