"""Object matches: objects found and objects that are there, and the precision of what is found.

An object found is right where its pixels and those of an object of its class, not yet found by a
stronger one, share enough of what either has (IoU). From that follow, as Everingham+2010 and
Lin+2014 define them, curves of precision against recall and the area below, the average precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.instances import Footprint, Instances, mask_overlaps

IOUS = np.arange(50, 100, 5) / 100
"""Overlaps from which an object counts as found: 0.50 (0.05) 0.95."""

CUTS = np.arange(5, 100, 5) / 100
"""Score cuts among which the best one is looked for."""

RECALLS = np.linspace(0, 1, 101)
"""Where curves are told."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matches:
    """N objects found of one class on any number of images, and M that are there.

    Parameters
    ----------
    scores
        (N,) how sure the network is of each.
    right
        (10, N) whether it is right, at each overlap of `IOUS`.
    overlaps
        (N,) what it shares with the one it found, at 0.50; 0 where it found none.
    count
        M.
    """

    scores: Numbers
    right: NDArray[np.bool_]
    overlaps: Numbers
    count: int

    @classmethod
    def of(cls, scores: Numbers, overlaps: Numbers) -> Matches:
        """Those of one image, from the overlap (N, M) of each found with each that is there."""
        order = np.argsort(-scores, kind="stable")
        right = np.zeros((len(IOUS), len(scores)), bool)
        shared = np.zeros(len(scores))
        for level, least in enumerate(IOUS):
            free = np.ones(overlaps.shape[1], bool)
            for n in order.tolist():
                left = np.where(free, overlaps[n], 0.0)
                best = int(left.argmax()) if len(left) else -1
                if best >= 0 and left[best] >= least:
                    free[best] = False
                    right[level, n] = True
                    if not level:
                        shared[n] = left[best]
        return cls(scores, right, shared, overlaps.shape[1])

    @classmethod
    def joined(cls, parts: Iterable[Matches]) -> Matches:
        """Those of several images."""
        each = [cls(np.zeros(0), np.zeros((len(IOUS), 0), bool), np.zeros(0), 0), *parts]
        return cls(
            np.concatenate([part.scores for part in each]),
            np.concatenate([part.right for part in each], 1),
            np.concatenate([part.overlaps for part in each]),
            sum(part.count for part in each),
        )

    def curve(self, level: int = 0) -> tuple[Numbers, Numbers]:
        """Recall and precision (N,) of the strongest 1 … N, at an overlap by its number."""
        right = self.right[level, np.argsort(-self.scores, kind="stable")]
        found = np.cumsum(right)
        return found / max(self.count, 1), found / np.arange(1, len(right) + 1)

    def best_precision(self, level: int = 0) -> Numbers:
        """(101,) the best precision at each recall of `RECALLS` or above; 0 where none is."""
        recall, precision = self.curve(level)
        first = np.searchsorted(recall, RECALLS - 1e-12)
        best = np.append(_best_onwards(precision), 0.0)
        return np.asarray(best[first], np.float64)

    def average_precision(self, level: int = 0) -> float:
        """Area below the curve, each precision the best at its recall or above; NaN without M."""
        if not self.count:
            return float("nan")
        recall, precision = self.curve(level)
        steps = np.diff(recall, prepend=0.0)
        return float((steps * _best_onwards(precision)).sum())

    def precisions(self) -> Numbers:
        """(10,) average precision at each overlap of `IOUS`; NaN without M."""
        return np.array([self.average_precision(level) for level in range(len(IOUS))])

    def figures(self, cut: float) -> dict[str, float]:
        """AP at 0.50 and over all overlaps; from a score cut up, what is found at 0.50."""
        every = self.precisions()
        told = self.scores >= cut
        right = told & self.right[0]
        found, claimed = int(right.sum()), int(told.sum())
        return {
            "ap50": float(every[0]),
            "ap": float(every.mean()),
            "precision": found / claimed if claimed else float("nan"),
            "recall": found / self.count if self.count else float("nan"),
            "mask_iou": float(self.overlaps[right].mean()) if found else float("nan"),
        }


def matched(
    found: Instances, truth: Sequence[Footprint], classes: NDArray[np.int64], kinds: int
) -> tuple[Matches, ...]:
    """Matches of each class on one image.

    Parameters
    ----------
    truth, classes
        The pixels of each object that is there, and its class, from 1 to `kinds`.
    """
    each = []
    for kind in range(1, kinds + 1):
        mine = found[found.classes == kind]
        theirs = [truth[n] for n in np.flatnonzero(classes == kind).tolist()]
        each.append(Matches.of(mine.scores, mask_overlaps(mine.masks, theirs)))
    return tuple(each)


def told_figures(matches: Sequence[Matches], kinds: Sequence[str], cut: float) -> dict[str, float]:
    """Figures of each class, as `ap50_star`, and their means over the classes that are there."""
    figures: dict[str, float] = {}
    of_kind = [each.figures(cut) for each in matches]
    for name in of_kind[0]:
        known = [each[name] for each in of_kind if np.isfinite(each[name])]
        figures[name] = float(np.mean(known)) if known else float("nan")
        figures |= {f"{name}_{kind}": each[name] for kind, each in zip(kinds, of_kind, strict=True)}
    return figures


def best_cut(matches: Sequence[Matches]) -> float:
    """The score cut of `CUTS` at which precision and recall at 0.50 have the best F1."""
    count = sum(each.count for each in matches)
    scores = np.concatenate([each.scores for each in matches])
    right = np.concatenate([each.right[0] for each in matches])
    told = [scores >= cut for cut in CUTS]
    hits = np.array([np.count_nonzero(right & up) for up in told])
    f1 = 2 * hits / np.maximum(np.array([np.count_nonzero(up) for up in told]) + count, 1)
    return float(CUTS[int(np.argmax(f1))])


def _best_onwards(precision: Numbers) -> Numbers:
    """The highest precision from each place on."""
    return np.asarray(np.maximum.accumulate(precision[::-1])[::-1], np.float64)
