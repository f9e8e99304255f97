"""One seeded sky cut into tiles, as surveys do it; used by the tests of mosaics."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter


def sky_header(shape, code="TAN", frame="galactic", lon=30.0, lat=0.0, arcsec=2.0):
    wcs = WCS(naxis=2)
    names = ("GLON", "GLAT") if frame == "galactic" else ("RA--", "DEC-")
    wcs.wcs.ctype = [f"{name}-{code}" for name in names]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(n + 1) / 2 for n in shape[::-1]]
    wcs.wcs.cdelt = [-arcsec / 3600, arcsec / 3600]
    return wcs.to_header()


def sky(shape=(300, 400), seed=0):
    rng = np.random.default_rng(seed)
    smooth = 20 * gaussian_filter(rng.normal(size=shape), 6)
    return (100 + smooth + rng.normal(0, 0.1, shape)).astype(np.float32)


def cut(folder: Path, values, header, corners, size=(120, 160), levels=None, unit="MJy/sr"):
    """Tiles (x, y) of one sky on its own grid; gives their files."""
    files = []
    for number, (x, y) in enumerate(corners):
        part = values[y : y + size[0], x : x + size[1]].copy()
        part += 0 if levels is None else levels[number]
        cards = header.copy()
        cards["CRPIX1"] -= x
        cards["CRPIX2"] -= y
        if unit:
            cards["BUNIT"] = unit
        files.append(folder / f"field_{number:02d}.fits")
        fits.PrimaryHDU(part, cards).writeto(files[-1])
    return files


CORNERS = [(0, 0), (140, 0), (240, 0), (0, 100), (140, 100), (240, 100), (0, 180), (240, 180)]
"""Overlapping tiles of a sky of 300 rows and 400 columns, and a gap."""
