"""Known: which boxes of a catalogue an earlier one holds, and which are new.

A detection is known where its box covers at least a third of an earlier object's (Nishimoto+2025).
Boxes are compared in the image's pixels, where its projection has put both; so no longitude wraps.
"""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, DataError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.datasets.bubblecatalogue import BOX, read_bubbles
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import shared_areas

SHARE = 1 / 3
"""Of an earlier object's box, that a detection of it covers."""

_AT_ONCE = 500

_WORDS = {
    "known": "whether its box covers a third of one in the catalogue of known objects",
    "known_name": "the known object whose box it covers most of",
    "known_share": "fraction of that box which it covers",
}


def mark_known(catalogue: Catalogue, known: Path, image: SkyImage) -> int:
    """Add `known`, `known_name` and `known_share` to a catalogue of boxes; how many are known.

    Parameters
    ----------
    known
        The Milky Way Project's DR2, or a table with positions, and `width` and `height` of boxes or
        the `radius` of objects, in units of angle.
    image
        On whose pixels the catalogue lies.

    Raises
    ------
    CatalogueError
        When either has no boxes, or the second cannot be read.
    """
    names, theirs = _boxes_of(known, image)
    table = catalogue.table
    if not {"x", "y", "width", "height"} <= set(table.colnames):
        raise CatalogueError(
            "what is known is told by boxes, and this catalogue holds none; use a model that finds "
            "objects in boxes"
        )
    sizes = np.stack([table["width"], table["height"]], 1)
    mine = _boxes(np.stack([table["x"], table["y"]], 1), sizes, image)
    best, share = np.zeros(len(mine), int), np.zeros(len(mine))
    if len(theirs):
        areas = np.prod(theirs[:, 2:] - theirs[:, :2], 1)
        for start in range(0, len(mine), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            shares = shared_areas(mine[part], theirs) / areas
            best[part], share[part] = shares.argmax(1), shares.max(1)
    found = share >= SHARE
    table["known"] = found
    table["known_name"] = np.where(found, names[best], "") if len(names) else [""] * len(mine)
    table["known_share"] = share
    for name, words in _WORDS.items():
        table[name].info.description = words
    return int(np.count_nonzero(found))


def marked_file(path: Path, known: Path, image: SkyImage) -> int:
    """Mark what is known in a catalogue on disk; see `mark_known`."""
    catalogue = Catalogue.read(path)
    count = mark_known(catalogue, known, image)
    catalogue.write(path)
    return count


def _boxes_of(path: Path, image: SkyImage) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Names (N,) and boxes (N, 4) px of the known objects that the projection can show."""
    if path.suffix.lower() in {".dat", ".txt"}:
        try:
            bubbles, _ = read_bubbles(path, path.parent)
        except DataError as error:
            raise CatalogueError(str(error)) from error
        lon, lat = ([getattr(bubble, name) for bubble in bubbles] for name in ("lon", "lat"))
        where = SkyCoord(lon, lat, unit="deg", frame="galactic")
        sizes = np.array([2 * b.half_box_arcmin for b in bubbles])[:, None].repeat(2, 1) * u.arcmin
        names = np.array([b.name for b in bubbles])
    else:
        known = Catalogue.read(path)
        where, sizes = known.position, _sizes(known, path)
        column = next((name for name in ("name", "id") if name in known.table.colnames), None)
        told = known.table[column] if column else np.arange(1, len(known) + 1)
        names = np.array([str(each) for each in told])
    x, y = image.pixel(where)
    seen = np.isfinite(x) & np.isfinite(y)
    return names[seen], _boxes(np.stack([x, y], 1)[seen], sizes[seen], image)


def _sizes(known: Catalogue, path: Path) -> u.Quantity:
    """(N, 2) widths and heights of the boxes."""
    table = known.table
    try:
        if {"width", "height"} <= set(table.colnames):
            sides = [u.Quantity(table[name]).to(u.arcmin) for name in ("width", "height")]
            return u.Quantity(np.stack(sides, 1))
        if "radius" in table.colnames:
            half = BOX * u.Quantity(table["radius"]).to(u.arcmin)
            return u.Quantity(np.stack([2 * half, 2 * half], 1))
    except (u.UnitConversionError, TypeError) as error:
        raise CatalogueError(
            f"{path.name}: its sizes are in no unit of angle ({error}); write them with one"
        ) from error
    raise CatalogueError(
        f"{path.name} has no sizes; give it `width` and `height` of boxes, or a `radius`"
    )


def _boxes(middles: NDArray[np.float64], sizes: u.Quantity, image: SkyImage) -> NDArray[np.float64]:
    """(N, 4) boxes in pixels around middles (N, 2); sizes (N, 2) as angles, or pixels."""
    if sizes.unit == u.pix:
        halves = sizes.value / 2
    else:
        if image.pixel_sides_arcsec is None:
            raise CatalogueError(
                f"{image.name} has no sky coordinates, so known objects have no place on it; give "
                "it a WCS"
            )
        halves = sizes.to_value(u.arcsec) / np.array(image.pixel_sides_arcsec) / 2
    return np.concatenate([middles - halves, middles + halves], 1)
