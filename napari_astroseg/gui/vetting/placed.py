"""Placed: where detections lie on an image, and which lie near one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.sky.image import SkyImage

Doubles = NDArray[np.float64]

SMALLEST_PX = 4.0
"""As small as an object is drawn."""
_UNKNOWN_PX = 12.0


class Placed:
    """Detections in the pixels of an image.

    Parameters
    ----------
    detections
        By their sky positions where the image has any, else by their pixels.

    Raises
    ------
    VettingError
        When none of them lies on the image.
    """

    def __init__(self, detections: Detections, image: SkyImage) -> None:
        self.image = image
        if detections.frame is not None and image.wcs is not None:
            self.x, self.y = image.pixel(detections.position)
        else:
            self.x, self.y = detections.x, detections.y
        self.radius = _radii(detections, image)
        height, width = image.shape
        inside = (self.x > -0.5) & (self.x < width - 0.5)
        self.inside: NDArray[np.bool_] = inside & (self.y > -0.5) & (self.y < height - 0.5)
        if not self.inside.any():
            raise VettingError(
                f"no detection of {detections.source or 'the list'} lies on {image.name}; "
                "open the image that they were found on"
            )
        self._rows = np.flatnonzero(self.inside)
        self._tree = cKDTree(np.column_stack((self.x, self.y))[self._rows])

    def near(self, row: int, most: int, within_px: float = np.inf) -> list[int]:
        """Rows of others on the image, the nearest first."""
        if not self.inside[row]:
            return []
        at = (self.x[row], self.y[row])
        distance, found = self._tree.query(at, min(most + 1, len(self._rows)), 1e-6)
        pairs = zip(np.atleast_1d(distance), np.atleast_1d(found), strict=True)
        rows = [int(self._rows[n]) for far, n in pairs if far <= within_px]
        return [other for other in rows if other != row][:most]

    def nearest(self, x: float, y: float) -> int:
        """Row of the one on the image that is nearest to a place."""
        return int(self._rows[self._tree.query((x, y))[1]])


def _radii(detections: Detections, image: SkyImage) -> Doubles:
    """How far each reaches, px; something to be seen where nobody knows."""
    scale = 1.0
    if detections.unit == "arcsec":
        scale = 1.0 / image.pixel_scale_arcsec if image.pixel_scale_arcsec else np.nan
    radius = detections.radius * scale
    return np.where(np.isfinite(radius), np.maximum(radius, SMALLEST_PX), _UNKNOWN_PX)
