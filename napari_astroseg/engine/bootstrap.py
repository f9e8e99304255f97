"""Bootstrap: how far figures would change with other sky of the same kind.

Independent units (areas of sky, galaxies, stamps, images) are drawn with replacement, as many as
there are; an error is one standard deviation over such draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 200
"""Draws behind each error."""

SEED = 0


def drawn_numbers(units: int, draws: int = DRAWS) -> NDArray[np.intp]:
    """Which units are drawn, (draws, units); the same at every call."""
    return np.random.default_rng(SEED).integers(units, size=(draws, units))


def weights(units: int, draws: int = DRAWS) -> NDArray[np.float64]:
    """How often each of them is, (draws, units)."""
    drawn = [np.bincount(some, minlength=units) for some in drawn_numbers(units, draws)]
    return np.asarray(drawn, np.float64)


def spread(values: Sequence[float]) -> float:
    """Standard deviation of the draws that have a figure; NaN where none has."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.std(known)) if known else float("nan")


def spreads(draws: Sequence[dict[str, float]]) -> dict[str, float]:
    """That of each figure of draws that tell the same figures."""
    return {name: spread([draw[name] for draw in draws]) for name in draws[0]}


def spread_of_curves(draws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """That of each point of curves of one shape."""
    values = np.asarray(draws, np.float64)
    told = [spread(point) for point in values.reshape(len(values), -1).T.tolist()]
    return np.array(told).reshape(values.shape[1:])


def or_none(values: NDArray[np.float64]) -> list[float | None]:
    """Points of a curve (N,), None where there is no figure: JSON knows no NaN."""
    return [float(value) if np.isfinite(value) else None for value in values]
