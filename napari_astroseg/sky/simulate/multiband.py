"""Multiband: simulated sets of stars and galaxies in g, r and z, one mask for each object.

One seed and number give one set in the layout of Astro R-CNN (Burke et al. 2019): `img_g.fits`,
`img_r.fits`, `img_z.fits` and `masks.fits`, whose images hold each object alone, without noise.
GalSim draws; where it is missing, one sentence says how to get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.writing import replacing, replacing_folder, write_image
from napari_astroseg.sky.simulate.light import Drawn, Psf, drawn, library
from napari_astroseg.sky.simulate.multibandscene import (
    BANDS,
    PIXEL_ARCSEC,
    TOLD,
    ZERO_POINT,
    MultibandSettings,
    Placed,
    scene,
)

LEAST_SIZE, LARGEST_SIZE = 64, 4096
"""Pixels on a side. Every object has an image of the whole frame: a large frame has many."""

CLASS_ID = {"star": 1, "galaxy": 2}

_FAINT = 0.03
"""In units of the noise: what is fainter than this is not drawn."""

PEAK = 10_000
"""Value of an object's brightest pixel in its mask. Whole numbers take less than half the time to
write and to read that fractions do, and 50, from where a star counts, is exact to 1 %."""

_DIM = 0.001
"""Of an object's peak: what is dimmer is 0 in its mask, a fifth of what counts for a star."""

_TILE = 128
"""Side of a tile of the compressed masks, px: most hold nothing."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """An object that can be seen: its number in the catalogue, its kind, its light in r."""

    id: int
    kind: str
    drawn: Drawn


@dataclass(frozen=True, slots=True, eq=False)
class MultibandSky:
    """One simulated set, north up."""

    bands: dict[str, Floats]
    """g, r, z → (H, W) brightness with noise, nanomaggies per pixel, sky subtracted."""
    outlines: tuple[Outline, ...]
    """The objects that have masks."""
    catalogue: Catalogue
    """Every object; see `simulate_multiband`."""
    wcs: WCS
    """Equatorial coordinates (RA---TAN, DEC--TAN)."""


def simulate_multiband(
    size: int = 512, seed: int = 0, number: int = 0, settings: MultibandSettings | None = None
) -> MultibandSky:
    """One set of bands, the same for the same size, seed, number and settings.

    The catalogue has a row for each object: `id`, `x`, `y`, `lon`, `lat`, `kind`; magnitudes
    `mag_g`, `mag_r`, `mag_z`; `half_light_radius` in arcsec; `snr` in all bands together, against
    the noise of the sky alone; `mask`, its HDU in `masks.fits`, 0 for one too faint to have any.

    Parameters
    ----------
    size
        Pixels on a side.
    seed, number
        Of the folder, and of the set in it; the number gives the place on the sky, too.
    settings
        What the set holds.

    Raises
    ------
    DataError
        When the set would be too small or too large.
    SetupError
        When GalSim is not installed.
    """
    if not LEAST_SIZE <= size <= LARGEST_SIZE:
        raise DataError(
            f"a set of {size:,} pixels is too {'small' if size < LEAST_SIZE else 'large'} to "
            f"simulate; ask for {LEAST_SIZE} to {LARGEST_SIZE:,}"
        )
    settings = settings or MultibandSettings()
    library()
    shape = (size, size)
    lay, air, noise = np.random.default_rng([seed, number]).spawn(3)
    objects = scene(size, settings, lay)
    # The air differs from night to night, and is as good or bad in all bands.
    night = 10.0 ** (0.06 * air.standard_normal())
    psfs = [Psf.seeing(band.seeing_arcsec * night / PIXEL_ARCSEC) for band in BANDS]
    clean = [np.zeros(shape, np.float32) for _ in BANDS]
    snr, outlines = np.zeros(len(objects)), []
    for i, each in enumerate(objects):
        seen = _seen(each, psfs, shape)
        for image, light in zip(clean, seen, strict=True):
            image[light.window.slices] += light.light
        snr[i] = _snr(seen)
        if snr[i] >= settings.least_snr:
            outlines.append(Outline(i + 1, each.kind, seen[TOLD]))
    bands = {
        band.letter: _observed(image, band.noise, band.sky, own)
        for band, image, own in zip(BANDS, clean, noise.spawn(len(BANDS)), strict=True)
    }
    wcs = set_wcs(size, number)
    return MultibandSky(bands, tuple(outlines), _catalogue(objects, snr, outlines, wcs), wcs)


def write(out: Path, number: int, size: int, seed: int) -> list[Path]:
    """Write one set, whole or not at all, and give its files.

    They are `set_0/img_g.fits`, `img_r.fits`, `img_z.fits`, `masks.fits` and `catalogue.ecsv`.

    Raises
    ------
    DataError
        When the set would be too small or too large.
    OutputError
        When it cannot be written.
    SetupError
        When GalSim is not installed.
    """
    sky = simulate_multiband(size, seed, number)
    header = sky.wcs.to_header()
    header["ORIGIN"] = ("napari-astroseg", "simulated, not observed")
    header["SIMSEED"] = (seed, "seed of the simulated sets")
    header["SIMSET"] = (number, "number of this set")
    header["MAGZERO"] = (ZERO_POINT, "[mag] AB magnitude of one nanomaggy")
    place = out / f"set_{number}"
    names = [*(f"img_{letter}.fits" for letter in sky.bands), "masks.fits", "catalogue.ecsv"]
    with replacing_folder(place) as making:
        for letter, image in sky.bands.items():
            header["FILTER"] = letter
            write_image(making / f"img_{letter}.fits", image, header, "nmgy")
        _write_masks(making / "masks.fits", sky.outlines, (size, size))
        sky.catalogue.write(making / "catalogue.ecsv")
    return [place / name for name in names]


def set_wcs(size: int, number: int) -> WCS:
    """Coordinates of a set: along a parallel of the COSMOS field, none touching the next."""
    step = np.ceil(1.1 * size * PIXEL_ARCSEC / 36.0) / 100.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [(150.0 + step * number) % 360.0, 2.2]
    wcs.wcs.crpix = [(size + 1) / 2.0, (size + 1) / 2.0]
    wcs.wcs.cdelt = [-PIXEL_ARCSEC / 3600.0, PIXEL_ARCSEC / 3600.0]
    wcs.array_shape = (size, size)
    wcs.wcs.set()
    return wcs


def _seen(each: Placed, psfs: Sequence[Psf], shape: tuple[int, int]) -> list[Drawn]:
    """An object's light in each band; its centre lies on the frame, so there is some."""
    found = [
        drawn(parts, psf, (each.x, each.y), shape, _FAINT * band.noise)
        for parts, psf, band in zip(each.parts, psfs, BANDS, strict=True)
    ]
    return [light for light in found if light is not None]


def _snr(seen: Sequence[Drawn]) -> float:
    """Signal to noise of an object whose shape is known, in all bands together."""
    each = [
        float((light.light.astype(np.float64) ** 2).sum()) / band.noise**2
        for light, band in zip(seen, BANDS, strict=True)
    ]
    return float(np.sqrt(sum(each)))


def _observed(clean: Floats, noise: float, sky: float, rng: np.random.Generator) -> Floats:
    """A band with the noise of the sky and of the objects' own light."""
    spread = noise * np.sqrt(1.0 + np.maximum(clean, 0.0) / sky)
    return np.asarray(clean + spread * rng.standard_normal(clean.shape, np.float32), np.float32)


def _catalogue(
    objects: Sequence[Placed], snr: NDArray[np.float64], outlines: Sequence[Outline], wcs: WCS
) -> Catalogue:
    x, y = np.array([(each.x, each.y) for each in objects]).T
    lon, lat = wcs.wcs_pix2world(x, y, 0)
    mask = np.zeros(len(objects), int)
    mask[[each.id - 1 for each in outlines]] = np.arange(1, len(outlines) + 1)
    magnitude = ZERO_POINT - 2.5 * np.log10([each.flux for each in objects])
    columns = {
        "id": np.arange(1, len(objects) + 1), "x": x, "y": y, "lon": lon, "lat": lat,
        "kind": [each.kind for each in objects],
        **{f"mag_{band.letter}": magnitude[:, i] for i, band in enumerate(BANDS)},
        "half_light_radius": [each.half_light_arcsec for each in objects],
        "snr": snr, "mask": mask,
    }  # fmt: skip
    units = dict.fromkeys(("mag_g", "mag_r", "mag_z"), "mag") | {
        "lon": "deg", "lat": "deg", "half_light_radius": "arcsec",
    }  # fmt: skip
    return Catalogue(QTable(columns, units=units), "icrs")


def _write_masks(path: Path, outlines: Sequence[Outline], shape: tuple[int, int]) -> None:
    """One compressed image of the whole frame for each object, its peak at `PEAK`."""
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for each in outlines:
        light = each.drawn.light / each.drawn.light.max()
        frame = np.zeros(shape, np.int16)
        frame[each.drawn.window.slices] = np.round(PEAK * np.where(light > _DIM, light, 0.0))
        tile = (min(_TILE, shape[0]), min(_TILE, shape[1]))
        hdu = fits.CompImageHDU(frame, compression_type="RICE_1", tile_shape=tile)
        hdu.header["CLASS_ID"] = (CLASS_ID[each.kind], each.kind)
        hdu.header["OBJID"] = (each.id, "number in the catalogue")
        hdus.append(hdu)
    with replacing(path) as temporary, temporary.open("wb") as file:
        hdus.writeto(file)
