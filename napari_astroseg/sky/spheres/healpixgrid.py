"""HealpixGrid: the flat picture that a HEALPix map is shown on.

A map of the whole sky goes onto a Mollweide projection of it, as astronomers know it, with its
middle at longitude 0 and longitude growing to the left. Mollweide keeps areas, as HEALPix does:
each pixel of the picture covers a quarter of the sky that one of the map does, everywhere, so
areas measured on the picture hold on the sky. (A plate carrée, the other custom, would blow up
the poles.) A map of a part of the sky goes onto a zenithal equal-area projection around its
middle, which keeps areas too and shapes better.

Each pixel shows the value of the map's pixel under its middle (nearest neighbour): values are
the map's own, missing ones stay missing and no neighbour leaks into them, and masks and counts
stay whole numbers. With pixels half as wide as the map's, all of these are seen; as wide ones
would pass over one in seven. Pixels off the sky are NaN.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from astropy.coordinates import BarycentricMeanEcliptic, CartesianRepresentation, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

Frame = Literal["icrs", "galactic", "ecliptic"]
Floats = NDArray[np.float64]

FINER = 2
"""Pixels of the picture along one of the map."""
LARGEST_CAP_DEG = 60.0
"""Radius of a part of the sky beyond which all of it is shown."""
_DEG = 180.0 / np.pi


def pixel_side_deg(nside: int) -> float:
    """Side of the picture's pixels for a map of this resolution."""
    return float(np.sqrt(4.0 * np.pi / (12.0 * nside**2)) * _DEG / FINER)


@dataclass(frozen=True, eq=False)
class HealpixGrid:
    """A picture's pixels and where they lie on the sphere of a map.

    Parameters
    ----------
    shape
        (H, W).
    header
        FITS cards of its world coordinates: Galactic for Galactic maps, else ICRS.
    frame
        Of the map: ecliptic ones are shown on an ICRS grid, for viewers know no ecliptic WCS.
    """

    shape: tuple[int, int]
    header: fits.Header
    frame: Frame

    @cached_property
    def wcs(self) -> WCS:
        """Its world coordinates, for one thread at a time."""
        return WCS(self.header)

    @cached_property
    def _own(self) -> threading.local:
        return threading.local()

    def sphere(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Longitude and latitude, degrees, in the map's frame; NaN off the sky.

        Parameters
        ----------
        x, y
            0-based positions on the picture, of shapes that go together.
        """
        wcs = getattr(self._own, "wcs", None)
        if wcs is None:  # WCSLIB errs when threads share one
            wcs = self._own.wcs = WCS(self.header)
        lon, lat = wcs.pixel_to_world_values(*np.broadcast_arrays(x, y))
        if self.frame != "ecliptic":
            return lon, lat
        turned = np.einsum("ij,j...->i...", _TO_ECLIPTIC, _vectors(lon, lat))
        return np.arctan2(turned[1], turned[0]) * _DEG, np.arcsin(np.clip(turned[2], -1, 1)) * _DEG

    def __reduce__(self) -> tuple[type[HealpixGrid], tuple[Any, ...]]:
        return HealpixGrid, (self.shape, self.header, self.frame)


def whole_sky(nside: int, frame: Frame) -> HealpixGrid:
    """The Mollweide picture of the whole sky for a map of this resolution."""
    side = pixel_side_deg(nside)
    half = int(np.ceil(np.sqrt(2.0) * _DEG / side))
    return _grid("MOL", (2 * half, 4 * half), side, (0.0, 0.0), frame)


def part_of_sky(
    nside: int,
    frame: Frame,
    places: Callable[[], Iterable[tuple[Floats, Floats]]],
    margin: float = 1.0,
) -> HealpixGrid:
    """The picture that shows the pixels at these positions, degrees in the map's frame.

    Parameters
    ----------
    nside, frame
        Of the map.
    places
        Gives positions in it, longitudes and latitudes, batch by batch; it is asked twice.
    margin
        Pixels around them that belong to it too.
    """
    turned = _TO_ECLIPTIC.T if frame == "ecliptic" else np.eye(3)
    total, count = np.zeros(3), 0
    for lon, lat in places():
        total += _vectors(lon, lat).sum(axis=1)
        count += lon.size
    middle = total / count
    if (length := np.linalg.norm(middle)) < 0.1:
        return whole_sky(nside, frame)
    middle /= length
    side = pixel_side_deg(nside)
    farthest = min(float((middle @ _vectors(lon, lat)).min()) for lon, lat in places())
    middle = turned @ middle
    radius = np.arccos(np.clip(farthest, -1.0, 1.0)) * _DEG + side * FINER * margin
    if radius > LARGEST_CAP_DEG:
        return whole_sky(nside, frame)
    half = int(np.ceil(2.0 * _DEG * np.sin(radius / _DEG / 2.0) / side))
    centre = (
        float(np.arctan2(middle[1], middle[0]) * _DEG % 360),
        float(np.arcsin(middle[2]) * _DEG),
    )
    return _grid("ZEA", (2 * half, 2 * half), side, centre, frame)


def _grid(
    projection: str, shape: tuple[int, int], side: float, centre: tuple[float, float], frame: Frame
) -> HealpixGrid:
    names = ("GLON", "GLAT") if frame == "galactic" else ("RA--", "DEC-")
    header = fits.Header()
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, shape[1], shape[0]
    for axis, name in enumerate(names):
        header[f"CTYPE{axis + 1}"] = f"{name}-{projection}"
        header[f"CRPIX{axis + 1}"] = shape[1 - axis] / 2 + 0.5
        header[f"CDELT{axis + 1}"] = side if axis else -side
        header[f"CRVAL{axis + 1}"] = centre[axis]
        header[f"CUNIT{axis + 1}"] = "deg"
    if frame != "galactic":
        header["RADESYS"] = "ICRS"
    return HealpixGrid(shape, header, frame)


def _vectors(lon: Floats, lat: Floats) -> Floats:
    """Unit vectors, the three components on the first axis."""
    lon, lat = np.deg2rad(lon), np.deg2rad(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _to_ecliptic() -> Floats:
    """The rotation from ICRS to the mean ecliptic of J2000, in which ecliptic maps are made."""
    axes = SkyCoord(CartesianRepresentation(np.eye(3)), frame="icrs")
    there = axes.transform_to(BarycentricMeanEcliptic(equinox="J2000"))
    return np.asarray(there.represent_as("unitspherical").to_cartesian().xyz)


_TO_ECLIPTIC = _to_ecliptic()
