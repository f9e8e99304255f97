"""The bubble catalogue of the Milky Way Project, DR2: 2 600 rows of fixed width (Jayasinghe+2019).

Columns by 1-based bytes: name from 1; GLON 22-29, GLAT 31-38, deg; Disp 40-44, MajAxis 46-50
(semi-major), MinAxis 52-56, Reff 58-62, dReff 64-68, arcmin; theta 70-72, deg, from Galactic
North towards increasing longitude.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.finding import Finding, below

BOX = 1.3
"""Half the side of a bubble's box in units of its semi-major axis."""

_MOST_ARCMIN = 60.0
"""No bubble of the catalogue is a quarter as large: a larger one is in other units."""

_LEAST_ARCMIN = 0.05
"""Half of the smallest in the catalogue, two pixels of Spitzer's: a smaller one is in degrees."""

_COLUMNS = {
    "lon": (21, 29),
    "lat": (30, 38),
    "spread": (39, 44),
    "major": (45, 50),
    "minor": (51, 56),
    "radius": (57, 62),
    "radius_error": (63, 68),
    "angle": (69, 72),
}


@dataclass(frozen=True)
class Bubble:
    """One bubble.

    Parameters
    ----------
    name
        `MWP2G0000794-0020817`.
    lon, lat
        Galactic, deg.
    spread, major, minor, radius, radius_error
        How far its drawings lie apart, semi-axes, effective radius and its error, arcmin; NaN
        where the catalogue is blank.
    angle
        Of the major axis, from Galactic North towards increasing longitude, deg.
    """

    name: str
    lon: float
    lat: float
    spread: float
    major: float
    minor: float
    radius: float
    radius_error: float
    angle: float

    @property
    def half_box_arcmin(self) -> float:
        """Half the side of its box."""
        return BOX * self.major


def read_bubbles(path: Path, folder: Path) -> tuple[list[Bubble], list[Finding]]:
    """The bubbles of a catalogue, and what is wrong with its rows.

    Parameters
    ----------
    folder
        Below which its findings name it.

    Raises
    ------
    DataError
        When it cannot be read, or no row of it is a bubble.
    """
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise DataError(
            f"{path.name} cannot be read ({error.strerror}); check that it is there and yours"
        ) from error
    bubbles, findings = [], []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            bubble = _bubble(line)
            if bubble.name in seen:
                raise DataError(f"{bubble.name} is there twice; keep one of its rows")
        except DataError as error:
            found = Finding.of(below(path, folder), error)
            findings.append(Finding(found.file, f"in row {number}, {found.what}", found.remedy))
            continue
        seen.add(bubble.name)
        bubbles.append(bubble)
    if not bubbles:
        raise DataError(
            f"{path.name} holds no row of the Milky Way Project's bubbles; fetch mwpdr2bubbles.dat "
            "from VizieR, J/MNRAS/488/1141"
        )
    return bubbles, findings


def _bubble(line: str) -> Bubble:
    values = {name: _number(line[slice(*place)], name) for name, place in _COLUMNS.items()}
    bubble = Bubble(line[:20].strip(), **values)
    if not (0 <= bubble.lon <= 360 and abs(bubble.lat) <= 90):
        raise DataError(
            f"{bubble.lon:g}, {bubble.lat:g} is no Galactic position; give degrees, "
            "longitude from 0 to 360"
        )
    if not _LEAST_ARCMIN <= bubble.major <= _MOST_ARCMIN:
        raise DataError(
            f"a semi-major axis of {bubble.major:g} arcmin is that of no bubble; "
            "give arcmin in bytes 46 to 50"
        )
    return bubble


def _number(text: str, name: str) -> float:
    """The number in a column; NaN for a blank one."""
    if not text.strip():
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"{text.strip()!r} is no number for its {name}; keep the columns of the Milky Way "
            "Project's DR2"
        ) from None
