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


def infrared_view(clean: Floats, settings: FilamentSettings, rng: np.random.Generator) -> Floats:
    """8 um brightness in MJy/sr: bright sky behind, column absorbing it, haze in front, stars."""
    shape = (clean.shape[0], clean.shape[1])
    smooth = np.exp(0.25 * gaussian_field(shape, -3.5, rng, outer_px=200.0))
    behind, before = 60.0 * smooth, 20.0 * smooth
    # tau(8 um) = 1 at about 2.3e22 cm^-2 (Indebetouw et al. 2005 law, A_V = N(H2) / 9.4e20).
    view = behind * np.exp(-clean / 2.3e22) + before
    stars = np.zeros(shape)
    count = rng.poisson(0.004 * clean.size)
    where = (rng.integers(0, shape[0], count), rng.integers(0, shape[1], count))
    np.add.at(stars, where, np.minimum(20.0 * (1.0 - rng.random(count)) ** (-1 / 1.2), 4e4))
    return np.asarray(view + ndimage.gaussian_filter(stars, 0.6) + rng.normal(0.0, 0.3, shape))


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
