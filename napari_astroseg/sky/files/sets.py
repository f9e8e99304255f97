"""Sets: images of one file that belong together: the votes of Galaxy Zoo 3D, bands of one field."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from astropy.io import fits

from napari_astroseg.sky.files.layout import text_card

VOTE_MAPS = ("center", "star", "spiral", "bar")
"""The four count maps of a Galaxy Zoo 3D file (Masters et al. 2021), in their order."""

_VOTE_COLUMNS = {"classification_id", "spiral_paths", "bar_paths", "center_points", "star_points"}
_BAND = re.compile(
    r"([ugrizyGYJHKUBVRIZ]|Ks|FUV|NUV|W[1-4]|F\d{3,4}[WMNX]?|(UVW|UVM)[12]|I[1-4]|"
    r"(SDSS|PS1?|DES|HSC|LSST|VISTA|UKIDSS|2MASS|WISE|IRAC|MIPS|PACS|SPIRE|GALEX|DECam|KiDS)"
    r"[ _.:-]?\w{1,6}|(band|filter|mag)[ _-]?\w{1,6})$"
)
_PLACE = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CD1_", "CD2_", "PC1_", "PC2_")


def vote_maps(
    images: Sequence[tuple[int, str, tuple[int, ...]]], columns: Sequence[Sequence[str]]
) -> dict[int, str]:
    """HDU numbers and names of the vote maps of a Galaxy Zoo 3D file; empty for any other.

    Such a file starts with a colour picture, goes on with at least four maps of its size, and
    has tables of what was drawn.

    Parameters
    ----------
    images
        Number, kind and shape of every image, in their order.
    columns
        The column names of every table.
    """
    if not images or images[0][:2] != (0, "rgb"):
        return {}
    size = tuple(n for n in images[0][2] if n not in (3, 4))
    maps = [hdu for hdu, kind, shape in images[1:] if kind == "image" and shape == size]
    drawn = any(_VOTE_COLUMNS & {name.lower() for name in each} for each in columns)
    if len(maps) < len(VOTE_MAPS) or not drawn:
        return {}
    return dict(zip(maps, VOTE_MAPS, strict=False))


def bands_of_one_field(
    images: Sequence[tuple[int, str, tuple[int, ...], fits.Header]],
) -> tuple[tuple[int, str], ...]:
    """HDU numbers and names of images that are the bands of one field; empty if they are not.

    All of them must be of one shape, lie on one place of the sky, and be named as bands, by
    EXTNAME or by a FILTER card.

    Parameters
    ----------
    images
        Number, name, shape and header of every science image of a file.
    """
    if len(images) < 2 or len({shape for _, _, shape, _ in images}) > 1:
        return ()
    names = [band_of(name, header) for _, name, _, header in images]
    if "" in names or len(set(names)) < len(names):
        return ()
    first = images[0][3]
    if not all(same_place(first, header) for *_, header in images[1:]):
        return ()
    return tuple((hdu, name) for (hdu, *_), name in zip(images, names, strict=True))


def same_place(one: fits.Header, other: fits.Header) -> bool:
    """Whether two headers write the same world coordinates, to a part in a billion."""
    keys = {key for key in (*one, *other) if key.startswith(_PLACE) and key[-1:] in "12"}
    return all(_same(text_card(one, key), text_card(other, key)) for key in keys)


def _same(one: str, other: str) -> bool:
    try:
        return bool(np.isclose(float(one), float(other), rtol=1e-9, atol=1e-12))
    except ValueError:
        return one == other


def band_of(name: str, *headers: fits.Header) -> str:
    """The band that an image is of, by its EXTNAME or the first FILTER card; "" if none is told."""
    if _BAND.match(name):
        return name
    for header in headers:
        for key in ("FILTER", "BAND", "FILTNAM", "FILTER1"):
            told = text_card(header, key)
            if told:
                return told
    return ""
