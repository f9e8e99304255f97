"""Temperature: what dividing a network's scores by a number does to its probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def tempered(probability: NDArray[Any], temperature: float) -> NDArray[Any]:
    """Probabilities of any shape whose log-odds are divided by `temperature`; NaN stays."""
    if temperature == 1.0:
        return probability
    odds = log_odds(probability) / probability.dtype.type(temperature)
    told: NDArray[Any] = 1 / (1 + np.exp(-odds))
    return told


def log_odds(probability: NDArray[Any]) -> NDArray[Any]:
    """Logarithm of the odds, infinite at 0 and 1; averages may round beyond these."""
    probability = np.clip(probability, 0, 1)
    with np.errstate(divide="ignore"):
        odds: NDArray[Any] = np.log(probability) - np.log1p(-probability)
    return odds


def steepness(probability: NDArray[Any], temperature: float) -> NDArray[Any]:
    """By how much a small step of a probability becomes larger when it is tempered."""
    if temperature == 1.0:
        return np.ones_like(probability)
    sure = np.clip(probability, 1e-4, 1 - 1e-4)
    there = tempered(sure, temperature)
    steps: NDArray[Any] = there * (1 - there) / (sure * (1 - sure)) / temperature
    return steps.astype(probability.dtype)
