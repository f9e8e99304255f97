"""Normalise: raw values of any unit and range become what a network is fed.

Every function takes values and a mask of valid pixels, both (H, W), and gives float32 with 0
where a pixel is missing. Which one applies is a recipe's choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

TRUNCATE = 4.0
"""Gaussians end at this many sigma."""

_SPREAD_FLOOR = 1e-3
"""Least local spread, dex: keeps flat or saturated areas from being blown up into noise."""


def valid_pixels(values: NDArray[Any], floor: float) -> Mask:
    """Pixels that carry data: finite and not below `floor` (saturated ones are NaN or zero)."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & (values >= floor)


def minmax(values: NDArray[Any], valid: Mask) -> Plane:
    """Between 0 and 1 over the valid positive pixels; constant or empty patches give 0."""
    counted = valid & (values > 0)
    result = np.zeros(values.shape, np.float32)
    if counted.any():
        low, high = values[counted].min(), values[counted].max()
        if high > low:
            result[counted] = (values[counted] - low) / (high - low)
    return result


def log_between(values: NDArray[Any], valid: Mask, low: float, high: float) -> Plane:
    """log10, with `low` at 0 and `high` at 1, not clipped beyond them but at 0 from below."""
    counted = valid & (values > 0)
    result = np.zeros(values.shape, np.float32)
    span = np.log10(high) - np.log10(low)
    result[counted] = np.maximum((np.log10(values[counted]) - np.log10(low)) / span, 0.0)
    return result


def local_contrast(values: NDArray[Any], valid: Mask, scale_px: float) -> Plane:
    """log10 less its local mean, over its local standard deviation (Gaussian, `scale_px`).

    Missing pixels take no part in the mean or the spread.
    """
    counted = valid & (values > 0)
    logs = np.zeros(values.shape, np.float64)
    np.log10(values, out=logs, where=counted)
    share = _blurred(counted.astype(np.float64), scale_px)
    share = np.maximum(share, np.finfo(np.float32).tiny)
    mean = _blurred(logs, scale_px) / share
    spread = _blurred(logs * logs, scale_px) / share - mean * mean
    contrast = (logs - mean) / np.sqrt(np.maximum(spread, _SPREAD_FLOOR**2))
    return np.where(counted, contrast, 0.0).astype(np.float32)


def local_reach(scale_px: float) -> int:
    """Pixels beyond which `local_contrast` does not look."""
    return int(TRUNCATE * scale_px + 0.5)


def _blurred(plane: NDArray[np.float64], scale_px: float) -> NDArray[np.float64]:
    return ndimage.gaussian_filter(plane, scale_px, mode="constant", truncate=TRUNCATE)
