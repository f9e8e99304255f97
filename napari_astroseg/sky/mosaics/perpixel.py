"""Per pixel: units whose values grow with the area of a pixel, and by how much.

Jy/pix and counts are sums over a pixel; MJy/sr and Jy/beam mean the same on pixels of any size.
"""

from __future__ import annotations

from astropy import units as u

from napari_astroseg.sky.image import SkyImage

_COUNTED = {"ct", "count", "electron", "DN", "dn", "adu", "ph", "photon"}
"""Names of what a detector's pixels hold."""

_SAME_AREA = 1e-3
"""Pixels whose areas differ by less than this share are of one size: projections do as much."""


def is_per_pixel(image: SkyImage) -> bool:
    """Whether its values are sums over a pixel: per `pix`, or counts, or counts per time."""
    unit = image.physical_unit
    if not isinstance(unit, u.UnitBase):
        return image.unit.strip().lower() in ("counts", "counts/s", "electrons", "electrons/s")
    powers = {str(base): power for base, power in zip(unit.bases, unit.powers, strict=True)}
    if powers.get("pix", 0) < 0 or powers.get("pixel", 0) < 0:
        return True
    counted = [name for name in powers if name in _COUNTED]
    others = [base for base in unit.bases if str(base) not in _COUNTED]
    if len(counted) != 1 or powers[counted[0]] != 1:
        return False
    return all(base.is_equivalent(u.s) and powers[str(base)] == -1 for base in others)


def area_factor(image: SkyImage, ratio: float) -> float:
    """What turns means of its pixels into values of pixels whose side is `ratio` of its own."""
    area = ratio**2
    return area if is_per_pixel(image) and abs(area - 1) > _SAME_AREA else 1.0
