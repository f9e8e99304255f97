"""Rescoring: a list with the scores that a newer model gives to the same objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections, Doubles
from napari_astroseg.review.orders import nearest_known

_SAME = 0.5
"""Of the larger radius of two: nearer than this they are one object."""
_UNKNOWN_ARCSEC, _UNKNOWN_PX = 60.0, 5.0
"""The same where neither has a radius."""


def rescored(detections: Detections, fresh: Detections) -> tuple[Detections, int]:
    """A list with the scores and uncertainties of what lies in the same places.

    What the newer list does not hold any more has a score of 0.

    Returns
    -------
    The list, and how many of it are in the newer one.

    Raises
    ------
    VettingError
        When the newer list tells no scores, or the two have no positions in common.
    """
    if not np.isfinite(fresh.score).any():
        raise VettingError(f"{fresh.source or 'the newer list'} tells no scores; predict anew")
    rows, apart, reach = _pairs(detections, fresh)
    same = apart <= reach
    score = np.where(same, fresh.score[rows], 0.0)
    unsure = np.where(same, fresh.uncertainty[rows], np.nan)
    return replace(detections, score=score, uncertainty=unsure), int(same.sum())


def _pairs(detections: Detections, fresh: Detections) -> tuple[NDArray[np.int64], Doubles, Doubles]:
    """(N,) each: the nearest of the newer list, how far it is, and how far it may be."""
    on_sky = detections.frame is not None and fresh.frame is not None
    if on_sky:
        rows, apart = nearest_known(detections, fresh)
    else:
        ours, theirs = (np.column_stack((each.x, each.y)) for each in (detections, fresh))
        if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
            raise VettingError("the two lists have no positions in common; give both on the sky")
        apart, rows = cKDTree(theirs).query(ours)
    unit = "arcsec" if on_sky else "px"
    radii = [
        each.radius if each.unit == unit else np.full(len(each), np.nan)
        for each in (detections, fresh)
    ]
    reach = _SAME * np.fmax(radii[0], radii[1][rows])
    unknown = _UNKNOWN_ARCSEC if on_sky else _UNKNOWN_PX
    return rows, apart, np.where(np.isfinite(reach), reach, unknown)
