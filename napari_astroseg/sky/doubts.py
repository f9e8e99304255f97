"""Doubts: how far several answers to one question differ about each object, and as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Doubts:
    """Of N objects.

    Parameters
    ----------
    score
        (N,) how unsure each score is: its standard deviation over all answers, of which those
        that do not hold the object say 0; or its entropy, bits.
    edge
        (N,) standard deviation of where an edge of its box lies, px, the root mean square of the
        four edges over the answers that hold it; NaN of one that a single answer holds.
    seen
        (N,) share of the answers that hold it.
    """

    score: Floats
    edge: Floats | None = None
    seen: Floats | None = None

    def __getitem__(self, which: NDArray[np.generic] | slice) -> Doubts:
        """Those of some objects."""
        edge = None if self.edge is None else self.edge[which]
        return Doubts(self.score[which], edge, None if self.seen is None else self.seen[which])

    def scaled(self, factor: float) -> Doubts:
        """With lengths in a unit that is so much smaller."""
        edge = None if self.edge is None else self.edge * factor
        return Doubts(self.score, edge, self.seen)

    @classmethod
    def joined(cls, parts: Sequence[Doubts]) -> Doubts:
        """Those of several sets of objects, all told in one way."""
        edges = [part.edge for part in parts if part.edge is not None]
        seen = [part.seen for part in parts if part.seen is not None]
        return cls(
            np.concatenate([part.score for part in parts]),
            np.concatenate(edges) if edges else None,
            np.concatenate(seen) if seen else None,
        )


def add_doubts(table: QTable, doubts: Doubts | None, words: str, pixel: u.Quantity) -> None:
    """Add `uncertainty`, and where they are told `edge_uncertainty` and `seen`, to a catalogue.

    Parameters
    ----------
    words
        What the uncertainty is.
    pixel
        Side of a pixel.
    """
    if doubts is None:
        return
    table["uncertainty"] = doubts.score
    table["uncertainty"].info.description = words
    table.meta["uncertainty"] = words
    if doubts.edge is not None:
        table["edge_uncertainty"] = doubts.edge * pixel
        table[
            "edge_uncertainty"
        ].info.description = (
            "standard deviation of where an edge of its box lies, over the answers that hold it"
        )
    if doubts.seen is not None:
        table["seen"] = doubts.seen
        table["seen"].info.description = "share of the answers that hold it"
