"""Matches: bubbles of a catalogue and detections of them, and what share is found.

A bubble is recovered where a detection shares a third of the catalogue's box (Nishimoto+2025).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.objects import Objects, shared_areas

CUTS = np.arange(50, 96) / 100
"""Score cuts among which the best one is looked for."""

_SHARED = 1 / 3
_AREA_PX = 512
"""Side of the sky areas drawn: wider than most bubbles."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matches:
    """M bubbles of a catalogue and N detections, matched.

    Parameters
    ----------
    best
        (M,) score of the strongest detection that recovers each bubble; 0 where none does.
    scores, known
        (N,) the score of each detection, and whether it recovers any bubble.
    areas, places
        (M,) and (N,) which area of sky each bubble, and each detection, is in.
    """

    best: Numbers
    scores: Numbers
    known: NDArray[np.bool_]
    areas: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, objects: Objects, boxes: Numbers, tile: int = 0) -> Matches:
        """Detections on one tile against the boxes (M, 4) of its bubbles."""
        size = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
        enough = shared_areas(objects.boxes, boxes) >= _SHARED * size
        best = np.where(enough, objects.scores[:, None], 0.0).max(0, initial=0.0)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        return cls(
            best,
            objects.scores,
            enough.any(1),
            _areas(middles, tile),
            _areas(objects.middles, tile),
        )

    @classmethod
    def joined(cls, parts: Iterable[Matches]) -> Matches:
        """Those of several tiles."""
        fields = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, fields))

    def figures(self, cut: float) -> dict[str, float]:
        """F2 and what it is made of, of detections from a score cut up."""
        recovered = float((self.best >= cut).sum())
        new = float((~self.known & (self.scores >= cut)).sum())
        told = recovered + new
        precision = recovered / told if told else float("nan")
        recall = recovered / len(self.best) if len(self.best) else float("nan")
        return {
            "f2": f2(precision, recall),
            "precision": precision,
            "recall": recall,
            "detections": float((self.scores >= cut).sum()),
            "new": new,
        }

    def best_cut(self) -> float:
        """The cut of `CUTS` of highest F2; the lowest of equal ones."""
        return float(CUTS[np.nanargmax([self.figures(cut)["f2"] for cut in CUTS])])

    def drawn(self, rng: np.random.Generator) -> Matches:
        """What would be there, were the sky made of other areas like these."""
        every = np.union1d(self.areas, self.places)
        drawn = rng.choice(every, len(every))
        bubbles, found = (_members(own, every, drawn) for own in (self.areas, self.places))
        return Matches(
            self.best[bubbles],
            self.scores[found],
            self.known[found],
            self.areas[bubbles],
            self.places[found],
        )


def f2(precision: float, recall: float) -> float:
    """5PR / (4P + R): recall counts for more; 0 where nothing is recovered."""
    if not (np.isfinite(precision) and np.isfinite(recall)):
        return 0.0 if np.isfinite(recall) else float("nan")
    below = 4 * precision + recall
    return 5 * precision * recall / below if below else 0.0


def _areas(middles: Numbers, tile: int) -> NDArray[np.int64]:
    """A number for the area of sky that each place (N, 2) of a tile is in."""
    cells = np.floor(middles / _AREA_PX).astype(np.int64) + 1
    return (tile << 40) + (cells[:, 1] << 20) + cells[:, 0]


def _members(
    own: NDArray[np.int64], every: NDArray[np.int64], drawn: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Numbers of what lies in the drawn areas, as often as these were drawn."""
    times = np.bincount(np.searchsorted(every, drawn), minlength=len(every))
    return np.repeat(np.arange(len(own)), times[np.searchsorted(every, own)])
