"""Objectsfound: what a model has found so far, and which of it a cut leaves."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.gui.predicting.extramaps import LARGEST
from napari_astroseg.gui.predicting.objectfills import Pixels
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

NEW, OLD = "new", "known"


@dataclass(frozen=True, eq=False)
class Found:
    """What was found so far, and what is worked out of it once.

    Parameters
    ----------
    areas
        (N,) pixels of each object, or of its box where it has no mask.
    pixels
        Of the masks; None of objects without.
    cost_s
        How long that took.
    known
        (N,) which of them were known before; None where nobody says.
    shown
        Whether only those that are `NEW`, or `OLD`, are kept; all with "".
    """

    objects: Objects
    areas: NDArray[np.float64]
    pixels: Pixels | None = None
    cost_s: float = 0.0
    known: NDArray[np.bool_] | None = None
    shown: str = ""

    @classmethod
    def of(cls, objects: Objects, window: Window) -> Found:
        """Slow where there are many masks."""
        begun = time.perf_counter()
        if isinstance(objects, Instances):
            told = objects.areas.astype(np.float64), Pixels.of(objects, window)
            return cls(objects, *told, time.perf_counter() - begun)
        return cls(objects, np.prod(objects.boxes[:, 2:] - objects.boxes[:, :2], 1))

    def kept(self, cut: Cut) -> NDArray[np.bool_]:
        """(N,) which of them a cut leaves."""
        kept = (self.objects.scores >= cut.threshold) & (self.areas >= cut.min_area_px)
        doubts = self.objects.doubts
        if doubts is not None and cut.most_unsure < LARGEST:
            kept &= doubts.score <= cut.most_unsure
        if self.known is not None and self.shown:
            kept &= self.known if self.shown == OLD else ~self.known
        return kept
