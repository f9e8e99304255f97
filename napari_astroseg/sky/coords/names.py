"""Names: where well-known objects are, without asking anyone.

The table `famous.csv` came with the package: the Messier catalogue, nearby galaxies, regions of
star formation, remnants, fields and bright stars, ICRS (J2000), to an arcminute or a tenth of
the object's size.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from astropy.coordinates import SkyCoord

_TABLE = "famous.csv"


@dataclass(frozen=True)
class Famous:
    """An object that everybody knows.

    Parameters
    ----------
    names
        All it is called by, the usual one first.
    lon, lat
        Degrees.
    frame
        `icrs` or `galactic`.
    """

    names: tuple[str, ...]
    lon: float
    lat: float
    frame: str

    @property
    def position(self) -> SkyCoord:
        """Where it is, ICRS."""
        return SkyCoord(self.lon, self.lat, unit="deg", frame=self.frame).icrs


def find(name: str) -> Famous | None:
    """The well-known object of that name, however it is spelt; None if there is none."""
    return _by_key().get(key(name))


@cache
def famous() -> tuple[Famous, ...]:
    """The whole table."""
    text = resources.files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Famous(
            tuple(each.strip() for each in row["names"].split(";")),
            float(row["lon"]),
            float(row["lat"]),
            row["frame"],
        )
        for row in rows
    )


def key(name: str) -> str:
    """What all spellings of a name have in common: M 31, messier31, and M031 are one."""
    text = re.sub(r"\bmessier\b\s*(?=\d)", "m", name.casefold())
    text = re.sub(r"messier(?=\d)", "m", text)
    text = re.sub(r"^the\s+", "", text.strip()).replace("center", "centre")
    text = re.sub(r"[\s'’*_.\-]+", "", text)
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", text)


@cache
def _by_key() -> dict[str, Famous]:
    return {key(name): each for each in reversed(famous()) for name in each.names}
