"""In view: the part of the sky that a canvas shows, in words that a queue understands."""

from __future__ import annotations

from napari_astroseg.gui.vetting.flight import Flight
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.shape import frame_named


def region_in_view(flight: Flight, image: SkyImage, frame: str | None) -> str:
    """The largest circle in view: a place in a frame, or in pixels without one, and a radius."""
    (x, y), radius = flight.middle, flight.half_px
    scale = image.pixel_scale_arcsec
    if frame is None or scale is None:
        return f"{x:.0f} {y:.0f} {radius:.0f}"
    there = image.sky(x, y).transform_to(frame_named(frame)).spherical
    return f"{there.lon.deg:.5f} {there.lat.deg:.5f} {radius * scale / 60:.3g}'"
