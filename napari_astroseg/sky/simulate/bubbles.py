"""Bubbles: simulated Spitzer tiles of infrared bubbles with a catalogue in the MWP's format.

One seed gives one folder in the layout that the authors of the detector use: tiles
`spitzer_LLLLL+0000_rgb/{r,g,b}.fits` (24, 8 and 3.6 um) and one catalogue of fixed width beside
them. What is like a bubble and is none is told in a table of its own, which no reader takes for
truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.files.writing import replacing, replacing_folder, write_image
from napari_astroseg.sky.simulate.bubbleglow import glow
from napari_astroseg.sky.simulate.bubblescene import (
    PIXEL_ARCSEC,
    BubbleSettings,
    Placed,
    scene,
)
from napari_astroseg.sky.simulate.midinfrared import (
    BANDS,
    cirrus,
    observed,
    stars,
    texture,
    transmission,
    unobserved,
)
from napari_astroseg.sky.simulate.observe import galactic_wcs

CATALOGUE = "simulated_bubbles.dat"
DECOY_TABLE = "decoys.ecsv"

LEAST_SIZE = 64
"""Pixels on a side below which no bubble fits."""


@dataclass(frozen=True, slots=True, eq=False)
class BubbleSky:
    """One simulated tile, row 0 at the lowest Galactic latitude."""

    bands: dict[str, NDArray[np.float32]]
    """r, g, b → (H, W) brightness at 24, 8 and 3.6 um, MJy/sr, NaN where missing."""
    bubbles: tuple[Placed, ...]
    """Its bubbles."""
    decoys: tuple[Placed, ...]
    """What is like one and is none."""
    wcs: WCS
    """Galactic plate carrée coordinates (GLON-CAR, GLAT-CAR)."""


def simulate_bubbles(
    size: int = 1024, seed: int = 0, number: int = 0, settings: BubbleSettings | None = None
) -> BubbleSky:
    """One tile of bubbles, the same for the same size, seed, number and settings.

    Parameters
    ----------
    size
        Pixels on a side, 1.2 arcsec each.
    seed, number
        Of the folder, and of the tile in it; the number gives the longitude, too.
    settings
        What the tile holds.

    Raises
    ------
    DataError
        When the tile is too small for a bubble, or the Galactic plane is full.
    """
    settings = settings or BubbleSettings()
    longitude = tile_longitude(number, size)
    placed = _scene(size, seed, number, settings)
    shape = (size, size)
    sky, lumps, clouds, lights, noise, strip = np.random.default_rng([seed, number, 1]).spawn(6)
    diffuse, passed = cirrus(shape, sky), transmission(shape, clouds)
    level = float(np.median(diffuse))
    shining = glow(placed, shape, texture(shape, lumps), settings, lumps)
    starlight = stars(shape, placed, lights)
    missing = unobserved(shape, placed, strip)
    bands = {}
    for band, own in zip(BANDS, noise.spawn(len(BANDS)), strict=True):
        # Bubbles and dark clouds share a spiral arm: none lies wholly behind the other.
        light = passed * (diffuse * band.cirrus)
        hot = band.micron > 20
        lit = shining.warm + shining.cores if hot else shining.rims
        light = light + level * band.cirrus * lit
        seen = observed(light, band, starlight[band.letter], own)
        bands[band.letter] = np.where(missing, np.nan, seen).astype(np.float32)
    return BubbleSky(
        bands,
        tuple(each for each in placed if each.kind == "bubble"),
        tuple(each for each in placed if each.kind != "bubble"),
        galactic_wcs(shape, longitude, PIXEL_ARCSEC),
    )


def write(out: Path, number: int, size: int, seed: int) -> list[Path]:
    """Write one tile, whole or not at all, and give its files; see `simulate_bubbles`.

    Raises
    ------
    DataError
        When the tile is too small for a bubble, or the Galactic plane is full.
    OutputError
        When it cannot be written.
    """
    sky = simulate_bubbles(size, seed, number)
    header = sky.wcs.to_header()
    header["ORIGIN"] = ("napari-astroseg", "simulated, not observed")
    header["SIMSEED"] = (seed, "seed of the simulated tiles")
    header["SIMTILE"] = (number, "number of this tile")
    place = out / f"spitzer_{round(100 * tile_longitude(number, size)):05d}+0000_rgb"
    with replacing_folder(place) as making:
        for band in BANDS:
            header["WAVELEN"] = (band.micron, "[um] wavelength")
            path = making / f"{band.letter}.fits"
            write_image(path, sky.bands[band.letter], header, "MJy/sr")
    return [place / f"{band.letter}.fits" for band in BANDS]


def finish(out: Path, n: int, size: int, seed: int) -> list[Path]:
    """Write the catalogue of n tiles' bubbles and the table of their decoys.

    The tiles need not be there: both follow from the seed.

    Raises
    ------
    DataError
        When a tile is too small for a bubble, or the Galactic plane is full.
    OutputError
        When they cannot be written.
    """
    from astropy.table import Table

    rows: list[str] = []
    decoys: list[tuple[str, int, float, float, float, float, float]] = []
    for number in range(n):
        wcs = galactic_wcs((size, size), tile_longitude(number, size), PIXEL_ARCSEC)
        for each in _scene(size, seed, number, BubbleSettings()):
            lon, lat = (float(v) for v in wcs.wcs_pix2world(each.x, each.y, 0))
            lon = lon % 360.0
            if each.kind == "bubble":
                rows.append(catalogue_row(each, lon, lat))
            else:
                place = (number, lon, lat, each.major, each.minor, each.angle)
                decoys.append((each.kind, *place))
    with replacing(out / CATALOGUE) as temporary:
        temporary.write_text("".join(f"{row}\n" for row in rows), "ascii")
    names = ("kind", "tile", "lon", "lat", "major", "minor", "angle")
    units = {"lon": "deg", "lat": "deg", "major": "arcmin", "minor": "arcmin", "angle": "deg"}
    types = ("U20", int, float, float, float, float, float)
    with replacing(out / DECOY_TABLE) as temporary:
        table = Table(rows=decoys or None, names=names, dtype=types, units=units)
        table.write(temporary, format="ascii.ecsv", overwrite=True)
    return [out / CATALOGUE, out / DECOY_TABLE]


def tile_longitude(number: int, size: int) -> float:
    """Galactic longitude of a tile's centre, deg: 0, then to both sides in turn, none touching.

    Raises
    ------
    DataError
        When a tile is too small for a bubble, or the Galactic plane is full.
    """
    if size < LEAST_SIZE:
        raise DataError(
            f"a tile of {size} pixels is too small for a bubble; ask for {LEAST_SIZE} or more"
        )
    # Folders are named to 0.01 deg. Boxes reach a fifth of themselves, at most, past an edge, and
    # none may reach the next tile.
    step = int(np.ceil(1.4 * size * PIXEL_ARCSEC / 36.0)) + 1
    fit = 36000 // step
    if number >= fit:
        raise DataError(
            f"only {fit:,} tiles of {size:,} pixels fit along the Galactic plane; "
            "ask for fewer tiles, or smaller ones"
        )
    side = 1 if number % 2 else -1
    return (side * ((number + 1) // 2) * step % 36000) / 100.0


def catalogue_row(bubble: Placed, lon: float, lat: float) -> str:
    """A row in the columns of the Milky Way Project's second release, 150 bytes.

    What only people or other catalogues can say is blank. The name begins with SIM instead of MWP.
    """
    name = f"SIM2G{round(lon * 1e4) % 3600000:07d}{'-' if lat < 0 else '+'}{abs(lat) * 1e5:07.0f}"
    radius = np.sqrt(bubble.major * bubble.minor)
    eccentricity = np.sqrt(1.0 - (bubble.minor / bubble.major) ** 2)
    row = "\t".join(
        (
            name,
            f"{round(lon, 4) % 360.0:8.4f}",
            f"{lat:8.4f}",
            " " * 5,
            f"{bubble.major:5.2f}",
            f"{bubble.minor:5.2f}",
            f"{radius:5.2f}",
            " " * 5,
            f"{bubble.angle:3.0f}",
            " " * 3,
            f"{eccentricity:5.3f}",
        )
    )
    return row.ljust(150)


def _scene(size: int, seed: int, number: int, settings: BubbleSettings) -> list[Placed]:
    return scene(size, np.random.default_rng([seed, number, 0]), settings)
