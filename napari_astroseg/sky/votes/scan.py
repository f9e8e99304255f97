"""Scan: what an index keeps of one file: whose it is, and the histogram of each of its maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.files.contents import Contents, Entry, contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.files.opened import OpenFile
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.votes import counting
from napari_astroseg.sky.votes.counting import Histogram, tallied, trimmed
from napari_astroseg.sky.votes.gz3d import galaxy_of
from napari_astroseg.sky.votes.inmemory import opened_whole
from napari_astroseg.sky.votes.opening import plain_map

KINDS = (*VOTE_MAPS, "votes")
"""What a map may be of, in their order in an index; `votes` where nothing says."""

_NOT_AS_STORED = ("BSCALE", "BZERO", "BLANK")


@dataclass(frozen=True, eq=False)
class ScannedMap:
    """One map of votes.

    Parameters
    ----------
    kind
        Number in `KINDS`.
    voters, drew
        How many people were asked, and marked anything; -1 where it is not known.
    histogram
        Pixels with 0, 1, 2, … votes.
    missing
        Pixels without a value, which count as without votes.
    """

    kind: int
    voters: int
    drew: int
    histogram: Histogram
    missing: int = 0


@dataclass(frozen=True, eq=False)
class Scanned:
    """One file.

    Parameters
    ----------
    identity
        The galaxy's MaNGA id; "" without.
    lon, lat
        Of the galaxy, or of the middle, ICRS, deg; NaN without.
    pixel_arcsec2
        Area of a pixel; NaN without a WCS.
    maps
        Its maps of votes.
    """

    identity: str
    lon: float
    lat: float
    pixel_arcsec2: float
    maps: tuple[ScannedMap, ...]


def scanned(path: Path, bins: Histogram | None = None) -> Scanned:
    """What an index keeps of a file, which is read once, as a whole.

    Parameters
    ----------
    path
        A file of Galaxy Zoo 3D, or a map of counts.
    bins
        (65 536,), to count in: for those who scan many.

    Raises
    ------
    ImageError
        When it cannot be read.
    VoteError
        When it holds no counts.
    """
    bins = np.zeros(counting.MOST + 1, np.int64) if bins is None else bins
    with opened_whole(path) as file:
        found = contents(file)
        images = Images(file, found)
        if found.kind == "votes":
            entries = [entry for entry in found.entries if entry.name in VOTE_MAPS]
        else:
            entry = plain_map(file.hdus, found)
            if entry is None:
                raise VoteError(f"{path.name} holds no map of counts; take it out of the folder")
            entries = [entry]
        first = images.image(entries[0])
        galaxy = galaxy_of(file.hdus, found)
        lon, lat = galaxy.ra, galaxy.dec
        if not np.isfinite(lon + lat):
            lon, lat = _middle(first)
        sides = first.pixel_sides_arcsec
        area = float("nan") if sides is None else sides[0] * sides[1]
        maps = tuple(_maps(file, found, entries, images, bins))
    return Scanned(galaxy.manga_id, lon, lat, area, maps)


def _maps(
    file: OpenFile, found: Contents, entries: list[Entry], images: Images, bins: Histogram
) -> Iterator[ScannedMap]:
    for entry in entries:
        bins[:] = 0
        name = f"{file.address.name}[{entry.hdu}]"
        missing = tallied(_values(file, images, entry), bins, name)
        kind = entry.name if entry.name in VOTE_MAPS and found.kind == "votes" else "votes"
        yield ScannedMap(KINDS.index(kind), *_people(file, found, kind), trimmed(bins), missing)


def _values(file: OpenFile, images: Images, entry: Entry) -> Any:
    """The pixels of a map, as stored where that is what they mean: it saves reading a WCS."""
    header = file.hdus[entry.hdu].header
    if file.hdus[entry.hdu].is_image and not any(key in header for key in _NOT_AS_STORED):
        return np.asarray(file.hdus[entry.hdu].data).reshape(entry.shape)
    height, width = entry.shape
    return images.image(entry).pixels[0:height, 0:width]


def _people(file: OpenFile, found: Contents, kind: str) -> tuple[int, int]:
    """How many were asked, and marked anything; -1 where no table tells."""
    for table in found.tables:
        for column in (f"{kind}_paths", f"{kind}_points"):
            if column in table.columns:
                told = file.hdus[table.hdu].data[column]
                return table.rows, sum(str(each).strip() not in ("", "[]") for each in told)
    return -1, -1


def _middle(image: SkyImage) -> tuple[float, float]:
    """Where an image's middle lies, ICRS, deg; NaN without a WCS."""
    if image.wcs is None:
        return float("nan"), float("nan")
    there = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2).icrs
    return float(there.ra.deg), float(there.dec.deg)
