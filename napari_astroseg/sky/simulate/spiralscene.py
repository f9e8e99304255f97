"""Spiral scene: what a simulated galaxy is made of, and where its arms run, before any light.

Lengths are pixels of a Galaxy Zoo 3D picture (0.099 arcsec), whatever side is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from napari_astroseg.sky.simulate.spiralarm import Arm, Floats

Shape = Literal[
    "elliptical",
    "lenticular",
    "edge_on",
    "irregular",
    "grand_design",
    "multi_arm",
    "flocculent",
]
SHAPES: tuple[Shape, ...] = get_args(Shape)

PIXEL_ARCSEC = 0.099
"""Of the pictures that volunteers were shown."""

FIELD_PX = 525
"""Their side."""

THICKNESS = 0.2
"""Axis ratio of a disc seen from its side."""

_FIBRES = ((19, 12.5, 2), (37, 17.5, 4), (61, 22.5, 4), (91, 27.5, 2), (127, 32.5, 5))
"""MaNGA's bundles: fibres, diameter in arcsec, and how many of each are on a plate."""

_PIECES = (18, 34)
"""Fewest and most pieces of arm in a flocculent galaxy."""


@dataclass(frozen=True, slots=True)
class SpiralSettings:
    """What simulated galaxies are like; pairs are the ends of a range unless told otherwise."""

    shares: tuple[float, ...] = (0.30, 0.17, 0.17, 0.08, 0.12, 0.10, 0.06)
    """How often each of `SHAPES` is drawn; they need not add up to 1."""
    pitch_deg: tuple[float, float] = (10.0, 35.0)
    """Angle between an arm and a circle."""
    contrast: tuple[float, float] = (0.8, 3.6)
    """Light of young stars on an arm's crest over that of the disc beneath, in r; log-uniform."""
    barred: float = 0.35
    """Share of spiral and lenticular galaxies with a bar."""
    stars: float = 2.2
    """Mean number of foreground stars in a picture."""
    neighbours: float = 1.5
    """Mean number of other galaxies in a picture, nearly all small and faint."""
    seeing_arcsec: tuple[float, float] = (1.15, 1.45)
    """Full width at half maximum of a star in r."""
    noise: float = 1.0
    """In units of that of the real picture looked at."""
    volunteers: int = 15
    """How many people are shown each galaxy, in each task that it is chosen for."""


@dataclass(frozen=True, slots=True)
class Galaxy:
    """What is in the middle of a picture.

    Parameters
    ----------
    shape
        Of which kind it is.
    x, y
        Its centre, px.
    radius
        Half-light radius, px.
    ratio
        Axis ratio of its disc, or of an elliptical, as seen.
    angle
        Of its major axis, from columns towards rows, rad.
    brightness
        Mean surface brightness in r within the half-light radius, mag/arcsec².
    bulge
        Share of the light in a bulge; 1 for an elliptical.
    index
        Sérsic index of the bulge.
    blue
        How much bluer than old stars its disc is, g - r in mag.
    dust
        Optical depth of its lanes in r.
    bar
        Half-length, px, and angle in the plane, rad; a length of 0 for none.
    arms
        Its spiral arms, strongest first.
    fibres
        Of the MaNGA bundle laid over it.
    """

    shape: Shape
    x: float
    y: float
    radius: float
    ratio: float
    angle: float
    brightness: float
    bulge: float
    index: float
    blue: float
    dust: float
    bar: tuple[float, float]
    arms: tuple[Arm, ...]
    fibres: int

    @property
    def scale(self) -> float:
        """Exponential scale length of its disc, px."""
        return self.radius / 1.678

    def plane(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Radius (px) and azimuth (rad) in its plane of places in the picture."""
        along, over = x - self.x, y - self.y
        major = along * np.cos(self.angle) + over * np.sin(self.angle)
        minor = (over * np.cos(self.angle) - along * np.sin(self.angle)) / self.ratio
        return np.hypot(major, minor), np.arctan2(minor, major)

    def seen(self, radius: Floats, azimuth: Floats) -> Floats:
        """(N, 2) places (x, y) in the picture of places in its plane."""
        major, minor = radius * np.cos(azimuth), self.ratio * radius * np.sin(azimuth)
        x = self.x + major * np.cos(self.angle) - minor * np.sin(self.angle)
        y = self.y + major * np.sin(self.angle) + minor * np.cos(self.angle)
        return np.column_stack((x, y))

    @property
    def drawable(self) -> tuple[Arm, ...]:
        """Arms long enough for somebody to draw: a tenth of the pieces of a flocculent one."""
        if self.shape != "flocculent":
            return self.arms
        return self.arms[: max(2, len(self.arms) // 6)]

    @property
    def evident(self) -> float:
        """How plainly its arms show, 0 to 1: the two best of them."""
        shown = sorted((self.shown(arm) for arm in self.drawable), reverse=True)
        return float(np.mean(shown[:2])) if shown else 0.0

    def shown(self, arm: Arm) -> float:
        """How plainly one of its arms shows, 0 to 1."""
        beside = 3 if self.shape == "flocculent" else len(self.arms)
        flat = np.clip((self.ratio - 0.22) / 0.3, 0.0, 1.0)
        return float(1.0 - np.exp(-3.8 * flat * arm.ripple(beside, self.ratio)))


def scene(rng: np.random.Generator, settings: SpiralSettings) -> Galaxy:
    """A galaxy of a shape drawn by `settings.shares`."""
    shares = np.asarray(settings.shares, float)
    shape = SHAPES[int(rng.choice(len(SHAPES), p=shares / shares.sum()))]
    weights = np.array([count for *_, count in _FIBRES], float)
    fibres, diameter, _ = _FIBRES[int(rng.choice(len(_FIBRES), p=weights / weights.sum()))]
    # Bundles reach 1.5 half-light radii in two thirds of the sample, 2.5 in the rest (Bundy+2015).
    reach = 1.5 if rng.random() < 0.67 else 2.5
    radius = diameter / 2.0 / reach / PIXEL_ARCSEC * 10.0 ** (0.06 * rng.standard_normal())
    middle = FIELD_PX / 2.0
    x, y = middle - 0.5 + 1.8 * rng.standard_normal(2)
    ratio = _ratio(shape, rng)
    radius = float(np.clip(radius, 18.0, 95.0)) * (0.75 if shape == "elliptical" else 1.0)
    armed = shape in ("grand_design", "multi_arm", "flocculent")
    bar = (0.0, 0.0)
    if (armed or shape == "lenticular") and rng.random() < settings.barred:
        bar = (radius * float(rng.uniform(0.45, 0.85)), float(rng.uniform(0.0, np.pi)))
    bulge, index = _bulge(shape, rng)
    return Galaxy(
        shape=shape,
        x=float(x),
        y=float(y),
        radius=radius,
        ratio=ratio,
        angle=float(rng.uniform(0.0, np.pi)),
        brightness=float(rng.normal(20.4 if bulge > 0.5 else 21.2, 0.55)),
        bulge=bulge,
        index=index,
        blue=float(_between(rng, *_BLUE[shape])),
        dust=float(_between(rng, *_DUST[shape])),
        bar=bar,
        arms=_arms(shape, radius, bar, rng, settings) if armed else (),
        fibres=fibres,
    )


_BLUE: dict[Shape, tuple[float, float]] = {
    "elliptical": (-0.04, 0.04),
    "lenticular": (0.0, 0.15),
    "edge_on": (0.05, 0.35),
    "irregular": (0.3, 0.5),
    "grand_design": (0.1, 0.3),
    "multi_arm": (0.12, 0.32),
    "flocculent": (0.15, 0.4),
}
_DUST: dict[Shape, tuple[float, float]] = {
    "elliptical": (0.0, 0.0),
    "lenticular": (0.0, 0.15),
    "edge_on": (0.3, 1.8),
    "irregular": (0.0, 0.3),
    "grand_design": (0.2, 0.7),
    "multi_arm": (0.2, 0.6),
    "flocculent": (0.1, 0.4),
}


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _ratio(shape: Shape, rng: np.random.Generator) -> float:
    """Axis ratio as seen: discs from directions that are even over the part of the sphere."""
    if shape == "elliptical":
        return float(np.clip(rng.normal(0.78, 0.14), 0.4, 1.0))
    low, high = {"edge_on": (0.0, 0.22), "lenticular": (0.3, 1.0)}.get(shape, (0.33, 1.0))
    cosine = rng.uniform(low, high)
    return float(np.sqrt(cosine**2 * (1.0 - THICKNESS**2) + THICKNESS**2))


def _bulge(shape: Shape, rng: np.random.Generator) -> tuple[float, float]:
    """Share of the light in the bulge, and its Sérsic index."""
    if shape == "elliptical":
        return 1.0, float(rng.uniform(2.5, 4.5))
    if shape == "irregular":
        return 0.0, 1.0
    low, high = {"lenticular": (0.25, 0.6), "edge_on": (0.05, 0.4)}.get(shape, (0.04, 0.28))
    return float(rng.uniform(low, high)), float(rng.uniform(1.2, 3.0))


def _arms(
    shape: Shape,
    radius: float,
    bar: tuple[float, float],
    rng: np.random.Generator,
    settings: SpiralSettings,
) -> tuple[Arm, ...]:
    """The arms of one galaxy, all of which wind one way."""
    sense = 1.0 if rng.random() < 0.5 else -1.0
    pitch = np.deg2rad(rng.uniform(*settings.pitch_deg))
    low, high = np.log(settings.contrast)
    strength = float(np.exp(rng.uniform(low, high)))
    if shape == "flocculent":
        return _pieces(radius, sense * pitch, strength, rng)
    count = 2 if shape == "grand_design" else int(rng.integers(3, 5))
    # From the ends of the bar, where there is one, or from the bulge's edge.
    start = bar[1] if bar[0] else float(rng.uniform(0.0, 2.0 * np.pi))
    inner = max(bar[0], 0.35 * radius) * float(rng.uniform(0.95, 1.15))
    arms = []
    for number in range(count):
        turn = start + 2.0 * np.pi * number / count + 0.12 * rng.standard_normal()
        own = strength * float(np.exp(0.22 * rng.standard_normal())) * (0.85 if count > 2 else 1.0)
        outer = radius * float(rng.uniform(1.7, 2.7))
        # No more than one turn and a quarter: longer ones wash out.
        outer = min(outer, inner * float(np.exp(2.5 * np.pi * np.tan(pitch))))
        width = radius * float(rng.uniform(0.085, 0.13)) * (1.0 if count == 2 else 0.8)
        wobble = (float(abs(0.08 * rng.standard_normal())), float(rng.uniform(0.0, 2.0 * np.pi)))
        first = inner * float(rng.uniform(0.95, 1.1))
        mine = sense * pitch * float(np.exp(0.1 * rng.standard_normal()))
        arms.append(Arm(turn, mine, first, max(outer, 1.6 * first), max(width, 6.0), own, wobble))
    return tuple(sorted(arms, key=lambda arm: -arm.strength))


def _pieces(
    radius: float, pitch: float, strength: float, rng: np.random.Generator
) -> tuple[Arm, ...]:
    """Many short pieces of arm, strongest first."""
    pieces = []
    for _ in range(int(rng.integers(*_PIECES))):
        inner = radius * float(rng.uniform(0.4, 1.7))
        outer = inner * float(np.exp(rng.uniform(0.15, 0.5)))
        own = pitch * float(np.exp(0.25 * rng.standard_normal()))
        width = radius * float(rng.uniform(0.05, 0.09))
        bright = 0.8 * strength * float(np.exp(0.4 * rng.standard_normal()))
        start = float(rng.uniform(0.0, 2.0 * np.pi))
        pieces.append(Arm(start, own, inner, outer, max(width, 5.0), bright))
    return tuple(sorted(pieces, key=lambda arm: -arm.strength * np.log(arm.outer / arm.inner)))
