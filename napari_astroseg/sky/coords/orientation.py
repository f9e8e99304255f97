"""Orientation: how the sky lies around one pixel: which way north is, how large a pixel is.

Everything is by unit vectors and small differences, so that poles, wraps in longitude, mirrored
axes and distortions need no care of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.sky.image import SkyImage

Frame = Literal["icrs", "galactic"]
FRAMES: tuple[Frame, ...] = get_args(Frame)

Floats = NDArray[np.float64]

_STEP_PX = 0.5


@dataclass(frozen=True, eq=False)
class Orientation:
    """The sky around one pixel, as flat as it is there.

    Parameters
    ----------
    matrix
        2 × 2, radians per pixel: a step (dx, dy) in pixels is `matrix @ (dx, dy)` towards
        growing longitude (on the sky, not in longitude) and growing latitude.
    """

    matrix: Floats

    @property
    def north(self) -> Floats:
        """The way latitude grows fastest on the picture, (dx, dy) of length 1."""
        return self._towards(0.0, 1.0)

    @property
    def east(self) -> Floats:
        """The way longitude grows at constant latitude, (dx, dy) of length 1."""
        return self._towards(1.0, 0.0)

    def angle_deg(self, dx: float, dy: float) -> float:
        """How much sky a step of (dx, dy) pixels covers, degrees."""
        return float(np.degrees(np.hypot(*(self.matrix @ (dx, dy)))))

    def _towards(self, longitude: float, latitude: float) -> Floats:
        step = np.linalg.solve(self.matrix, (longitude, latitude))
        return step / np.hypot(*step)


def orientation(image: SkyImage, x: float, y: float, frame: Frame = "icrs") -> Orientation | None:
    """How the sky lies around the 0-based pixel position (x, y); None off the sky."""
    if image.wcs is None:
        return None
    d = _STEP_PX
    around = directions(image, [x, x - d, x + d, x, x], [y, y, y, y - d, y + d], frame)
    if not np.isfinite(around).all():
        return None
    here, left, right, below, above = around
    longitude = np.arctan2(here[1], here[0])
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    north = np.cross(here, east)
    steps = np.stack([right - left, above - below], axis=1) / (2 * d)
    matrix = np.stack([east, north]) @ steps
    size = np.abs(matrix).max()
    flat = size == 0 or abs(np.linalg.det(matrix / size)) < 1e-9
    return None if flat else Orientation(matrix)


def directions(image: SkyImage, x: ArrayLike, y: ArrayLike, frame: Frame) -> Floats:
    """Unit vectors, shape (…, 3), towards 0-based pixel positions; NaN off the sky."""
    position = image.sky(x, y).transform_to(frame).spherical
    lon, lat = position.lon.rad, position.lat.rad
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
