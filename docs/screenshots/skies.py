"""Skies: the generated files that pictures are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write_tiles(folder: Path) -> list[Path]:
    """Overlapping tiles of one simulated sky, staggered, each with a level of its own."""
    from napari_astroseg.sky.simulate import simulate_filaments

    folder.mkdir()
    sky, paths = simulate_filaments(size=900, seed=11), []
    corners = {"a": (0, 40), "b": (250, 0), "c": (480, 60), "d": (30, 420), "e": (340, 400)}
    for name, (x, y) in corners.items():
        header = sky.wcs[y : y + 400, x : x + 400].to_header()
        header["BUNIT"] = "cm-2"
        paths.append(folder / f"tile_{name}.fits")
        write(paths[-1], sky.image[y : y + 400, x : x + 400], header)
    return paths


def write_votes_of_galaxy(folder: Path) -> Path:
    """Twelve people's arms, traced with more or less care, over the galaxy of the bands."""
    from astropy.io import fits
    from astropy.wcs import WCS

    from napari_astroseg.sky.looks.colour import fitting
    from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like

    blue, green, red = (fits.getdata(path) for path in write_bands(folder / "bands"))
    header = fits.getheader(folder / "bands" / "galaxy_g.fits")
    picture = fitting([red.ravel(), green.ravel(), blue.ravel()])(red, green, blue)[..., :3]
    side, random, people = len(red), np.random.default_rng(8), []
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    x, y = 0.9 * x + 0.43 * y, (0.9 * y - 0.43 * x) / 0.62
    radius, angle = np.hypot(x, y) + 1e-6, np.arctan2(y, x)
    for number in range(12):
        turn, wide, inner, outer = random.normal((0, 0.45, 0.08, 0.27), (0.12, 0.15, 0.02, 0.04))
        phase = 2 * (angle - turn - 4.2 * np.log(radius / 0.05))
        arm = (np.cos(phase) > 1 - max(wide, 0.1)) & (radius > inner) & (radius < outer)
        people.append(Annotator(f"volunteer {number + 1}", {"spiral": arm}))
    return write_gz3d_like(folder / "gz3d_1-1_37_1.fits.gz", picture, people, WCS(header))


def write_bands(folder: Path, side: int = 640) -> list[Path]:
    """A spiral galaxy among stars in g, r and i."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(5)
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    x, y = 0.9 * x + 0.43 * y, (0.9 * y - 0.43 * x) / 0.62
    radius, angle = np.hypot(x, y) + 1e-6, np.arctan2(y, x)
    arms = (0.5 + 0.5 * np.cos(2 * (angle - 4.2 * np.log(radius / 0.05)))) ** 3
    disc, bulge = np.exp(-radius / 0.085), np.exp(-((radius / 0.022) ** 0.8))
    knots = random.random((side, side)) < 0.004 * arms * disc**0.6
    stars = random.random((180, 5))
    paths = []
    for band, of_disc, of_arms, of_bulge, of_knots, slope in (
        ("g", 20, 75, 70, 260, 0.6), ("r", 36, 52, 150, 130, 0.0), ("i", 44, 40, 210, 60, -0.6),
    ):  # fmt: skip
        light = of_disc * disc + of_arms * arms * disc * (radius > 0.03) + of_bulge * bulge
        light += of_knots * knots
        for across, up, bright, colour, _ in stars:
            column, row = int(across * (side - 1)), int(up * (side - 1))
            light[row, column] += 45 * bright**-1.1 * np.exp(slope * (colour - 0.45))
        light = _blurred(light, 1.4) + random.normal(0, 0.55, light.shape)
        header = sky_header(side, side, 0.4, (187.3, 12.4))
        header["BUNIT"], header["FILTER"] = "nJy", band
        paths.append(folder / f"galaxy_{band}.fits")
        write(paths[-1], light, header)
    return paths


def write_chips(path: Path) -> Path:
    """Two chips of a detector, each with errors and flags, and a coarse map of exposure."""
    from astropy.io import fits

    from napari_astroseg.sky.simulate import simulate_filaments

    hdus: list[Any] = [fits.PrimaryHDU()]
    for version in (1, 2):
        image = (simulate_filaments(size=320, seed=30 + version).image[:200] / 1e21).astype("f4")
        flags = (image > np.nanpercentile(image, 99.5)).astype("i2")
        errors = np.sqrt(np.abs(image)).astype("f4")
        for name, values in (("SCI", image), ("ERR", errors), ("DQ", flags)):
            hdus.append(fits.ImageHDU(values, sky_header(320, 200, 0.2, (83.8, -5.4)), name=name))
            hdus[-1].header["EXTVER"] = version
            if name != "DQ":
                hdus[-1].header["BUNIT"] = "electron/s"
    hdus.append(fits.ImageHDU(np.hypot(*np.mgrid[:60, :90]).astype("f4"), name="EXP"))
    hdus[-1].header["BUNIT"] = "s"
    fits.HDUList(hdus).writeto(path)
    return path


def write_cube(path: Path, side: int = 300, planes: int = 41) -> Path:
    """A turning ring of gas, plane by plane of velocity."""
    random = np.random.default_rng(3)
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    up = y / 0.6
    radius, angle = np.hypot(x, up), np.arctan2(up, x)
    clumps = 1 + 0.8 * _blurred(random.normal(0, 14, (side, side)), 6)
    gas = np.exp(-(((radius - 0.24) / 0.09) ** 2)) * np.clip(clumps, 0.05, None)
    turning = 95 * np.cos(angle) * radius / np.hypot(radius, 0.06)
    velocities = np.linspace(-150, 150, planes)
    values = gas * np.exp(-(((velocities[:, None, None] - turning) / 22) ** 2))
    noise = [_blurred(random.normal(0, 0.25, (side, side)), 1.5) for _ in velocities]
    header = sky_header(side, side, 1.5, (24.2, 15.8))
    header.update(CTYPE3="VRAD", CUNIT3="km/s", CRPIX3=1.0, CRVAL3=-150.0, BUNIT="K")
    header["CDELT3"] = float(velocities[1] - velocities[0])
    write(path, 4 * values + np.array(noise), header)
    return path


def sky_header(width: int, height: int, scale_arcsec: float, centre: tuple[float, float]) -> Any:
    from astropy.io import fits

    header = fits.Header()
    header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CUNIT1="deg", CUNIT2="deg")
    header.update(CRPIX1=(width + 1) / 2, CRPIX2=(height + 1) / 2)
    header.update(CRVAL1=centre[0], CRVAL2=centre[1], RADESYS="ICRS")
    header.update(CDELT1=-scale_arcsec / 3600, CDELT2=scale_arcsec / 3600)
    return header


def _blurred(values: Any, sigma_px: float) -> Any:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(values, sigma_px)


def write(path: Path, values: Any, header: Any) -> None:
    from astropy.io import fits

    fits.PrimaryHDU(np.asarray(values, "f4"), header).writeto(path)
