"""Region: a circle on the sky, or on an image's pixels, in which a queue lies."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import PlaceError, VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.sky.coords.position import read_position
from napari_astroseg.sky.shapes.shape import coordinates

_UNITS = {"": 1.0, "d": 1.0, "°": 1.0, "'": 1 / 60, "m": 1 / 60, "′": 1 / 60}
_UNITS |= {'"': 1 / 3600, "s": 1 / 3600, "″": 1 / 3600}
_RADIUS = re.compile(r"(.+?)[\s,;]+(\d+\.?\d*|\.\d+)\s*(d|°|'|m|′|\"|s|″)?")
_TWO = re.compile(r"([+-]?\d+\.?\d*)[\s,;]+([+-]?\d+\.?\d*)")


@dataclass(frozen=True)
class Region:
    """A circle.

    Parameters
    ----------
    x, y
        Of its middle: deg on the sky, else 0-based pixels.
    radius
        In deg, or pixels.
    frame
        Of the sky; None for pixels.
    """

    x: float
    y: float
    radius: float
    frame: str | None = None

    def mask(self, detections: Detections) -> NDArray[np.bool_]:
        """(N,): which lie in it.

        Raises
        ------
        VettingError
            When the list has no such positions.
        """
        if self.frame is None:
            if not np.isfinite(detections.x).any():
                raise VettingError("the list has no pixels; give the region on the sky")
            return np.hypot(detections.x - self.x, detections.y - self.y) <= self.radius
        middle = coordinates(self.x, self.y, self.frame)
        apart = detections.position.separation(SkyCoord(middle))
        return np.asarray(apart <= self.radius * u.deg)


def read_region(text: str, frame: str | None) -> Region:
    """What `30.2 0.1 20'` says: a place and a radius, in deg or with a unit.

    Parameters
    ----------
    frame
        Of the list, in which two plain numbers are; None for pixels.

    Raises
    ------
    VettingError
        When it says no place, or no radius.
    """
    told = _RADIUS.fullmatch(text.strip())
    wrong = VettingError(
        f"{text.strip()!r} is no region of sky; write a place and a radius, such as 30.2 0.1 20'"
    )
    if told is None:
        raise wrong
    place, radius = told[1], float(told[2])
    two = _TWO.fullmatch(place.strip())
    if frame is None:
        if two is None or told[3]:
            raise VettingError("the list is in pixels; write x, y and a radius in pixels")
        return Region(float(two[1]), float(two[2]), radius)
    try:
        found = read_position(f"{frame} {place}" if two else place)
    except PlaceError as error:
        raise VettingError(str(error)) from error
    if found is None:
        raise wrong
    there = found.icrs
    return Region(float(there.ra.deg), float(there.dec.deg), radius * _UNITS[told[3] or ""], "icrs")
