"""Inverse: from the sky back to pixels, also where a distortion's own inverse gives up."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS, NoConvergence
from numpy.typing import NDArray

from napari_astroseg.sky.coords.cylinders import brought_round

Floats = NDArray[np.float64]

_CLOSE = 1e-11
"""Distance on the unit sphere at which a position is found: two millionths of an arcsecond."""
_STEPS = 30
_EDGE = 0.17
"""Cosine of the distance from the reference point beyond which nobody distorts a plane, 80 deg."""
_BENT = {"TAN", "ZPN", "TPV", "TNX", "ZPX"}
_RIGHT, _UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def pixels_of(wcs: WCS, world: Floats) -> Floats:
    """0-based pixels of world coordinates, shape (N, 2); NaN where there is no answer.

    Parameters
    ----------
    wcs
        Celestial coordinates.
    world
        Shape (N, 2), degrees, in the order of its axes.
    """
    xy = brought_round(undistorted(wcs, world), wcs)
    if wcs.pixel_shape is None:
        return xy  # how far its distortion can be trusted is not known
    before = _is_before(wcs, world)
    if _has_half_a_table(wcs):
        xy[before] = _near_the_image(xy[before], wcs)
        return xy
    lost = before & ~np.isfinite(xy).all(axis=1)
    if lost.any():
        xy[lost] = _near_the_image(_sought(wcs, world[lost]), wcs)
    return xy


def distorted(wcs: WCS) -> bool:
    """Whether anything bends its pixels beyond the projection: polynomials or tables."""
    return bool(wcs.has_distortion or _has_half_a_table(wcs))


def undistorted(wcs: WCS, world: Floats, tolerance_px: float = 1e-4) -> Floats:
    """0-based pixels of world coordinates, shape (N, 2), however far a distortion is followed.

    NaN where its inverse is not found.
    """
    if _has_half_a_table(wcs):
        return _sought(wcs, world)
    try:
        return np.array(wcs.all_world2pix(world, 0, tolerance=tolerance_px, maxiter=50))
    except NoConvergence as error:  # a distortion has no inverse far off its image
        xy = np.array(error.best_solution)
        for failed in (error.divergent, error.slow_conv):
            if failed is not None:
                xy[failed] = np.nan
        return xy


def _near_the_image(xy: Floats, wcs: WCS) -> Floats:
    """NaN for what is further off the image than it is large: polynomials run wild there."""
    sides = np.array(wcs.pixel_shape[:2], float)  # a cube has more of them
    far = np.logical_or(xy < -sides, xy > 2 * sides)
    xy[np.any(far, axis=1)] = np.nan
    return xy


def _is_before(wcs: WCS, world: Floats) -> NDArray[np.bool_]:
    """Which positions a distorted plane can show: those on its reference point's side.

    Of the polynomials of TPV, TNX and ZPX WCSLIB shows no more than the plain projection.
    """
    if not (distorted(wcs) or wcs.wcs.ctype[0][-3:] in _BENT):
        return np.zeros(len(world), bool)
    lng, lat = wcs.wcs.lng, wcs.wcs.lat
    middle = _vectors(wcs.wcs.crval[[lng]], wcs.wcs.crval[[lat]])
    cosine = (_vectors(world[:, lng], world[:, lat]) * middle).sum(axis=1)
    return np.asarray(cosine > _EDGE)


def _has_half_a_table(wcs: WCS) -> bool:
    """Whether a detector table bends one axis only, which astropy forgets on the way back."""
    return not wcs.has_distortion and (wcs.det2im1 is not None or wcs.det2im2 is not None)


def _sought(wcs: WCS, world: Floats) -> Floats:
    """Newton's method from the reference pixel, in the tangent plane of each position.

    WCSLIB's own search for the inverse of a TPV polynomial misses positions that this finds.
    """
    aim = _vectors(world[:, wcs.wcs.lng], world[:, wcs.wcs.lat])
    lon = np.radians(world[:, wcs.wcs.lng])
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=1)
    north = np.cross(aim, east)

    def miss(at: Floats) -> Floats:
        found = np.array(wcs.all_pix2world(at, 0))
        there = _vectors(found[:, wcs.wcs.lng], found[:, wcs.wcs.lat])
        there[np.einsum("ij,ij->i", there, aim) < 0] = np.nan  # the other side of the sky
        return np.stack([(there * east).sum(axis=1), (there * north).sum(axis=1)], axis=1)

    at = np.tile(np.asarray(wcs.wcs.crpix, float) - 1.0, (len(world), 1))
    for _ in range(_STEPS):
        here = miss(at)
        close = not (np.abs(here) > _CLOSE).any()
        right = miss(at + _RIGHT) - here
        up = miss(at + _UP) - here
        area = right[:, 0] * up[:, 1] - right[:, 1] * up[:, 0]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            at[:, 0] -= (here[:, 0] * up[:, 1] - here[:, 1] * up[:, 0]) / area
            at[:, 1] -= (here[:, 1] * right[:, 0] - here[:, 0] * right[:, 1]) / area
        if close:  # the last step made it as exact as numbers are
            break
    at[~(np.abs(miss(at)) < 10 * _CLOSE).all(axis=1)] = np.nan
    return at


def _vectors(lon_deg: Floats, lat_deg: Floats) -> Floats:
    """Unit vectors, shape (N, 3)."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
