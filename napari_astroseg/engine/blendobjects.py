"""Blend objects: connected galaxies of a stamp, isolated or blended, found and true, held together.

An object is a connected region of pixels of any galaxy; it is blended where it holds a pixel of
overlap. Found and true objects belong together where they share a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.engine.blended import likeliest
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.datasets.blended import catalogue_of
from napari_astroseg.sky.datasets.truth import Item
from napari_astroseg.sky.structures import EIGHT, any_class, label_structures

KINDS = ("isolated", "blended")
_OVERLAP = 2
"""Number of the class of overlap."""

_COLUMNS = ("x", "y", "magnitude", "area")

Labels = NDArray[np.int32]
Rows = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Pair:
    """What belongs together: one true object, and all found ones that touch it.

    Parameters
    ----------
    kind
        Index into `KINDS` of the true one.
    detected, met
        Whether anything is found there, and whether it is of the same kind.
    iou
        Shared pixels over those in either: of the objects where isolated, of the overlap where
        blended. 0 where nothing is found.
    variance
        Mean over both objects of the samples' variance, of any galaxy where isolated, of overlap
        where blended.
    large
        Whether it has enough pixels to be counted.
    """

    kind: int
    detected: bool
    met: bool
    iou: float
    variance: float
    large: bool


@dataclass(frozen=True, eq=False)
class Objects:
    """All objects of a stamp.

    Parameters
    ----------
    true
        Numbers (H, W) of the true objects, whatever their size.
    pairs
        What belongs to each, in order.
    found
        For each kind, how many are found, how many of these touch a true one of that kind, and
        how many touch a true one of any.
    empty
        Whether there is no galaxy at all, and whether nothing is found then.
    """

    true: Labels
    pairs: tuple[Pair, ...]
    found: NDArray[np.float64]
    empty: tuple[bool, bool]

    @classmethod
    def of(
        cls,
        probability: NDArray[np.float32],
        variance: NDArray[np.float32],
        truth: NDArray[Any],
        threshold: float,
        least_px: int,
    ) -> Objects:
        """Those of one stamp.

        Parameters
        ----------
        probability
            (2, H, W): isolated, overlap.
        variance
            (3, H, W): of these and of any galaxy.
        truth
            (H, W): 0, 1, 2.
        threshold, least_px
            From which probability a pixel is of a galaxy, and how many make an object. True
            objects with fewer count neither as missed nor as found in vain.
        """
        true, count = ndimage.label(truth > 0, EIGHT, output=np.int32)
        galaxy = any_class(probability)
        labels = label_structures(galaxy, threshold, least_px)
        overlaps = (likeliest(probability) == _OVERLAP) & (labels > 0), truth == _OVERLAP
        pairs = [_pair(number, true, labels, overlaps, variance, least_px)
                 for number in range(1, count + 1)]  # fmt: skip
        found = np.zeros((len(KINDS), 3))
        for number in range(1, int(labels.max(initial=0)) + 1):
            mask = labels == number
            kind = int(overlaps[0][mask].any())
            touched = np.unique(true[mask])
            kinds = [pairs[each - 1].kind for each in touched if each]
            found[kind] += 1, bool(kinds) and max(kinds) == kind, bool(kinds)
        return cls(true, tuple(pairs), found, (not count, not count and not labels.any()))

    def counts(self) -> dict[str, NDArray[np.float64]]:
        """What adds up over stamps."""
        table = np.zeros((5, len(KINDS)))
        for pair in self.pairs:
            if pair.large:
                table[:, pair.kind] += 1, pair.detected, pair.met, pair.iou, pair.met * pair.iou
        true, detected, met, iou, iou_met = table
        found, right, real = self.found.T
        return {
            "true": true, "detected": detected, "met": met, "iou": iou, "iou_met": iou_met,
            "found": found, "right": right, "real": real,
            "empty": np.array(self.empty, np.float64),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Galaxies:
    """The galaxies of a catalogue in bins of magnitude.

    Parameters
    ----------
    sums
        (kinds, bins, 4): galaxies, detected ones, sums of the IoU and of the variance of these.
    """

    sums: NDArray[np.float64]

    @classmethod
    def of(cls, objects: Objects, catalogue: Rows, edges: NDArray[np.float64]) -> Galaxies:
        """Those whose centre lies on a true object of a stamp that is large enough."""
        sums = np.zeros((len(KINDS), max(len(edges) - 1, 0), 4))
        height, width = objects.true.shape
        places = zip(*(catalogue[name] for name in ("x", "y", "magnitude")), strict=True)
        for x, y, magnitude in places:
            column, row = round(float(x)), round(float(y))
            if not (0 <= column < width and 0 <= row < height and objects.true[row, column]):
                continue
            pair = objects.pairs[objects.true[row, column] - 1]
            if not pair.large:
                continue
            at = min(int(np.searchsorted(edges, magnitude, "right")) - 1, sums.shape[1] - 1)
            sums[pair.kind, at] += 1, pair.detected, pair.iou, pair.detected * pair.variance
        return cls(sums)


def catalogued(item: Item) -> Rows:
    """`x`, `y` in the stamp, `magnitude` and `area` of its galaxies; none without a catalogue."""
    path, number = catalogue_of(item)
    if not path.exists():
        return {name: np.zeros(0) for name in _COLUMNS}
    side = item.image.shape[0]
    every = _read(path, path.stat().st_mtime_ns)
    mine = every["stamp"] == number
    rows = {name: every[name][mine] for name in _COLUMNS}
    for name in ("x", "y"):
        rows[name] = rows[name] - np.floor((rows[name] + 0.5) / side) * side
    return rows


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int) -> Rows:
    """A catalogue's columns as plain numbers."""
    table = Catalogue.read(path).table
    return {
        name: np.asarray(getattr(table[name], "value", table[name]), np.float64)
        for name in ("stamp", *_COLUMNS)
    }


def _pair(
    number: int,
    true: Labels,
    labels: Labels,
    overlaps: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    variance: NDArray[np.float32],
    least_px: int,
) -> Pair:
    """What belongs to one true object."""
    mine = true == number
    touching = np.unique(labels[mine])
    theirs = np.isin(labels, touching[touching > 0])
    found_overlap, true_overlap = overlaps
    kind = int(true_overlap[mine].any())
    detected = bool(theirs.any())
    met = detected and bool(found_overlap[theirs].any()) == bool(kind)
    either = mine | theirs
    if kind:
        shared, whole = (
            found_overlap & true_overlap & either,
            (found_overlap | true_overlap) & either,
        )
    else:
        shared, whole = mine & theirs, either
    large = int(mine.sum()) >= least_px
    spread = variance[1 if kind else 2][either].mean()
    return Pair(kind, detected, met, float(shared.sum() / whole.sum()), float(spread), large)
