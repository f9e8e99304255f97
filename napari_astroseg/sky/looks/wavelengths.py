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
    "red": 0.62, "green": 0.53, "blue": 0.45, "psw": 250.0, "pmw": 350.0, "plw": 500.0,
}  # fmt: skip
"""Effective wavelengths of common bands, µm: GALEX, UBVRI, ugrizy, JHK, WISE, Spitzer, Herschel."""

_PACS = {"blue": 70.0, "green": 100.0, "red": 160.0}
"""The same words where they name the bands of Herschel's PACS."""

_NIRCAM = (
    "070W 090W 115W 140M 150W 162M 164N 182M 187N 200W 210M 212N 250M 277W 300M 322W2 323N 335M "
    "356W 360M 405N 410M 430M 444W 460M 466N 470N 480M"
)
_NIRSPEC = "070LP 100LP 170LP 290LP"
_MIRI = "560W 770W 1000W 1065C 1130W 1140C 1280W 1500W 1550C 1800W 2100W 2300C 2550W"
_WFC3_IR = "098M 105W 110W 125W 126N 127M 128N 130N 132N 139M 140W 153M 160W 164N 167N"
_NICMOS = (
    "090M 108N 110M 110W 113N 140W 145M 150W 160W 165M 166N 170M 171M 175W 180M 187N 187W 190N "
    "196N 200N 204M 205W 207M 212N 215N 216N 222M 237M 240M"
)
_INFRARED = frozenset(f"{_NIRCAM} {_NIRSPEC} {_MIRI} {_WFC3_IR} {_NICMOS}".split())
"""Filters of Webb and Hubble whose numbers are hundredths of a micron; those of others are nm."""
_WEBB_OR_HUBBLE = {"410M"}
_HUBBLE = re.compile(r"hst|wfc3|uvis|acs|wfpc2", re.IGNORECASE)

_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)?")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(um|µm|μm|micron|microns|nm|mm)(?![a-z])", re.IGNORECASE)
_FILTER = re.compile(r"f((\d{3,4})(?:w|m|n|lp|x|c)2?)", re.IGNORECASE)
_IN_UM = {"nm": 1e-3, "mm": 1e3}


def wavelength_um(name: str) -> float | None:
    """The effective wavelength that a band's or a file's name tells, µm; None if it tells none.

    Telescopes share names. `red`, `green` and `blue` are colours of light, but bands of PACS where
    the name says `pacs`. `F410M` is Webb's, but Hubble's where the name says `hst` or one of its
    cameras. Other filters are told apart by number and width: `F200W` is 2 µm, `F225W` 0.225 µm.

    >>> wavelength_um("img_g"), wavelength_um("MSX 8.28 um"), wavelength_um("dark")
    (0.48, 8.28, None)
    """
    length = _LENGTH.search(name)
    if length is not None:
        return float(length[1]) * _IN_UM.get(length[2].lower(), 1.0)
    words = _UM | _PACS if "pacs" in name.lower() else _UM
    for token in reversed(_TOKEN.findall(name)):
        known = words.get(token.lower())
        if known is not None:
            return known
        optics = _FILTER.fullmatch(token)
        if optics is not None:
            hubble = _HUBBLE.search(name) is not None
            return _of_filter(optics[1].upper(), int(optics[2]), hubble)
    try:
        return float(name)
    except ValueError:
        return None


def reddest_first(names: Sequence[str]) -> list[int]:
    """Indices of names by wavelength, longest first; those that tell none come last, in order."""
    lengths = [wavelength_um(name) for name in names]
    return sorted(range(len(names)), key=lambda n: -(lengths[n] or 0.0))


def _of_filter(name: str, number: int, hubble: bool) -> float:
    """Wavelength of a Hubble or Webb filter by its name without the F, and its number, µm."""
    hundredths = name in _INFRARED and not (hubble and name in _WEBB_OR_HUBBLE)
    return number * (1e-2 if hundredths else 1e-3)
