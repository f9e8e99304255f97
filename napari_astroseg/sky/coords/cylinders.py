"""Cylinders: projections in which the sky comes round again along a pixel axis.

A map of the plane may run for more than half a turn to one side of its reference longitude.
WCSLIB calls that no sky, unless it is told not to look, and then knows no end at the poles.
"""

from __future__ import annotations

import copy

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

CYLINDRICAL = ("CYP", "CEA", "CAR", "MER")
"""FITS WCS paper II, section 5.2."""


def projection(wcs: WCS) -> str:
    """Three-letter code, such as `TAN` or `CAR`."""
    return str(wcs.wcs.ctype[wcs.wcs.lng])[5:8]


def unrolled(wcs: WCS) -> WCS:
    """A copy that follows a cylinder beyond half a turn; a plain copy of any other."""
    free = copy.deepcopy(wcs)
    if projection(wcs) in CYLINDRICAL:
        free.wcs.bounds_check(False, True)
    return free


def turn(wcs: WCS) -> tuple[int, float] | None:
    """Pixel axis along which the sky comes round again, and after how many pixels.

    None where it does not, or along no pixel axis.
    """
    lng = wcs.wcs.lng
    matrix = wcs.pixel_scale_matrix
    level = float(wcs.wcs.crval[wcs.wcs.lat]) == 0.0
    straight = abs(matrix[0, 1]) + abs(matrix[1, 0]) == 0.0
    if projection(wcs) not in CYLINDRICAL or not (level and straight):
        return None
    return lng, float(360.0 / abs(matrix[lng, lng]))


def world_of(wcs: WCS, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
    """Longitude and latitude of 0-based pixels of an `unrolled` WCS, deg; NaN off the sky."""
    told = wcs.pixel_to_world_values(x, y)
    lon, lat = (np.asarray(told[n], float) for n in (wcs.wcs.lng, wcs.wcs.lat))
    if projection(wcs) == "CAR":
        beyond = np.abs(lat) > 90.0
        if turn(wcs) is not None:
            axis = wcs.wcs.lat
            matrix, reference = wcs.pixel_scale_matrix, wcs.wcs.crpix[axis]
            beyond |= np.abs(((x, y)[axis] + 1 - reference) * matrix[axis, axis]) > 90.0
        lon, lat = (np.where(beyond, np.nan, each) for each in (lon, lat))
    return lon, lat


def brought_round(xy: Doubles, wcs: WCS) -> Doubles:
    """Pixels (N, 2), moved by whole turns onto the image, or as near to its middle as can be."""
    round_again = turn(wcs)
    if round_again is None or wcs.pixel_shape is None:
        return xy
    axis, length = round_again
    side = wcs.pixel_shape[axis]
    turns = np.ceil((-0.5 - xy[:, axis]) / length)  # the first place at or above the low edge
    there = xy[:, axis] + turns * length
    near = xy[:, axis] - length * np.rint((xy[:, axis] - (side - 1) / 2) / length)
    xy[:, axis] = np.where(there <= side - 0.5, there, near)
    return xy
