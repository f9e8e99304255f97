"""Scene: which stars and galaxies lie where on a simulated set of bands, before any light.

Colours and counts are those of a field off the Galactic plane in the bands g, r and z of the
DECam surveys; fluxes are in nanomaggies, of which one is magnitude 22.5 (AB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.simulate.light import Part, Sersic
from napari_astroseg.sky.simulate.population import (
    axis_ratios,
    half_light_arcsec,
    magnitudes,
    places,
)

ObjectKind = Literal["star", "galaxy"]

PIXEL_ARCSEC = 0.262
"""Of DECam."""

ZERO_POINT = 22.5
"""AB magnitude of one nanomaggy."""

UNIT_AREA = 512 * 512
"""Counts in the settings are per this many pixels."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """One band: its noise and the sky's own light, nanomaggies per pixel, and the seeing."""

    letter: str
    noise: float
    """As in the DECaLS images (data release 7) of a field of normal depth."""
    sky: float
    """Of a dark night: 22.0, 20.9 and 18.8 mag per square arcsec. Light adds noise as it does."""
    seeing_arcsec: float
    """Median full width at half maximum."""


BANDS = (
    Band("g", 0.0029, 0.109, 1.25),
    Band("r", 0.0050, 0.30, 1.15),
    Band("z", 0.0125, 2.1, 1.05),
)
TOLD = 1
"""Number of the band in which magnitudes are drawn and masks are made: r."""


@dataclass(frozen=True, slots=True)
class MultibandSettings:
    """What a simulated set holds; counts are means per 512 x 512 pixels (5 square arcmin)."""

    stars: float = 22.0
    """Mean number of stars."""
    star_magnitudes: tuple[float, float] = (15.5, 24.0)
    """Brightest and faintest in r."""
    star_slope: float = 0.12
    """Growth of the number of stars in dex per magnitude."""
    galaxies: float = 180.0
    """Mean number of galaxies, down to the faintest."""
    galaxy_magnitudes: tuple[float, float] = (16.5, 25.2)
    """Brightest and faintest in r."""
    galaxy_slope: float = 0.34
    """Growth of the number of galaxies in dex per magnitude."""
    companions: float = 0.2
    """Share of objects that lie beside another."""
    companion_arcsec: tuple[float, float] = (0.8, 5.0)
    """Least and largest distance of these."""
    least_snr: float = 5.0
    """Of an object in all bands together that has a mask; fainter ones only add their light."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One star or galaxy.

    Parameters
    ----------
    kind
        `star` or `galaxy`.
    x, y
        Its centre, px.
    parts
        The light of its bulge and disc in each of `BANDS`; a star is one point.
    half_light_arcsec
        Of the disc; 0 for a star.
    """

    kind: ObjectKind
    x: float
    y: float
    parts: tuple[tuple[Part, ...], ...]
    half_light_arcsec: float = 0.0

    @property
    def flux(self) -> tuple[float, ...]:
        """In each of `BANDS`, nanomaggies."""
        return tuple(sum(part.flux for part in parts) for parts in self.parts)


def scene(size: int, settings: MultibandSettings, rng: np.random.Generator) -> list[Placed]:
    """All objects of a set; at least one star and one galaxy are bright enough to be seen."""
    share = size * size / UNIT_AREA
    n_stars, n_galaxies = (
        max(int(rng.poisson(mean * share)), 1) for mean in (settings.stars, settings.galaxies)
    )
    apart = settings.companion_arcsec
    near, far = apart[0] / PIXEL_ARCSEC, apart[1] / PIXEL_ARCSEC
    where = places(n_stars + n_galaxies, (size, size), 0.0, settings.companions, (near, far), rng)
    where = rng.permutation(where)
    stars = magnitudes(n_stars, settings.star_magnitudes, settings.star_slope, rng)
    galaxies = magnitudes(n_galaxies, settings.galaxy_magnitudes, settings.galaxy_slope, rng)
    for each, (bright, faint) in (
        (stars, settings.star_magnitudes),
        (galaxies, settings.galaxy_magnitudes),
    ):
        each[0] = rng.uniform(max(bright, faint - 5.0), faint - 3.0)
    return _stars(where[:n_stars], stars, rng) + _galaxies(where[n_stars:], galaxies, rng)


def star_colours(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(g - r, r - z) of stars along the stellar locus, with a scatter of 0.03.

    Half are of the types F to K, along a line in both colours; the others are M dwarfs, which
    all have nearly one g - r and redden in r - z (Covey et al. 2007, AJ 134 2398).
    """
    dwarf = rng.random(count) < 0.5
    blue = rng.uniform(0.25, 1.2, count)
    g_r = np.where(dwarf, 1.45, blue)
    r_z = np.where(dwarf, rng.triangular(0.8, 1.3, 2.3, count), 0.55 * blue - 0.02)
    return g_r + rng.normal(0.0, 0.03, count), r_z + rng.normal(0.0, 0.03, count)


def galaxy_colours(
    magnitude: Floats, rng: np.random.Generator
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """(g - r, r - z) of bulges and of discs of galaxies of these r magnitudes.

    Fainter galaxies are farther on average, and redder as their light is shifted: bulges as old
    stars from redshift 0.1 to 0.7, discs half as much.
    """
    far = np.clip((magnitude - 17.5) / 6.0 + rng.normal(0.0, 0.25, magnitude.size), 0.0, 1.0)
    scatter = rng.normal(0.0, 0.06, (4, magnitude.size))
    bulge = 0.85 + 0.80 * far + scatter[0], 0.60 + 0.80 * far + scatter[1]
    blue = rng.normal(0.0, 0.12, magnitude.size)
    disc = 0.40 + 0.35 * far + blue + scatter[2], 0.30 + 0.45 * far + blue + scatter[3]
    return bulge, disc


def _stars(where: Floats, magnitude: Floats, rng: np.random.Generator) -> list[Placed]:
    fluxes = _fluxes(magnitude, *star_colours(magnitude.size, rng))
    return [
        Placed("star", x, y, tuple((Part(flux),) for flux in each))
        for (x, y), each in zip(where.tolist(), fluxes.tolist(), strict=True)
    ]


def _galaxies(where: Floats, magnitude: Floats, rng: np.random.Generator) -> list[Placed]:
    """Bulges of index 4 in discs of index 1 about the same centre, aligned."""
    count = magnitude.size
    # A quarter are nearly all bulge; the light of the others is mostly that of their discs.
    early = rng.random(count) < 0.25
    share = np.where(early, rng.uniform(0.6, 1.0, count), rng.beta(1.2, 5.0, count))
    bulge_colours, disc_colours = galaxy_colours(magnitude, rng)
    bulges = _fluxes(magnitude - 2.5 * np.log10(np.maximum(share, 1e-3)), *bulge_colours)
    discs = _fluxes(magnitude - 2.5 * np.log10(np.maximum(1.0 - share, 1e-3)), *disc_colours)
    radius = half_light_arcsec(magnitude, rng)
    # Bulges are smaller than the discs around them, unless they are the galaxy.
    small = np.where(early, 0.9, 0.35) * 10.0 ** rng.normal(0.0, 0.1, count)
    disc_ratio, bulge_ratio = axis_ratios(early, rng), axis_ratios(np.ones(count, bool), rng)
    angle = rng.uniform(0.0, 180.0, count)
    found = []
    for i, (x, y) in enumerate(where.tolist()):
        size, turned = float(radius[i]), float(angle[i])
        disc = Sersic(1.0, size / PIXEL_ARCSEC, float(disc_ratio[i]), turned)
        bulge = Sersic(4.0, size * float(small[i]) / PIXEL_ARCSEC, float(bulge_ratio[i]), turned)
        parts = tuple(
            (Part(float(b), bulge), Part(float(d), disc))
            for b, d in zip(bulges[i], discs[i], strict=True)
        )
        found.append(Placed("galaxy", x, y, parts, size))
    return found


def _fluxes(red: Floats, g_r: Floats, r_z: Floats) -> Floats:
    """(N, 3) fluxes in g, r and z, nanomaggies."""
    each = np.column_stack([red + g_r, red, red - r_z])
    return np.asarray(10.0 ** (0.4 * (ZERO_POINT - each)))
