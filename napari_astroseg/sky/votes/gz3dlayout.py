"""Gz3d layout: drawings written as the makers of Galaxy Zoo 3D wrote those of their volunteers.

The votes follow from the drawings by their rules, so that reading gives both again. What is kept
of their files to the letter: the order of the HDUs, none of which has a name; counts as float64;
columns and their types; tables of raw classifications that have no rows, of plain numbers then,
where nobody was asked; and positions of clusters as if pixels were counted from 1 (Masters et al.
2021, MNRAS 507, 3923).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.votes.clusters import clusters
from napari_astroseg.sky.votes.drawings import Drawing, counted
from napari_astroseg.sky.votes.gz3d import Galaxy

Drawings = Mapping[str, Sequence[Drawing]]

_ABOUT = (
    ("MANGA_TILEID", "f8", -1.0),
    ("nsa_id", "i8", -1),
    ("explorer_link", "S90", ""),
    ("GZ_total_classifications", "i2", 0),
    ("GZ_bar_votes", "i2", 0),
    ("GZ_spiral_votes", "i2", 0),
    ("sample", "S70", ""),
)
"""Columns of what is known, after the first five, and what stands where nothing is told."""

_CLUSTER = ("x", "y", "var_x", "var_y", "var_x_y", "ra", "dec", "var_ra", "var_dec", "var_ra_dec")
_RAW = (("center", "star"), ("spiral",), ("bar",))
"""What each table of raw classifications, HDU 8 to 10, holds."""
_POINTS = ("center", "star")


def gz3d_wcs(ra: float, dec: float, size: int, pixel_arcsec: float) -> WCS:
    """World coordinates of a square picture whose rows run from north to south."""
    wcs = WCS(naxis=2)
    wcs.wcs.crpix = [size / 2, size / 2]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.cd = -np.eye(2) * pixel_arcsec / 3600.0
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    return wcs


def write_gz3d(
    path: Path, picture: NDArray[np.uint8], drawings: Drawings, galaxy: Galaxy, wcs: WCS
) -> Path:
    """Write a galaxy with what volunteers drew, whole or not at all.

    Equal content gives equal bytes, packed or not.

    Parameters
    ----------
    path
        Replaced if it exists; a `.gz` ending packs it.
    picture
        What they saw, (H, W, 3), row 0 in the north.
    drawings
        `center`, `star`, `spiral`, `bar` → a drawing for each person who was asked. Those for
        centres and stars are of the same people.
    galaxy
        What is known of it; of `more`, the columns that such files have.
    wcs
        Of the picture.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    shape = picture.shape[0], picture.shape[1]
    cards = wcs.to_header()
    cards.remove("MJDREF", ignore_missing=True)  # says nothing, and theirs has none
    hdus: list[Any] = [fits.PrimaryHDU(picture, cards)]
    for kind in VOTE_MAPS:
        votes = sum(counted(drawings[kind], shape), np.zeros(shape))
        hdus.append(fits.ImageHDU(votes, cards))
    hdus.append(fits.table_to_hdu(_about(galaxy)))
    hdus += [fits.table_to_hdu(_clusters(drawings[kind], wcs)) for kind in _POINTS]
    hdus += [fits.table_to_hdu(_raw(drawings, kinds)) for kinds in _RAW]
    with replacing(path) as temporary, temporary.open("wb") as file:
        if path.suffix == ".gz":
            # Neither name nor time: they would differ from one writing to the next.
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                fits.HDUList(hdus).writeto(packed)
        else:
            fits.HDUList(hdus).writeto(file)
    return path


def _about(galaxy: Galaxy) -> Table:
    """What is known, one row."""
    known = galaxy.more | {"nsa_id": -1 if galaxy.nsa_id is None else galaxy.nsa_id}
    first = {
        "ra": np.array([galaxy.ra], np.float32),
        "dec": np.array([galaxy.dec], np.float32),
        "MANGAID": np.array([galaxy.manga_id.encode()], "S11"),
        "IAUNAME": np.array([galaxy.iau_name.encode()], "S19"),
        "IFUDESIGNSIZE": np.array([float(galaxy.fibres or -1)]),
    }
    return Table(
        first | {name: np.array([known.get(name, other)], kind) for name, kind, other in _ABOUT}
    )


def _clusters(drawings: Sequence[Drawing], wcs: WCS) -> Table:
    """Clusters of points: means and covariances in pixels and in degrees, and how many points."""
    rows = []
    places = [line for each in drawings for line in each.lines]
    if places:
        points = np.concatenate(places)
        sky = wcs.wcs_pix2world(points, 1)
        for each in clusters(points):
            told: list[float] = []
            for mean, cov in (
                (each.mean, each.covariance),
                (sky[each.members].mean(0), np.cov(sky[each.members].T)),
            ):
                told += [*mean, cov[0, 0], cov[1, 1], cov[0, 1]]
            rows.append((*told, len(each.members)))
    kinds = [float] * len(_CLUSTER) + [np.int64]
    return Table(rows=rows or None, names=(*_CLUSTER, "count"), dtype=kinds)


def _raw(drawings: Drawings, kinds: Sequence[str]) -> Table:
    """Raw classifications: who was asked, when, and what they marked, as JSON."""
    asked = drawings[kinds[0]]
    marks = "points" if kinds[0] in _POINTS else "paths"
    names = ("classification_id", "time_stamp", *(f"{kind}_{marks}" for kind in kinds))
    if not asked:
        return Table({name: np.empty(0) for name in names})
    columns: list[Any] = [
        np.array([each.number for each in asked], np.int64),
        np.array([each.time.encode() for each in asked]),
    ]
    columns += [np.array([_json(each).encode() for each in drawings[kind]]) for kind in kinds]
    return Table(dict(zip(names, columns, strict=True)))


def _json(drawing: Drawing) -> str:
    """Points, or paths of points."""
    lines = [line.tolist() for line in drawing.lines]
    return json.dumps([line[0] for line in lines] if drawing.marks == "points" else lines)
