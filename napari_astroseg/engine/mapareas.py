"""Map areas: what is counted of a map's probabilities, area of sky by area of sky.

Areas are what errors are drawn from, and what is left out of where a model has learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.engine.metrics import BINS, PixelCounts
from napari_astroseg.sky.structures import EIGHT, label_structures

PAPER_THRESHOLDS = (0.2, 0.4, 0.6, 0.8)

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Where the curves of figures over thresholds are told."""

AREA_PX = 64
"""Side of the sky areas drawn, pixels: wider than the structures are long, mostly."""

PART_AREAS = 8
"""Areas along the side of a part of a map that is told by itself, among the worst."""

OVER_THRESHOLDS = ("dice", "recovery", "background_recovery", "missed", "new")

Mask = NDArray[np.bool_]
Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Areas:
    """What is counted in each of N areas of sky; sums over areas are counts of all of them.

    Parameters
    ----------
    pixels
        (N, 2, 1001): pixels on and off target by probability, see `PixelCounts`.
    structures
        (N, T, 4): at each threshold, true structures, those missed, found ones, and new ones; of
        the structures whose middle lies in the area.
    parts
        (N,) number of the part of a map that each is in.
    """

    pixels: NDArray[np.int64]
    structures: Counts
    parts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        probability: NDArray[np.float32],
        maps: tuple[Mask, Mask, Mask],
        own_threshold: float,
        least_px: int,
    ) -> Areas:
        """Those of one map (H, W), in rows from its first pixel.

        Parameters
        ----------
        probability
            Of a structure; NaN where missing.
        maps
            The structures; where pixels count; where structures do, by their middles' areas.
        own_threshold, least_px
            The model's own threshold, and how many pixels make a structure that is found.
        """
        truth, counted, unseen = maps
        rows, columns = (-(-side // AREA_PX) for side in truth.shape)
        known = counted & np.isfinite(probability)
        pixels = np.zeros((rows * columns, 2, BINS + 1), np.int64)
        for number, (row, column) in enumerate(product(range(rows), range(columns))):
            here = tuple(slice(AREA_PX * at, AREA_PX * (at + 1)) for at in (row, column))
            area = PixelCounts()
            area.add(probability[here], truth[here], known[here])
            pixels[number] = area.on, area.off
        # Structures are counted as a prediction leaves them, cleaned; pixels as they are.
        levels = (*THRESHOLDS, own_threshold)
        structures = np.zeros((rows * columns, len(levels), 4))
        true, seen = ndimage.label(truth, EIGHT)[0], _areas_with(unseen)
        for level, threshold in enumerate(levels):
            found = label_structures(probability, threshold, least_px)
            structures[:, level, :2] = _untouched(true, found > 0, seen)
            structures[:, level, 2:] = _untouched(found, truth, seen)
        down, right = np.divmod(np.arange(rows * columns), columns)
        parts = (down // PART_AREAS) * -(-columns // PART_AREAS) + right // PART_AREAS
        kept = (pixels.sum((1, 2)) > 0) | (structures.sum((1, 2)) > 0)
        return cls(pixels[kept], structures[kept], parts[kept])

    @classmethod
    def joined(cls, each: Sequence[Areas]) -> Areas:
        """Those of several maps, whose parts have numbers of their own."""
        fields = zip(*(vars(areas).values() for areas in each), strict=True)
        return cls(*map(np.concatenate, fields))

    def summed(self, weight: Counts) -> list[Sum]:
        """All areas together, each taken so many times: one sum for each row of (draws, N)."""
        flat = self.pixels.reshape(len(self.pixels), -1).astype(np.float64)
        pixels = np.rint(weight @ flat).astype(np.int64).reshape(len(weight), 2, -1)
        structures = np.tensordot(weight, self.structures, 1)
        return [
            Sum(PixelCounts(on, off), counts)
            for (on, off), counts in zip(pixels, structures, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Sum:
    """Counts of many areas together: of pixels, and (T, 4) of structures at each threshold."""

    pixels: PixelCounts
    structures: Counts

    def missed(self, level: int) -> float:
        """Fraction of true structures that nothing found touches, at a threshold by its number."""
        true, missed = self.structures[level, :2]
        return float(missed / true) if true else float("nan")

    def new(self, level: int) -> float:
        """Fraction of found structures that touch no true one."""
        found, new = self.structures[level, 2:]
        return float(new / found) if found else float("nan")

    def figures(self, threshold: float, level: int) -> dict[str, float]:
        """The figures at one threshold, whose structures have the number `level`."""
        return {
            "dice": self.pixels.dice(threshold),
            "recovery": self.pixels.recovery(threshold),
            "background_recovery": self.pixels.background_recovery(threshold),
            "missed": self.missed(level),
            "new": self.new(level),
        }

    def all_figures(self, threshold: float) -> dict[str, float]:
        """Those at the model's own threshold, whose structures come last, and over all of them."""
        best_threshold, best = self.pixels.best()
        return {
            **self.figures(threshold, -1),
            **{f"dice_{each}": self.pixels.dice(each) for each in PAPER_THRESHOLDS},
            "dice_best": best,
            "threshold_best": best_threshold,
            "average_precision": self.pixels.average_precision(),
            "roc_auc": self.pixels.roc_auc(),
        }

    def curves(self) -> Counts:
        """(5, 9) the figures of `OVER_THRESHOLDS` at each of `THRESHOLDS`."""
        told = [self.figures(threshold, level) for level, threshold in enumerate(THRESHOLDS)]
        return np.array([[each[name] for each in told] for name in OVER_THRESHOLDS])


def _areas_with(counted: Mask) -> Mask:
    """Which areas, in order, hold a pixel that counts."""
    rows, columns = (np.arange(0, side, AREA_PX) for side in counted.shape)
    pixels = np.add.reduceat(np.add.reduceat(counted, rows, 0, dtype=np.int64), columns, 1)
    return np.asarray(pixels.ravel() > 0)


def _untouched(labels: NDArray[Any], mask: Mask, seen: Mask) -> Counts:
    """Structures by the area of their middle, and those of them that a mask does not touch.

    (areas, 2); none of areas of which nothing is seen.
    """
    count = int(labels.max(initial=0))
    numbers = np.arange(1, count + 1)
    middles = np.array(ndimage.center_of_mass(labels > 0, labels, numbers)).reshape(-1, 2)
    columns = -(-labels.shape[1] // AREA_PX)
    row, column = (np.rint(middles).astype(np.int64) // AREA_PX).T
    area = row * columns + column
    free = np.ones(count + 1, bool)
    free[np.unique(labels[mask])] = False
    told = [np.bincount(area[which], minlength=len(seen)) for which in (slice(None), free[1:])]
    return np.stack(told, 1) * seen[:, None].astype(float)
