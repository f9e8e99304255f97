"""k-means: crops parted into classes by their features, the same under the same seed.

Centres start as k-means++ spreads them, several times over; the parting with the least sum of
squares is taken. Classes are numbered by their size, the largest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import ClusterError, kmeans2

from napari_astroseg.errors import DataError
from napari_astroseg.sky.clusters.features import Features, standardised

CLASSES = 9
"""Eight to ten are usual (Nishimoto+2025)."""

STARTS = 8
_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Classes:
    """Crops in classes.

    Parameters
    ----------
    labels
        (N,) the class of each crop, 0 the largest.
    centres
        (classes, F), of standardised features.
    distances
        (N,) of each crop from the centre of its class.
    """

    labels: NDArray[np.intp]
    centres: Features
    distances: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of classes."""
        return len(self.centres)

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """(classes,) how many crops each has."""
        return np.bincount(self.labels, minlength=len(self))

    def members(self, number: int) -> NDArray[np.intp]:
        """The crops of a class, those nearest to its centre first."""
        own = np.flatnonzero(self.labels == number)
        return own[np.argsort(self.distances[own], kind="stable")]


def clustered(
    values: Features, classes: int = CLASSES, seed: int = 0, starts: int = STARTS
) -> Classes:
    """Crops parted into classes by their features (N, F), of whatever kind.

    Raises
    ------
    DataError
        When a feature is no number, there are fewer crops than classes, or a class stays empty.
    """
    given = np.asarray(values, np.float64)
    _require_sense(given, classes)
    points = standardised(given)
    best: tuple[float, Features, NDArray[np.intp]] | None = None
    for rng in np.random.default_rng(seed).spawn(starts):
        try:
            centres, labels = kmeans2(
                points, _spread_out(points, classes, rng), _ROUNDS, minit="matrix", missing="raise"
            )
        except ClusterError:  # a class lost its last crop: the next start may do better
            continue
        if len(np.unique(labels)) < classes:
            continue
        cost = float(((points - centres[labels]) ** 2).sum())
        if best is None or cost < best[0]:
            best = cost, centres, labels
    if best is None:
        raise DataError(
            f"a class stays empty when {len(points):,} crops are parted into {classes}; ask for "
            "fewer classes, or draw more crops"
        )
    return _numbered(points, *best[1:])


def _require_sense(values: Features, classes: int) -> None:
    if values.ndim != 2 or not values.shape[1]:
        raise DataError(
            f"features of the shape {values.shape} tell nothing of crops; give (crops, features)"
        )
    if classes < 2:
        raise DataError(f"{classes} classes part nothing; ask for two at least")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
        raise DataError(f"a feature of crop {row} is no number; leave that crop out")
    if len(values) < classes:
        raise DataError(
            f"{len(values):,} crops cannot fill {classes} classes; draw more crops, or ask for "
            "fewer classes"
        )
    distinct = len(np.unique(values, axis=0))
    if distinct < classes:
        raise DataError(
            f"only {distinct:,} of {len(values):,} crops differ, too few for {classes} classes; "
            "draw more crops, or ask for fewer classes"
        )


def _spread_out(points: Features, classes: int, rng: np.random.Generator) -> Features:
    """Centres to start from: each a crop drawn by its squared distance from those before."""
    chosen = [int(rng.integers(len(points)))]
    away = ((points - points[chosen[0]]) ** 2).sum(1)
    while len(chosen) < classes:
        total = away.sum()
        chance = away / total if total > 0 else None
        chosen.append(int(rng.choice(len(points), p=chance)))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(1))
    return points[chosen]


def _numbered(points: Features, centres: Features, labels: NDArray[np.intp]) -> Classes:
    """Classes by their size; of the same size, by their first crop."""
    sizes = np.bincount(labels, minlength=len(centres))
    first = [int(np.flatnonzero(labels == n)[0]) for n in range(len(centres))]
    order = sorted(range(len(centres)), key=lambda n: (-sizes[n], first[n]))
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    own = place[labels]
    distances = np.sqrt(((points - centres[labels]) ** 2).sum(1))
    return Classes(own, centres[order], distances)
