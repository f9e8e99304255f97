"""PixelJudge: masks judged pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.loader import Judge
from napari_astroseg.engine.metrics import PixelCounts

Figures = dict[str, float]


class PixelJudge(Judge):
    """Counts of all validation pixels together, and the figures that `of` makes of them."""

    def __init__(self, of: Callable[[PixelCounts], Figures]) -> None:
        self.counts = PixelCounts()
        self._of = of

    def add(self, answer: Any, batch: PixelBatch) -> None:
        """Count probabilities (N, 1, side, side) against a batch of arrays."""
        self.counts.add(answer, batch.target > 0, batch.weight > 0)

    def figures(self) -> Figures:
        """The figures of what was counted."""
        return self._of(self.counts)
