"""Spiral arm: a logarithmic spiral in the plane of its galaxy, its light along and across it.

Lengths are pixels of a Galaxy Zoo 3D picture (0.099 arcsec).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEEING_PX = 5.6
"""Standard deviation of a star's light, about; arms look no narrower."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A logarithmic spiral, or a piece of one, in the plane of its galaxy.

    Parameters
    ----------
    azimuth
        Where it starts, rad.
    pitch
        Its angle to a circle, rad; negative when it winds the other way.
    inner, outer
        Radii between which it runs, px.
    width
        Standard deviation of its light across it, px, at the mean radius; wider outside.
    strength
        Light of young stars on its crest over that of the disc.
    wobble
        How far it strays from a perfect spiral, rad, along what phase.
    """

    azimuth: float
    pitch: float
    inner: float
    outer: float
    width: float
    strength: float
    wobble: tuple[float, float] = (0.0, 0.0)

    def crest(self, radius: Floats) -> Floats:
        """Azimuth of its crest at radii, rad."""
        turn = np.log(radius / self.inner) / np.tan(self.pitch)
        size, phase = self.wobble
        return np.asarray(self.azimuth + turn + size * np.sin(3.0 * np.log(radius) + phase))

    @property
    def middle(self) -> float:
        """Radius halfway along it, px."""
        return float(np.sqrt(self.inner * self.outer))

    def breadth(self, radius: Floats) -> Floats:
        """Standard deviation of its light across it at radii, px."""
        return np.asarray(self.width * np.sqrt(np.maximum(radius, 1.0) / self.middle))

    def looks(self, radius: Floats) -> Floats:
        """The same as it is seen, through the atmosphere."""
        return np.hypot(self.breadth(radius), SEEING_PX)

    def ripple(self, count: int, ratio: float) -> float:
        """How much brighter and darker than the disc it makes it, 0 to 1, as it is seen.

        For so many arms beside each other in a disc of such an axis ratio. It is the first harmonic
        of a comb of Gaussians: what lies closer together than it is wide cannot be told apart.
        """
        apart = 2.0 * np.pi * self.middle * abs(np.sin(self.pitch)) / count * np.sqrt(ratio)
        light = self.strength * self.width * np.sqrt(2.0 * np.pi) / apart
        blur = 2.0 * np.exp(-2.0 * (np.pi * np.hypot(self.width, SEEING_PX) / apart) ** 2)
        return float(light * blur / (1.0 + light))

    def across(self, radius: Floats, azimuth: Floats) -> Floats:
        """Distance of places from its crest, px, positive beyond it in azimuth."""
        turned = azimuth - self.crest(np.maximum(radius, 1.0))
        nearest = (turned + np.pi) % (2.0 * np.pi) - np.pi
        return np.asarray(nearest * radius * abs(np.sin(self.pitch)))

    def along(self, radius: Floats) -> Floats:
        """How bright it is at radii, 0 to 1: it fades in and out over a tenth of its length."""
        reach = np.log(self.outer / self.inner)
        at = np.log(np.maximum(radius, 1.0) / self.inner) / reach
        return np.asarray(np.clip(at / 0.1, 0.0, 1.0) * np.clip((1.0 - at) / 0.15, 0.0, 1.0))
