"""Counting: how many pixels have each number of votes, in one pass; what is no number is found.

Counts lie in patches of equal value, so equal neighbours are counted as one run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError

MOST = 65_535
"""No more votes than this are counted in one pixel."""

_COMMON = 256
"""Maps rarely hold more votes than this."""

NEAR = 1e-3
"""A value this near to a whole number is that number, and was rounded by arithmetic."""

Histogram = NDArray[np.int64]


def tallied(values: NDArray[Any], bins: Histogram, name: str, top: int = 0) -> int:
    """Add to `bins`, one for each number of votes from 0 to 65 535, how many pixels have it.

    A pixel without a value (NaN) has no votes.

    Parameters
    ----------
    values
        (H, W) of whole numbers, integers or floats.
    bins
        (65 536,), counted on.
    name
        Of the map, for the sentence.
    top
        Which row of the map is the first here.

    Returns
    -------
    How many pixels have no value.

    Raises
    ------
    VoteError
        When a value is negative, infinite, larger than 65 535 or no whole number.
    """
    from napari_astroseg.sky.votes.tally import tally, tally_bytes  # it loads numba

    flat = np.ascontiguousarray(values).reshape(-1)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8)
    if not flat.dtype.isnative:
        flat = flat.astype(flat.dtype.newbyteorder("="))
    if flat.dtype == np.uint8:
        tally_bytes(flat, bins)
        return 0
    missing, bad = tally(flat, bins)
    if bad >= 0:
        x, y = bad % values.shape[1], top + bad // values.shape[1]
        raise VoteError(_complaint(name, float(flat[bad]), x, y))
    return int(missing)


def counts_of(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Values that `tallied` passed, as whole numbers."""
    if values.dtype.kind != "f":
        return values.astype(np.uint16)
    return np.rint(np.nan_to_num(values)).astype(np.uint16)


def trimmed(bins: Histogram) -> Histogram:
    """A copy of the bins up to the last that is not empty; the one for no votes always is there."""
    beyond = bins[_COMMON:]
    low = bins[:_COMMON] if not (beyond.size and beyond.max()) else bins
    filled = np.flatnonzero(low)
    return bins[: filled[-1] + 1 if filled.size else 1].copy()


def at_or_above(histogram: Histogram) -> Histogram:
    """Pixels with at least as many votes, for each number from 0 to the most, of a histogram."""
    return np.ascontiguousarray(np.cumsum(histogram[::-1])[::-1])


def agreement(histogram: Histogram, people: int | None) -> float:
    """How likely one who drew marks a pixel that another one who drew has marked, 0 to 1.

    Σ c (c - 1) / ((n - 1) Σ c) over the pixels, with c votes of n people who drew anything; the
    largest count stands for n where that is not known or larger. NaN for fewer than two people.
    """
    votes = np.arange(len(histogram), dtype=float)
    among = max(people or 0, len(histogram) - 1)
    given = float(histogram @ votes)
    if among < 2 or not given:
        return math.nan
    return float(histogram @ (votes * (votes - 1))) / ((among - 1) * given)


def _complaint(name: str, value: float, x: int, y: int) -> str:
    """What is wrong with one value."""
    where = f"{name} holds {value:g} at pixel ({x}, {y})"
    if value < 0:
        return f"{where}, and votes are never negative; mark missing pixels as NaN instead"
    if value > MOST:
        return f"{where}, more than the {MOST:,} votes a pixel may have; open a map of counts"
    return (
        f"{where}, and votes are whole people; "
        "multiply fractions by the number of volunteers, or save the counts themselves"
    )
