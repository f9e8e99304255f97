"""Plan: which detections come in a queue, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.review.detections import Detections
from napari_astroseg.review.orders import Known, Order, ordered
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.wanted import Filter, Share


@dataclass(frozen=True)
class Plan:
    """How a queue is made.

    Parameters
    ----------
    order, seed
        See `review.orders`.
    only
        Which detections are in it.
    share
        How the list is divided among several vetters; by default everyone judges all.
    reference
        What is known already, for the order and the filter `novelty`.
    """

    order: Order = "list"
    seed: int = 0
    only: Filter = field(default_factory=Filter)
    share: Share | None = None
    reference: Detections | None = None

    def queue(
        self, detections: Detections, standing: Standing, vetter: str, digest: str
    ) -> NDArray[np.int64]:
        """The rows in it, in their order.

        Parameters
        ----------
        standing
            The vetter's own verdicts.
        digest
            Of the list as it was before anything was planted.

        Raises
        ------
        VettingError
            When the order wants what is not known, or the vetter has no share.
        """
        judged: list[int] = []
        if self.order == "useful":
            judged = [row for row, name in enumerate(detections.names) if name in standing]
        rows = ordered(detections, self.order, Known(self.reference, judged, self.seed))
        passes = self.only.mask(detections, standing, self.reference)
        if self.share is not None:
            passes &= self.share.mask(vetter, detections.names, digest)
        return np.asarray(rows[passes[rows]])
