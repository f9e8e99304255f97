"""Field: a north-up picture of sky that a survey is asked for.

Up to some 15° from its middle a field is a TAN plane, as optical surveys are drawn, and on which
an affine map from a reference nearby is as good as exact. A wider one is a ZEA plane: TAN pixels
would cover less and less sky outwards and end at 90°, where ZEA (zenithal, equal area) keeps their
areas, knows neither poles nor the wrap in longitude, and shows half the sky in one piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from napari_astroseg.errors import SurveyError
from napari_astroseg.sky.coords.orientation import FRAMES, Floats, Frame
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.surveys.survey import Survey
from napari_astroseg.sky.window import Window

Projection = Literal["TAN", "ZEA"]

MOST_PX = 4096
"""Longest side of a field."""
WIDEST_TAN_DEG = 15.0
"""Largest distance from a field's middle to its corner that a TAN plane is used for."""
HALF_SKY_DEG = math.degrees(2 * math.sqrt(2.0))
"""Side of the ZEA square around half the sky, deg of its plane."""
_AXES = {"galactic": ("GLON", "GLAT"), "icrs": ("RA--", "DEC-")}


@dataclass(frozen=True)
class Field:
    """A rectangle of sky, north of its frame up, longitude growing to the left.

    Parameters
    ----------
    lon_deg, lat_deg
        Its middle.
    frame
        `galactic` or `icrs`.
    width_px, height_px
        Its size, up to `MOST_PX`.
    pixel_arcsec
        Side of a pixel in its middle.
    note
        What should be known of how it was chosen, one sentence; no part of what it is.

    Raises
    ------
    SurveyError
        When the numbers name no field.
    """

    lon_deg: float
    lat_deg: float
    frame: Frame
    width_px: int
    height_px: int
    pixel_arcsec: float
    note: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        numbers = (self.lon_deg, self.lat_deg, self.pixel_arcsec)
        sides = (self.width_px, self.height_px)
        if not (all(map(math.isfinite, numbers)) and abs(self.lat_deg) <= 90):
            raise SurveyError(
                f"{self.lon_deg:g}, {self.lat_deg:g} deg is no place on the sky; "
                "give a latitude between -90 and 90"
            )
        if not (self.pixel_arcsec > 0 and all(1 <= side <= MOST_PX for side in sides)):
            raise SurveyError(
                f"a field of {sides[0]} × {sides[1]} pixels of {self.pixel_arcsec:g}″ cannot be "
                f"fetched; give sides of 1 to {MOST_PX} and pixels above 0"
            )
        if self.frame not in FRAMES:
            raise SurveyError(f"{self.frame!r} is no frame for a field; give galactic or icrs")
        object.__setattr__(self, "lon_deg", self.lon_deg % 360.0)

    @classmethod
    def of(cls, image: SkyImage, window: Window, screen_px: int | None, survey: Survey) -> Field:
        """The field that covers what a window shows of an image, at the resolution in view.

        Windows that differ little give the same field, so that small pans find it kept. Its
        pixels are about as large as the screen's and never smaller than the survey's own.

        Parameters
        ----------
        image
            With sky coordinates of any kind.
        window
            What is in view; it may hang over the image's edges and over the edge of the sky.
        screen_px
            Pixels on the screen along the window's longer side; None for the image's own.
        survey
            Which will be asked.

        Returns
        -------
        At most `MOST_PX` pixels a side and half the sky, with a note where that is less than
        what is in view.

        Raises
        ------
        SurveyError
            When the window shows nothing of the image, or no sky.
        ImageError
            When the image has no sky coordinates.
        """
        from napari_astroseg.sky.surveys.covering import covering  # it makes fields

        return covering(image, window, screen_px, survey)

    @property
    def projection(self) -> Projection:
        """Of its plane, by its size."""
        across = math.hypot(self.width_px, self.height_px) * self.pixel_arcsec / 3600.0
        return "TAN" if across / 2 <= WIDEST_TAN_DEG else "ZEA"

    @cached_property
    def wcs(self) -> WCS:
        """World coordinates of its pixels, with `pixel_shape`."""
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = [f"{axis}-{self.projection}" for axis in _AXES[self.frame]]
        wcs.wcs.crval = [self.lon_deg, self.lat_deg]
        wcs.wcs.crpix = [(self.width_px + 1) / 2, (self.height_px + 1) / 2]
        wcs.wcs.cdelt = [-self.pixel_arcsec / 3600.0, self.pixel_arcsec / 3600.0]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.lonpole = 180.0
        if self.frame == "icrs":
            wcs.wcs.radesys = "ICRS"
        wcs.pixel_shape = (self.width_px, self.height_px)
        wcs.wcs.set()
        return wcs

    @property
    def middle(self) -> SkyCoord:
        """Where it is."""
        return SkyCoord(self.lon_deg, self.lat_deg, unit="deg", frame=self.frame)

    @property
    def radius_deg(self) -> float:
        """Distance on the sky from its middle to its corners."""
        plane = math.radians(math.hypot(self.width_px, self.height_px) * self.pixel_arcsec / 7200.0)
        if self.projection == "TAN":
            return math.degrees(math.atan(plane))
        return math.degrees(2 * math.asin(min(1.0, plane / 2)))

    def near(self, other: Field) -> bool:
        """Whether the two may share sky: whether the circles around them do."""
        return self.apart_deg(other) <= self.radius_deg + other.radius_deg

    def apart_deg(self, other: Field) -> float:
        """Distance on the sky between the two middles."""
        here, there = self._up, other._up
        across = float(np.linalg.norm(np.cross(here, there)))
        return math.degrees(math.atan2(across, float(here @ there)))

    @cached_property
    def _up(self) -> Floats:
        """The ICRS unit vector of its middle."""
        return np.asarray(self.middle.icrs.cartesian.xyz)

    @property
    def words(self) -> str:
        """For people: where, how wide, how fine."""
        names = ("l", "b") if self.frame == "galactic" else ("RA", "Dec")
        width, height = (n * self.pixel_arcsec / 3600.0 for n in (self.width_px, self.height_px))
        return (
            f"{names[0]} {self.lon_deg:.3f}°, {names[1]} {self.lat_deg:+.3f}°, "
            f"{_angle(width)} × {_angle(height)} at {self.pixel_arcsec:.3g}″"
        )

    @property
    def identity(self) -> str:
        """A digest that is the same for the same field."""
        told = (self.lon_deg, self.lat_deg, self.pixel_arcsec)
        numbers = (f"{number:.6f}" for number in told)
        return digest("field", self.frame, self.width_px, self.height_px, *numbers)


def on_plane(directions: Floats, middle: tuple[float, float], projection: Projection) -> Floats:
    """Where directions lie on the plane around a middle, deg east and north.

    Parameters
    ----------
    directions
        Unit vectors, shape (N, 3).
    middle
        Longitude and latitude, deg.

    Returns
    -------
    Shape (N, 2); NaN where the plane does not reach. FITS WCS paper II, sections 5.1.3 and 5.1.7.
    """
    lon, lat = np.radians(middle)
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    along = directions @ up
    with np.errstate(divide="ignore", invalid="ignore"):
        if projection == "TAN":
            scale = np.where(along > 0, 1 / along, np.nan)
        else:
            scale = np.sqrt(2 / (1 + along))
        flat = np.stack([directions @ east, directions @ np.cross(up, east)], axis=1)
        return np.degrees(flat * scale[:, None])


def _angle(deg: float) -> str:
    """A size, in the unit that suits it."""
    if deg >= 1:
        return f"{deg:.3g}°"
    return f"{deg * 60:.3g}′" if deg * 60 >= 1 else f"{deg * 3600:.3g}″"
