"""Normalise: raw values of any unit and range become what a network is fed.

Every function takes values and a mask of valid pixels, both (H, W) unless it says otherwise, and
gives float32 with 0 where a pixel is missing. Which one applies is a recipe's choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

_PASSES = 3
"""Running boxes in a row that stand for a Gaussian; each costs the same at any width."""

_SIGMA_PER_MAD = 1.4826
"""Standard deviation of a normal distribution over the median distance from its median."""


def valid_pixels(values: NDArray[Any], floor: float) -> Mask:
    """Pixels that carry data: finite and not below `floor` (saturated ones are NaN or zero)."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & (values >= floor)


def byte(values: NDArray[Any], valid: Mask) -> Plane:
    """A picture's values (…, H, W), 0 to 255, between 0 and 1."""
    return np.where(valid, values, 0).astype(np.float32) / np.float32(255)


def minmax(values: NDArray[Any], valid: Mask) -> Plane:
    """Between 0 and 1 over the valid positive pixels; constant or empty patches give 0."""
    counted = valid & (values > 0)
    result = np.zeros(values.shape, np.float32)
    if counted.any():
        low, high = values[counted].min(), values[counted].max()
        if high > low:
            result[counted] = (values[counted] - low) / (high - low)
    return result


def peaks_clipped(values: NDArray[Any], valid: Mask, stars: Mask, sigmas: float = 3.0) -> Plane:
    """Less the minimum, clipped at mean + 3 sigma, over the maximum (Nishimoto+2025).

    Mean and standard deviation are of the valid pixels that are not on stars; of all valid ones
    where nothing else is left. A constant plane gives 0.
    """
    if not valid.any():
        return np.zeros(values.shape, np.float32)
    above = np.where(valid, values - values[valid].min(), 0).astype(np.float32)
    counted = valid & ~stars
    known = above[counted if counted.any() else valid].astype(np.float64)
    np.minimum(above, known.mean() + sigmas * known.std(), out=above)
    top = above.max()
    return above / top if top > 0 else above


def arcsinh(values: NDArray[Any], valid: Mask, softening: float | None) -> Plane:
    """Arcsinh of the values over `softening`, over its maximum; at most 1, below 0 where they are.

    Without a softening it is the standard deviation of the noise: 1.4826 times the median distance
    from the median, which a stamp full of sky hardly differs from. Stamps without a positive value
    give 0.
    """
    result = np.zeros(values.shape, np.float32)
    told = values[valid].astype(np.float64)
    scale = softening if softening is not None else _noise(told)
    if told.size and scale > 0 and told.max() > 0:
        bent = np.arcsinh(told / scale)
        result[valid] = np.maximum(bent / bent.max(), -1.0)
    return result


def lupton(values: NDArray[Any], valid: Mask, stretch: float, q: float, minimum: float) -> Plane:
    """Bands (bands, H, W) × arcsinh(stretch Q (I - m)) / (Q I), I their mean (Lupton+2004).

    Colours stay, what is bright is held back. Where I is 0 the factor is `stretch`, its limit for
    m = 0.
    """
    bands = np.where(valid, values, 0).astype(np.float64)
    mean = bands.mean(0)
    factor = np.full(mean.shape, stretch)
    np.divide(np.arcsinh(stretch * q * (mean - minimum)), q * mean, out=factor, where=mean != 0)
    return (bands * factor).astype(np.float32)


def zscore(values: NDArray[Any], valid: Mask) -> Plane:
    """Each band (bands, H, W) less its mean, over its standard deviation; a constant one is 0."""
    result = np.zeros(values.shape, np.float32)
    if valid.any():
        for band, out in zip(values, result, strict=True):
            known = band[valid].astype(np.float64)
            spread = known.std()
            out[valid] = (known - known.mean()) / (spread if spread > 0 else 1.0)
    return result


def over_percentile(planes: Plane, valid: Mask, percentile: float) -> Plane:
    """Planes (bands, H, W) over a percentile of their valid values; as they are where that is 0."""
    known = planes[:, valid]
    top = float(np.percentile(known, percentile)) if known.size else 0.0
    return planes / np.float32(top) if top > 0 else planes


def log_between(values: NDArray[Any], valid: Mask, low: float, high: float) -> Plane:
    """log10, with `low` at 0 and `high` at 1, not clipped beyond them but at 0 from below."""
    counted = valid & (values > 0)
    result = np.zeros(values.shape, np.float32)
    span = np.log10(high) - np.log10(low)
    result[counted] = np.maximum((np.log10(values[counted]) - np.log10(low)) / span, 0.0)
    return result


def local_contrast(values: NDArray[Any], valid: Mask, scale_px: float, spread_dex: float) -> Plane:
    """log10 less its local mean, in units of `spread_dex`.

    The mean is taken under three running boxes in a row, which is a Gaussian of sigma `scale_px`
    to within 3 % and ends at `local_reach`. Missing pixels take no part in it.
    """
    from napari_astroseg.sky.runningboxes import above_mean  # with numba, which few recipes need

    counted = valid & (values > 0)
    logs = np.zeros(values.shape, np.result_type(values, np.float32))
    np.log10(values, out=logs, where=counted)
    return above_mean(logs, counted, _box(scale_px), _PASSES, spread_dex)


def _noise(values: NDArray[np.float64]) -> float:
    """Standard deviation of the noise of values that are mostly noise; 0 of none."""
    if not values.size:
        return 0.0
    return _SIGMA_PER_MAD * float(np.median(np.abs(values - np.median(values))))


def local_reach(scale_px: float) -> int:
    """Pixels beyond which `local_contrast` does not look."""
    return _PASSES * (_box(scale_px) // 2)


def _box(scale_px: float) -> int:
    """Odd side of the box whose variance, `_PASSES` times over, is that of the Gaussian."""
    side = np.sqrt(12.0 * scale_px**2 / _PASSES + 1.0)
    return 2 * round((side - 1.0) / 2.0) + 1
