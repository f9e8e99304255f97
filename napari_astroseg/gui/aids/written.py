"""Written: positions as text that people paste elsewhere, and that go-to reads again."""

from __future__ import annotations

import math
from typing import Any

import astropy.units as u
from astropy.coordinates import SkyCoord

from napari_astroseg.gui.aids.view import layer_in_view
from napari_astroseg.gui.layers import sky_image
from napari_astroseg.sky.image import SkyImage


def position_under_cursor(viewer: Any) -> str:
    """The position under a viewer's cursor: ICRS, or x and y without sky; "" off the image."""
    layer = layer_in_view(viewer)
    image = sky_image(layer)
    if image is None or viewer.dims.ndisplay != 2:
        return ""
    y, x = (float(each) for each in layer.world_to_data(viewer.cursor.position)[-2:])
    height, width = image.shape
    if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
        return ""
    if image.wcs is None:
        return f"x={x:.1f} y={y:.1f}"
    position = image.sky(x, y)
    if not math.isfinite(position.spherical.lon.deg + position.spherical.lat.deg):
        return ""
    return written(position.icrs, image)


def written(position: SkyCoord, image: SkyImage) -> str:
    """A position as `05:35:17.30 -05:23:28.0`, to a tenth of the image's pixels or better."""
    scale = image.pixel_scale_arcsec or 1.0
    digits = max(0, math.ceil(1 - math.log10(scale)))
    ra = position.ra.to_string(u.hourangle, sep=":", precision=digits + 1, pad=True)
    dec = position.dec.to_string(u.deg, sep=":", precision=digits, pad=True, alwayssign=True)
    return f"{ra} {dec}"
