"""Orders: in which order detections are judged.

`list` as in their file; `score` and `uncertainty` the highest first; `novelty` the farthest from
anything known first; `sky` neighbour after neighbour along a Hilbert curve; `random` by a seed;
`useful` what a model would learn most from: unsure, and unlike what has been judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections

Order = Literal["list", "score", "uncertainty", "novelty", "sky", "random", "useful"]
Rows = NDArray[np.int64]
Doubles = NDArray[np.float64]

ORDERS: tuple[Order, ...] = get_args(Order)

_CANDIDATES = 20_000
_GREEDY = 500
"""Of the most unsure, so many are chosen one by one; the rest follow by how unsure they are."""
_BITS = 16


@dataclass(frozen=True, eq=False)
class Known:
    """What an order may depend on besides the detections.

    Parameters
    ----------
    reference
        What is known already, for `novelty`.
    judged
        Rows that have a verdict, for `useful`.
    seed
        For `random`.
    """

    reference: Detections | None = None
    judged: Sequence[int] = ()
    seed: int = 0


def ordered(detections: Detections, order: Order, known: Known | None = None) -> Rows:
    """All rows (N,), in an order; among equals as in the file, unknown values last.

    Raises
    ------
    VettingError
        When the order is none, or wants what is not known.
    """
    if order not in ORDERS:
        raise VettingError(f"{order!r} is no order; use one of {', '.join(ORDERS)}")
    return _WAYS[order](detections, known or Known())


def ambiguity(detections: Detections) -> Doubles:
    """How unsure the model is of each: its own word, or how near the score is to one half.

    Raises
    ------
    VettingError
        When there is neither.
    """
    if np.isfinite(detections.uncertainty).any():
        return detections.uncertainty
    score = _required(detections.score, "uncertainties or scores", detections)
    return 1.0 - np.abs(2.0 * np.clip(score, 0.0, 1.0) - 1.0)


def nearest_known(detections: Detections, reference: Detections | None) -> tuple[Rows, Doubles]:
    """(N,) each: row of the nearest known object, and arcsec to it.

    Raises
    ------
    VettingError
        When there is no reference, or no positions on the sky.
    """
    if reference is None:
        raise VettingError("what is new is held against a catalogue of what is known; give one")
    if not len(reference):
        return np.zeros(len(detections), np.int64), np.full(len(detections), np.inf)
    nearest, separation, _ = detections.position.match_to_catalog_sky(reference.position)
    return np.asarray(nearest), np.asarray(separation.to_value(u.arcsec), np.float64)


def distances(detections: Detections, reference: Detections | None) -> Doubles:
    """(N,): arcsec to the nearest known object.

    Raises
    ------
    VettingError
        When there is no reference, or no positions on the sky.
    """
    return nearest_known(detections, reference)[1]


def novelty(detections: Detections, reference: Detections | None) -> Doubles:
    """Distance to the nearest known object, in units of the larger radius of the two where known.

    Raises
    ------
    VettingError
        When there is no reference, or no positions on the sky.
    """
    nearest, distance = nearest_known(detections, reference)
    if reference is None or not len(reference):
        return distance
    if detections.unit != "arcsec" or reference.unit != "arcsec":
        return distance
    reach = np.fmax(detections.radius, reference.radius[nearest])
    return distance / reach if np.isfinite(reach).all() and (reach > 0).all() else distance


def _required(values: Doubles, what: str, detections: Detections) -> Doubles:
    if not np.isfinite(values).any():
        raise VettingError(
            f"{detections.source or 'the list'} tells no {what}; choose another order"
        )
    return values


def _highest_first(values: Doubles) -> Rows:
    return np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")


def _places(detections: Detections) -> tuple[Doubles, Doubles]:
    """Two coordinates in which neighbours are near: longitudes unrolled around their middle."""
    if detections.frame is None:
        return detections.x, detections.y
    turn = np.radians(detections.lon)
    middle = np.degrees(np.arctan2(np.sin(turn).mean(), np.cos(turn).mean()))
    offset = (detections.lon - middle + 180.0) % 360.0 - 180.0
    return offset * np.cos(np.radians(np.median(detections.lat))), detections.lat


def _along_hilbert(x: Doubles, y: Doubles) -> Rows:
    """How far along Hilbert's curve each place lies (Skilling 2004, in two dimensions)."""
    low = np.array([x.min(), y.min()])
    span = max(float(np.ptp(x)), float(np.ptp(y))) or 1.0
    most = 2**_BITS - 1
    across = ((x - low[0]) / span * most).astype(np.int64)
    along = ((y - low[1]) / span * most).astype(np.int64)
    distance = np.zeros(len(x), np.int64)
    side = 2 ** (_BITS - 1)
    while side:
        right, upper = (across & side) > 0, (along & side) > 0
        distance += side * side * ((3 * right) ^ upper)
        flip = ~upper & right
        across, along = np.where(flip, most - across, across), np.where(flip, most - along, along)
        across, along = np.where(upper, across, along), np.where(upper, along, across)
        side //= 2
    return distance


def _useful(detections: Detections, judged: Sequence[int]) -> Rows:
    """Greedily: the largest product of how unsure it is and how far from all chosen and judged."""
    unsure = np.nan_to_num(ambiguity(detections))
    by_doubt = _highest_first(unsure)
    candidates = by_doubt[:_CANDIDATES]
    features = _features(detections)
    own, doubt = features[candidates], unsure[candidates]
    distance = np.full(len(candidates), np.inf)
    for row in list(judged)[-_GREEDY:]:
        np.minimum(distance, np.linalg.norm(own - features[row], axis=1), out=distance)
    chosen: list[int] = []
    left = np.ones(len(candidates), bool)
    left[np.isin(candidates, np.asarray(judged, np.int64))] = False
    while left.any() and len(chosen) < _GREEDY:
        worth = np.where(left, doubt * np.minimum(distance, 1e9), -1.0)
        best = int(np.argmax(worth))
        chosen.append(best)
        left[best] = False
        np.minimum(distance, np.linalg.norm(own - own[best], axis=1), out=distance)
    first = candidates[chosen]
    rest = by_doubt[~np.isin(by_doubt, first)]
    return np.concatenate((first, rest))


def _features(detections: Detections) -> Doubles:
    """(N, F): score, size and place of each as ranks from 0 to 1, so that none outweighs others."""
    known: list[NDArray[Any]] = [detections.score, detections.radius, *_places(detections)]
    ranks = [
        np.argsort(np.argsort(np.nan_to_num(values), kind="stable")) / max(1, len(values) - 1)
        for values in known
        if np.isfinite(values).any()
    ]
    kinds = np.unique(detections.kinds, return_inverse=True)[1]
    return np.column_stack([*ranks, kinds / max(1, kinds.max(initial=0))])


def _by_score(detections: Detections, _known: Known) -> Rows:
    return _highest_first(_required(detections.score, "scores", detections))


def _at_random(detections: Detections, known: Known) -> Rows:
    return np.random.default_rng(known.seed).permutation(len(detections))


_WAYS: Mapping[Order, Callable[[Detections, Known], Rows]] = {
    "list": lambda detections, _: np.arange(len(detections)),
    "score": _by_score,
    "uncertainty": lambda detections, _: _highest_first(ambiguity(detections)),
    "novelty": lambda detections, known: _highest_first(novelty(detections, known.reference)),
    "sky": lambda detections, _: np.argsort(_along_hilbert(*_places(detections)), kind="stable"),
    "random": _at_random,
    "useful": lambda detections, known: _useful(detections, known.judged),
}
