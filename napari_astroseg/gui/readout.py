"""Readout: what lies under the cursor, in words: sky position, raw value, pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

import astropy.units as u
from astropy.coordinates import SkyCoord

from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.image import SkyImage

_NOTHING_YET = "–"


@dataclass(frozen=True)
class Readout:
    """The texts for one position on an image; "" where there is nothing to say.

    Parameters
    ----------
    icrs, galactic
        Sky position, sexagesimal and in degrees, to a tenth of a pixel or better.
    value
        The raw value of the pixel with its unit, its uncertainty and its flags where there are
        any.
    pixel
        0-based column and row.
    plane
        Of a stack: the plane's label and number.
    """

    icrs: str = ""
    galactic: str = ""
    value: str = ""
    pixel: str = ""
    plane: str = ""

    @property
    def line(self) -> str:
        """All of it in one line, for a status bar."""
        sky = [f"ICRS {self.icrs}", f"Galactic {self.galactic}"] if self.icrs else []
        parts = [*sky, self.plane, self.value, f"pixel {self.pixel}"]
        return "   ".join(part for part in parts if part) if self.pixel else ""


Told = Callable[[SkyImage, Hashable, Callable[[], str]], str]
"""Gives the text that a function finds of a place of an image, or something until it has."""


def read_out(
    image: SkyImage, x: float, y: float, plane: int = 0, told: Told | None = None
) -> Readout:
    """What an image has at the 0-based pixel position (x, y); an empty readout outside it.

    One pixel of the raw data is read, whatever level is on screen; of a stack in that plane.
    `told` is asked for the text of its value, where it shall not be waited for.
    """
    column, row = math.floor(x + 0.5), math.floor(y + 0.5)
    if not (0 <= column < image.shape[1] and 0 <= row < image.shape[0]):
        return Readout()
    icrs, galactic = _sky_texts(image, x, y)
    which = plane_words(image, plane) if image.count > 1 else ""
    find = partial(_value_text, image, column, row, plane)
    value = find() if told is None else told(image, (column, row, plane), find)
    return Readout(icrs, galactic, value, f"x {column}, y {row}", which)


def plane_words(image: SkyImage, plane: int) -> str:
    """Which plane of a stack: `VRAD 12.3 km/s (plane 17 of 64)`."""
    axis = image.axis
    name = "plane" if axis is None else axis.name
    label = str(plane + 1) if axis is None else axis.labels[plane]
    kind = "plane" if axis is None else axis.kind
    return f"{name} {label} ({kind} {plane + 1} of {image.count})"


def described(image: SkyImage) -> str:
    """Size, unit, projection and pixel scale of an image in one line."""
    height, width = image.shape
    parts = [f"{width} × {height} px", image.unit or "no unit"]
    if image.count > 1:
        axis = image.axis
        parts.insert(1, f"{image.count} {'plane' if axis is None else axis.kind}s")
    if image.wcs is not None:
        parts.append("/".join(image.wcs.wcs.ctype))
    sides = image.pixel_sides_arcsec
    if sides is not None:
        parts.append(_pixel(*sides))
    return " · ".join(parts)


def _pixel(width: float, height: float) -> str:
    if abs(width - height) > 0.01 * width:
        return f"{_arcsec(width)} × {_arcsec(height)} pixels, drawn square"
    return f"{_arcsec(math.sqrt(width * height))}/px"


def _arcsec(size: float) -> str:
    return f"{size:.3g}″" if size < 600 else f"{size / 60:.3g}′"


def _value_text(image: SkyImage, column: int, row: int, plane: int) -> str:
    try:
        value = _of_plane(image, plane).value(column, row)
        spread, flags = (
            None if part is None else _of_plane(part, plane).value(column, row)
            for part in (image.uncertainty, image.mask)
        )
    except AstroSegError as error:
        return str(error)
    text = "no data" if math.isnan(value) else f"{value:.6g}"
    if spread is not None and math.isfinite(spread) and not math.isnan(value):
        text += f" ± {spread:.3g}"
    if not math.isnan(value):
        text = f"{text} {image.unit}".rstrip()
    return text if not flags or math.isnan(flags) else f"{text}, flags {flags:.0f}"


def _of_plane(image: SkyImage, plane: int) -> SkyImage:
    """One plane of a stack; what has one plane only serves them all."""
    return image.plane(plane) if image.count > 1 else image


def _sky_texts(image: SkyImage, x: float, y: float) -> tuple[str, str]:
    if image.wcs is None or image.pixel_scale_arcsec is None:
        return "", ""
    position = image.sky(x, y)
    if not (
        math.isfinite(position.spherical.lon.deg) and math.isfinite(position.spherical.lat.deg)
    ):
        return "off the sky", _NOTHING_YET
    digits = max(0, math.ceil(1 - math.log10(image.pixel_scale_arcsec)))
    return _sexagesimal(position.icrs, digits), _degrees(position.galactic, digits)


def _sexagesimal(position: SkyCoord, digits: int) -> str:
    """Hours and degrees; `digits` decimals of an arcsecond, one more of a second of time."""
    ra = position.ra.to_string(u.hourangle, sep="hms", precision=digits + 1, pad=True)
    dec = position.dec.to_string(u.deg, sep="dms", precision=digits, pad=True, alwayssign=True)
    return f"{ra} {dec.translate(_DEGREE_SIGNS)}"


_DEGREE_SIGNS = str.maketrans({"d": "°", "m": "′", "s": "″", "-": "−"})


def _degrees(position: SkyCoord, digits: int) -> str:
    """Longitude and latitude in degrees, to the same fraction of a pixel (1″ = 0.0003°)."""
    decimals = digits + 4
    return f"{position.l.deg:.{decimals}f}° {position.b.deg:+.{decimals}f}°".replace("-", "−")
