"""World coordinates of a FITS header: read, judged usable or not, copied, moved with a window."""

from __future__ import annotations

import copy
import re
import warnings
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable
from astropy.wcs.utils import wcs_to_celestial_frame

from napari_astroseg.sky.coords.cylinders import unrolled, world_of
from napari_astroseg.sky.window import Window

Notes = tuple[str, ...]

_SKY_CARD = re.compile(
    r"(WCSAXES|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(CD|PC)[12]_[12]|(CD|PC)00[12]00[12]|"
    r"PV[12]_\d+|"
    r"CNPIX[12]|[XY]PIXELSZ|PPO\d|AMD[XY]\d+|PLT(RA[HMS]|DEC(SN|[DMS]))|"  # Schmidt plates (DSS)
    r"LONPOLE|LATPOLE|RADESYS|RADECSYS|EQUINOX|EPOCH|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)|WAT[12]_\d+)$"
)
_SCALE_CARD = re.compile(r"(CDELT|CROTA)[12]$|(CD|PC)(00)?[12](_|00)[12]$|XPIXELSZ$")
_NUMBER_CARD = re.compile(r"(CRVAL|CRPIX|CDELT|CROTA)[12]$|(CD|PC)[12]_[12]$|PV[12]_\d+$|EQUINOX$")
_TABLE_CARD = re.compile(r"(CPDIS|D2IMDIS|CPERR|D2IMERR)[12]$|(DP|D2IM)[12](\.|$)|AXISCORR$")
_TABLES = {"cpdis": ("CPDIS", "DP", "WCSDVARR"), "det2im": ("D2IMDIS", "D2IM", "D2IMARR")}
_TABLE_LIMIT = 2**26
"""Largest distortion table that is read, bytes: sixteen times that of a whole HST detector."""
_SPELLINGS = {"J2000": "FK5", "B1950": "FK4", "ICRF": "ICRS", "ICRF2": "ICRS", "ICRF3": "ICRS"}
"""RADESYS as some write it, and what they mean."""

_PROSE = {"", "COMMENT", "HISTORY"}

_LINEAR_ONLY = "sky coordinates without the distortion tables of the original"


def read_wcs(header: fits.Header, hdus: fits.HDUList | None = None) -> tuple[WCS | None, Notes]:
    """The celestial part of a header's world coordinates, or None and a sentence why not.

    Parameters
    ----------
    header
        Of the image.
    hdus
        The open file, which may hold tables of distortions (CPDISja, D2IMDISi) or of
        coordinates (-TAB); without it they are left out.

    Returns
    -------
    World coordinates of the first two axes, and what the user should know of them.

    Notes
    -----
    FITS WCS papers I to IV, SIP (Shupe et al. 2005), and what WCSLIB reads besides.
    """
    if not any(str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2)):
        return None, ("no sky coordinates in its header; positions are in pixels",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = _told(header)
            wcs, notes = _with_tables(header, hdus)
            _judge(wcs, header)
            return wcs, notes + _table_notes(wcs, header)
    except Exception as error:
        # WCSLIB's own errors do not share a base class below Exception.
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        return None, (f"no usable sky coordinates: {reason}; positions are in pixels",)


def _told(header: fits.Header) -> fits.Header:
    """The header without its prose, which may be longer than anyone wants to parse again."""
    return _of_cards([card for card in header.cards if card.keyword not in _PROSE])


def _of_cards(cards: list[fits.Card]) -> fits.Header:
    """A header of these cards to the letter: blanks at a string's end matter to WATj_nnn."""
    header = fits.Header()
    for card in cards:
        header.append(copy.copy(card), end=True)
    return header


def _with_tables(header: fits.Header, hdus: fits.HDUList | None) -> tuple[WCS, Notes]:
    """World coordinates with the tables they need, or without, and a note."""
    tab = any(str(header.get(f"CTYPE{n}", "")).endswith("-TAB") for n in range(1, 10))
    plain = _of_cards([card for card in header.cards if not _TABLE_CARD.match(card.keyword)])
    wcs = WCS(plain, hdus if tab else None, naxis=[1, 2])
    if len(plain) == len(header):
        return wcs, ()
    try:
        if hdus is None:
            raise ValueError("the file they lie in is not open")
        tables = {
            f"{name}{axis}": _table(header, hdus, axis, *cards)
            for name, cards in _TABLES.items()
            for axis in (1, 2)
        }
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        note = (
            f"its distortion tables cannot be read ({reason}); positions lack their correction, "
            "which may be some pixels"
        )
        return wcs, (note,)
    for name, table in tables.items():
        setattr(wcs, name, table)
    return wcs, ()


def _table(
    header: fits.Header, hdus: fits.HDUList, axis: int, kind: str, record: str, extension: str
) -> DistortionLookupTable | None:
    """The lookup table of one axis, as astropy's `WCS` would read it; None without one.

    WCSLIB, which `WCS` asks first, stumbles over headers that have one for one axis only.
    """
    told = str(header.get(f"{kind}{axis}", "")).strip().lower()
    if not told:
        return None
    if told != "lookup":
        raise ValueError(f"{kind}{axis} = {told!r}")
    hdu = hdus[extension, int(header.get(f"{record}{axis}.EXTVER", 1))]
    if hdu.size > _TABLE_LIMIT:
        raise ValueError(f"{extension} claims {hdu.size / 2**20:,.0f} MiB")
    values = np.asarray(hdu.data, np.float32)
    if int(header.get(f"{record}{axis}.AXIS.{axis}", axis)) != axis:
        values = values.T
    places = [
        tuple(float(hdu.header.get(f"{card}{n}", default)) for n in (1, 2))
        for card, default in (("CRPIX", 0.0), ("CRVAL", 0.0), ("CDELT", 1.0))
    ]
    return DistortionLookupTable(np.ascontiguousarray(values), *places)


def _judge(wcs: WCS, header: fits.Header) -> None:
    """Raise where the coordinates name no place on the sky."""
    for card in header.cards:
        if _NUMBER_CARD.match(card.keyword) and not isinstance(card.value, (int, float)):
            raise ValueError(f"{card.keyword} = {str(card.value)[:40]!r} is no number")
    if not any(_SCALE_CARD.match(card) for card in header):
        raise ValueError("it gives no size of its pixels (CDELT or CD)")
    if not wcs.has_celestial or wcs.wcs.lngtyp not in {"RA", "GLON"}:
        raise ValueError(f"its axes are {', '.join(wcs.wcs.ctype)}")
    wcs.wcs.radesys = _spelt(wcs.wcs.radesys)
    wcs_to_celestial_frame(wcs)  # it raises for reference systems it does not know
    if not _reaches_the_sky(wcs, header):
        raise ValueError("no pixel falls on the sky")


def _spelt(system: object) -> str:
    """A RADESYS as the standard spells it."""
    told = str(system).strip().upper()
    return _SPELLINGS.get(told, told)


def _grid(header: fits.Header) -> tuple[Any, Any]:
    """A coarse grid of pixel positions over the image, its middle among them."""
    x = np.linspace(0, header["NAXIS1"] - 1, 9)
    y = np.linspace(0, header["NAXIS2"] - 1, 9)
    return np.meshgrid(x, y)


def _reaches_the_sky(wcs: WCS, header: fits.Header) -> bool:
    """Whether any pixel lies on the sky (the middle of an all-sky map may not)."""
    return bool(np.isfinite(world_of(unrolled(wcs), *_grid(header))).all(axis=0).any())


def _table_notes(wcs: WCS, header: fits.Header) -> Notes:
    """How far its distortion tables move positions, for no output can carry them."""
    if not _has_tables(wcs):
        return ()
    x, y = (each.ravel() for each in _grid(header))
    there, plain = np.array(wcs.pix2foc(x, y, 0)), np.array(_without_tables(wcs).pix2foc(x, y, 0))
    moved = np.hypot(*(there - plain))
    return (
        f"its distortion tables move positions by up to {np.nanmax(moved):.2g} px; "
        "files written from it cannot carry them",
    )


def _has_tables(wcs: WCS) -> bool:
    tables = (wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2)
    return any(table is not None for table in tables)


def _without_tables(wcs: WCS) -> WCS:
    plain = wcs.deepcopy()
    plain.cpdis1 = plain.cpdis2 = plain.det2im1 = plain.det2im2 = None
    return plain


def wcs_cards(header: fits.Header, wcs: WCS | None) -> fits.Header:
    """The cards that place the first two axes on the sky, copied digit for digit.

    A reference system is spelt as the standard has it, for not all readers forgive another.
    Distortion tables are no cards: a comment says that they are missing.
    """
    if wcs is None:
        return fits.Header()
    cards = _of_cards([card for card in header.cards if _SKY_CARD.match(card.keyword)])
    if "WCSAXES" in cards:
        cards["WCSAXES"] = 2
    for name in {"RADESYS", "RADECSYS"} & set(cards):
        cards[name] = _spelt(cards[name])
    if _has_tables(wcs):
        cards.add_comment(_LINEAR_ONLY)
    return cards


def window_cards(cards: fits.Header, window: Window) -> fits.Header:
    """The same sky for the pixels of `window`: CRPIX moved by its corner, a plate's too."""
    moved = cards.copy()
    for axis, corner in ((1, window.x), (2, window.y)):
        if len(cards):
            moved[f"CRPIX{axis}"] = float(cards.get(f"CRPIX{axis}", 0.0)) - corner
        if f"CNPIX{axis}" in cards:
            moved[f"CNPIX{axis}"] = cards[f"CNPIX{axis}"] + corner
    return moved
