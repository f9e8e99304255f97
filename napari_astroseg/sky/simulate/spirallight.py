"""Spiral light: a simulated galaxy and its neighbours in g, r and i, above the atmosphere.

Colours are those of nearby galaxies in SDSS: old stars red, discs bluer outwards, arms blue with
the red light of hydrogen in r, dust reddening by the law of Schlegel et al. (1998).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from napari_astroseg.sky.simulate.spiralscene import (
    FIELD_PX,
    PIXEL_ARCSEC,
    Galaxy,
    SpiralSettings,
)
from napari_astroseg.sky.simulate.turbulence import gaussian_field

Floats = NDArray[np.float64]

STEP = 2
"""Light is worked out on every second pixel: a star is twelve pixels wide."""

OLD = (0.80, 0.41)
"""g - r and r - i of old stars, mag."""
YOUNG = (0.18, 0.02)
"""Of an arm's young stars."""
NEBULA = (0.25, -0.35)
"""Of a region of ionised hydrogen: its lines are bright in r."""

EXTINCTION = (1.38, 1.0, 0.76)
"""Optical depth in g, r and i over that in r."""

_NATIVE = (0.396 / PIXEL_ARCSEC) ** 2
"""Pixels of a picture in one of the camera's; light is told per pixel of the camera."""


def grid() -> tuple[Floats, Floats]:
    """Columns and rows of the places at which light is worked out, px of the picture."""
    line = np.arange(0.0, FIELD_PX + STEP, STEP)
    columns, rows = np.meshgrid(line, line)
    return columns, rows


def colours(pair: tuple[float, float] | tuple[Floats, Floats]) -> Floats:
    """(3, …) light in g, r and i over that in r, of g - r and r - i."""
    first, second = (np.asarray(each, float) for each in pair)
    return np.stack((10.0 ** (-0.4 * first), np.ones_like(first), 10.0 ** (0.4 * second)))


def light(galaxy: Galaxy, rng: np.random.Generator) -> Floats:
    """(3, rows, columns) light of a galaxy in g, r, i on `grid`, nanomaggies per camera pixel."""
    x, y = grid()
    radius, azimuth = galaxy.plane(x, y)
    total = _flux(galaxy)
    found = total * galaxy.bulge * _bulge(galaxy, x, y)[None] * _column(OLD)
    if galaxy.bulge < 1.0:
        disc = total * (1.0 - galaxy.bulge) * _disc(galaxy, radius)
        found += _disc_light(galaxy, disc, radius, azimuth, rng)
    return found * _passed(galaxy, x, y, radius, azimuth)


def arm_mask(galaxy: Galaxy, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Where an arm that can be drawn has half of the light of its crest or more, as it is seen."""
    radius, azimuth = galaxy.plane(x, y)
    inside = np.zeros(x.shape, bool)
    for arm in galaxy.drawable:
        near = np.abs(arm.across(radius, azimuth)) < 1.18 * arm.looks(radius)
        inside |= near & (radius > arm.inner) & (radius < arm.outer)
    return inside


def neighbours(rng: np.random.Generator, settings: SpiralSettings) -> Floats:
    """Light of small galaxies behind or beside, as `light`."""
    x, y = grid()
    found = np.zeros((3, *x.shape))
    places = rng.uniform(10.0, FIELD_PX - 10.0, (int(rng.poisson(settings.neighbours)), 2))
    for place in places:
        magnitude = 20.6 - 1.1 * rng.exponential()
        size = 6.0 * 10.0 ** (0.15 * rng.standard_normal() + 0.1 * (20.6 - magnitude))
        ratio, angle = rng.uniform(0.35, 1.0), rng.uniform(0.0, np.pi)
        major, minor = _turned(x - place[0], y - place[1], angle)
        own = np.exp(-1.678 * np.hypot(major, minor / ratio) / size)
        flux = 10.0 ** (0.4 * (22.5 - magnitude))
        own *= flux * _NATIVE / (2.0 * np.pi * (size / 1.678) ** 2 * ratio)
        red = rng.uniform(0.4, 1.3)
        found += own[None] * _column((red, 0.5 * red))
    return found


def _column(pair: tuple[float, float]) -> Floats:
    return colours(pair)[:, None, None]


def _turned(along: Floats, over: Floats, angle: float) -> tuple[Floats, Floats]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return along * cosine + over * sine, over * cosine - along * sine


def _flux(galaxy: Galaxy) -> float:
    """Total light in r, nanomaggies: half of it lies within the half-light ellipse."""
    area = np.pi * (galaxy.radius * PIXEL_ARCSEC) ** 2 * galaxy.ratio
    return float(2.0 * area * 10.0 ** (0.4 * (22.5 - galaxy.brightness)))


def _bulge(galaxy: Galaxy, x: Floats, y: Floats) -> Floats:
    """A Sérsic profile of unit light, per camera pixel; rounder and smaller than the disc."""
    whole = galaxy.bulge == 1.0
    ratio = galaxy.ratio if whole else max(galaxy.ratio, 0.6)
    size = galaxy.radius if whole else galaxy.radius * (0.16 + 0.4 * galaxy.bulge)
    n = galaxy.index
    b = 2.0 * n - 1.0 / 3.0
    major, minor = _turned(x - galaxy.x, y - galaxy.y, galaxy.angle)
    radius = np.sqrt(major**2 + (minor / ratio) ** 2 + 1.0)
    total = 2.0 * np.pi * n * size**2 * ratio * b ** (-2.0 * n) * gamma(2.0 * n)
    return np.asarray(np.exp(-b * (radius / size) ** (1.0 / n)) * _NATIVE / total)


def _disc(galaxy: Galaxy, radius: Floats) -> Floats:
    """An exponential profile of unit light, per camera pixel, that ends at five scale lengths."""
    scale = galaxy.scale
    total = 2.0 * np.pi * scale**2 * galaxy.ratio
    ends = 1.0 / (1.0 + np.exp((radius / scale - 5.0) / 0.4))
    return np.asarray(np.exp(-radius / scale) * ends * _NATIVE / total)


def _disc_light(
    galaxy: Galaxy, disc: Floats, radius: Floats, azimuth: Floats, rng: np.random.Generator
) -> Floats:
    """The disc in g, r and i, with bar, arms, knots and patches."""
    redness = OLD[0] - galaxy.blue - 0.05 * np.clip(radius / galaxy.scale, 0.0, 4.0)
    found = disc[None] * colours((redness, 0.12 + 0.36 * redness))
    if galaxy.bar[0]:
        found += _bar(galaxy, disc, radius, azimuth)[None] * _column(OLD)
    if galaxy.shape in ("elliptical", "lenticular"):
        return found
    rough = 1.0 if galaxy.shape == "irregular" else 0.55
    patches = np.exp(rough * gaussian_field(disc.shape, -2.6, rng, outer_px=25.0) - 0.5 * rough**2)
    young = np.zeros_like(disc)
    for arm in galaxy.arms:
        across = arm.across(radius, azimuth) / arm.breadth(radius)
        young += arm.strength * arm.along(radius) * np.exp(-0.5 * across**2)
    smooth = {"irregular": 0.7, "edge_on": 0.1}.get(galaxy.shape, 0.06)
    # Old stars gather in arms, too, but less.
    found *= 1.0 + 0.25 * young
    found += (disc * (young + smooth) * patches)[None] * _column(YOUNG)
    found += _knots(disc * (young + 0.3 * smooth), rng)[None] * _column(NEBULA)
    return np.asarray(found)


def _bar(galaxy: Galaxy, disc: Floats, radius: Floats, azimuth: Floats) -> Floats:
    """Old stars along a bar, flat towards the middle and ending abruptly."""
    length, angle = galaxy.bar
    along, over = radius * np.cos(azimuth - angle), radius * np.sin(azimuth - angle)
    inside = np.clip(1.0 - (along / length) ** 4 - (over / (0.28 * length)) ** 2, 0.0, 1.0)
    return np.asarray(0.6 * disc.max() * inside)


def _knots(chance: Floats, rng: np.random.Generator) -> Floats:
    """Regions of ionised hydrogen, points, more of them where young stars shine."""
    found = np.zeros_like(chance)
    total = float(chance.sum())
    if total <= 0.0:
        return found
    many = int(rng.poisson(45))
    where = rng.choice(chance.size, many, p=(chance / total).ravel())
    np.add.at(found.ravel(), where, 0.0025 * total * np.minimum(rng.pareto(2.0, many), 6.0))
    return found


def _passed(galaxy: Galaxy, x: Floats, y: Floats, radius: Floats, azimuth: Floats) -> Floats:
    """(3, rows, columns) share of the light that dust lets pass."""
    if galaxy.dust <= 0.0:
        return np.ones((3, *x.shape))
    depth = np.zeros(x.shape)
    if galaxy.shape == "edge_on":
        major, minor = _turned(x - galaxy.x, y - galaxy.y, galaxy.angle)
        shift = 0.35 * galaxy.radius * max(galaxy.ratio - 0.2, 0.0)
        lane = np.exp(-0.5 * ((minor - shift) / (0.055 * galaxy.radius + 1.5)) ** 2)
        depth = lane * np.exp(-((major / (1.2 * galaxy.radius)) ** 2))
    for arm in galaxy.arms:  # on the inner side, where gas is compressed
        across = arm.across(radius, azimuth) * np.sign(arm.pitch)
        off = (across - 1.1 * arm.breadth(radius)) / (0.5 * arm.breadth(radius))
        depth = np.maximum(depth, arm.along(radius) * np.exp(-0.5 * off**2))
    taus = galaxy.dust * depth[None] * np.array(EXTINCTION)[:, None, None]
    return np.asarray(0.3 + 0.7 * np.exp(-taus))  # the rest shines from before the dust
