"""Tokens: numbers with the units that DS9 writes behind them, and the properties of its regions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from napari_astroseg.errors import MarkError

Where = Literal["sky", "image", "physical"]

_ARCSEC = {'"': 1.0, "'": 60.0, "d": 3600.0, "r": math.degrees(1.0) * 3600.0}
_PIXELS: dict[str, Where] = {"i": "image", "p": "physical"}
_SEXAGESIMAL = re.compile(
    r"([+-]?)(\d+)(?::|([hd]))(\d+)(?:[:m](\d+(?:\.\d*)?)s?|m)?", re.IGNORECASE
)
_PROPERTY = re.compile(r"""(\w+)\s*=\s*(?:\{([^}]*)\}|"([^"]*)"|'([^']*)'|(\S+))""", re.IGNORECASE)


def position(token: str, frame_in: Where, in_hours: bool) -> tuple[float, Where]:
    """A coordinate, deg or px as written, and what it counts along.

    Parameters
    ----------
    frame_in
        What plain numbers are.
    in_hours
        Whether `12:30:00` counts hours.

    Raises
    ------
    MarkError
        When it is none.
    """
    try:
        return float(token), frame_in
    except ValueError:
        pass
    last = token[-1:].lower()
    try:
        if last in _PIXELS:
            return float(token[:-1]), _PIXELS[last]
        if last == "r":
            return math.degrees(float(token[:-1])), "sky"
        if last == "d":
            return float(token[:-1]), "sky"
    except ValueError:
        pass
    parts = _SEXAGESIMAL.fullmatch(token)
    if parts is None:
        raise MarkError(f"{token[:40]!r} is no coordinate; write degrees, or 12:34:56.7")
    sign, whole, marked, minutes, seconds = parts.groups()
    if float(minutes) >= 60 or float(seconds or 0) >= 60:
        raise MarkError(f"{token[:40]!r} is no coordinate; give minutes and seconds below 60")
    hours = marked.lower() == "h" if marked else in_hours
    size = int(whole) + float(minutes) / 60 + float(seconds or 0) / 3600
    return (-1.0 if sign == "-" else 1.0) * (15.0 if hours else 1.0) * size, "sky"


def size(token: str, frame_in: Where) -> tuple[float, Where]:
    """A length, arcsec or px as written, and what it counts along.

    Raises
    ------
    MarkError
        When it is none.
    """
    number, unit = token, ""
    last = token[-1:].lower()
    if last in _ARCSEC or last in _PIXELS:
        number, unit = token[:-1], last
    try:
        length = float(number)
    except ValueError:
        raise MarkError(f"{token[:40]!r} is no size; write a number and its unit") from None
    if unit in _PIXELS:
        return length, _PIXELS[unit]
    if unit:
        return length * _ARCSEC[unit], "sky"
    return (length * 3600.0 if frame_in == "sky" else length), frame_in


def angle(token: str) -> float:
    """An angle, deg.

    Raises
    ------
    MarkError
        When it is none.
    """
    radians = token[-1:].lower() == "r"
    try:
        told = float(token[:-1] if radians or token[-1:].lower() == "d" else token)
    except ValueError:
        raise MarkError(f"{token[:40]!r} is no angle; write degrees") from None
    return math.degrees(told) if radians else told


@dataclass(frozen=True)
class Properties:
    """What stands behind a region.

    Parameters
    ----------
    text, color, tags, include
        Those that have a meaning here.
    style
        All others, as they are written.
    """

    text: str = ""
    color: str = ""
    tags: tuple[str, ...] = ()
    include: bool | None = None
    style: str = ""

    @classmethod
    def read(cls, written: str) -> Properties:
        """The properties in a text, whatever is between them left as it is."""
        if not written:
            return _NONE
        text = color = ""
        tags: list[str] = []
        include: bool | None = None
        rest, at = [], 0
        for found in _PROPERTY.finditer(written):
            key = found[1].lower()
            value = next((each for each in found.groups()[1:] if each is not None), "")
            if key not in {"text", "color", "tag", "include"}:
                continue
            rest.append(written[at : found.start()])
            at = found.end()
            if key == "text":
                text = value.strip()
            elif key == "color":
                color = value
            elif key == "tag":
                tags.append(value)
            else:
                include = value != "0"
        rest.append(written[at:])
        return cls(text, color, tuple(tags), include, " ".join(" ".join(rest).split()))


_NONE = Properties()
