"""ObjectJudge: objects found in validation crops, held against those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import Batch
from napari_astroseg.engine.loader import Judge
from napari_astroseg.engine.objectmatches import Matches, best_cut, matched, told_figures
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class ObjectBatch(Batch):
    """Crops with their objects.

    Parameters
    ----------
    boxes, classes, masks
        Of each of N crops the (M, 4) boxes of its objects, float32 px from the corner of the first
        pixel; the (M,) classes, from 1; the (M, side, side) masks, uint8.
    """

    boxes: Any
    classes: Any
    masks: Any


class ObjectJudge(Judge):
    """Gathers matches of each class.

    Parameters
    ----------
    kinds
        What the classes are called, from 1.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._each: list[tuple[Matches, ...]] = []

    def add(self, answer: list[Instances], batch: ObjectBatch) -> None:
        """Take in the objects of each crop of a batch of arrays."""
        crops = zip(answer, batch.boxes, batch.classes, batch.masks, strict=True)
        for found, boxes, classes, masks in crops:
            truth = [_footprint(*each) for each in zip(boxes, masks, strict=True)]
            self._each.append(matched(found, truth, classes, len(self._kinds)))

    def figures(self) -> dict[str, float]:
        """Average precision and what is found from the best score cut up; 0 where none is."""
        of_kind = [Matches.joined(parts) for parts in zip(*self._each, strict=True)]
        cut = best_cut(of_kind)
        told = told_figures(of_kind, self._kinds, cut)
        return {name: float(np.nan_to_num(value)) for name, value in told.items()} | {
            "threshold": cut
        }


def _footprint(box: NDArray[np.float32], mask: NDArray[np.uint8]) -> Footprint:
    x, y, x_end, y_end = (round(edge) for edge in box.tolist())
    window = Window(x, y, x_end - x, y_end - y)
    return Footprint(window, mask[window.slices] > 0)
