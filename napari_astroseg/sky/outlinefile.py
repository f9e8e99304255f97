"""Outline file: polygons for DS9, on the sky where the image has coordinates, else in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray
from regions import PixCoord, PolygonPixelRegion, PolygonSkyRegion, RegionMeta, Regions

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage


def write_polygons(
    path: Path, outlines: Iterable[tuple[str, NDArray[np.float64]]], image: SkyImage
) -> Path:
    """Write polygons, whole or not at all.

    Parameters
    ----------
    outlines
        The text of each, and its vertices (N, 2) x and y on the image, 0-based pixels.
    """
    shapes = []
    for text, vertices in outlines:
        meta = RegionMeta({"text": text})
        if image.wcs is None:
            shapes.append(PolygonPixelRegion(PixCoord(*vertices.T), meta=meta))
        else:
            shapes.append(PolygonSkyRegion(_ds9_frame(image.sky(*vertices.T)), meta=meta))
    told = Regions(shapes).serialize(format="ds9") if shapes else "# Region file format: DS9\n"
    with replacing(path) as temporary:
        temporary.write_text(told, encoding="utf-8")
    return path


def _ds9_frame(position: SkyCoord) -> SkyCoord:
    """Vertices in a frame that DS9 reads without an equinox."""
    return position if position.frame.name == "galactic" else position.icrs
