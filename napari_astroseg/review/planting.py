"""Planting: known objects among the others, to measure who finds what is there.

Real ones are objects whose signal was put into the image that is judged, false ones places where
nothing is. In a queue they look like the others: what is not known of them (a score, a size) is
drawn from the list's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.entry import ACCEPTED
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.store import Known

Doubles = NDArray[np.float64]
_TRIES = 20
"""To find a name before a longer one is taken."""


@dataclass(frozen=True)
class Skill:
    """What a vetter made of those of which it is known what they are.

    Parameters
    ----------
    real, accepted
        Real ones that were judged, and those of them that were accepted.
    false, fooled
        False ones that were judged, and those of them that were accepted.
    """

    real: int
    accepted: int
    false: int
    fooled: int

    @property
    def completeness(self) -> float:
        """Share of the real ones that was accepted; NaN where none was judged."""
        return self.accepted / self.real if self.real else float("nan")

    @property
    def false_alarms(self) -> float:
        """Share of the false ones that was accepted; NaN where none was judged."""
        return self.fooled / self.false if self.false else float("nan")


def disguised(planted: Detections, among: Detections, seed: int = 0) -> Detections:
    """Known objects that look like those of a list: names tell nothing, and no value is missing.

    Raises
    ------
    VettingError
        When their positions are in other terms than the list's.
    """
    if planted.frame != among.frame:
        raise VettingError(
            f"planted objects are placed in {planted.frame or 'pixels'}, and the list in "
            f"{among.frame or 'pixels'}; give both in one frame"
        )
    # The same objects in the same list get the same names, whoever plants them.
    told = f"{seed} {among.digest} {planted.digest}".encode()
    rng = np.random.default_rng(list(hashlib.sha256(told).digest()))
    rows = rng.integers(0, len(among), len(planted))
    filled: dict[str, Any] = {}
    for name in ("radius", "score", "uncertainty"):
        own, other = getattr(planted, name), getattr(among, name)[rows]
        usable = name != "radius" or planted.unit == among.unit
        # What nobody else has would give them away.
        values = np.where(np.isnan(own), other, own) if usable else other
        known_here = np.isfinite(getattr(among, name)).any()
        filled[name] = np.where(known_here, values, np.nan)
    known = set(among.kinds)
    kinds = tuple(
        kind if kind in known else among.kinds[row]
        for kind, row in zip(planted.kinds, rows.tolist(), strict=True)
    )
    taken = set(among.names)
    names = tuple(_alike(among.names[row], taken, rng) for row in rows.tolist())
    return replace(planted, names=names, kinds=kinds, unit=among.unit, **filled)


def _alike(name: str, taken: set[str], rng: np.random.Generator) -> str:
    """A name like another, with other digits; from now on it is taken."""
    for tried in count(1):
        made = "".join(str(rng.integers(10)) if each.isdecimal() else each for each in name)
        if made not in taken:
            break
        if tried % _TRIES == 0:
            name += "0"  # there are hardly any more names as short, and a longer one stands out
    taken.add(made)
    return made


def redisguised(detections: Detections, known: Sequence[Known], seed: int = 0) -> Detections:
    """A list with new scores, of which planted ones get some of the others', as they had before."""
    planted = np.array([bool(each) for each in known], bool)
    own = np.flatnonzero(~planted)
    if not planted.any() or not len(own):
        return detections
    rows = np.arange(len(planted))
    rows[planted] = np.random.default_rng(seed).choice(own, int(planted.sum()))
    score, uncertainty = detections.score[rows], detections.uncertainty[rows]
    return replace(detections, score=score, uncertainty=uncertainty)


def scattered(rows: NDArray[np.int64], known: Sequence[Known], seed: int = 0) -> NDArray[np.int64]:
    """Rows in their order, but for planted ones, which come anywhere among the others."""
    if not any(known):
        return rows
    planted = np.array([bool(known[row]) for row in rows.tolist()], bool)
    place = np.arange(len(rows), dtype=np.float64)
    place[planted] = np.random.default_rng(seed).uniform(0, len(rows), int(planted.sum()))
    return rows[np.argsort(place, kind="stable")]


def skill(standing: Standing, names: Sequence[str], known: Sequence[Known]) -> Skill:
    """What stands of one vetter, held against what is known of each detection."""
    counts = {"real": [0, 0], "not": [0, 0]}
    for name, truth in zip(names, known, strict=True):
        given = standing.of(name) if truth else None
        if given is not None and given.verdict not in ("unsure", "duplicate"):
            counts[truth][0] += 1
            counts[truth][1] += given.verdict in ACCEPTED
    return Skill(*counts["real"], *counts["not"])
