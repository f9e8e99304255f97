"""Together: what several images, opened at once, are to each other.

Bands have one grid; tiles of a mosaic lie side by side on the sky, in one unit and at one scale.
All else is separate. Headers decide: no pixel is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage

Way = Literal["separate", "mosaic", "bands"]

_SAME_PX = 0.05
"""Grids whose corners lie closer than this are one grid."""
_SAME_SCALE = 0.02
_GAP = 1.1
"""Tiles adjoin when their centres are no farther apart than their half diagonals by this much."""


def ways(images: Sequence[SkyImage]) -> tuple[Way, ...]:
    """How images can be opened together, the likeliest first; `separate` is always among them."""
    single = len(images) > 1 and all(image.count == 1 for image in images)
    if single and one_grid(images):
        return "bands", "separate"
    if single and _one_sky(images):
        return ("mosaic", "separate") if _side_by_side(images) else ("separate", "mosaic")
    shapes = {image.shape for image in images}
    no_sky = all(image.wcs is None for image in images)
    return ("separate", "bands") if single and no_sky and len(shapes) == 1 else ("separate",)


def one_grid(images: Sequence[SkyImage]) -> bool:
    """Whether every pixel lies at the same place of the sky in all of them (within 0.05 px)."""
    first = images[0]
    if any(image.shape != first.shape or image.frame is None for image in images):
        return False
    height, width = first.shape
    x, y = np.array([0, width - 1, width - 1, 0]), np.array([0, 0, height - 1, height - 1])
    for image in images[1:]:
        with np.errstate(invalid="ignore"):
            across, up = first.pixel(image.sky(x, y))
        if not (np.hypot(across - x, up - y) < _SAME_PX).all():
            return False
    return True


def _one_sky(images: Sequence[SkyImage]) -> bool:
    """Whether all have sky coordinates, one unit and one pixel scale."""
    scales = [image.pixel_scale_arcsec for image in images]
    known = [scale for scale in scales if scale is not None]
    if len(known) < len(images) or len({image.unit for image in images}) > 1:
        return False
    return max(known) <= (1 + _SAME_SCALE) * min(known)


def _side_by_side(images: Sequence[SkyImage]) -> bool:
    """Whether they hang together on the sky, and none has another's centre inside it."""
    places = np.array([_centre_deg(image) for image in images])
    if not np.isfinite(places).all():
        return False
    centres = SkyCoord(places[:, 0], places[:, 1], unit="deg")
    apart = np.stack([centres.separation(centre).deg for centre in centres])
    reach = np.array([_half_diagonal_deg(image) for image in images])
    touch = apart <= _GAP * (reach[:, None] + reach[None, :])
    return _connected(touch) and not any(
        _covers(image, centres[np.arange(len(images)) != index])
        for index, image in enumerate(images)
    )


def _centre_deg(image: SkyImage) -> tuple[float, float]:
    """ICRS right ascension and declination of its middle."""
    middle = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2).icrs
    return float(middle.ra.deg), float(middle.dec.deg)


def _half_diagonal_deg(image: SkyImage) -> float:
    scale = image.pixel_scale_arcsec or 0.0
    return float(np.hypot(*image.shape)) / 2 * scale / 3600.0


def _covers(image: SkyImage, positions: SkyCoord) -> bool:
    """Whether one of the positions lies on the image."""
    x, y = image.pixel(positions)
    height, width = image.shape
    return bool(((x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)).any())


def _connected(touch: NDArray[np.bool_]) -> bool:
    """Whether one can step from any to any other by those that touch."""
    reached = np.zeros(len(touch), bool)
    reached[0] = True
    while True:
        wider = touch[reached].any(axis=0)
        if (wider == reached).all():
            return bool(reached.all())
        reached |= wider
