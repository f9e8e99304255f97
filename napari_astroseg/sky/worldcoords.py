"""World coordinates of a FITS header: read, judged usable or not, copied, moved with a window."""

from __future__ import annotations

import re
import warnings

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame

from napari_astroseg.sky.window import Window

_SKY_CARD = re.compile(
    r"(WCSAXES|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(CD|PC)[12]_[12]|(CD|PC)00[12]00[12]|"
    r"PV[12]_\d+|"
    r"CNPIX[12]|[XY]PIXELSZ|PPO\d|AMD[XY]\d+|PLT(RA[HMS]|DEC(SN|[DMS]))|"  # Schmidt plates (DSS)
    r"LONPOLE|LATPOLE|RADESYS|RADECSYS|EQUINOX|EPOCH|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)|WAT[12]_\d+)$"
)


def read_wcs(header: fits.Header) -> tuple[WCS | None, tuple[str, ...]]:
    """The celestial part of a header's world coordinates, or None and a sentence why not."""
    if not any(str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2)):
        return None, ("no sky coordinates in its header; positions are in pixels",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wcs = WCS(header, naxis=[1, 2])
            if not wcs.has_celestial or wcs.wcs.lngtyp not in {"RA", "GLON"}:
                reason = f"its axes are {', '.join(wcs.wcs.ctype)}"
                return None, (f"no usable sky coordinates: {reason}; positions are in pixels",)
            wcs_to_celestial_frame(wcs)  # it raises for reference systems it does not know
            middle = wcs.pixel_to_world_values(header["NAXIS1"] / 2, header["NAXIS2"] / 2)
        if not np.all(np.isfinite(middle)) and not _reaches_the_sky(wcs, header):
            raise ValueError("no pixel falls on the sky")
    except Exception as error:
        # WCSLIB's own errors do not share a base class below Exception.
        reason = " ".join(str(error).split())[:120]
        return None, (f"no usable sky coordinates: {reason}; positions are in pixels",)
    return wcs, ()


def _reaches_the_sky(wcs: WCS, header: fits.Header) -> bool:
    """Whether any of a coarse grid of pixels lies on the sky (all-sky maps have empty middles)."""
    x = np.linspace(0, header["NAXIS1"] - 1, 9)
    y = np.linspace(0, header["NAXIS2"] - 1, 9)
    return bool(np.isfinite(wcs.pixel_to_world_values(*np.meshgrid(x, y))).any())


def wcs_cards(header: fits.Header, wcs: WCS | None) -> fits.Header:
    """The cards that place the first two axes on the sky, copied digit for digit."""
    cards = fits.Header()
    if wcs is None:
        return cards
    for card in header.cards:
        if _SKY_CARD.match(card.keyword):
            cards.append((card.keyword, card.value, card.comment), end=True)
    if "WCSAXES" in cards:
        cards["WCSAXES"] = 2
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
