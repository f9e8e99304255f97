"""Outline file: polygons for DS9, on the sky where the image has coordinates, else in pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage

Places = NDArray[np.float64]

_AT_ONCE = 1000
"""Polygons that are placed on the sky together."""


def write_polygons(path: Path, outlines: Iterable[tuple[str, Places]], image: SkyImage) -> Path:
    """Write polygons, whole or not at all.

    Parameters
    ----------
    outlines
        The text of each, and its vertices (N, 2) x and y on the image, 0-based pixels.
    """
    waiting = iter(outlines)
    named = False
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("# Region file format: DS9\n")
        while some := list(islice(waiting, _AT_ONCE)):
            frame, vertices = _placed(np.concatenate([each for _, each in some]), image)
            if not named:
                file.write(f"{frame}\n")
                named = True
            ends = np.cumsum([len(each) for _, each in some])
            for (text, _), corners in zip(some, np.split(vertices, ends)[:-1], strict=True):
                file.write(f"polygon({','.join(_numbers(corners))}) # text={{{text}}}\n")
    return path


def _placed(xy: Places, image: SkyImage) -> tuple[str, Places]:
    """A frame that DS9 reads without an equinox, and places (N, 2) in it; pixels from 1."""
    if image.wcs is None:
        return "image", xy + 1.0
    position = image.sky(*xy.T)
    position = position if position.frame.name == "galactic" else position.icrs
    told = position.spherical
    return str(position.frame.name), np.stack([told.lon.deg, told.lat.deg], axis=1)


def _numbers(places: Places) -> Iterator[str]:
    """To 36 µas, or to a hundred-millionth of a pixel."""
    return (f"{value:.8f}" for value in places.ravel().tolist())
