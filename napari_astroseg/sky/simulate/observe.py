"""Observe: what a survey makes of the true sky: beam, noise, holes, infrared view, coordinates."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.simulate.settings import UNIT_AREA, FilamentSettings
from napari_astroseg.sky.simulate.turbulence import gaussian_field

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEAR_SHARE = 0.4
"""Share of the clouds' column that lies before what shines at 8 um; the filaments do so wholly."""

_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


def beam_smoothed(sky: Floats, beam_px: float) -> Floats:
    """The sky through a Gaussian beam of the given full width at half maximum."""
    return np.asarray(ndimage.gaussian_filter(sky, beam_px / _FWHM, mode="nearest"))


def observed(
    clean: Floats, edge: Mask, settings: FilamentSettings, rng: np.random.Generator
) -> Floats:
    """The sky as the survey's map shows it: correlated noise, and a rim along a mosaic's edge."""
    spread = np.hypot(settings.noise * clean, settings.noise_floor)
    # Dust-temperature fits share pixels, so map noise is smoother than white.
    white = ndimage.gaussian_filter(rng.standard_normal(clean.shape), 0.6, mode="wrap")
    seen = clean + spread * white / white.std()
    rim = settings.edge_rim * rng.standard_normal()
    if edge.any():
        # Fewer scans cross the last pixels of a mosaic, and its bands end at different places.
        seen *= 1.0 + rim * np.exp(-ndimage.distance_transform_edt(~edge) / 2.0)
    return np.asarray(np.maximum(seen, settings.noise_floor))


def mosaic_edge(
    shape: tuple[int, int], settings: FilamentSettings, rng: np.random.Generator
) -> Mask:
    """True beyond the stepped edge of the mosaic, on each side of the sky in some skies."""
    beyond = np.zeros(shape, dtype=bool)
    rows, columns = np.indices(shape)
    sides = (rows, shape[0] - 1 - rows, columns, shape[1] - 1 - columns)
    for side, depth in enumerate(sides):
        along = columns if side < 2 else rows
        # Tiles of the mosaic end one by one: eight steps, up to a tenth of the sky deep.
        steps = rng.uniform(0.0, 0.1, 8) * shape[side // 2]
        if rng.random() < settings.edges:
            beyond |= depth < steps[along * 8 // (along.max() + 1)]
    return beyond


def saturation_holes(clean: Floats, settings: FilamentSettings, rng: np.random.Generator) -> Mask:
    """True where the brightest peaks of the map are saturated."""
    holes = np.zeros(clean.shape, dtype=bool)
    rows, columns = np.indices(clean.shape)
    peaks = np.argsort(clean, axis=None)[::-1][: max(clean.size // 1000, 1)]
    count = rng.poisson(settings.holes * clean.size / UNIT_AREA)
    for index in rng.permutation(peaks)[:count].tolist():
        row, column = divmod(index, clean.shape[1])
        radius = rng.uniform(1.0, 4.0)
        holes |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return holes


def infrared_view(
    screen: Floats, decoys: Floats, settings: FilamentSettings, rng: np.random.Generator
) -> Floats:
    """8 um brightness in MJy/sr: a bright sky behind a screen, what glows by itself, haze, stars.

    Parameters
    ----------
    screen
        N(H2) in cm^-2, after the beam, of what lies before the bright sky: filaments, and some of
        the clouds.
    decoys
        N(H2) of shells and clumps, which are no screen: they lie among what shines, far or lit.
    """
    shape = (screen.shape[0], screen.shape[1])
    # The light of all the inner Galaxy, kiloparsecs deep: it varies over degrees.
    smooth = np.exp(0.25 * gaussian_field(shape, -4.5, rng, outer_px=600.0))
    behind, before = 60.0 * smooth, 20.0 * smooth
    # tau(8 um) = 1 at about 2.3e22 cm^-2 (Indebetouw et al. 2005 law, A_V = N(H2) / 9.4e20).
    view = behind * np.exp(-screen / 2.3e22) + before
    stars = np.zeros(shape)
    count = rng.poisson(0.004 * screen.size)
    where = (rng.integers(0, shape[0], count), rng.integers(0, shape[1], count))
    np.add.at(stars, where, np.minimum(20.0 * (1.0 - rng.random(count)) ** (-1 / 1.2), 4e4))
    noise = rng.normal(0.0, 0.3, shape)
    view += glow(decoys, rng.spawn(1)[0])
    return np.asarray(view + ndimage.gaussian_filter(stars, 0.6) + noise)


def glow(column: Floats, rng: np.random.Generator) -> Floats:
    """8 um brightness in MJy/sr of the PAHs of a column N(H2) in starlight of uneven strength.

    In the starlight around the Sun dust shines with 3.6e-22 MJy/sr per hydrogen atom and cm^2 at
    12 um (Boulanger & Perault 1988, ApJ 330 964), and about so at 8 um. Here the light is some 10
    times that, with a scatter of 0.4 dex: the rims of H II regions see more, a far clump less.
    """
    shape = (column.shape[0], column.shape[1])
    starlight = 10.0 ** (1.0 + 0.4 * gaussian_field(shape, -3.0, rng, outer_px=60.0))
    return np.asarray(2.0 * 3.6e-22 * starlight * column)


def galactic_wcs(shape: tuple[int, int], longitude_deg: float, pixel_arcsec: float) -> WCS:
    """Galactic plate carrée coordinates of a sky centred on the plane at a longitude.

    The reference lies at b = 0: with any other CRVAL2 the CAR projection is oblique (Calabretta
    & Greisen 2002), and rows would not be lines of equal latitude.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [longitude_deg, 0.0]
    wcs.wcs.crpix = [(shape[1] + 1) / 2.0, (shape[0] + 1) / 2.0]
    wcs.wcs.cdelt = [-pixel_arcsec / 3600.0, pixel_arcsec / 3600.0]
    wcs.array_shape = shape
    wcs.wcs.set()
    return wcs
