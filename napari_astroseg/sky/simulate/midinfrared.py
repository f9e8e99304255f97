"""Mid-infrared: the sky of the inner Galaxy at 3.6, 8 and 24 um as Spitzer sees it, in MJy/sr.

Cirrus, dark clouds, stars, point spread, noise and what saturates. Magnitudes are Vega's, on the
zero points of the IRAC and MIPS handbooks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, special

from napari_astroseg.sky.simulate.bubblescene import PIXEL_ARCSEC, UNIT_AREA, Placed
from napari_astroseg.sky.simulate.structures import Curve, add_curve, filament_curves
from napari_astroseg.sky.simulate.turbulence import gaussian_field, warped

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Band:
    """How Spitzer sees in one band.

    Parameters
    ----------
    letter
        Of its file: r, g, b.
    micron
        Wavelength.
    zero_jansky
        Flux of a star of magnitude 0.
    fwhm_arcsec
        Of a star.
    cirrus
        Brightness of cirrus in units of that at 8 um.
    noise
        Standard deviation of a pixel at the brightness of 50, MJy/sr.
    correlated_px
        Gaussian standard deviation over which noise is shared: 24 um is regridded from 1.25".
    saturated
        MJy/sr from which the map holds NaN: 1.6 and 0.44 Jy in a star at 8 and 3.6 um (magnitudes
        4 and 7), 1700 MJy/sr at 24 um.
    """

    letter: str
    micron: float
    zero_jansky: float
    fwhm_arcsec: float
    cirrus: float
    noise: float
    correlated_px: float
    saturated: float


BANDS = (
    Band("r", 24.0, 7.17, 5.9, 0.7, 0.4, 0.8, 1700.0),
    Band("g", 8.0, 64.1, 2.0, 1.0, 0.5, 0.0, 15e3),
    Band("b", 3.6, 280.9, 1.7, 0.05, 0.3, 0.0, 5.7e3),
)
"""From the longest wavelength, as in the files r, g, b."""

_STARS = 45000.0
"""Mean number of stars brighter than magnitude 15 at 3.6 um per 1024 x 1024 pixels."""

_COUNTS = 0.33
"""Dex by which that number rises with a magnitude; both as on a GLIMPSE mosaic at l = 18."""

_DARK_CLOUDS = 7.0
"""Mean number of them per 1024 x 1024 pixels, branches not counted."""

_DARK = 0.7
"""Share of the light that comes from behind the dark clouds."""

_MJY_SR = 1e-6 / np.deg2rad(PIXEL_ARCSEC / 3600.0) ** 2
"""MJy/sr of one Jansky in one pixel."""


def cirrus(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(H, W) light of diffuse clouds at 8 um: wisps upon a smooth sheet, 35 to 110 MJy/sr."""
    slope = float(rng.uniform(-3.4, -2.9))
    field = warped(gaussian_field(shape, slope, rng, outer_px=500.0), 12.0, 90.0, rng)
    level, veil = 10.0 ** rng.uniform(1.55, 2.05), rng.uniform(0.35, 0.6)
    clouds = np.exp(rng.uniform(0.25, 0.45) * field)
    return np.asarray(level * (veil + (1.0 - veil) * clouds / clouds.mean()))


def texture(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(H, W) factors of unit mean: the lumps of the matter that bubbles light up."""
    lumps = np.exp(0.4 * warped(gaussian_field(shape, -2.8, rng, outer_px=150.0), 6.0, 60.0, rng))
    return np.asarray(lumps / lumps.mean())


def transmission(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(H, W) share of the light that passes the infrared dark clouds, 0 to 1.

    One for all bands: in dense clouds the extinction is flat from 5 to 24 um (Chapman et al. 2009,
    ApJ 690 496).
    """
    depth = np.zeros(shape)
    for _ in range(rng.poisson(_DARK_CLOUDS * shape[0] * shape[1] / UNIT_AREA)):
        start = (float(rng.uniform(0, shape[0])), float(rng.uniform(0, shape[1])))
        for curve in filament_curves(start, rng.uniform(0.0, 2.0 * np.pi), 110.0, 0.7, 0.3, rng):
            # A parsec at 4 kpc is 43 px; a dark cloud is a tenth or two wide.
            add_curve(depth, Curve(curve.points, curve.excess, 1.6 * curve.radius_px))
    return np.asarray(1.0 - _DARK * (1.0 - np.exp(-depth)))


def stars(
    shape: tuple[int, int], placed: list[Placed], rng: np.random.Generator
) -> dict[str, Floats]:
    """Band letter → (H, W) starlight after the telescope, MJy/sr.

    Most stars have one magnitude in all bands; one in sixty is red: dusty, and brighter by 1 to 4
    magnitudes at 24 um than its photosphere. The bright stars of the scene are added.
    """
    count = int(rng.poisson(_STARS * shape[0] * shape[1] / UNIT_AREA))
    magnitude = 15.0 + np.log10(1.0 - rng.random(count)) / _COUNTS
    magnitude = np.maximum(magnitude, 7.0)
    x, y = rng.uniform(-0.5, shape[1] - 0.5, count), rng.uniform(-0.5, shape[0] - 0.5, count)
    excess = np.where(rng.random(count) < 1 / 60, rng.uniform(1.0, 4.0, count), 0.0)
    bright = [each for each in placed if each.kind == "bright_star"]
    x, y = np.append(x, [each.x for each in bright]), np.append(y, [each.y for each in bright])
    magnitude = np.append(magnitude, rng.uniform(3.5, 6.5, len(bright)))
    excess = np.append(excess, rng.uniform(2.0, 4.0, len(bright)))
    light = {}
    for band in BANDS:
        share = {24.0: 1.0, 8.0: 0.4, 3.6: 0.0}[band.micron]
        flux = band.zero_jansky * 10.0 ** (-0.4 * (magnitude - share * excess)) * _MJY_SR
        light[band.letter] = _spread(_dealt(x, y, flux, shape), _point_spread(band))
    return light


def observed(light: Floats, band: Band, starlight: Floats, rng: np.random.Generator) -> Floats:
    """(H, W) what the map holds: the light through the telescope, stars, noise; NaN if saturated.

    Parameters
    ----------
    light
        Of clouds and dust before the telescope, MJy/sr.
    starlight
        After it.
    """
    sigma = band.fwhm_arcsec / PIXEL_ARCSEC / (2.0 * np.sqrt(2.0 * np.log(2.0)))
    seen = ndimage.gaussian_filter(light, sigma, mode="nearest") + starlight
    noise = rng.standard_normal(light.shape)
    if band.correlated_px:
        noise = ndimage.gaussian_filter(noise, band.correlated_px, mode="wrap")
        noise /= noise.std()
    seen = seen + band.noise * np.sqrt(np.maximum(seen, 5.0) / 50.0) * noise
    return np.where(seen > band.saturated, np.nan, seen)


def unobserved(shape: tuple[int, int], placed: list[Placed], rng: np.random.Generator) -> Mask:
    """True on a strip that the survey did not reach, in one tile of six; no bubble touches it."""
    beyond = np.zeros(shape, bool)
    if rng.random() > 1 / 6:
        return beyond
    depth = int(rng.uniform(0.02, 0.08) * shape[0])
    top = bool(rng.random() < 0.5)
    rows = slice(shape[0] - depth, None) if top else slice(0, depth)
    edge = shape[0] - depth if top else depth
    for each in placed:
        away = edge - each.y if top else each.y - edge
        if each.kind == "bubble" and away < 1.5 * each.major_px:
            return beyond
    beyond[rows] = True
    return beyond


def _dealt(x: Floats, y: Floats, flux: Floats, shape: tuple[int, int]) -> Floats:
    """Points of light dealt to the four pixels around each."""
    total = np.zeros(shape)
    left, low = np.floor(x).astype(int), np.floor(y).astype(int)
    for across in (0, 1):
        for up in (0, 1):
            share = np.abs(1 - across - (x - left)) * np.abs(1 - up - (y - low))
            rows, columns = low + up, left + across
            kept = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
            np.add.at(total, (rows[kept], columns[kept]), (flux * share)[kept])
    return total


def _spread(points: Floats, kernel: Floats) -> Floats:
    """Each point become a kernel (odd sides) of its flux."""
    full = [n + m - 1 for n, m in zip(points.shape, kernel.shape, strict=True)]
    lengths = [fft.next_fast_len(n, real=True) for n in full]
    both = fft.rfft2(points, lengths) * fft.rfft2(kernel, lengths)
    top, left = (m // 2 for m in kernel.shape)
    whole = fft.irfft2(both, lengths)
    return np.asarray(whole[top : top + points.shape[0], left : left + points.shape[1]])


def _point_spread(band: Band) -> Floats:
    """A star of unit flux: at 24 um with diffraction rings, else a Gaussian with faint wings."""
    reach = 48
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    radius = np.hypot(rows, columns) * PIXEL_ARCSEC
    if band.micron > 20:
        # The pattern of a mirror of 0.85 m of which the secondary hides 0.32.
        phase = np.pi * 0.85 / (band.micron * 1e-6) * np.deg2rad(radius / 3600.0) + 1e-9
        hidden = 0.32
        amplitude = special.j1(phase) / phase
        amplitude -= hidden**2 * special.j1(hidden * phase) / (hidden * phase)
        spread = ndimage.gaussian_filter(amplitude**2, 0.6)
    else:
        sigma = band.fwhm_arcsec / (2.0 * np.sqrt(2.0 * np.log(2.0)))
        spread = np.exp(-0.5 * (radius / sigma) ** 2) + 2e-4 / (1.0 + (radius / 8.0) ** 2) ** 1.5
    return np.asarray(spread / spread.sum())
