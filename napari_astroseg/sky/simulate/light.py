"""Light: stars and Sérsic galaxies behind a telescope, drawn by GalSim on a grid of pixels.

The one place that imports GalSim, and only when something is drawn: it is an extra (`sim`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from napari_astroseg.errors import SetupError
from napari_astroseg.sky.window import Window

Floats = NDArray[np.float32]

CUT = 8.0
"""Half-light radii at which profiles end, as SDSS ended its de Vaucouleurs models: without an
end, half the time would go into wings that no image shows."""

_MOFFAT = ((0.590, 0.4229), (0.351, 0.7707), (0.059, 1.4814))
"""Shares and widths of three Gaussians that follow a Moffat profile of exponent 3 and FWHM 1
within 8 % out to 4 FWHM. Gaussians are known in Fourier space, where they save nine tenths of
the time."""

_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True, slots=True)
class Psf:
    """A round point-spread function as a sum of Gaussians: (share of the light, sigma in px)."""

    parts: tuple[tuple[float, float], ...]

    @classmethod
    def gaussian(cls, fwhm_px: float) -> Psf:
        """One Gaussian."""
        return cls(((1.0, float(fwhm_px / _FWHM)),))

    @classmethod
    def seeing(cls, fwhm_px: float) -> Psf:
        """What the atmosphere makes: a core with the wings of a Moffat profile of exponent 3."""
        total = sum(share for share, _ in _MOFFAT)
        return cls(tuple((share / total, width * fwhm_px) for share, width in _MOFFAT))

    def reach_px(self, flux: float, level: float) -> float:
        """Radius beyond which a point of some flux is fainter than `level` per pixel."""
        share, width = self.parts[-1]
        peak = share * flux / (2.0 * np.pi * width**2)
        return float(width * np.sqrt(2.0 * np.log(max(peak / level, np.e**4.5))))


@dataclass(frozen=True, slots=True)
class Sersic:
    """A Sérsic profile.

    Parameters
    ----------
    index
        Its Sérsic index, 0.3 to 6.2.
    radius_px
        Radius of the circle with the area of the ellipse that holds half of the light.
    ratio
        Minor over major axis.
    angle
        Of the major axis, from the columns' direction towards the rows', deg.
    """

    index: float
    radius_px: float
    ratio: float
    angle: float

    def reach_px(self, flux: float, level: float) -> float:
        """Distance along the major axis beyond which it is fainter than `level` per pixel."""
        n, major = self.index, self.radius_px / np.sqrt(self.ratio)
        b = 2.0 * n - 1.0 / 3.0 + 0.009876 / n  # Prugniel & Simien 1997, A&A 321 111
        norm = 2.0 * np.pi * n * np.exp(b) * b ** (-2.0 * n) * gamma(2.0 * n)
        at_radius = flux / (norm * self.radius_px**2)
        steps = 1.0 + np.log(at_radius / level) / b
        return float(min(max(steps, 0.0) ** n, CUT) * major)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an object: its flux, and its profile; a point where it has none."""

    flux: float
    profile: Sersic | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An object without noise: its light per pixel in a window that lies inside the frame."""

    window: Window
    light: Floats


def drawn(
    parts: Sequence[Part],
    psf: Psf,
    place: tuple[float, float],
    shape: tuple[int, int],
    level: float,
) -> Drawn | None:
    """An object's light on a frame of (rows, columns); None where it lies wholly beyond.

    Parameters
    ----------
    parts
        At least one; they share a centre.
    place
        Column and row of the centre, which may lie beyond the frame's edge.
    level
        What is fainter than this per pixel need not be drawn.

    Raises
    ------
    SetupError
        When GalSim is not installed.
    """
    galsim = library()
    reach = max(_reach(part, psf, level) for part in parts)
    x, y = place
    left, top = max(int(np.floor(x - reach)), 0), max(int(np.floor(y - reach)), 0)
    right = min(int(np.ceil(x + reach)), shape[1] - 1)
    bottom = min(int(np.ceil(y + reach)), shape[0] - 1)
    if right < left or bottom < top:
        return None
    point = galsim.Add([galsim.Gaussian(sigma=s, flux=share) for share, s in psf.parts])
    shining = galsim.Add([_profile(part) for part in parts])
    picture = galsim.ImageF(galsim.BoundsI(left, right, top, bottom))
    seen = galsim.Convolve(shining, point)
    seen.drawImage(picture, scale=1.0, center=galsim.PositionD(x, y))
    window = Window(left, top, right - left + 1, bottom - top + 1)
    return Drawn(window, np.asarray(picture.array))


def library() -> Any:
    """GalSim.

    Raises
    ------
    SetupError
        When it is not installed.
    """
    try:
        import galsim
    except ImportError as error:
        raise SetupError(
            "galaxies are drawn by GalSim, which is not installed; get it with "
            '`pip install "napari-astroseg[sim]"`'
        ) from error
    return galsim


def _reach(part: Part, psf: Psf, level: float) -> float:
    own = 0.0 if part.profile is None else part.profile.reach_px(part.flux, level)
    return own + psf.reach_px(part.flux, level)


def _profile(part: Part) -> Any:
    galsim, own = library(), part.profile
    if own is None:
        return galsim.DeltaFunction(flux=part.flux)
    shear = galsim.Shear(q=own.ratio, beta=own.angle * galsim.degrees)
    return _unit_profile(own.index).dilate(own.radius_px).shear(shear).withFlux(part.flux)


@lru_cache(maxsize=64)
def _unit_profile(index: float) -> Any:
    """A profile of one pixel: GalSim takes a tenth of a second to prepare one of a new index."""
    return library().Sersic(n=index, half_light_radius=1.0, trunc=CUT)
