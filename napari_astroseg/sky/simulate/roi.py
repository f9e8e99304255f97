"""RoI: the observational definition of a filament's region of interest.

A filament on a survey map is not what a simulator drew: it is what rises above its surroundings
with the curvature of a ridge, far enough along the sky. This module follows the idea of the
Hi-GAL catalogue (Schisano et al. 2014, ApJ 791 27; 2020, MNRAS 492 5420) to a noise-free sky, so
that simulated truth means the same as the survey's. Here the curvature is that of log10 N, which
measures contrast (a fraction of the local column density) at every level of the Galaxy.

The numbers in `RoiCriteria` are not the catalogue's own: they were chosen by how well the
definition alone, with no network, redraws the published RoIs of one Hi-GAL field (Dice 0.73), so
that field is no independent test of a model trained on these skies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_EIGHT = np.ones((3, 3), dtype=bool)

_DECOY_RISE = 0.06
"""Fraction of the column from which a shell or clump can be taken for something."""

_DECOY_AREA_PX = 12
"""Least area of a decoy, pixels: what is smaller than a beam no one marks."""


@dataclass(frozen=True, slots=True)
class RoiCriteria:
    """What a structure must show to be a filament's region of interest."""

    curvature: float = 0.008
    """Least curvature across the ridge, dex per square pixel. A filament whose profile after
    beam and smoothing has a standard deviation of 2.2 px shows 0.008 at 9 % contrast."""
    local_weight: float = 0.8
    """0 asks the same contrast everywhere; 1 asks it in units of the local structure."""
    window_px: int = 91
    """Side of the square in which the local structure is measured, pixels (17 arcmin)."""
    reference: float = 0.0043
    """Mean absolute curvature of a typical field of the Galactic plane, dex px^-2: where the
    sky has this much structure, `curvature` is asked as it stands."""
    length_px: float = 14.0
    """Least major axis of the ellipse of equal moments, pixels (2.7 arcmin at 11.5 arcsec)."""
    area_px: float = 30.0
    """Least area, pixels."""
    elongation: float = 1.2
    """Least ratio of the axes of that ellipse."""
    fill: float = 0.85
    """A structure that covers more than this fraction of that ellipse is a clump..."""
    thin: float = 3.0
    """... unless its axes differ by this ratio: a straight filament fills its ellipse, too."""
    smooth_px: float = 1.0
    """Gaussian standard deviation before derivatives are taken, pixels."""


def ridge_curvature(log_density: Floats, smooth_px: float) -> Floats:
    """Minus the lower eigenvalue of the Hessian of log10 N: dex px^-2, positive on ridges."""

    def derivative(rows: int, columns: int) -> Floats:
        return np.asarray(ndimage.gaussian_filter(log_density, smooth_px, order=(rows, columns)))

    rr, cc, rc = derivative(2, 0), derivative(0, 2), derivative(1, 1)
    return np.asarray(np.hypot((rr - cc) / 2.0, rc) - (rr + cc) / 2.0)


def significance(log_density: Floats, criteria: RoiCriteria) -> Floats:
    """Ridge curvature, weighted down where the sky around is more structured than usual.

    The local structure is a mean absolute value, not a standard deviation: one bright core
    raises the latter so far that every fainter filament within the window would be lost.
    """
    curvature = ridge_curvature(log_density, criteria.smooth_px)
    local = ndimage.uniform_filter(np.abs(curvature), criteria.window_px)
    floor = 0.1 * criteria.reference
    return np.asarray(
        curvature * (criteria.reference / np.maximum(local, floor)) ** criteria.local_weight
    )


def elongated(mask: Mask, criteria: RoiCriteria) -> Mask:
    """The 8-connected structures of the mask that are long, thin and large enough."""
    labels = measure.label(mask, connectivity=2)
    keep = np.zeros(int(labels.max()) + 1, dtype=bool)
    for region in measure.regionprops(labels):
        major = float(region.axis_major_length)
        minor = max(float(region.axis_minor_length), 1.0)
        filled = float(region.area) / (np.pi / 4.0 * max(major, 1.0) * minor)
        keep[region.label] = (
            region.area >= criteria.area_px
            and major >= criteria.length_px
            and major >= criteria.elongation * minor
            and (filled <= criteria.fill or major >= criteria.thin * minor)
        )
    return np.asarray(keep[labels])


def regions_of_interest(log_density: Floats, criteria: RoiCriteria) -> Mask:
    """(H, W) mask of filament RoIs on a map of log10 N without missing pixels."""
    return elongated(significance(log_density, criteria) > criteria.curvature, criteria)


def certain_background(log_density: Floats, criteria: RoiCriteria, gap_px: int) -> Mask:
    """(H, W) mask of pixels at least gap_px from anything with half the asked curvature."""
    hints = significance(log_density, criteria) > 0.5 * criteria.curvature
    # Specks of the faint web are everywhere; only those with some extent cast a doubt.
    labels, _ = ndimage.label(hints, _EIGHT)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    doubt = areas[labels] >= criteria.area_px / 2.0
    return np.asarray(~ndimage.binary_dilation(doubt, _EIGHT, iterations=gap_px))


def decoy_labels(rise: Floats, taken: Mask) -> NDArray[np.int32]:
    """(H, W) labels of what rises like a filament and is none, 8-connected, 0 elsewhere.

    Parameters
    ----------
    rise
        Fraction by which shells and clumps raise the column, after the beam.
    taken
        Pixels that are a filament's region of interest, or missing.
    """
    seen = (rise > _DECOY_RISE) & ~ndimage.binary_dilation(taken, _EIGHT)
    labels, _ = ndimage.label(seen, _EIGHT)
    keep = np.bincount(labels.ravel()) >= _DECOY_AREA_PX
    keep[0] = False
    return np.asarray(np.where(keep, np.cumsum(keep), 0)[labels], np.int32)
