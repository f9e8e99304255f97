"""Local: how the sky and an image's pixels lie to each other around a place.

An offset on the sky is (east, north) in the frame of the position, arcsec along great circles:
its length is the distance, its direction the position angle. So a circle is all that is as far
from its centre, on any projection.
"""

from __future__ import annotations

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage

Doubles = NDArray[np.float64]

_ARCSEC = np.pi / (180 * 3600)


def offset(lon: Doubles, lat: Doubles, east: Doubles, north: Doubles) -> tuple[Doubles, Doubles]:
    """Where one comes to from places (deg) by offsets (arcsec), deg; arrays broadcast."""
    far = np.hypot(east, north) * _ARCSEC
    towards = np.arctan2(east, north)
    lat_0 = np.radians(lat)
    sine = np.sin(lat_0) * np.cos(far) + np.cos(lat_0) * np.sin(far) * np.cos(towards)
    turned = np.arctan2(
        np.sin(towards) * np.sin(far) * np.cos(lat_0), np.cos(far) - np.sin(lat_0) * sine
    )
    lat_1 = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return np.asarray(lon + np.degrees(turned)) % 360.0, lat_1


def jacobian(position: SkyCoord, image: SkyImage) -> Doubles:
    """How pixels follow offsets in the position's own frame, (N, 2, 2), px per arcsec.

    Rows are x and y, columns east and north; NaN where the projection has no answer. It is taken
    between half a pixel to either side.
    """
    step = 0.5 * (image.pixel_scale_arcsec or np.nan)
    lon, lat = np.atleast_1d(position.spherical.lon.deg), np.atleast_1d(position.spherical.lat.deg)
    east, north = step * np.array([[1.0], [-1], [0], [0]]), step * np.array([[0.0], [0], [1], [-1]])
    there = offset(lon[None], lat[None], east, north)
    x, y = image.pixel(SkyCoord(*there, unit="deg", frame=position.frame.replicate_without_data()))
    moved = np.stack([[x[0] - x[1], x[2] - x[3]], [y[0] - y[1], y[2] - y[3]]])
    return np.asarray(np.moveaxis(moved, -1, 0) / (2 * step))
