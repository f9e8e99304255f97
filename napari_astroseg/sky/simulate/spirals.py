"""Spirals: simulated galaxies and what volunteers draw in them, as files of Galaxy Zoo 3D.

One seed and number give one file in the layout of Masters et al. (2021), from which Rey Deutsch et
al. (2023) learn spiral arms: a picture of 52 arcsec, the votes of 15 volunteers, and who drew what.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.simulate import sdsspicture, spirallight, spiralscene, volunteers
from napari_astroseg.sky.simulate.spiralscene import FIELD_PX, PIXEL_ARCSEC, SpiralSettings
from napari_astroseg.sky.simulate.volunteers import Crowd
from napari_astroseg.sky.votes import gz3d
from napari_astroseg.sky.votes.gz3dlayout import gz3d_wcs, write_gz3d

LARGEST = 2100
"""Side of the largest picture, px: four times the published one."""

_FOOTPRINT = ((120.0, 240.0), (2.0, 55.0))
"""Right ascensions and declinations, deg, of the northern Galactic cap that SDSS saw."""

_SUBJECT = 90_000_000
"""Numbers of simulated galaxies begin here, where no real one's are."""


@dataclass(frozen=True, slots=True, eq=False)
class SpiralSky:
    """One simulated galaxy, row 0 in the north."""

    picture: NDArray[np.uint8]
    """(size, size, 3) red, green, blue."""
    crowd: Crowd
    """What people marked in it."""
    galaxy: spiralscene.Galaxy
    """What it is made of."""
    arms: NDArray[np.bool_]
    """Where arms that can be drawn have more than half of the light of their crests, whether
    anybody drew them or not; the files do not hold it."""
    wcs: WCS
    """Of the picture, RA---TAN and DEC--TAN."""


def simulate_spirals(
    size: int = FIELD_PX, seed: int = 0, number: int = 0, settings: SpiralSettings | None = None
) -> SpiralSky:
    """One galaxy, the same for the same size, seed, number and settings.

    Parameters
    ----------
    size
        Pixels on a side of 52 arcsec; 0.099 arcsec each at the published 525.
    seed, number
        Of the folder, and of the galaxy in it.
    settings
        What galaxies and volunteers are like.

    Raises
    ------
    DataError
        When the picture is too large.
    """
    if size > LARGEST:
        raise DataError(
            f"a picture of {size:,} pixels shows no more than one of {LARGEST:,}; ask for at most "
            "that many"
        )
    settings = settings or SpiralSettings()
    scene, shine, beside, before, telescope, people, place = np.random.default_rng(
        [seed, number]
    ).spawn(7)
    galaxy = spiralscene.scene(scene, settings)
    light = spirallight.light(galaxy, shine) + spirallight.neighbours(beside, settings)
    starlight, stars, magnitudes = sdsspicture.stars(before, settings)
    picture = sdsspicture.picture(light + starlight, galaxy.fibres, size, telescope, settings)
    crowd = volunteers.crowd(galaxy, stars, magnitudes, size, people, settings)
    line = (np.arange(size) + 0.5) * FIELD_PX / size - 0.5
    arms = spirallight.arm_mask(galaxy, *np.meshgrid(line, line))
    (west, east), (south, north) = _FOOTPRINT
    ra = place.uniform(west, east)
    dec = np.rad2deg(np.arcsin(place.uniform(*np.sin(np.deg2rad((south, north))))))
    wcs = gz3d_wcs(float(ra), float(dec), size, PIXEL_ARCSEC * FIELD_PX / size)
    return SpiralSky(picture, crowd, galaxy, arms, wcs)


def write(out: Path, number: int, size: int, seed: int) -> list[Path]:
    """Write one galaxy, whole or not at all, and give its file.

    Raises
    ------
    DataError
        When the picture is too large.
    OutputError
        When it cannot be written.
    """
    sky = simulate_spirals(size, seed, number)
    # A catalogue of MaNGA that does not exist, another for each seed.
    name = f"{90_000 + seed % 10_000}-{number + 1}"
    path = out / f"gz3d_{name}_{sky.galaxy.fibres}_{_SUBJECT + number + 1}.fits.gz"
    return [write_gz3d(path, sky.picture, sky.crowd.drawings, _known(sky, name), sky.wcs)]


def _known(sky: SpiralSky, name: str) -> gz3d.Galaxy:
    """What the file tells of it."""
    ra, dec = sky.wcs.wcs.crval
    place = SkyCoord(ra, dec, unit="deg")
    hours = place.ra.to_string("hourangle", sep="", precision=2, pad=True)
    degrees = place.dec.to_string("deg", sep="", precision=1, pad=True, alwayssign=True)
    return gz3d.Galaxy(
        name,
        f"J{hours}{degrees}",
        ra,
        dec,
        sky.galaxy.fibres,
        None,
        {
            "GZ_total_classifications": sky.crowd.asked,
            "GZ_bar_votes": sky.crowd.bar,
            "GZ_spiral_votes": sky.crowd.spiral,
            "sample": f"simulated: {sky.galaxy.shape}",
        },
    )
