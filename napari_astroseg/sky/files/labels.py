"""Labels: what tells the planes of a stack apart: bands, velocities, frequencies, Stokes, time."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.sky.files.layout import Layout, is_physical, text_card
from napari_astroseg.sky.image import Axis

_STOKES = {1: "I", 2: "Q", 3: "U", 4: "V", -1: "RR", -2: "LL", -3: "RL", -4: "LR",
           -5: "XX", -6: "YY", -7: "XY", -8: "YX"}  # fmt: skip
_COLOURS = "RGBA"
_SI = {"FREQ": "Hz", "VELO": "m/s", "VRAD": "m/s", "VOPT": "m/s", "FELO": "m/s"}
"""Units where the file names none, as the FITS standard has them."""
_READABLE: dict[str, tuple[str, ...]] = {
    "Hz": ("GHz", "MHz", "kHz", "Hz"),
    "m/s": ("km/s", "m/s"),
    "m": ("m", "cm", "mm", "um", "nm"),
}
_NONLINEAR = re.compile(r".{4}-(TAB|LOG|GRI|GRA|[A-Z]2[A-Z])$")
_MOST_DECIMALS = 9
_LARGEST_WRITTEN_OUT = 1e9
_MOST_EVALUATED = 2**16
"""A nonlinear axis longer than this is counted, not evaluated."""


@dataclass(frozen=True)
class Ruler(Sequence[str]):
    """The labels of one axis, each written when it is asked for.

    Parameters
    ----------
    length
        How many there are.
    start, step
        World coordinate of the first, and from one to the next.
    unit
        Written behind the number.
    values
        The world coordinates, where they do not lie evenly.
    """

    length: int
    start: float
    step: float
    unit: str = ""
    values: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        index = range(self.length)[index]
        value = self.start + index * self.step if self.values is None else self.values[index]
        even = self._decimals <= _MOST_DECIMALS and abs(value) < _LARGEST_WRITTEN_OUT
        number = f"{value:.{self._decimals}f}" if even else f"{value:.10g}"
        return f"{number} {self.unit}".rstrip()

    @property
    def _decimals(self) -> int:
        """One digit more than neighbours need to differ; none between whole numbers."""
        if float(self.start).is_integer() and float(self.step).is_integer() and not self.unit:
            return 0
        return max(0, 1 - math.floor(math.log10(abs(self.step))))


@dataclass(frozen=True)
class Joint(Sequence[str]):
    """The labels of planes that several axes tell apart, the last axis running fastest."""

    axes: tuple[Sequence[str], ...]

    def __len__(self) -> int:
        return math.prod(len(axis) for axis in self.axes)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        places = np.unravel_index(range(len(self))[index], [len(axis) for axis in self.axes])
        return ", ".join(axis[int(n)] for axis, n in zip(self.axes, places, strict=True))


def axis_of(header: fits.Header, layout: Layout) -> Axis | None:
    """What tells the planes apart; None for a single picture."""
    if not layout.others:
        return None
    if layout.kind == "rgb":
        return Axis("band", "band", tuple(_COLOURS[: layout.count]))
    numbers = [layout.fits_axis(axis) for axis in layout.others]
    if layout.kind == "multiband":
        return Axis("band", "band", band_names(header, layout.count, numbers[0]))
    rulers = tuple(_ruler(header, n, count) for n, count in zip(numbers, layout.axes, strict=True))
    names = ", ".join(_ctype(header, n).partition("-")[0] or f"axis {n}" for n in numbers)
    return Axis("plane", names, rulers[0] if len(rulers) == 1 else Joint(rulers))


def band_names(header: fits.Header, count: int, axis: int) -> tuple[str, ...]:
    """The names that a header has for bands along FITS axis `axis`, else `1`, `2`, and so on."""
    for key in ("BANDS", "FILTERS", "FILTER", "BAND", f"CNAME{axis}"):
        names = tuple(filter(None, re.split(r"[\s,;|/]+", text_card(header, key))))
        if len(names) == count > 1 and len(set(names)) == count:
            return names
    for key in ("FILTER", "BAND", "FILT", "CHAN"):
        for form in ("{}{}", "{}{:02d}", "{}_{}"):
            for first in (1, 0):
                keys = [form.format(key, n) for n in range(first, first + count)]
                names = tuple(text_card(header, each) for each in keys)
                if all(names):
                    return names
    return tuple(str(n) for n in range(1, count + 1))


def _ruler(header: fits.Header, n: int, count: int) -> Sequence[str]:
    """The labels along FITS axis `n`."""
    ctype = _ctype(header, n)
    counted = Ruler(count, 1.0, 1.0)
    if not ctype and f"CRVAL{n}" not in header:
        return counted
    start, step = _start_and_step(header, n)
    if not (math.isfinite(start) and math.isfinite(step) and step):
        return counted
    if ctype == "STOKES":
        values = (round(start + step * index) for index in range(min(count, len(_STOKES))))
        names = tuple(_STOKES.get(value, str(value)) for value in values)
        return names if len(names) == count else counted
    unit = text_card(header, f"CUNIT{n}") or _SI.get(ctype[:4], "")
    values_there = _evaluated(header, n, count) if _NONLINEAR.match(ctype) else None
    if _NONLINEAR.match(ctype) and values_there is None:
        return counted
    if values_there is not None:
        unit = _si(unit)
        start, step = float(values_there[0]), float(np.abs(np.diff(values_there)).min()) or 1.0
    largest = max(abs(start), abs(start + step * (count - 1)))
    factor, unit = _readable(unit, largest) if is_physical(ctype) else (1.0, unit)
    scaled = None if values_there is None else values_there * factor
    return Ruler(count, start * factor, step * factor, unit, scaled)


def _ctype(header: fits.Header, n: int) -> str:
    return text_card(header, f"CTYPE{n}").upper()


def _start_and_step(header: fits.Header, n: int) -> tuple[float, float]:
    """World coordinate of the first plane, and the way to the next; NaN where they are none."""
    try:
        matrix = float(header.get(f"CD{n}_{n}", 0.0)) or float(header.get(f"PC{n}_{n}", 1.0)) * (
            float(header.get(f"CDELT{n}", 1.0))
        )
        start = float(header.get(f"CRVAL{n}", 0.0))
        return start + (1.0 - float(header.get(f"CRPIX{n}", 0.0))) * matrix, matrix
    except (TypeError, ValueError):
        return math.nan, math.nan


def _evaluated(header: fits.Header, n: int, count: int) -> NDArray[np.float64] | None:
    """The world coordinates of a nonlinear axis, in SI units; None where WCSLIB has none."""
    if count > _MOST_EVALUATED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (values,) = WCS(header, naxis=[n]).all_pix2world(np.arange(count, dtype=float), 0)
    except Exception:  # WCSLIB's errors share no base class; planes are then just counted
        return None
    return np.asarray(values) if np.isfinite(values).all() else None


def _si(unit: str) -> str:
    """The unit that WCSLIB converts to."""
    try:
        return str(u.Unit(unit).si.to_string()).replace(" ", "") if unit else ""
    except ValueError:
        return unit


def _readable(unit: str, largest: float) -> tuple[float, str]:
    """A factor and a unit that keep numbers short: GHz for Hz, km/s for m/s, µm for m."""
    try:
        parsed = u.Unit(unit)
    except ValueError:
        return 1.0, unit
    for base, choices in _READABLE.items():
        if unit and parsed.is_equivalent(u.Unit(base)):
            if base == "m" and parsed != u.m:
                return 1.0, unit  # Å, nm and µm are as astronomers want them
            for choice in choices:
                factor = float(parsed.to(u.Unit(choice)))
                if largest * factor >= (0.01 if base == "m/s" else 1.0):
                    return factor, choice.replace("um", "µm")
    return 1.0, unit
