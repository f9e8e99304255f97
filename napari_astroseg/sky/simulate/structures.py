"""Structures: filaments, clumps and shells, as fractional excesses over the column around them.

An excess of 0.3 means 30 % more column density than the smooth sky there. Sizes are in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_astroseg.sky.simulate.turbulence import modulation, random_curve

Floats = NDArray[np.float64]

# A Plummer profile never ends; beyond this many core radii it is lost in the turbulence.
_REACH = 8.0
_BRANCH_CONTRAST = 0.7


@dataclass(frozen=True, slots=True)
class Curve:
    """One spine: (n, 2) row-column points a pixel apart, excess at each, core radius in px."""

    points: Floats
    excess: Floats
    radius_px: float


def _log_normal(rng: np.random.Generator, median: float, scatter_dex: float) -> float:
    return float(median * 10.0 ** (scatter_dex * rng.standard_normal()))


def filament_curves(
    start: tuple[float, float],
    heading: float,
    median_length_px: float,
    median_contrast: float,
    scatter_dex: float,
    rng: np.random.Generator,
) -> list[Curve]:
    """A filament's spine and those of its branches.

    Parameters
    ----------
    start, heading
        First point (row, column) and direction in radians.
    median_length_px, median_contrast, scatter_dex
        Log-normal length (0.25 dex scatter) and excess at the spine.
    rng
        Source of randomness.
    """
    length = float(np.clip(_log_normal(rng, median_length_px, 0.25), 12.0, 250.0))
    radius = float(np.clip(_log_normal(rng, 1.3, 0.15), 0.7, 4.0))
    excess = _log_normal(rng, median_contrast, scatter_dex)
    points = random_curve(start, heading, length, rng.uniform(20.0, 150.0), rng)
    trunk = Curve(points, excess * modulation(len(points), 0.45, 6.0, rng), radius)
    curves = [trunk]
    for _ in range(rng.poisson(length / 35.0)):
        at = int(rng.integers(len(points)))
        step = points[min(at + 1, len(points) - 1)] - points[max(at - 1, 0)]
        turn = rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 1.6)
        towards = float(np.arctan2(step[0], step[1])) + turn
        side = random_curve(
            (float(points[at, 0]), float(points[at, 1])),
            towards,
            length * rng.uniform(0.15, 0.5),
            rng.uniform(15.0, 60.0),
            rng,
        )
        strength = excess * _BRANCH_CONTRAST * modulation(len(side), 0.45, 6.0, rng)
        curves.append(Curve(side, strength, radius * rng.uniform(0.7, 1.0)))
    return curves


def add_curve(sky: Floats, curve: Curve) -> None:
    """Add a Plummer-profile curve (p = 2.5) to the excess map in place, crests not summed.

    The excess falls as (1 + (r / R)^2)^(-0.75), as the column of the profile rho ~ r^-2.5
    does (Arzoumanian et al. 2011, A&A 529 L6 find p between 1.5 and 2.5).
    """
    reach = _REACH * curve.radius_px
    low = np.maximum(np.floor(curve.points.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(curve.points.max(axis=0) + reach) + 1, sky.shape).astype(int)
    if np.any(high <= low):
        return
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    pixels = np.column_stack([rows.ravel(), columns.ravel()])
    distance, nearest = cKDTree(curve.points).query(pixels, distance_upper_bound=reach)
    excess = np.append(curve.excess, 0.0)[nearest]
    ratio = np.minimum(distance, reach) / curve.radius_px
    # Taken to zero at its reach, for a step there would itself be a ridge.
    profile = (1.0 + ratio**2) ** -0.75 - (1.0 + _REACH**2) ** -0.75
    box = sky[low[0] : high[0], low[1] : high[1]]
    # A branch joins its trunk: the higher of both, not their sum, plus a third of the lower.
    new = (excess * profile).reshape(box.shape)
    box[...] = np.maximum(box, new) + np.minimum(box, new) / 3.0


def add_clump(
    sky: Floats, at: tuple[float, float], excess: float, axes_px: tuple[float, float], angle: float
) -> None:
    """Add an elliptical Gaussian clump (standard deviations axes_px) to the excess map."""
    reach = 4.0 * max(axes_px)
    centre = np.array(at)
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.minimum(np.ceil(centre + reach) + 1, sky.shape).astype(int)
    if np.any(high <= low):
        return
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    y, x = rows - at[0], columns - at[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    shape = np.exp(-0.5 * ((along / axes_px[0]) ** 2 + (across / axes_px[1]) ** 2))
    sky[low[0] : high[0], low[1] : high[1]] += excess * shape


def shell_curve(
    at: tuple[float, float], radius_px: float, excess: float, rng: np.random.Generator
) -> Curve:
    """The broken rim of an H II region's shell, as a closed curve."""
    n = max(int(2.0 * np.pi * radius_px), 8)
    angle = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False) + rng.uniform(0.0, 2.0 * np.pi)
    wobble = 1.0 + 0.15 * np.sin(2.0 * angle + rng.uniform(0.0, 6.0))
    offsets = radius_px * wobble[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    strength = excess * modulation(n, 0.5, 6.0, rng)
    return Curve(np.array(at) + offsets, strength, float(rng.uniform(1.0, 2.0)))
