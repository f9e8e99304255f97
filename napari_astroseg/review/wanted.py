"""Wanted: which detections are judged at all, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.orders import distances
from napari_astroseg.review.region import Region
from napari_astroseg.review.standing import Standing

Mask = NDArray[np.bool_]

UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Filter:
    """What a queue holds.

    Parameters
    ----------
    scores, radii
        From and up to, where they are known; what has none passes.
    kinds
        What it is taken for; () for any.
    verdicts
        Which verdicts of the vetter's own, or `unjudged`; () for any.
    tags
        A detection whose verdict has any of them; () for all.
    novelty
        Whether what the catalogue of known objects holds passes, or what it does not; "" for both.
    within_arcsec
        How near is the same object.
    region
        In which they lie; None for anywhere.

    Raises
    ------
    VettingError
        When bounds leave nothing.
    """

    scores: tuple[float, float] = (-np.inf, np.inf)
    radii: tuple[float, float] = (0.0, np.inf)
    kinds: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    novelty: Literal["", "known", "new"] = ""
    within_arcsec: float = 60.0
    region: Region | None = None

    def __post_init__(self) -> None:
        for what, (low, high) in (("score", self.scores), ("radius", self.radii)):
            if low > high:
                raise VettingError(f"no {what} is from {low:g} to {high:g}; turn the two round")

    def mask(
        self, detections: Detections, standing: Standing, reference: Detections | None = None
    ) -> Mask:
        """(N,): which pass.

        Parameters
        ----------
        reference
            What is known already, for `novelty`.

        Raises
        ------
        VettingError
            When `novelty` or `region` wants what is not there.
        """
        passes = _within(detections.score, self.scores) & _within(detections.radius, self.radii)
        if self.kinds:
            passes &= np.isin(detections.kinds, self.kinds)
        if self.verdicts or self.tags:
            passes &= np.array([self._judged_so(standing, name) for name in detections.names], bool)
        if self.region is not None:
            passes &= self.region.mask(detections)
        if self.novelty:
            known = distances(detections, reference) <= self.within_arcsec
            passes &= known if self.novelty == "known" else ~known
        return passes

    def _judged_so(self, standing: Standing, name: str) -> bool:
        given = standing.of(name)
        verdict = UNJUDGED if given is None else given.verdict
        tags = () if given is None else given.tags
        return (not self.verdicts or verdict in self.verdicts) and (
            not self.tags or not set(self.tags).isdisjoint(tags)
        )


@dataclass(frozen=True)
class Share:
    """How a list is divided: each detection goes to `overlap` of the vetters.

    The same people and overlap divide the same list in the same way, wherever it is asked.

    Raises
    ------
    VettingError
        When there are fewer vetters than that.
    """

    vetters: tuple[str, ...]
    overlap: int = 2

    def __post_init__(self) -> None:
        if len(set(self.vetters)) < len(self.vetters):
            raise VettingError("two vetters have one name; give each their own")
        if not 1 <= self.overlap <= len(self.vetters):
            raise VettingError(
                f"{len(self.vetters)} vetters cannot judge each {self.overlap} times; "
                f"give an overlap of 1 to {len(self.vetters)}"
            )

    def mask(self, vetter: str, names: Sequence[str], digest: str) -> Mask:
        """(N,): which are the vetter's.

        Raises
        ------
        VettingError
            When the vetter is none of them.
        """
        people = sorted(self.vetters)
        if vetter not in people:
            raise VettingError(
                f"{vetter} is none of {', '.join(people)}; add the name to those who share the list"
            )
        rng = np.random.default_rng(int(digest[:16], 16))
        # Everyone comes once in a row, so that what is planted behind changes nobody's share.
        rows = np.tile(np.arange(len(people)), (-(-len(names) // len(people)), 1))
        first = rng.permuted(rows, axis=1).ravel()[: len(names)]
        return np.asarray((people.index(vetter) - first) % len(people) < self.overlap)


def _within(values: NDArray[np.float64], bounds: tuple[float, float]) -> Mask:
    return np.asarray(np.isnan(values) | ((values >= bounds[0]) & (values <= bounds[1])))
