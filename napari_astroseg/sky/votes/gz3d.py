"""Gz3d: a file of Galaxy Zoo 3D: a galaxy's picture, its votes, and who drew what.

The layout is that of Masters et al. 2021 (MNRAS 507, 3923): HDU 0 the picture, 1 to 4 the votes
for centre, stars, spiral arms and bar, 5 what is known of the galaxy, 6 and 7 clusters of points,
8 to 10 the raw classifications. Its rows run from north to south; its WCS says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.contents import Contents, contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.files.opened import OpenFile, opened
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.drawings import Drawing, counted, drawings_of
from napari_astroseg.sky.votes.votemap import VoteMap

_ACROSS = {7: 3, 19: 5, 37: 7, 61: 9, 91: 11, 127: 13}
"""Fibres of a MaNGA bundle → fibres from corner to corner (Drory et al. 2015)."""

_FIBRE_ARCSEC = 2.5
"""From the centre of a fibre to that of its neighbour."""


@dataclass(frozen=True)
class Galaxy:
    """What a file tells of its galaxy; "", None or NaN where it does not.

    Parameters
    ----------
    manga_id, iau_name
        Its names: `1-411`, `J095555.07-001125.0`.
    ra, dec
        ICRS, deg, in single precision.
    fibres
        Of its MaNGA bundle: 7, 19, 37, 61, 91 or 127.
    nsa_id
        In the NASA-Sloan Atlas.
    more
        Everything else in the table, by its name there.
    """

    manga_id: str = ""
    iau_name: str = ""
    ra: float = np.nan
    dec: float = np.nan
    fibres: int | None = None
    nsa_id: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Gz3d:
    """A file in the layout of Galaxy Zoo 3D.

    Parameters
    ----------
    picture
        What the volunteers saw: red, green and blue.
    votes
        `center`, `star`, `spiral` and `bar`.
    drawings
        What each volunteer marked, under the same names.
    galaxy
        What is known of it.
    notes
        What the user should know, one sentence each.
    """

    picture: SkyImage
    votes: dict[str, VoteMap]
    drawings: dict[str, tuple[Drawing, ...]]
    galaxy: Galaxy
    notes: tuple[str, ...] = ()

    def by_volunteer(self, kind: str) -> list[NDArray[np.uint16]]:
        """The votes (H, W) of each volunteer for `kind`, in the order of `drawings`.

        They are drawn anew from the raw classifications and add up to the votes of the file;
        a mask is where they are above 0.
        """
        return list(counted(self.drawings[kind], self.picture.shape))

    @cached_property
    def hexagon(self) -> NDArray[np.float64] | None:
        """Corners (x, y) of the MaNGA bundle, (6, 2), px, two of them east and west.

        None where its size is not told.
        """
        across = _ACROSS.get(self.galaxy.fibres or 0)
        scale = self.picture.pixel_scale_arcsec
        if across is None or scale is None or not np.isfinite(self.galaxy.ra + self.galaxy.dec):
            return None
        x, y = self.picture.pixel(SkyCoord(self.galaxy.ra, self.galaxy.dec, unit="deg"))
        radius = across * _FIBRE_ARCSEC / 2 / scale
        angle = np.radians(np.arange(0, 360, 60))
        return np.column_stack((x + radius * np.cos(angle), y + radius * np.sin(angle)))


def open_gz3d(path: str | Path | Address, progress: Progress = silent) -> Gz3d:
    """A file of Galaxy Zoo 3D, or one of that layout; the maps are read when they are asked for.

    Raises
    ------
    ImageError
        When it cannot be read as FITS.
    VoteError
        When it has another layout.
    """
    address = Address.of(path)
    with opened(address, progress) as file:
        return gz3d_of(file, contents(file))


def gz3d_of(file: OpenFile, found: Contents) -> Gz3d:
    """The same of an open file."""
    if found.kind != "votes":
        raise VoteError(
            f"{file.address.name} is no file of Galaxy Zoo 3D: it lacks a colour picture, four "
            "maps of its size or the tables of what was drawn; open it with `open_votes`"
        )
    images = Images(file, found)
    entries = {entry.name: entry for entry in found.entries}
    picture = images.image(found.entries[0])
    drawings, notes = _drawings(file, found)
    votes = {}
    for kind in VOTE_MAPS:
        asked = drawings[kind]
        drew = sum(not each.empty for each in asked)
        votes[kind] = VoteMap(images.image(entries[kind]), kind, len(asked), drew, picture)
    return Gz3d(picture, votes, drawings, galaxy_of(file.hdus, found), notes)


def _drawings(
    file: OpenFile, found: Contents
) -> tuple[dict[str, tuple[Drawing, ...]], tuple[str, ...]]:
    """What was drawn, by what it marks, and a note on the rows that make no sense."""
    drawings: dict[str, tuple[Drawing, ...]] = {}
    notes = []
    for kind in VOTE_MAPS:
        drawings[kind] = ()
        for table in found.tables:
            if {f"{kind}_points", f"{kind}_paths"} & set(table.columns):
                drawings[kind], broken = drawings_of(file.hdus[table.hdu].data, kind)
                if broken:
                    notes.append(
                        f"{broken} of the classifications in HDU {table.hdu} make no sense and "
                        f"are left out of the volunteers' {kind} drawings"
                    )
    return drawings, tuple(notes)


def galaxy_of(hdus: Any, found: Contents) -> Galaxy:
    """What is known of the galaxy; nothing where no table tells."""
    for table in found.tables:
        if "MANGAID" in table.columns and table.rows:
            data = hdus[table.hdu].data
            told = {name: data[name][0] for name in data.dtype.names}
            return _galaxy({name: _plain(value) for name, value in told.items()})
    return Galaxy()


def _galaxy(told: dict[str, Any]) -> Galaxy:
    fibres, nsa = told.pop("IFUDESIGNSIZE", None), told.pop("nsa_id", None)
    return Galaxy(
        str(told.pop("MANGAID", "")),
        str(told.pop("IAUNAME", "")),
        float(told.pop("ra", np.nan)),
        float(told.pop("dec", np.nan)),
        int(fibres) if fibres is not None and fibres > 0 else None,
        int(nsa) if nsa is not None and nsa >= 0 else None,
        told,
    )


def _plain(value: Any) -> Any:
    """A cell as Python's own text or number."""
    return value.strip() if isinstance(value, str) else value.item()
