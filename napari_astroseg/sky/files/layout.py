"""Layout: which axes of an array are the picture, and which are stacked behind it.

Axes of length 1 are dropped wherever they stand. The two axes of the sky make the picture,
however far down the array they lie; where none are told, the two fastest do.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from astropy.io import fits

Kind = Literal["image", "multiband", "cube", "rgb", "healpix"]

MOST_BANDS = 16
"""A stack of unnamed planes with more than these is a cube."""

_CELESTIAL = re.compile(r"(RA|DEC|[GESHT]LON|[GESHT]LAT|[A-Z]{2}L[NT])(-|$)")
_PHYSICAL = re.compile(
    r"(FREQ|ENER|WAVN?|WAVE\w*|VRAD|VOPT|VELO\w*|FELO|ZOPT|BETA|AWAV|LAMBDA|LINEAR|LOG|"  # spectral
    r"STOKES|TIME|TAI|TT|TDT|ET|IAT|UT|UTC|TCG|TCB|TDB|MJD|JD|PHASE|FDEP|RM)\w*(-|$)"
)
_AXIS_CARD = re.compile(
    r"(?P<head>NAXIS|CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA|CNAME|CRDER|CSYER)(?P<axis>\d)$|"
    r"(?P<matrix>CD|PC)(?P<i>\d)_(?P<j>\d)$|(?P<parameter>PV|PS)(?P<of>\d)(?P<number>_\d+)$"
)


@dataclass(frozen=True)
class Layout:
    """How an array of any number of axes is seen as a picture, or a stack of them.

    Parameters
    ----------
    full
        Lengths of all axes, slowest first as numpy has them.
    rows, columns
        Which of them are the picture's.
    others
        Which of them are stacked: those left that are longer than 1, slowest first.
    kind
        What the stack is.
    celestial
        FITS numbers of the axes whose cards place columns and rows on the sky.
    """

    full: tuple[int, ...]
    rows: int
    columns: int
    others: tuple[int, ...]
    kind: Kind
    celestial: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self.full[self.rows], self.full[self.columns]

    @property
    def axes(self) -> tuple[int, ...]:
        """Lengths of the stacked axes."""
        return tuple(self.full[axis] for axis in self.others)

    @property
    def count(self) -> int:
        """Number of planes."""
        return math.prod(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths as they lie in the file, those that are dropped left out."""
        kept = {self.rows, self.columns, *self.others}
        return tuple(n for axis, n in enumerate(self.full) if axis in kept)

    @property
    def in_order(self) -> bool:
        """Whether the planes lie one after the other, each in rows."""
        return max(self.others, default=-1) < self.rows

    def fits_axis(self, axis: int) -> int:
        """The number that the header's cards give an axis."""
        return len(self.full) - axis


def layout_of(header: fits.Header, full: tuple[int, ...]) -> Layout | None:
    """The layout of an array with this header; None if it is no picture of any size."""
    if len(full) < 2 or min(full) <= 0:
        return None
    long = [axis for axis, n in enumerate(full) if n > 1]
    sky = _sky_axes(header, len(full))
    colour = _colour_axis(header, full, long)
    if colour is not None:
        rows, columns = (axis for axis in long if axis != colour)
    elif sky is not None and (set(sky) <= set(long) or len(long) < 2):
        rows, columns = sky
    elif len(long) >= 2:
        rows, columns = long[-2:]
    else:
        rows, columns = len(full) - 2, len(full) - 1
    others = tuple(axis for axis in long if axis not in (rows, columns))
    placed = (columns, rows)
    if colour is not None and sky is not None:
        # Colours may be put first without moving the cards of the picture's own axes.
        placed = (sky[1], sky[0])
    celestial = (len(full) - placed[0], len(full) - placed[1])
    kind = _kind(header, full, others, colour)
    return Layout(full, rows, columns, others, kind, celestial)


def picture_header(header: fits.Header, layout: Layout) -> fits.Header:
    """The header as it would be if the picture's two axes were the first."""
    height, width = layout.size
    lengths = (header.get("NAXIS1"), header.get("NAXIS2"))
    if layout.celestial == (1, 2) and lengths == (width, height):
        return header
    number = {str(axis): str(n) for n, axis in enumerate(layout.celestial, 1)}
    moved = fits.Header()
    for card in header.cards:
        keyword = _renumbered(card.keyword, number)
        if keyword == card.keyword:
            moved.append(card, end=True)
        elif keyword is not None:
            moved.append((keyword, card.value, card.comment), end=True)
    moved["NAXIS"], moved["NAXIS1"], moved["NAXIS2"] = 2, width, height
    if "WCSAXES" in moved:
        moved["WCSAXES"] = 2
    return moved


def text_card(header: fits.Header, key: str) -> str:
    """A card's value as text without blanks around it; "" where it is absent or unreadable."""
    try:
        value = header.get(key, "")
    except (fits.VerifyError, ValueError):  # such as text without quotes
        return ""
    return "" if isinstance(value, fits.card.Undefined) else str(value).strip()


def is_physical(ctype: str) -> bool:
    """Whether an axis of this CTYPE counts wavelength, velocity, polarisation or time."""
    return _PHYSICAL.match(ctype.strip().upper()) is not None


def _renumbered(keyword: str, number: dict[str, str]) -> str | None:
    """A card's keyword on the picture's axes; None where it tells of another axis."""
    found = _AXIS_CARD.match(keyword)
    if found is None:
        return keyword
    axes: tuple[str, ...]
    if found["head"]:
        axes, form = (found["axis"],), found["head"] + "{}"
    elif found["matrix"]:
        axes, form = (found["i"], found["j"]), found["matrix"] + "{}_{}"
    else:
        axes, form = (found["of"],), found["parameter"] + "{}" + found["number"]
    return form.format(*(number[a] for a in axes)) if set(axes) <= set(number) else None


def _sky_axes(header: fits.Header, ndim: int) -> tuple[int, int] | None:
    """The two numpy axes that the header puts on the sky, rows first."""
    found = [
        ndim - n
        for n in range(1, ndim + 1)
        if _CELESTIAL.match(text_card(header, f"CTYPE{n}").upper())
    ]
    return (min(found), max(found)) if len(found) == 2 else None


def _colour_axis(header: fits.Header, full: tuple[int, ...], long: list[int]) -> int | None:
    """The axis that holds red, green and blue, as pictures for the screen have it."""
    if header.get("BITPIX") != 8 or len(long) != 3:
        return None
    for axis in (long[-1], long[0]):
        sides = [full[each] for each in long if each != axis]
        told = text_card(header, f"CTYPE{len(full) - axis}")
        if full[axis] in (3, 4) and min(sides) > 4 and not is_physical(told):
            return axis
    return None


def _kind(
    header: fits.Header, full: tuple[int, ...], others: tuple[int, ...], colour: int | None
) -> Kind:
    if not others:
        return "image"
    if colour is not None:
        return "rgb"
    told = [text_card(header, f"CTYPE{len(full) - axis}") for axis in others]
    if len(others) == 1 and full[others[0]] <= MOST_BANDS and not is_physical(told[0]):
        return "multiband"
    return "cube"
