"""Turbulence: the random fields and curves from which simulated skies are made.

Only mathematics on a pixel grid: nothing here knows of column densities, filaments or files.
Every function takes the generator it draws from, so a sky is fixed by one seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]


def gaussian_field(
    shape: tuple[int, int], slope: float, rng: np.random.Generator, outer_px: float = np.inf
) -> Floats:
    """Gaussian random field of power spectrum k^slope, zero mean and unit variance.

    Parameters
    ----------
    shape
        Rows and columns.
    slope
        Index of the two-dimensional power spectrum; about -2.8 for the interstellar medium
        (Miville-Deschênes et al. 2010, A&A 518 L104).
    rng
        Source of randomness.
    outer_px
        Scale in pixels above which the power stays flat (the injection scale).
    """
    # Drawn on a larger torus and cut out, for a sky must not continue on its opposite edge.
    rows, columns = (int(1.25 * n) + 8 for n in shape)
    k_rows = np.fft.fftfreq(rows)[:, None]
    k_columns = np.fft.rfftfreq(columns)[None, :]
    k_squared = k_rows**2 + k_columns**2
    floor = max(1.0 / outer_px, 1.0 / max(rows, columns)) ** 2
    amplitude = (k_squared + floor) ** (slope / 4.0)
    amplitude[0, 0] = 0.0
    white = np.fft.rfft2(rng.standard_normal((rows, columns)))
    field = np.fft.irfft2(white * amplitude, s=(rows, columns))[: shape[0], : shape[1]]
    field = field - field.mean()
    return np.asarray(field / field.std(), dtype=np.float64)


def warped(field: Floats, amplitude_px: float, scale_px: float, rng: np.random.Generator) -> Floats:
    """The field sheared by a random displacement, which draws blobs out into wisps.

    Parameters
    ----------
    field
        (H, W) values.
    amplitude_px
        Standard deviation of the displacement along each axis, in pixels.
    scale_px
        Scale below which the displacement is smooth, in pixels.
    rng
        Source of randomness.
    """
    shape = (field.shape[0], field.shape[1])
    # A steep spectrum keeps the displacement differentiable: it shears, and does not scatter.
    shifts = [gaussian_field(shape, -4.0, rng, outer_px=scale_px) for _ in range(2)]
    grid = np.indices(shape, dtype=np.float64)
    where = [axis + amplitude_px * shift for axis, shift in zip(grid, shifts, strict=True)]
    return np.asarray(ndimage.map_coordinates(field, where, order=1, mode="mirror"))


def random_curve(
    start: tuple[float, float],
    heading: float,
    length_px: float,
    bend_px: float,
    rng: np.random.Generator,
) -> Floats:
    """Smooth random curve as (n, 2) row-column points one pixel apart.

    Parameters
    ----------
    start
        Row and column of the first point.
    heading
        First direction in radians, from the column axis towards the rows.
    length_px
        Length along the curve in pixels.
    bend_px
        Length after which the direction has wandered by about one radian, in pixels.
    rng
        Source of randomness.
    """
    n = max(int(length_px), 3)
    kicks = ndimage.gaussian_filter1d(rng.standard_normal(n), 4.0, mode="nearest")
    # Smoothing by a Gaussian of 4 px lowers the scatter of a sum over n steps not at all on
    # scales above it, so the direction walks by 1 radian in bend_px steps of this size.
    angles = heading + np.cumsum(kicks) / np.sqrt(bend_px)
    steps = np.column_stack([np.sin(angles), np.cos(angles)])
    return np.asarray(np.array(start) + np.cumsum(steps, axis=0))


def modulation(n: int, scatter: float, scale_px: float, rng: np.random.Generator) -> Floats:
    """Log-normal factors along a curve of n points, of unit median and zero at both tips.

    Parameters
    ----------
    n
        Number of points, one pixel apart.
    scatter
        Standard deviation of the natural logarithm.
    scale_px
        Correlation length in pixels.
    rng
        Source of randomness.
    """
    wave = ndimage.gaussian_filter1d(rng.standard_normal(n), scale_px, mode="wrap")
    # White noise smoothed by a Gaussian keeps this standard deviation.
    wave *= scatter * np.sqrt(2.0 * np.sqrt(np.pi) * scale_px)
    tips = np.sqrt(np.sin(np.pi * (np.arange(n) + 0.5) / n))
    return np.asarray(np.exp(wave) * tips)
