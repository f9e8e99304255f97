"""Images on all kinds of pixels, and shapes of all forms to lie on them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from napari_astroseg.sky.coords.worldcoords import read_wcs
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.shapes.shape import Shape

SHAPE = (240, 300)

TAN = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 40.0,
    "CRPIX1": 150.5, "CRPIX2": 120.5, "CDELT1": -1 / 3600, "CDELT2": 1 / 3600,
}  # fmt: skip
_DISTORTED = TAN | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}

SKIES = {
    "square": TAN,
    "oblong": TAN | {"CDELT2": 2.5 / 3600},
    "flipped": TAN | {"CDELT1": 1 / 3600},
    "turned": TAN | {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
    "sheared": TAN | {"PC1_1": 1.0, "PC1_2": 0.4, "PC2_1": 0.1, "PC2_2": 1.0},
    "distorted": _DISTORTED
    | {"A_ORDER": 2, "A_2_0": 4e-4, "A_1_1": 2e-4, "B_ORDER": 2, "B_0_2": -3e-4, "B_2_0": 1e-4},
    "galactic": TAN | {"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL1": 0.0, "CRVAL2": 0.0},
    "pole": TAN | {"CRVAL2": 89.99},
}

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

IN_PIXELS = [
    Shape("point", ((30.2, 40.4),), name="a"),
    Shape("text", ((60.0, 70.0),), name="two words", color="red"),
    Shape("line", ((10.2, 10.1), (80.6, 42.3))),
    Shape(
        "polygon", ((100.3, 20.2), (140.1, 30.4), (120.6, 70.3), (105.5, 60.7)), class_name="arm"
    ),
    Shape("circle", ((200.3, 60.7),), (25.0,), who="Ada", when=WHEN),
    Shape("ellipse", ((70.0, 160.0),), (40.0, 15.0), 30.0, tags=("t",), style="width=2"),
    Shape("box", ((150.0, 160.0),), (40.0, 20.0), 75.0, excludes=True),
    Shape("annulus", ((240.0, 180.0),), (10.0, 30.0)),
    Shape("ellipse_annulus", ((60.0, 60.0),), (10.0, 6.0, 30.0, 18.0), 120.0),
    Shape("box_annulus", ((190.0, 150.0),), (10.0, 6.0, 30.0, 18.0), 200.0),
]


def sky(kind: str = "square", shape: tuple[int, int] = SHAPE, name: str = "field") -> SkyImage:
    """An empty image in its place."""
    header = fits.Header(SKIES[kind])
    return placed(header, shape, name)


def placed(header: fits.Header, shape: tuple[int, int], name: str = "field") -> SkyImage:
    """An empty image with the WCS of a header."""
    header = header.copy()
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, shape[1], shape[0]
    wcs, notes = read_wcs(header)
    assert isinstance(wcs, WCS), notes
    del header["NAXIS*"]
    return SkyImage(ArrayPixels(_nothing(shape)), wcs, header, name=name)


def bare(shape: tuple[int, int] = SHAPE, name: str = "field") -> SkyImage:
    """An empty image without sky coordinates."""
    return SkyImage(ArrayPixels(_nothing(shape)), name=name)


def _nothing(shape: tuple[int, int]) -> np.ndarray:
    return np.broadcast_to(np.zeros((), np.float32), shape)
