"""Position: a place on the sky read from any of the usual ways to write one."""

from __future__ import annotations

import re

from astropy.coordinates import SkyCoord

from napari_astroseg.errors import PlaceError

_SIGNS = str.maketrans({"−": "-", "–": "-", "°": "d", "º": "d", "′": "m", "’": "m", "″": "s"}) | {
    ord("'"): "m",
    ord('"'): "s",
    ord("”"): "s",
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_SPLIT = r"(?:\s*[,;]\s*|\s+)"

_GALACTIC_NAME = re.compile(r"G\s*(\d{1,3}(?:\.\d*)?)\s*([+-]\d{1,2}(?:\.\d*)?)", re.I)
_JNAME = re.compile(r"(?:[\w\s.-]*?\s)?J(\d{4,9})(\.\d+)?([+-])(\d{4,9})(\.\d+)?", re.I)
_FRAME = re.compile(r"(galactic|gal|icrs|fk5|j2000|fk4|b1950)\b[\s:,]*", re.I)
_FRAMES = {"gal": "galactic", "j2000": "fk5", "b1950": "fk4"}
_NAMED = re.compile(rf"(l|glon|ra)\s*[=:]?\s*(.+?){_SPLIT}(b|glat|dec|de)\s*[=:]?\s*(.+)", re.I)
_DECIMAL = re.compile(rf"({_NUMBER})d?{_SPLIT}({_NUMBER})d?", re.I)
_THREE = r"([+-]?\d{1,3})[\s:hd]+(\d{1,2})(?:[\s:m]+(\d{1,2}(?:\.\d*)?)\s*s?)?\s*m?"
_SEXAGESIMAL = re.compile(rf"{_THREE}(?:\s*[,;]\s*|\s*(?=[+-])|\s+){_THREE}", re.I)
_DECIMAL_MINUTES = re.compile(
    r"(\d{1,2})[\s:h]+(\d{1,2}\.\d+)m?\s*,?\s*([+-]?\d{1,2})[\s:d]+(\d{1,2}(?:\.\d*)?)m?", re.I
)


def read_position(text: str) -> SkyCoord | None:
    """The place that coordinates name; None for what looks like no coordinates.

    Read are decimal degrees (`10.68 41.27`, ICRS unless a frame stands before them), sexagesimal
    hours and degrees (`05:35:17.3 -05:23:28`, `5h35m17s -5d23m28s`, with blanks too), Galactic
    ones (`l=30 b=0.1`, `gal 30 0.1`, `G030.0+0.1`) and names made of coordinates
    (`J053517.3-052328`).

    Raises
    ------
    PlaceError
        When they are coordinates, but of no place.
    """
    words = " ".join(text.strip().translate(_SIGNS).split())
    frame, rest = _framed(words)
    if frame is None:
        found = _from_name(words)
        if found is not None:
            return found
    named = _NAMED.fullmatch(rest)
    if named:
        frame = frame or ("icrs" if named[1].lower() == "ra" else "galactic")
        rest = f"{named[2].strip()} {named[4].strip()}"
    frame = frame or "icrs"
    degrees = _degrees(rest, in_hours=frame != "galactic")
    return None if degrees is None else _place(*degrees, frame, text)


def _framed(words: str) -> tuple[str | None, str]:
    """The frame that stands before or after some coordinates, and the rest."""
    before = _FRAME.match(words)
    if before:
        return _FRAMES.get(before[1].lower(), before[1].lower()), words[before.end() :]
    after = re.fullmatch(r"(.*\d\S*)[\s(,]+(galactic|gal|icrs|fk5|j2000|fk4|b1950)\)?", words, re.I)
    if after:
        return _FRAMES.get(after[2].lower(), after[2].lower()), after[1]
    return None, words


def _from_name(words: str) -> SkyCoord | None:
    """The place in a name such as G030.0+0.1 or 2MASS J05351730-0523280."""
    galactic = _GALACTIC_NAME.fullmatch(words)
    if galactic:
        return _place(float(galactic[1]), float(galactic[2]), "galactic", words)
    name = _JNAME.fullmatch(words.replace(" +", "+").replace(" -", "-"))
    if not name:
        return None
    hours, degrees = _packed(name[1], name[2]), _packed(name[4], name[5])
    return _place(15.0 * hours, -degrees if name[3] == "-" else degrees, "icrs", words)


def _packed(digits: str, decimals: str | None) -> float:
    """0535, 05352, 053517 or 05351730, perhaps with a point and more, as hours or degrees.

    Digits beyond whole minutes or seconds are decimals, as names leave their point out.
    """
    whole = 4 if len(digits) < 6 else 6
    last = float(f"{digits[whole - 2 : whole]}.{digits[whole:]}{(decimals or '.0')[1:]}")
    if whole == 4:
        return int(digits[:2]) + last / 60
    return int(digits[:2]) + int(digits[2:4]) / 60 + last / 3600


def _degrees(words: str, in_hours: bool) -> tuple[float, float] | None:
    """Longitude and latitude in degrees; sexagesimal longitudes count hours where told so."""
    decimal = _DECIMAL.fullmatch(words)
    if decimal:
        return float(decimal[1]), float(decimal[2])
    minutes = _DECIMAL_MINUTES.fullmatch(words)
    parts = minutes or _SEXAGESIMAL.fullmatch(words)
    if parts is None:
        return None
    half = len(parts.groups()) // 2
    marked_degrees = re.match(r"[+-]?\d+\s*d", words, re.I) is not None
    factor = 15.0 if in_hours and not marked_degrees else 1.0
    groups = [each or "0" for each in parts.groups()]
    return factor * _summed(*groups[:half]), _summed(*groups[half:])


def _summed(whole: str, minutes: str, seconds: str = "0") -> float:
    if float(minutes) >= 60 or float(seconds) >= 60:
        raise PlaceError(
            f"{whole}:{minutes}:{seconds} is no place on the sky; give minutes and seconds below 60"
        )
    size = abs(int(whole)) + float(minutes) / 60 + float(seconds) / 3600
    return -size if whole.startswith("-") else size


def _place(lon: float, lat: float, frame: str, text: str) -> SkyCoord:
    if not (-360.0 <= lon <= 360.0 and -90.0 <= lat <= 90.0):
        raise PlaceError(
            f"{text.strip()!r} is no place on the sky; give a longitude up to 360 and a latitude "
            "between -90 and 90 degrees"
        )
    return SkyCoord(lon % 360.0, lat, unit="deg", frame=frame).icrs
