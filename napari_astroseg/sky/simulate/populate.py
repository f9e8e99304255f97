"""Populate: the true sky, before any telescope: diffuse clouds and the structures on them.

`diffuse` gives column densities; `excess_map` gives fractions by which structures rise above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.simulate.settings import UNIT_AREA, FilamentSettings
from napari_astroseg.sky.simulate.structures import (
    add_clump,
    add_curve,
    filament_curves,
    shell_curve,
)
from napari_astroseg.sky.simulate.turbulence import gaussian_field, warped

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """How far structures rise above the diffuse sky, as fractions of its column, (H, W) each."""

    filaments: Floats
    """Of filaments and hubs with their cores."""
    all: Floats
    """Of these with what is like them and is none: clumps, and the shells of H II regions."""


def diffuse(shape: tuple[int, int], settings: FilamentSettings, rng: np.random.Generator) -> Floats:
    """N of the sky without its distinct structures: clouds behind a veil, less off the plane."""
    # Two sheets at different distances overlap on every line of sight through the plane.
    slope = rng.uniform(*settings.slope)
    sheets = [
        warped(gaussian_field(shape, slope, rng, outer_px=400.0), settings.warp_px, 60.0, rng)
        for _ in range(2)
    ]
    turbulence = _intermittent(0.8 * sheets[0] + 0.6 * sheets[1], settings, rng)
    clouds = 10.0 ** (rng.uniform(*settings.turbulence_dex) * turbulence)
    veil = rng.uniform(*settings.veil)
    row = np.linspace(-1.0, 1.0, shape[0])[:, None] - rng.uniform(-0.5, 0.5)
    fall = rng.uniform(0.0, settings.latitude_dex) * row**2
    level = rng.uniform(*settings.log_density)
    return np.asarray(10.0 ** (level - fall) * (veil + (1.0 - veil) * clouds))


def _intermittent(field: Floats, settings: FilamentSettings, rng: np.random.Generator) -> Floats:
    """The field with its fine structure gathered in patches, more of it where it is high."""
    coarse = ndimage.gaussian_filter(field, settings.patch_px / 2.0, mode="nearest")
    patches = gaussian_field((field.shape[0], field.shape[1]), -3.0, rng, outer_px=80.0)
    # Half from the density itself: quiet skies are smooth, star-forming complexes are not.
    gain = np.exp(settings.intermittency * (0.7 * patches + 0.7 * coarse / coarse.std()))
    return np.asarray(coarse + gain / gain.mean() * (field - coarse))


def excess_map(
    shape: tuple[int, int], settings: FilamentSettings, rng: np.random.Generator
) -> Excess:
    """Fractional excess of filaments, hubs, cores, clumps and shells before the beam."""
    area = shape[0] * shape[1] / UNIT_AREA
    sky = np.zeros(shape)
    starts = [(rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), 1.0)
              for _ in range(rng.poisson(settings.filaments * area))]  # fmt: skip
    for _ in range(rng.poisson(settings.hubs * area)):
        hub = (rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), 1.6)
        starts += [hub] * int(rng.integers(3, 7))
    for row, column, boost in starts:
        for curve in filament_curves(
            (row, column),
            rng.uniform(0.0, 2.0 * np.pi),
            settings.length_px,
            settings.contrast * boost,
            settings.contrast_dex,
            rng,
        ):
            add_curve(sky, curve)
            _add_cores(sky, curve.points, settings, rng)
    filaments = sky.copy()
    for _ in range(rng.poisson(settings.shells * area)):
        at = (rng.uniform(0, shape[0]), rng.uniform(0, shape[1]))
        add_curve(sky, shell_curve(at, rng.uniform(4.0, 20.0), rng.uniform(0.1, 0.5), rng))
    for _ in range(rng.poisson(settings.clumps * area)):
        _add_compact(sky, (rng.uniform(0, shape[0]), rng.uniform(0, shape[1])), rng)
    return Excess(filaments, sky)


def _add_cores(
    sky: Floats, points: Floats, settings: FilamentSettings, rng: np.random.Generator
) -> None:
    """Put compact cores on a filament's spine."""
    for _ in range(rng.poisson(settings.cores * len(points))):
        row, column = points[int(rng.integers(len(points)))]
        _add_compact(sky, (float(row), float(column)), rng)


def _add_compact(sky: Floats, at: tuple[float, float], rng: np.random.Generator) -> None:
    """Put one compact source on the sky: most are small and weak, few large or bright."""
    excess = float(min(0.2 * 10.0 ** (0.4 * rng.standard_normal()), 4.0))
    major = float(np.clip(1.2 * 10.0 ** (0.2 * rng.standard_normal()), 0.5, 5.0))
    add_clump(sky, at, excess, (major, major * rng.uniform(0.6, 1.0)), rng.uniform(0.0, np.pi))
