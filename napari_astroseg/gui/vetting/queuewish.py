"""QueueWish: which detections come, in which order and for whom, as the user writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_astroseg.review.orders import Order
from napari_astroseg.review.plan import Plan
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.region import read_region
from napari_astroseg.review.wanted import Filter, Share


@dataclass(frozen=True)
class QueueWish:
    """Words and numbers of the controls; `plan` makes sense of them.

    Parameters
    ----------
    order, verdicts, tags, scores, radii, kinds, novelty, within_arcsec
        As of a `Plan` and its `Filter`.
    reference
        Path of a catalogue of what is known; "" for none.
    region
        A place and a radius; "" for anywhere.
    team, overlap
        Who shares the list, and how many judge each; () for no sharing.
    """

    order: Order = "list"
    verdicts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    scores: tuple[float, float] = (float("-inf"), float("inf"))
    radii: tuple[float, float] = (0.0, float("inf"))
    novelty: Literal["", "known", "new"] = ""
    within_arcsec: float = 60.0
    reference: str = ""
    region: str = ""
    team: tuple[str, ...] = ()
    overlap: int = 1

    def plan(self, frame: str | None) -> Plan:
        """The queue that is wished for.

        Parameters
        ----------
        frame
            In which the list is.

        Raises
        ------
        VettingError, CatalogueError
            When the words make no sense, or the catalogue of what is known cannot be read.
        """
        only = Filter(
            scores=self.scores,
            radii=self.radii,
            verdicts=self.verdicts,
            tags=self.tags,
            novelty=self.novelty,
            within_arcsec=self.within_arcsec,
            region=read_region(self.region, frame) if self.region else None,
        )
        known = open_detections(self.reference) if self.reference else None
        share = Share(self.team, self.overlap) if self.team else None
        return Plan(order=self.order, only=only, share=share, reference=known)
