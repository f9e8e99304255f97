"""Images of different pixels are not drawn over one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.wcs import WCS

from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn.apart import keep_apart
from napari_astroseg.sky.image import SkyImage


def test_an_image_of_other_pixels_does_not_lie_over_another(
    make_napari_viewer: Any,
) -> None:
    viewer = make_napari_viewer()
    near = layers.add_image(viewer, sky_of(8, 6.0))
    same = layers.add_image(viewer, sky_of(8, 6.0))
    assert keep_apart(viewer, [same]) == ""
    assert near.visible
    other = layers.add_image(viewer, sky_of(8, 3.0))
    told = keep_apart(viewer, [other])
    assert "were hidden" in told
    assert [near.visible, same.visible, other.visible] == [False, False, True]


def test_what_takes_the_place_of_all_is_brought_into_view(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    camera = getattr(viewer, "scene", viewer).camera
    near = layers.add_image(viewer, sky_of(400, 6.0))
    camera.center, camera.zoom = (0.0, 300.0, 300.0), 20.0
    far = layers.add_image(viewer, sky_of(40, 60.0))
    assert keep_apart(viewer, [far])
    assert tuple(camera.center[-2:]) == (19.5, 19.5)
    canvas = getattr(viewer, "canvas", None)
    size = min(600, 600) if canvas is None else min(canvas.size)
    assert 0.8 * size < 40 * camera.zoom < size

    # What stays in view is looked at as before.
    near.visible = True
    far.visible = False
    view = camera.center, camera.zoom
    same = layers.add_image(viewer, sky_of(400, 6.0))
    far.visible = True
    assert keep_apart(viewer, [same])
    assert (camera.center, camera.zoom) == view


def sky_of(side: int, arcsec: float) -> SkyImage:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [10.0, 20.0], [side / 2, side / 2]
    wcs.wcs.cdelt = [-arcsec / 3600, arcsec / 3600]
    return SkyImage.from_array(np.ones((side, side)), wcs, name=f"{arcsec} arcsec")
