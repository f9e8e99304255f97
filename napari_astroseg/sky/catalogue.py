"""Catalogue: a table of detections that knows its sky frame; in and out of common formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError
from napari_astroseg.sky.files.writing import replacing

FORMATS = {
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    ".fits": "fits",
    ".vot": "votable",
    ".xml": "votable",
}


def _card(name: str) -> str:
    """The name of metadata as a FITS keyword: THRESH, as in the maps of a prediction."""
    return "THRESH" if name.lower() == "threshold" else name.upper()


def _ascii(told: Any) -> Any:
    """What a FITS header can hold of it."""
    return told.encode("ascii", "replace").decode() if isinstance(told, str) else told


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Detections, one per row.

    Parameters
    ----------
    table
        At least `id`, `x`, `y`; `lon`, `lat` in degrees when `frame` is given.
    frame
        Sky frame of `lon` and `lat` (`galactic`, `icrs`, `fk5` …); None in pixels only.
    """

    table: QTable
    frame: str | None = None

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table)

    @property
    def position(self) -> SkyCoord:
        """Sky positions of all rows.

        Raises
        ------
        CatalogueError
            When it has none.
        """
        if self.frame is None:
            raise CatalogueError("the catalogue is in pixels only; use an image with a WCS")
        return SkyCoord(self.table["lon"], self.table["lat"], frame=self.frame)

    def write(self, path: str | Path) -> Path:
        """Write by the file's ending: .ecsv, .csv, .fits, .vot or .xml; whole or not at all.

        Raises
        ------
        CatalogueError
            When the ending names no format.
        """
        path = Path(path)
        kind = FORMATS.get(path.suffix.lower())
        if kind is None:
            raise CatalogueError(
                f"{path.name}: no catalogue format ends in {path.suffix!r}; "
                f"use one of {', '.join(FORMATS)}"
            )
        table = self._bare() if kind == "ascii.csv" else self.table.copy()
        if kind != "ascii.csv":
            table.meta["frame"] = self.frame or "pixel"
        if kind == "fits":
            table.meta = {_card(name): _ascii(told) for name, told in table.meta.items()}
        if self.frame is not None and "lon" in table.colnames:  # VOTables drop `meta`, not this
            table["lon"].info.description = f"{self.frame} longitude"
            table["lat"].info.description = f"{self.frame} latitude"
        with replacing(path) as temporary:
            Table(table).write(temporary, format=kind, overwrite=True)
        return path

    def _bare(self) -> QTable:
        """For formats without metadata: the columns' names say the frame (l, b or ra, dec)."""
        table = self.table.copy()
        if self.frame is None:
            return table
        galactic = self.frame == "galactic"
        position = self.position if galactic else self.position.icrs
        table["lon"] = position.spherical.lon.to(u.deg)
        table["lat"] = position.spherical.lat.to(u.deg)
        table.rename_columns(("lon", "lat"), ("l", "b") if galactic else ("ra", "dec"))
        return table

    @classmethod
    def read(cls, path: str | Path) -> Catalogue:
        """Read what `write` wrote, or any table with `lon`/`lat`, `l`/`b` or `ra`/`dec`.

        Raises
        ------
        CatalogueError
            When the file is no table or has no positions.
        """
        path = Path(path)
        kind = FORMATS.get(path.suffix.lower())
        if kind is None:
            raise CatalogueError(f"{path.name}: use one of {', '.join(FORMATS)}")
        try:
            table = QTable.read(path, format=kind)
        except Exception as error:
            # astropy's table readers raise whatever broke inside the file.
            raise CatalogueError(
                f"{path.name} cannot be read as a table ({error}); check its format"
            ) from error
        frame = _placed(table, told_frame(table))
        if frame is None and not {"x", "y"} <= set(table.colnames):
            raise CatalogueError(
                f"{path.name} has no positions; name its columns lon/lat, l/b or ra/dec"
            )
        return cls(table, frame)

    def match(self, other: Catalogue, radius: u.Quantity) -> tuple[NDArray[Any], NDArray[Any]]:
        """Indices into self and `other` of nearest pairs closer than `radius`."""
        if not len(self) or not len(other):
            return np.zeros(0, int), np.zeros(0, int)
        index, separation, _ = self.position.match_to_catalog_sky(other.position)
        near = separation <= radius
        return np.nonzero(near)[0], index[near]


def told_frame(table: Table) -> str | None:
    """The frame that `write` left in the table's metadata or in its column's description."""
    meta = {key.lower(): value for key, value in table.meta.items()}
    if "frame" in meta:
        return str(meta["frame"])
    told = str(table["lon"].info.description or "") if "lon" in table.colnames else ""
    return told.removesuffix(" longitude") if told.endswith(" longitude") else None


def _placed(table: QTable, frame: str | None) -> str | None:
    """Rename the usual position columns to lon/lat (deg) and say their frame."""
    lower = {name.lower(): name for name in table.colnames}
    for (lon, lat), implied in {("l", "b"): "galactic", ("ra", "dec"): "icrs"}.items():
        if "lon" not in lower and lon in lower and lat in lower:
            table.rename_columns((lower[lon], lower[lat]), ("lon", "lat"))
            frame = implied
            lower = {name.lower(): name for name in table.colnames}
    if not {"lon", "lat"} <= set(table.colnames) or frame == "pixel":
        return None
    for name in ("lon", "lat"):
        table[name] = u.Quantity(table[name], u.deg)
    return frame or "icrs"
