"""Columns: which columns of a catalogue hold positions and sizes, and in which units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from napari_astroseg.errors import CatalogueError, MarkError
from napari_astroseg.sky.shapes import tokens
from napari_astroseg.sky.shapes.shape import Frame

Doubles = NDArray[np.float64]

SKY: tuple[tuple[str, str, Frame | None], ...] = (
    ("lon", "lat", None),
    ("ra", "dec", "icrs"),
    ("l", "b", "galactic"),
    ("glon", "glat", "galactic"),
    ("_ra", "_de", "icrs"),
    ("_raj2000", "_dej2000", "icrs"),
    ("ra_icrs", "de_icrs", "icrs"),
    ("raj2000", "dej2000", "fk5"),
    ("alpha_j2000", "delta_j2000", "fk5"),
)
"""Longitude and latitude as catalogues call them, and their frame; None: as the file says."""
PIXELS: tuple[tuple[str, str, float], ...] = (
    ("x", "y", 0.0),
    ("xcentroid", "ycentroid", 0.0),
    ("x_image", "y_image", 1.0),
)
"""Pixel positions, and the number of the first pixel."""
SIZES = (
    "radius", "major", "minor", "width", "height",
    "inner_radius", "inner_major", "inner_minor", "inner_width", "inner_height",
)  # fmt: skip
ANGLES = {"angle": 0.0, "pa": 90.0, "position_angle": 90.0}
"""What is added to make them angles of shapes."""

_SUFFIXES = {"arcsec": u.arcsec, "arcmin": u.arcmin, "deg": u.deg, "px": u.pix, "pix": u.pix}
_SYNONYMS = {"reff": "radius", "r_eff": "radius", "rad": "radius",
             "semi_major": "major", "semi_minor": "minor"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sizes:
    """The sizes of all rows, in one unit: arcsec on the sky, else px."""

    on_sky: bool
    by_name: Mapping[str, Doubles]


class Columns:
    """The columns of a table under the names that shapes have for them.

    Parameters
    ----------
    table
        As it was read.
    source
        Its file, for sentences.
    names
        Own names: what is meant (`lon`, `radius`, …) → column.
    units
        Units of columns that have none, or a wrong one: what is meant → unit.

    Raises
    ------
    CatalogueError
        When a column that is named is not there, or a unit is none.
    """

    def __init__(
        self, table: Table, source: str, names: Mapping[str, str], units: Mapping[str, str]
    ) -> None:
        self._table = table
        self._source = source
        self._suffix: dict[str, u.UnitBase] = {}
        self._names = self._found(names)
        self._units = {name: self._unit(name, unit) for name, unit in units.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._table)

    def text(self, name: str) -> list[str]:
        """A column as texts; empty ones where it is not there."""
        if name not in self._names:
            return [""] * len(self._table)
        cells = self._table[self._names[name]].tolist()
        if {*map(type, cells)} <= {str}:  # as they come, a million in a moment
            return list(cells)
        return ["" if each is None else _decoded(each) for each in cells]

    def sky(
        self, frame: Frame | None, told: Frame | None = None
    ) -> tuple[Doubles, Doubles, Frame] | None:
        """Longitudes and latitudes, deg, NaN where a row has none; None without such columns.

        Parameters
        ----------
        frame
            The one asked for; by default that of the columns' names.
        told
            The file's, for names that say none.

        Raises
        ------
        CatalogueError
            When they are in units of no angle.
        """
        for lon, lat, implied in SKY:
            if lon in self._names and lat in self._names:
                hours = implied in ("icrs", "fk5")
                there: Frame = frame or implied or told or "icrs"
                return self._degrees(lon, hours), self._degrees(lat, False), there
        return None

    def pixels(self) -> tuple[Doubles, Doubles] | None:
        """0-based x and y, NaN where a row has none; None without such columns."""
        for x, y, first in PIXELS:
            if x in self._names and y in self._names:
                return self._by_row(x) - first, self._by_row(y) - first
        return None

    def values(self, name: str) -> Doubles | None:
        """A column as plain numbers, NaN where a row has none; None without such a column.

        Raises
        ------
        CatalogueError
            When it holds no numbers at all.
        """
        return self._by_row(name) if name in self._names else None

    def unit(self, name: str) -> u.UnitBase | None:
        """The unit of a column; None where it has none."""
        return self._unit_of(name) if name in self._names else None

    def sizes(self) -> Sizes:
        """All sizes that there are.

        Raises
        ------
        CatalogueError
            When one has no unit, one that is no angle and no pixels, or some are the one and
            some the other.
        """
        told = {name: self._size(name) for name in SIZES if name in self._names}
        kinds = {on_sky for on_sky, _ in told.values()}
        if len(kinds) > 1:
            raise CatalogueError(
                f"some sizes in {self._source} are angles and some pixels; give all in one kind"
            )
        return Sizes(kinds != {False}, {name: values for name, (_, values) in told.items()})

    def angles(self) -> Doubles:
        """Angles of the first axes as shapes count them, deg; 0 where there are none."""
        for name, more in ANGLES.items():
            if name in self._names:
                unit = self._unit_of(name) or u.deg
                if not unit.is_equivalent(u.deg):
                    raise CatalogueError(
                        f"column {self._names[name]} of {self._source} is in {unit}, which is no "
                        "angle; give it in deg"
                    )
                return np.nan_to_num(self._number(name) * unit.to(u.deg)) + more
        return np.zeros(len(self._table))

    def _found(self, names: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for column in self._table.colnames:
            name = column.lower()
            stem, _, suffix = name.rpartition("_")
            meant = _SYNONYMS.get(stem, stem)
            units = {"deg": u.deg} if meant in ANGLES else _SUFFIXES
            if suffix in _SUFFIXES and meant in (*SIZES, *ANGLES):
                if meant in found or suffix not in units:
                    continue  # of a size in angles and in pixels, as we write both, the first
                self._suffix[meant] = units[suffix]
                name = stem
            name = _SYNONYMS.get(name, name)
            found[name] = column
        for name, column in names.items():
            if column not in self._table.colnames:
                raise CatalogueError(
                    f"{self._source} has no column {column}; it has "
                    f"{', '.join(self._table.colnames[:20])}"
                )
            found[name.lower()] = column
        return found

    def _unit(self, name: str, told: str) -> u.UnitBase:
        try:
            return u.pix if told == "px" else u.Unit(told)
        except (ValueError, TypeError):
            raise CatalogueError(
                f"{told!r} is no unit for {name}; use deg, arcmin, arcsec or px"
            ) from None

    def _unit_of(self, name: str) -> u.UnitBase | None:
        own = self._table[self._names[name]].unit
        return self._units.get(name) or own or self._suffix.get(name)

    def _number(self, name: str) -> Doubles:
        column = self._table[self._names[name]]
        if column.ndim != 1 or column.dtype.kind not in "fiub":
            raise CatalogueError(
                f"column {self._names[name]} of {self._source} holds no numbers; name another"
            )
        values = np.ma.asarray(column).astype(np.float64)
        return np.asarray(np.ma.filled(values, np.nan))

    def _by_row(self, name: str) -> Doubles:
        """Numbers, NaN in rows where a word stands; a column of words alone is refused."""
        if self._table[self._names[name]].dtype.kind in "USO":
            numbers = np.array([_plain(text) for text in self.text(name)], np.float64)
            if np.isfinite(numbers).any():
                return numbers
        return self._number(name)

    def _degrees(self, name: str, hours: bool) -> Doubles:
        column = self._table[self._names[name]]
        if column.dtype.kind in "USO":
            return np.array([_angle(text, hours) for text in self.text(name)])
        unit = self._unit_of(name) or u.deg
        if not unit.is_equivalent(u.deg):
            raise CatalogueError(
                f"column {self._names[name]} of {self._source} is in {unit}, which is no angle; "
                "give positions in deg"
            )
        return self._number(name) * float(unit.to(u.deg))

    def _size(self, name: str) -> tuple[bool, Doubles]:
        unit, column = self._unit_of(name), self._names[name]
        if unit is None:
            raise CatalogueError(
                f"column {column} of {self._source} has no unit; give it one, arcsec or px"
            )
        values = self._by_row(name)
        if unit.is_equivalent(u.pix):
            return False, values * float(unit.to(u.pix))
        if not unit.is_equivalent(u.arcsec):
            raise CatalogueError(
                f"column {column} of {self._source} is in {unit}, which is no angle and no pixels; "
                "give it in arcsec or px"
            )
        return True, values * float(unit.to(u.arcsec))


def _plain(text: str) -> float:
    """The number that a text is; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _angle(text: str, hours: bool) -> float:
    """Degrees of `12:34:56.7` or `12 34 56.7`; NaN where it is no angle."""
    try:
        return tokens.position(":".join(text.split()), "sky", hours)[0]
    except MarkError:
        return float("nan")


def _decoded(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
