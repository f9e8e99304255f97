"""BubbleJudge: what was found in windows of whole tiles, held against their catalogue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import Batch
from napari_astroseg.engine.loader import Judge
from napari_astroseg.engine.matches import Matches
from napari_astroseg.engine.nets.boxes import strongest
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window


@dataclass(frozen=True)
class BoxBatch(Batch):
    """Crops with the objects in them.

    Parameters
    ----------
    boxes, classes
        Of each of N crops the (M, 4) boxes of its objects, float32 in units of its side, and the
        (M,) classes, from 1.
    weight
        (N,) float32, how much each crop counts.
    places
        (N, 4) which tile each is of, and its window there: x, y, side, px.
    """

    boxes: Any
    classes: Any
    weight: Any
    places: Any


class BubbleJudge(Judge):
    """Gathers the objects of each tile.

    Parameters
    ----------
    boxes
        Of each tile, by its number, the boxes (M, 4) of its bubbles, px.
    overlap
        From which the weaker of two boxes of a tile is dropped.
    """

    def __init__(self, boxes: dict[int, NDArray[np.float64]], overlap: float) -> None:
        self._boxes, self._overlap = boxes, overlap
        self._found: dict[int, list[Objects]] = defaultdict(list)

    def add(self, answer: list[Objects], batch: BoxBatch) -> None:
        """Take in the objects of each crop of a batch of arrays."""
        for objects, (tile, x, y, side) in zip(answer, batch.places.tolist(), strict=True):
            self._found[tile].append(objects.placed(Window(x, y, side, side)))

    def matches(self) -> Matches:
        """All that was found, and the bubbles of all tiles."""
        return Matches.joined(
            Matches.of(strongest(Objects.joined(self._found[tile]), self._overlap), boxes, tile)
            for tile, boxes in self._boxes.items()
        )

    def figures(self) -> dict[str, float]:
        """F2 at the best score cut, what it is made of, and the cut."""
        matches = self.matches()
        cut = matches.best_cut()
        told = matches.figures(cut)
        return {
            "f2": told["f2"],
            "precision": float(np.nan_to_num(told["precision"])),
            "recall": told["recall"],
            "threshold": cut,
        }
