"""SDSS picture: light in g, r and i as the colour pictures that Galaxy Zoo 3D showed.

Stars, seeing, noise, the asinh stretch of Lupton et al. (2004) with the scales that SDSS used, the
outline of the MaNGA bundle, and JPEG. Levels, noise and outline are those of the one real picture
that was looked at.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.simulate.light import Psf
from napari_astroseg.sky.simulate.spirallight import STEP, colours, grid
from napari_astroseg.sky.simulate.spiralscene import FIELD_PX, PIXEL_ARCSEC, SpiralSettings

Floats = NDArray[np.float64]

SCALES = (7.8, 5.7, 4.9)
"""Factors on g, r and i: they become blue, green and red."""
NONLINEARITY = 3.0

NOISE = (0.0029, 0.0042, 0.0057)
"""Standard deviation of the noise in g, r and i, nanomaggies per camera pixel, as it is shown."""
LEVEL = (0.0045, 0.0075, 0.0097)
"""What is left of the sky."""
QUALITY = 75
"""Of the JPEG."""

_GRAIN = 2.3
"""Noise is smooth over so many places of the grid: pictures are finer than the camera's pixels."""
_SKY = 0.6
"""Brightness of the whole sky, nanomaggies per camera pixel: what is brighter is noisier."""
_SHARPER = (1.08, 1.0, 0.95)
"""Seeing in g, r and i over that in r."""
_NATIVE = (0.396 / PIXEL_ARCSEC / STEP) ** 2
"""Places of the grid in a pixel of the camera."""


def stars(rng: np.random.Generator, settings: SpiralSettings) -> tuple[Floats, Floats, Floats]:
    """Light of foreground stars on the grid as `light`, places (N, 2) px, and magnitudes in r."""
    count = int(rng.poisson(settings.stars))
    places = rng.uniform(4.0, FIELD_PX - 5.0, (count, 2))
    # Counts per magnitude grow by 0.2 dex at high latitudes.
    magnitudes = np.log10(rng.uniform(10 ** (0.2 * 14.5), 10 ** (0.2 * 21.5), count)) / 0.2
    blue = np.clip(rng.normal(0.9, 0.45, count), 0.2, 1.5)
    redder = np.where(blue > 1.3, rng.uniform(0.6, 1.6, count), 0.45 * blue - 0.05)
    shape = grid()[0].shape
    found = np.zeros((3, *shape))
    fluxes = colours((blue, redder)) * 10.0 ** (0.4 * (22.5 - magnitudes))
    for place, flux in zip(places / STEP, fluxes.T, strict=True):
        column, row = np.floor(place).astype(int)
        right, down = place - (column, row)
        weights = np.outer((1.0 - down, down), (1.0 - right, right))
        found[:, row : row + 2, column : column + 2] += flux[:, None, None] * weights * _NATIVE
    return found, places, magnitudes


def picture(
    light: Floats, fibres: int, size: int, rng: np.random.Generator, settings: SpiralSettings
) -> NDArray[np.uint8]:
    """The picture (size, size, 3) in red, green and blue that comes of light on the grid."""
    fwhm = rng.uniform(*settings.seeing_arcsec) / PIXEL_ARCSEC / STEP
    bands = []
    for band, wider, noise, level in zip(light, _SHARPER, NOISE, LEVEL, strict=True):
        seen = np.zeros_like(band)
        for share, width in Psf.seeing(fwhm * wider).parts:
            seen += share * ndimage.gaussian_filter(band, width, truncate=3.5)
        grain = ndimage.gaussian_filter(rng.standard_normal(band.shape), _GRAIN, mode="wrap")
        grain *= 2.0 * np.sqrt(np.pi) * _GRAIN  # smoothing lowered its spread by this
        grain *= settings.noise * noise * np.sqrt(1.0 + np.maximum(seen, 0.0) / _SKY)
        bands.append(seen + grain + level)
    fine = _finer(np.stack(bands), size)
    return _packed(_outlined(lupton(fine), fibres))


def lupton(bands: Floats) -> Floats:
    """(H, W, 3) red, green and blue, 0 to 1, of (3, H, W) in g, r and i, hues kept."""
    scaled = np.maximum(bands * np.array(SCALES)[:, None, None], 0.0)
    total = scaled.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.arcsinh(NONLINEARITY * total) / (NONLINEARITY * total)
    shown = scaled * np.where(total > 0.0, factor, 0.0)
    shown /= np.maximum(shown.max(0), 1.0)
    return np.asarray(np.moveaxis(shown[::-1], 0, -1))


def bundle_radius(fibres: int) -> float:
    """From the centre to a corner of the outline that pictures show of a MaNGA bundle, px.

    Corners lie a little beyond the middles of the outermost fibres, 2.5 arcsec from each other.
    """
    across = {19: 5, 37: 7, 61: 9, 91: 11, 127: 13}[fibres]
    return ((across - 1) * 2.5 + 0.35) / 2.0 / PIXEL_ARCSEC


def _finer(bands: Floats, size: int) -> Floats:
    """The same on (size, size) pixels, linear between places of the grid."""
    places = ((np.arange(size) + 0.5) * FIELD_PX / size - 0.5) / STEP
    first = np.clip(np.floor(places).astype(int), 0, bands.shape[1] - 2)
    beyond = places - first
    rows = bands[:, first] * (1.0 - beyond)[:, None] + bands[:, first + 1] * beyond[:, None]
    return np.asarray(rows[..., first] * (1.0 - beyond) + rows[..., first + 1] * beyond)


def _outlined(shown: Floats, fibres: int) -> Floats:
    """With the outline of a bundle, magenta, two corners of it left and right."""
    size = shown.shape[0]
    scale = FIELD_PX / size
    x, y = (
        np.abs((axis + 0.5) * scale - FIELD_PX / 2.0) for axis in np.indices((size, size))[::-1]
    )
    inner = bundle_radius(fibres) * np.sqrt(0.75)
    # A hexagon is where the largest of its three distances from the middle has one value.
    off = np.maximum(y, np.sqrt(0.75) * x + 0.5 * y) - inner
    cover = 0.85 * np.clip(1.2 - np.abs(off) / scale, 0.0, 1.0)[..., None]
    return np.asarray(shown * (1.0 - cover) + cover * np.array((0.9, 0.0, 0.9)))


def _packed(shown: Floats) -> NDArray[np.uint8]:
    """As it comes out of a JPEG."""
    from PIL import Image

    whole = Image.fromarray(np.round(255.0 * shown).astype(np.uint8))
    file = io.BytesIO()
    whole.save(file, "jpeg", quality=QUALITY)
    return np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
