"""Outline file: polygons for DS9, on the sky where the image has coordinates, else in pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage

Places = NDArray[np.float64]


def write_polygons(path: Path, outlines: Iterable[tuple[str, Places]], image: SkyImage) -> Path:
    """Write polygons, whole or not at all.

    Parameters
    ----------
    outlines
        The text of each, and its vertices (N, 2) x and y on the image, 0-based pixels.
    """
    given = list(outlines)
    frame, vertices = _placed(
        np.concatenate([np.zeros((0, 2)), *(each for _, each in given)]), image
    )
    ends = np.cumsum([len(each) for _, each in given])
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("# Region file format: DS9\n")
        file.writelines([f"{frame}\n"] * bool(given))
        for (text, _), corners in zip(given, np.split(vertices, ends)[:-1], strict=True):
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
