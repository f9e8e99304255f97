"""Known: which detections of a catalogue an earlier one holds, and which are new.

A detection is known where its box covers at least a third of an earlier object's (Nishimoto+2025);
or where their centres are close. Boxes are compared in the image's pixels, where its projection has
put both, and centres on the sphere; so no longitude wraps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
_FARTHEST_ARCSEC = 3600.0


@dataclass(frozen=True)
class Rule:
    """By what a detection is known.

    Parameters
    ----------
    share
        Of an earlier object's box, that its own box covers at least; above 0, up to 1.
    within_arcsec
        By how far its centre is from an earlier object's, at most; then boxes do not matter.

    Raises
    ------
    CatalogueError
        When either is out of bounds.
    """

    share: float = SHARE
    within_arcsec: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise CatalogueError(
                f"{self.share:g} is no share of a box; give one above 0 and up to 1"
            )
        if self.within_arcsec is not None and not 0.0 < self.within_arcsec <= _FARTHEST_ARCSEC:
            raise CatalogueError(
                f"{self.within_arcsec:g} arcsec is no distance between centres; give one above 0 "
                "and up to a degree"
            )


def mark_known(catalogue: Catalogue, known: Path, image: SkyImage, rule: Rule = Rule()) -> int:
    """Add `known`, `known_name`, and `known_share` or `known_distance`; how many are known.

    Parameters
    ----------
    known
        The Milky Way Project's DR2, or a table with positions, and where boxes are asked about
        `width` and `height` of these or the `radius` of objects, in units of angle.
    image
        On whose pixels the catalogue lies.

    Raises
    ------
    CatalogueError
        When what the rule asks about is missing in either, or the second cannot be read.
    """
    if rule.within_arcsec is None:
        names, best, share = _covered(catalogue, known, image)
        found, column, words = share >= rule.share, share, f"at least {rule.share:.3g} of its box"
        about = {"known_share": (column, "fraction of that box which it covers")}
        how = f"whether its box covers {words} of a known object"
        which = "the known object whose box it covers most of"
    else:
        names, best, away = _nearest(catalogue, known)
        found = away <= rule.within_arcsec
        about = {"known_distance": (away * u.arcsec, "how far the centre of that one is")}
        how = f"whether a known object has its centre within {rule.within_arcsec:g} arcsec"
        which = "the known object whose centre is nearest"
    table = catalogue.table
    table["known"] = found
    table["known"].info.description = how
    table["known_name"] = np.where(found, names[best], "") if len(names) else [""] * len(found)
    table["known_name"].info.description = which
    for name, (values, said) in about.items():
        table[name] = values
        table[name].info.description = said
    return int(np.count_nonzero(found))


def _covered(
    catalogue: Catalogue, known: Path, image: SkyImage
) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float64]]:
    """Names of the known, which of them each detection covers most of, and how much of it."""
    names, theirs = _boxes_of(known, image)
    table = catalogue.table
    if not {"x", "y", "width", "height"} <= set(table.colnames):
        raise CatalogueError(
            "what is known is told by boxes, and this catalogue holds none; tell it by the "
            "distance of centres, or use a model that finds objects in boxes"
        )
    sizes = np.stack([table["width"], table["height"]], 1)
    mine = _boxes(np.stack([table["x"], table["y"]], 1), sizes, image)
    best, share = np.zeros(len(mine), np.int64), np.zeros(len(mine))
    if len(theirs):
        areas = np.prod(theirs[:, 2:] - theirs[:, :2], 1)
        for start in range(0, len(mine), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            shares = shared_areas(mine[part], theirs) / areas
            best[part], share[part] = shares.argmax(1), shares.max(1)
    return names, best, share


def _nearest(
    catalogue: Catalogue, known: Path
) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float64]]:
    """Names of the known, which of them is nearest to each detection, and how far, arcsec."""
    names, where, _ = _read(known)
    mine = catalogue.position
    if not len(names) or not len(mine):
        return names, np.zeros(len(mine), np.int64), np.full(len(mine), np.inf)
    best, away, _ = mine.match_to_catalog_sky(where)
    return names, np.asarray(best, np.int64), np.asarray(away.to_value(u.arcsec), np.float64)


def marked_file(path: Path, known: Path, image: SkyImage, rule: Rule = Rule()) -> int:
    """Mark what is known in a catalogue on disk; see `mark_known`."""
    catalogue = Catalogue.read(path)
    count = mark_known(catalogue, known, image, rule)
    catalogue.write(path)
    return count


def _boxes_of(path: Path, image: SkyImage) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Names (N,) and boxes (N, 4) px of the known objects that the projection can show."""
    names, where, sizes = _read(path)
    if sizes is None:
        raise CatalogueError(
            f"{path.name} has no sizes; give it `width` and `height` of boxes, or a `radius`, or "
            "tell what is known by the distance of centres"
        )
    x, y = image.pixel(where)
    seen = np.isfinite(x) & np.isfinite(y) & (sizes.value > 0).all(1)
    return names[seen], _boxes(np.stack([x, y], 1)[seen], sizes[seen], image)


def _read(path: Path) -> tuple[NDArray[np.str_], SkyCoord, u.Quantity | None]:
    """Names (N,) and places of the known objects, and sizes (N, 2) of their boxes if told.

    Objects without a place are left out.
    """
    if path.suffix.lower() in {".dat", ".txt"}:
        try:
            bubbles, _ = read_bubbles(path, path.parent)
        except DataError as error:
            raise CatalogueError(str(error)) from error
        lon, lat = ([getattr(bubble, name) for bubble in bubbles] for name in ("lon", "lat"))
        where = SkyCoord(lon, lat, unit="deg", frame="galactic")
        sizes = np.array([2 * b.half_box_arcmin for b in bubbles])[:, None].repeat(2, 1) * u.arcmin
        return np.array([b.name for b in bubbles]), where, sizes
    known = Catalogue.read(path)
    column = next((name for name in ("name", "id") if name in known.table.colnames), None)
    told = known.table[column] if column else np.arange(1, len(known) + 1)
    names, sizes = np.array([str(each) for each in told]), _sizes(known, path)
    if known.frame is None:
        return names, known.position, sizes  # it says what is missing
    lon, lat = _told(known.table["lon"]), _told(known.table["lat"])
    there = np.isfinite(lon) & np.isfinite(lat)
    where = SkyCoord(lon[there], lat[there], frame=known.frame)
    return names[there], where, None if sizes is None else sizes[there]


def _told(column: Any) -> u.Quantity:
    """The values of a column, NaN where one is missing."""
    filled = getattr(column, "filled", None)
    return u.Quantity(column if filled is None else filled(np.nan))


def _sizes(known: Catalogue, path: Path) -> u.Quantity | None:
    """(N, 2) widths and heights of the boxes; None where there are none."""
    table = known.table
    try:
        if {"width", "height"} <= set(table.colnames):
            sides = [_told(table[name]).to(u.arcmin) for name in ("width", "height")]
            return u.Quantity(np.stack(sides, 1))
        if "radius" in table.colnames:
            half = BOX * _told(table["radius"]).to(u.arcmin)
            return u.Quantity(np.stack([2 * half, 2 * half], 1))
    except (u.UnitConversionError, TypeError) as error:
        raise CatalogueError(
            f"{path.name}: its sizes are in no unit of angle ({error}); write them with one"
        ) from error
    return None


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
