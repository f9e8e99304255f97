"""Population: how many galaxies of which brightness, size and shape there are, and where.

Shared by the skies that galaxies are simulated in; everything is drawn for many at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def magnitudes(
    count: int, between: tuple[float, float], slope: float, rng: np.random.Generator
) -> Floats:
    """Magnitudes whose number per magnitude grows as 10^(slope m).

    Parameters
    ----------
    between
        Brightest and faintest.
    slope
        In dex per magnitude, not 0.
    """
    low, high = 10.0 ** (slope * np.array(between))
    return np.asarray(np.log10(rng.uniform(low, high, count)) / slope)


def half_light_arcsec(magnitude: Floats, rng: np.random.Generator) -> Floats:
    """Half-light radii of galaxies of these red magnitudes, with a scatter of 0.18 dex.

    The median falls from 0.9 arcsec at magnitude 20 to 0.3 at 24, as galaxies measured from space
    do (Griffith et al. 2012, ApJS 200 9).
    """
    median = 0.45 * 10.0 ** (-0.12 * (magnitude - 22.5))
    return np.asarray(median * 10.0 ** (0.18 * rng.standard_normal(magnitude.size)))


def axis_ratios(round_ones: Mask, rng: np.random.Generator) -> Floats:
    """Apparent axis ratios: of spheroids where told, else of discs seen from random directions."""
    cosine, thickness = rng.random(round_ones.size), 0.22
    discs = np.sqrt(cosine**2 * (1.0 - thickness**2) + thickness**2)
    spheroids = np.clip(rng.normal(0.78, 0.14, round_ones.size), 0.35, 1.0)
    return np.asarray(np.where(round_ones, spheroids, discs))


def sersic_indices(round_ones: Mask, rng: np.random.Generator) -> Floats:
    """Sérsic indices around 4 for spheroids and 1 for discs, in steps of a quarter.

    Steps, because GalSim prepares every index once, which takes longer than to draw with it.
    """
    discs = 1.0 * 10.0 ** (0.15 * rng.standard_normal(round_ones.size))
    spheroids = 3.6 * 10.0 ** (0.12 * rng.standard_normal(round_ones.size))
    drawn = np.where(round_ones, spheroids, discs)
    return np.asarray(np.clip(np.round(drawn * 4.0) / 4.0, 0.5, 6.0))


def places(
    count: int,
    shape: tuple[int, int],
    margin_px: float,
    companions: float,
    apart_px: tuple[float, float],
    rng: np.random.Generator,
) -> Floats:
    """(count, 2) columns and rows: anywhere, but for a share that lies beside another.

    Parameters
    ----------
    shape, margin_px
        Rows and columns of the frame, and how far beyond its edges to go.
    companions
        Share of them that lies beside one of the others.
    apart_px
        Least and largest distance of these. All between are as likely, for galaxies cluster as
        the distance to the power -0.8, which nearly undoes the growth of a ring with its radius.
    """
    low = np.full(2, -0.5 - margin_px)
    high = np.array(shape[::-1]) - 0.5 + margin_px
    found = rng.uniform(low, high, (count, 2))
    beside = rng.random(count) < companions
    hosts = np.flatnonzero(~beside)
    if not hosts.size:
        return found
    distance, angle = rng.uniform(*apart_px, count), rng.uniform(0.0, 2.0 * np.pi, count)
    offset = distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    near = found[rng.choice(hosts, count)] + offset
    fits = beside & np.all((near >= low) & (near <= high), axis=1)
    return np.asarray(np.where(fits[:, None], near, found))
