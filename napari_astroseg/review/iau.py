"""Iau: names by position, as the IAU asks for: cut off, never rounded, so that a name stays inside.

`G030.123+00.045` in Galactic coordinates, `J123456.78-012345.6` in equatorial ones (specifications
concerning designations for astronomical radiation sources, IAU Commission 5).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

_STEADY = 1e-9
"""Degrees: what arithmetic may have lost of a position that is a round number."""


def iau_names(
    lon: Iterable[float], lat: Iterable[float], *, galactic: bool, prefix: str = ""
) -> list[str]:
    """A name for each position (deg): Galactic ones, else ICRS; `""` where there is none.

    Those that fall on one name are told apart by letters, as the IAU asks for.
    """
    make = _galactic if galactic else _equatorial
    names = [
        make((a + _STEADY) % 360.0, b) if math.isfinite(a) and math.isfinite(b) else ""
        for a, b in zip(lon, lat, strict=True)
    ]
    start = f"{prefix.strip()} " if prefix.strip() else ""
    return [f"{start}{name}" if name else "" for name in _apart(names)]


def _galactic(lon: float, lat: float) -> str:
    return f"G{_cut(lon, 3):07.3f}{_sign(lat)}{_cut(abs(lat), 3):06.3f}"


def _equatorial(lon: float, lat: float) -> str:
    hours, minutes, seconds = _sexagesimal(lon / 15.0, 2)
    degrees, arcminutes, arcseconds = _sexagesimal(abs(lat), 1)
    return (
        f"J{hours:02d}{minutes:02d}{seconds:05.2f}"
        f"{_sign(lat)}{degrees:02d}{arcminutes:02d}{arcseconds:04.1f}"
    )


def _cut(value: float, digits: int) -> float:
    return math.floor((value + _STEADY) * 10.0**digits) / 10.0**digits


def _sexagesimal(value: float, digits: int) -> tuple[int, int, float]:
    units = math.floor((value + _STEADY) * 3600 * 10**digits)
    whole, rest = divmod(units, 3600 * 10**digits)
    minutes, seconds = divmod(rest, 60 * 10**digits)
    return whole, minutes, seconds / 10**digits


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"


def _apart(names: Sequence[str]) -> list[str]:
    counts = Counter(names)
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        told.append(name + _letters(seen[name]) if name and counts[name] > 1 else name)
        seen[name] += 1
    return told


def _letters(number: int) -> str:
    """The n-th of a, b, …, z, aa, ab and so on, from 0."""
    letters = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("a") + last) + letters
    return letters
