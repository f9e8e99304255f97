"""Wavelengths: where in the spectrum a name stands, so that the reddest can be drawn red."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UM = {
    "fuv": 0.153, "nuv": 0.231,
    "u": 0.36, "b": 0.44, "g": 0.48, "v": 0.55, "r": 0.62, "i": 0.77, "z": 0.90, "y": 1.02,
    "j": 1.24, "h": 1.65, "k": 2.17, "ks": 2.17,
    "w1": 3.35, "w2": 4.60, "w3": 11.6, "w4": 22.1,
    "irac1": 3.56, "irac2": 4.51, "irac3": 5.76, "irac4": 7.96,
    "mips24": 24.0, "mips70": 70.0, "mips160": 160.0,
    "blue": 70.0, "green": 100.0, "psw": 250.0, "pmw": 350.0, "plw": 500.0,
}  # fmt: skip
"""Effective wavelengths of common bands, µm: GALEX, UBVRI, ugrizy, JHK, WISE, Spitzer, Herschel."""

_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)?")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(um|µm|μm|micron|microns|nm|mm)(?![a-z])", re.IGNORECASE)
_FILTER = re.compile(r"f(\d{3,4})(?:w|m|n|lp|x)\d?", re.IGNORECASE)
_IN_UM = {"nm": 1e-3, "mm": 1e3}


def wavelength_um(name: str) -> float | None:
    """The effective wavelength that a band's or a file's name tells, µm; None if it tells none.

    >>> wavelength_um("img_g"), wavelength_um("MSX 8.28 um"), wavelength_um("dark")
    (0.48, 8.28, None)
    """
    length = _LENGTH.search(name)
    if length is not None:
        return float(length[1]) * _IN_UM.get(length[2].lower(), 1.0)
    for token in reversed(_TOKEN.findall(name)):
        known = _UM.get(token.lower())
        if known is not None:
            return known
        optics = _FILTER.fullmatch(token)
        if optics is not None:
            return _of_filter(int(optics[1]), len(optics[1]))
    try:
        return float(name)
    except ValueError:
        return None


def reddest_first(names: Sequence[str]) -> list[int]:
    """Indices of names by wavelength, longest first; those that tell none come last, in order."""
    lengths = [wavelength_um(name) for name in names]
    return sorted(range(len(names)), key=lambda n: -(lengths[n] or 0.0))


def _of_filter(number: int, digits: int) -> float:
    """Wavelength of a Hubble or Webb filter by its number, µm."""
    hundredths = digits == 4 or number < 200
    return number * (1e-2 if hundredths else 1e-3)
