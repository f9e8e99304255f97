"""Features: what a crop looks like in a few dozen numbers, without a network.

They tell a bubble from most else: how brightness goes with the distance from the middle, how much
there is on each scale, where the peak lies, how much a half turn changes, and whether the bands go
together. Any other (N, F) features, such as a network's, serve as well.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.crops import Planes

Features = NDArray[np.float64]

RINGS = 8
"""Of the radial profile, out to half the side."""

SCALES_PX = (1.0, 2.0, 4.0, 8.0)
"""Sigmas of Gaussians; the power on a scale is what lies between one and the next."""

SIDE = 64
"""Side of the crops that the scales are meant for, px."""

_FLOOR = 1e-4
"""Of spreads, before their logarithm: crops go from 0 to 1."""

_BRIGHT = 0.5


def feature_names(bands: int) -> tuple[str, ...]:
    """The names of the features of crops with so many bands, in order."""
    own = [
        *(f"ring {n}" for n in range(RINGS)),
        *(f"power {sigma:g} px" for sigma in SCALES_PX),
        "gradient",
        "bright share",
        "peak height",
        "peak off middle",
        "half-turn asymmetry",
        "quarter-turn asymmetry",
    ]
    pairs = [f"bands {a} and {b}" for a, b in combinations(range(bands), 2)]
    return (*(f"band {band}: {name}" for band in range(bands) for name in own), *pairs)


def features(crops: Planes) -> Features:
    """The features (N, F) of crops (N, bands, side, side), 0 to 1; see `feature_names`."""
    count, bands = crops.shape[:2]
    stack = np.asarray(crops, np.float32)
    columns: list[list[NDArray[np.floating]]] = [[] for _ in range(bands)]
    for band in range(bands):
        columns[band] = _of_band(stack[:, band])
    together = [
        _correlation(stack[:, a].reshape(count, -1), stack[:, b].reshape(count, -1))
        for a, b in combinations(range(bands), 2)
    ]
    return np.stack([*(each for own in columns for each in own), *together], 1).astype(np.float64)


def _of_band(planes: Planes) -> list[NDArray[np.floating]]:
    """The features of one band (N, side, side)."""
    side = planes.shape[-1]
    away = np.arange(side) - (side - 1) / 2
    radius = np.hypot(*np.meshgrid(away, away)) / (side / 2)
    ring = np.minimum((radius * RINGS).astype(int), RINGS)
    flat = planes.reshape(len(planes), -1)
    found: list[NDArray[np.floating]] = [flat[:, (ring == n).ravel()].mean(1) for n in range(RINGS)]
    smooth = planes
    for number, sigma in enumerate(SCALES_PX):
        wider = ndimage.gaussian_filter(planes, (0, sigma, sigma), mode="nearest")
        found.append(np.log10(np.maximum((smooth - wider).std((1, 2)), _FLOOR)))
        smooth = wider
        if number == 1:
            peaks = wider.reshape(len(planes), -1)
    slope = np.hypot(*np.gradient(planes, axis=(1, 2)))
    found += [slope.mean((1, 2)), (flat > _BRIGHT).mean(1)]
    top = peaks.argmax(1)
    found += [peaks.max(1) - np.median(peaks, 1), radius.ravel()[top]]
    level = np.maximum(flat.mean(1), _FLOOR)
    for quarters in (2, 1):
        other = np.rot90(planes, quarters, (1, 2))
        found.append(np.abs(planes - other).mean((1, 2)) / level)
    return found


def _correlation(first: Planes, second: Planes) -> NDArray[np.floating]:
    """Pearson's coefficient of each row with the same row of another; 0 where one is constant."""
    a, b = (each - each.mean(1, keepdims=True) for each in (first, second))
    norm = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.where(norm > 0, (a * b).sum(1) / np.maximum(norm, np.finfo(np.float32).tiny), 0.0)


def standardised(values: Features) -> Features:
    """Features (N, F), each with mean 0 and standard deviation 1; a constant one is 0."""
    centred = values - values.mean(0)
    spread = centred.std(0)
    scale = np.maximum(np.abs(values).max(0), 1.0)
    varies = spread > 1e-12 * scale
    return np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)
