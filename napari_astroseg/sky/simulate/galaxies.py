"""Galaxies: simulated fields of blended Sérsic galaxies, cut into stamps, with known truth.

One seed and number give one field in the layout of Bretonnière et al. (2021):
`stamps_WithNoise_NAME.npy` and `stamps_seg_NAME.npy`, and beside them a catalogue of every galaxy.
GalSim draws; where it is missing, one sentence says how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.writing import replacing, write_image
from napari_astroseg.sky.simulate.light import Drawn, Part, Psf, Sersic, drawn, library
from napari_astroseg.sky.simulate.population import (
    axis_ratios,
    half_light_arcsec,
    magnitudes,
    places,
    sersic_indices,
)

STAMP = 128
"""Side of a stamp, px."""

LARGEST = 25_600
"""Side of the largest field, px; the authors' are 25 000, and one takes 5 GB of memory."""

PIXEL_ARCSEC = 0.1
"""Of Euclid's visible camera."""

ZERO_POINT = 23.9
"""AB magnitude of 1 uJy."""

LARGEST_IMAGE = 2048
"""Side of the image that the first field leaves beside its stamps, px."""

UNIT_AREA = 1024 * 1024
"""Counts in the settings are per this many pixels."""

_MARGIN_PX = 100.0
"""How far beyond the edges galaxies lie that may shine in."""

_FAINT = 0.03
"""In units of the noise: what is fainter than this is not drawn."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GalaxySettings:
    """What a simulated field of galaxies holds."""

    galaxies: float = 180.0
    """Mean number per 1024 x 1024 pixels (2.9 square arcmin), down to the faintest."""
    magnitudes: tuple[float, float] = (18.0, 25.0)
    """Brightest and faintest AB magnitude."""
    slope: float = 0.25
    """Growth of the number of galaxies in dex per magnitude; a little less than the real one, for
    the faintest have hardly a pixel above the noise."""
    spheroids: float = 0.25
    """Share of spheroids; all others are discs."""
    companions: float = 0.6
    """Share of galaxies that lie beside another; far more than really do, for overlaps are to be
    learnt and stamps between them are to be empty."""
    companion_arcsec: tuple[float, float] = (0.2, 1.5)
    """Least and largest distance of these."""
    noise: float = 0.005
    """Standard deviation of the noise, uJy per pixel; it gives magnitude 24.5 at 10 sigma in an
    aperture of 1.3 arcsec, as in Euclid's wide survey."""
    psf_arcsec: float = 0.17
    """Full width at half maximum of the Gaussian point-spread function."""
    threshold: float = 1.0
    """A galaxy is where its own light, without noise, exceeds this many sigma of the noise."""


@dataclass(frozen=True, slots=True, eq=False)
class GalaxyField:
    """One simulated field (H, W), a whole number of stamps wide and high."""

    image: Floats
    """Brightness with noise, uJy per pixel."""
    truth: Bytes
    """0 background, 1 one galaxy, 2 where two or more overlap."""
    catalogue: Catalogue
    """Every galaxy; see `simulate_galaxies`."""


def simulate_galaxies(
    size: int = 2048, seed: int = 0, number: int = 0, settings: GalaxySettings | None = None
) -> GalaxyField:
    """One field of galaxies, the same for the same size, seed, number and settings.

    The catalogue has a row for each galaxy, those that shine in from beyond an edge included:
    `id`; centre `x`, `y` in pixels of the field, and the `stamp` it lies on (-1: none);
    `magnitude`, `flux` in uJy; `half_light_radius` in arcsec (of the circle of the same area),
    `sersic_index`, `axis_ratio`, `angle` in deg (from columns towards rows); `area` in pixels above
    the noise, `shared` of these with other galaxies, and whether it is `blended` with any.

    Parameters
    ----------
    size
        Pixels on a side; what is beyond a whole number of stamps is left out.
    seed, number
        Of the folder, and of the field in it.
    settings
        What the field holds.

    Raises
    ------
    DataError
        When no stamp fits into the field, or the field does not fit into memory.
    SetupError
        When GalSim is not installed.
    """
    settings, side = settings or GalaxySettings(), _side(size)
    library()
    shape = (side, side)
    scene, noise = np.random.default_rng([seed, number]).spawn(2)
    table = _scene(shape, settings, scene)
    image, cover = np.zeros(shape, np.float32), np.zeros(shape, np.uint16)
    above: list[tuple[tuple[slice, slice], NDArray[np.bool_]] | None] = []
    for each in _lights(table, shape, settings):
        if each is None:
            above.append(None)
            continue
        place = each.window.slices
        image[place] += each.light
        mask = each.light > settings.threshold * settings.noise
        cover[place] += mask
        above.append((place, mask))
    _tell_overlaps(table, cover, above)
    image += settings.noise * noise.standard_normal(shape, np.float32)
    table.meta |= {
        "seed": seed, "number": number, "zero_point": ZERO_POINT, "pixel_arcsec": PIXEL_ARCSEC,
        "noise": settings.noise, "threshold": settings.threshold,
        "psf_arcsec": settings.psf_arcsec,
    }  # fmt: skip
    return GalaxyField(image, np.minimum(cover, 2).astype(np.uint8), Catalogue(table))


def write(
    out: Path, number: int, size: int, seed: int, settings: GalaxySettings | None = None
) -> list[Path]:
    """Write one field as stamps, whole or not at all, and give its files.

    They are `stamps_WithNoise_field_000.npy` (N, 128, 128) float32, row by row from the first row
    of the field, `stamps_seg_field_000.npy` uint8, and `catalogue_field_000.ecsv`. Number 0 leaves
    `image_field_000.fits` besides, the same light as one image (its first 2048 rows and columns).

    Raises
    ------
    DataError
        When no stamp fits into the field, or the field does not fit into memory.
    OutputError
        When it cannot be written.
    SetupError
        When GalSim is not installed.
    """
    field = simulate_galaxies(size, seed, number, settings)
    name = f"field_{number:03d}"
    images, truth = out / f"stamps_WithNoise_{name}.npy", out / f"stamps_seg_{name}.npy"
    catalogue = out / f"catalogue_{name}.ecsv"
    # A reader looks for the images: they come last, when all else is there.
    field.catalogue.write(catalogue)
    whole = [_write_whole(out / f"image_{name}.fits", field.image, seed)] if number == 0 else []
    with replacing(images) as first, replacing(truth) as second:
        for temporary, values in ((first, field.image), (second, field.truth)):
            with temporary.open("wb") as file:
                np.save(file, stamps(values), allow_pickle=False)
    return [images, truth, catalogue, *whole]


def stamps(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """(N, 128, 128) stamps of a field (H, W), row by row."""
    high, wide = (side // STAMP for side in values.shape)
    grid = values.reshape(high, STAMP, wide, STAMP)
    return grid.swapaxes(1, 2).reshape(-1, STAMP, STAMP)


def _write_whole(path: Path, values: Floats, seed: int) -> Path:
    """A field's first rows and columns as one FITS image, north up, in the COSMOS field."""
    values = values[:LARGEST_IMAGE, :LARGEST_IMAGE]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cunit = ["RA---TAN", "DEC--TAN"], ["deg", "deg"]
    wcs.wcs.crval = [150.0, 2.2]
    wcs.wcs.crpix = [(side + 1) / 2.0 for side in values.shape[::-1]]
    wcs.wcs.cdelt = [-PIXEL_ARCSEC / 3600.0, PIXEL_ARCSEC / 3600.0]
    notes: dict[str, str | int | float] = {
        "ORIGIN": "simulated, not observed", "SIMSEED": seed, "MAGZERO": ZERO_POINT,
    }  # fmt: skip
    return write_image(path, values, wcs.to_header(), "uJy", notes)


def _side(size: int) -> int:
    """Side of a field in whole stamps, px."""
    if not STAMP <= size <= LARGEST:
        raise DataError(
            f"a field of {size:,} pixels cannot be cut into stamps of {STAMP}; "
            f"ask for {STAMP} to {LARGEST:,}"
        )
    return size // STAMP * STAMP


def _lights(
    table: QTable, shape: tuple[int, int], settings: GalaxySettings
) -> Iterator[Drawn | None]:
    """The light of each galaxy, without noise; None of one that shines beyond the edges alone."""
    psf = Psf.gaussian(settings.psf_arcsec / PIXEL_ARCSEC)
    columns = ("x", "y", "flux", "sersic_index", "half_light_radius", "axis_ratio", "angle")
    rows = zip(*(np.asarray(table[name]).tolist() for name in columns), strict=True)
    for x, y, flux, index, radius, ratio, angle in rows:
        profile = Sersic(index, radius / PIXEL_ARCSEC, ratio, angle)
        yield drawn([Part(flux, profile)], psf, (x, y), shape, _FAINT * settings.noise)


def _tell_overlaps(
    table: QTable,
    cover: NDArray[np.uint16],
    above: list[tuple[tuple[slice, slice], NDArray[np.bool_]] | None],
) -> None:
    """Add how many pixels each galaxy has above the noise, and how many of these it shares."""
    table["area"] = [0 if each is None else int(each[1].sum()) for each in above]
    table["shared"] = [
        0 if each is None else int((cover[each[0]][each[1]] > 1).sum()) for each in above
    ]
    table["blended"] = table["shared"] > 0


def _scene(shape: tuple[int, int], settings: GalaxySettings, rng: np.random.Generator) -> QTable:
    """All galaxies of a field before any is drawn."""
    area = (shape[0] + 2.0 * _MARGIN_PX) * (shape[1] + 2.0 * _MARGIN_PX)
    count = int(rng.poisson(settings.galaxies * area / UNIT_AREA))
    magnitude = magnitudes(count, settings.magnitudes, settings.slope, rng)
    near, far = (each / PIXEL_ARCSEC for each in settings.companion_arcsec)
    where = places(count, shape, _MARGIN_PX, settings.companions, (near, far), rng)
    spheroid = rng.random(count) < settings.spheroids
    x, y = where.T
    column, row = (np.floor((each + 0.5) / STAMP).astype(int) for each in (x, y))
    wide, high = shape[1] // STAMP, shape[0] // STAMP
    inside = (column >= 0) & (column < wide) & (row >= 0) & (row < high)
    return QTable(
        {
            "id": np.arange(1, count + 1),
            "x": x,
            "y": y,
            "stamp": np.where(inside, row * wide + column, -1),
            "magnitude": magnitude,
            "flux": 10.0 ** (0.4 * (ZERO_POINT - magnitude)),
            "half_light_radius": half_light_arcsec(magnitude, rng),
            "sersic_index": sersic_indices(spheroid, rng),
            "axis_ratio": axis_ratios(spheroid, rng),
            "angle": rng.uniform(0.0, 180.0, count),
        },
        units={"magnitude": "mag", "flux": "uJy", "half_light_radius": "arcsec", "angle": "deg"},
    )
