"""Readout: what lies under the cursor, in words: sky position, raw value, pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        The raw value of the pixel with its unit.
    pixel
        0-based column and row.
    """

    icrs: str = ""
    galactic: str = ""
    value: str = ""
    pixel: str = ""

    @property
    def line(self) -> str:
        """All of it in one line, for a status bar."""
        sky = [f"ICRS {self.icrs}", f"Galactic {self.galactic}"] if self.icrs else []
        return "   ".join([*sky, self.value, f"pixel {self.pixel}"]) if self.pixel else ""


def read_out(image: SkyImage, x: float, y: float) -> Readout:
    """What an image has at the 0-based pixel position (x, y); an empty readout outside it.

    One pixel of the raw data is read, whatever level is on screen.
    """
    column, row = math.floor(x + 0.5), math.floor(y + 0.5)
    if not (0 <= column < image.shape[1] and 0 <= row < image.shape[0]):
        return Readout()
    icrs, galactic = _sky_texts(image, x, y)
    return Readout(icrs, galactic, _value_text(image, column, row), f"x {column}, y {row}")


def described(image: SkyImage) -> str:
    """Size, unit, projection and pixel scale of an image in one line."""
    height, width = image.shape
    parts = [f"{width} × {height} px", image.unit or "no unit"]
    if image.wcs is not None:
        parts.append("/".join(image.wcs.wcs.ctype))
    scale = image.pixel_scale_arcsec
    if scale is not None:
        parts.append(f"{scale:.3g}″/px")
    return " · ".join(parts)


def _value_text(image: SkyImage, column: int, row: int) -> str:
    try:
        value = image.value(column, row)
    except AstroSegError as error:
        return str(error)
    if math.isnan(value):
        return "no data"
    return f"{value:.6g} {image.unit}".rstrip()


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
