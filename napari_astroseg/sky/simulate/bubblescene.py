"""Scene: which bubbles and which decoys lie where on a simulated tile, before any light.

Sizes and shapes follow the 2 600 bubbles of the Milky Way Project's second release (Jayasinghe et
al. 2019, MNRAS 488 1141).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_astroseg.sky.datasets.bubblecatalogue import BOX

DecoyKind = Literal["ring_without_core", "arc", "bright_star", "diffuse_24um"]
DECOYS: tuple[DecoyKind, ...] = ("ring_without_core", "arc", "bright_star", "diffuse_24um")

UNIT_AREA = 1024 * 1024
"""Counts in the settings are per this many pixels."""

PIXEL_ARCSEC = 1.2
"""Of GLIMPSE's mosaics, which are the grid of all bands."""

_LEAST_SHOWN = 0.62
"""Of a box, just above the three fifths from which a bubble counts: rounding must not decide."""

_LARGEST = 0.3
"""Semi-major axis in units of the tile's side: a larger bubble's box would not fit."""

_HALO_ARCMIN = 0.4
"""How far the diffraction rings of a bright star are seen."""

_HOST = 2.5
"""Sizes of a bubble that another must have, for the smaller one to sit on its rim."""

_TRIES = 60


@dataclass(frozen=True, slots=True)
class BubbleSettings:
    """What a simulated tile holds; counts are means per 1024 x 1024 pixels."""

    bubbles: float = 4.0
    """Mean number of bubbles; every tile has one at least. Three times the real density."""
    on_rims: float = 0.5
    """Chance that a bubble sits on the rim of another, where one is large enough for it."""
    rings_without_core: float = 1.5
    """Rings at 8 um without hot dust inside, such as shells of old remnants and loops."""
    arcs: float = 2.0
    """Arcs of cirrus, a sixth to two fifths of an ellipse."""
    bright_stars: float = 2.0
    """Evolved stars bright enough at 24 um to show diffraction rings, often saturated."""
    diffuse_24um: float = 2.0
    """Patches of hot dust without a rim."""
    median_arcmin: float = 0.77
    """Median semi-major axis."""
    scatter: tuple[float, float] = (0.72, 1.02)
    """Scatter of its natural logarithm below and above the median; the real one is skewed."""
    least_arcmin: float = 0.15
    """Smallest semi-major axis."""
    axis_ratio: tuple[float, float] = (0.765, 0.10)
    """Mean and standard deviation of minor over major axis."""
    rim: float = 1.6
    """Median brightness of a rim at 8 um in units of the sky around it; 0.2 dex of scatter."""
    core: float = 3.0
    """Median brightness of hot dust at 24 um in units of the sky around it; 0.25 dex."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One structure on a tile.

    Parameters
    ----------
    kind
        `bubble`, or of which decoy.
    x, y
        Its centre, px; it may lie beyond the edge.
    major, minor
        Semi-axes of the crest of its rim, arcmin; of a star or a patch its reach.
    angle
        Of the major axis, from Galactic North towards increasing longitude, deg.
    """

    kind: DecoyKind | Literal["bubble"]
    x: float
    y: float
    major: float
    minor: float
    angle: float

    @property
    def major_px(self) -> float:
        """Semi-major axis in pixels."""
        return self.major * 60.0 / PIXEL_ARCSEC


def scene(size: int, rng: np.random.Generator, settings: BubbleSettings) -> list[Placed]:
    """The bubbles and decoys of a tile of size x size pixels.

    None lies upon another, except that a small bubble may sit on the rim of a large one.
    Bubbles may be cut by the tile's edge, as long as more than three fifths of the box shows.
    """
    area = size * size / UNIT_AREA
    means = {
        "ring_without_core": settings.rings_without_core,
        "arc": settings.arcs,
        "bright_star": settings.bright_stars,
        "diffuse_24um": settings.diffuse_24um,
    }
    wanted: list[DecoyKind | Literal["bubble"]] = ["bubble"] * max(
        1, int(rng.poisson(settings.bubbles * area))
    )
    for kind in DECOYS:
        wanted += [kind] * int(rng.poisson(means[kind] * area))
    placed: list[Placed] = []
    for each in wanted:
        found = _placed(each, size, placed, rng, settings)
        if found is not None:
            placed.append(found)
    return placed


def _placed(
    kind: DecoyKind | Literal["bubble"],
    size: int,
    others: list[Placed],
    rng: np.random.Generator,
    settings: BubbleSettings,
) -> Placed | None:
    """One structure clear of the others, or a bubble on the rim of one; None for want of room."""
    major = _semi_major(size, rng, settings)
    ratio = float(np.clip(rng.normal(*settings.axis_ratio), 0.46, 1.0))
    angle = float(rng.uniform(0.0, 180.0))
    if kind == "bright_star":
        major, ratio, angle = _HALO_ARCMIN, 1.0, 0.0
    # The catalogue's own digits, so that what is drawn is what it says.
    major, minor = round(major, 2), round(major * ratio, 2)
    hosts = [each for each in others if each.kind == "bubble" and each.major >= _HOST * major]
    if kind == "bubble" and hosts and rng.random() < settings.on_rims:
        at, turn = int(rng.integers(len(hosts))), float(rng.uniform(0.0, 2.0 * np.pi))
        new = Placed(kind, *_on_rim(hosts[at], turn), major, minor, float(round(angle)))
        rest = [each for each in others if each is not hosts[at]]
        return new if _shows(new, size) and _clear(new, rest) else None
    for _ in range(_TRIES):
        x, y = rng.uniform(-0.5, size - 0.5, 2).tolist()
        if kind == "bubble":
            half = BOX * major * 60.0 / PIXEL_ARCSEC
            x, y = rng.uniform(-0.4 * half, size - 1 + 0.4 * half, 2).tolist()
        new = Placed(kind, x, y, major, minor, float(round(angle)))
        if (kind != "bubble" or _shows(new, size)) and _clear(new, others):
            return new
    return None


def _semi_major(size: int, rng: np.random.Generator, settings: BubbleSettings) -> float:
    """A semi-major axis in arcmin that the tile can show."""
    largest = _LARGEST * size * PIXEL_ARCSEC / 60.0
    major = largest
    for _ in range(_TRIES):
        wave = rng.standard_normal()
        scatter = settings.scatter[int(wave > 0)]
        major = settings.median_arcmin * float(np.exp(scatter * wave))
        if settings.least_arcmin <= major <= largest:
            break
    return min(major, largest)


def _on_rim(host: Placed, turn: float) -> tuple[float, float]:
    """The x and y of a place on the crest of a bubble's rim, at an angle from its major axis."""
    angle = np.deg2rad(host.angle)
    along = host.major_px * np.cos(turn)
    across = host.major_px * host.minor / host.major * np.sin(turn)
    x = host.x - along * np.sin(angle) + across * np.cos(angle)
    return float(x), float(host.y + along * np.cos(angle) + across * np.sin(angle))


def _shows(bubble: Placed, size: int) -> bool:
    half = BOX * bubble.major_px
    sides = [min(at + half, size - 0.5) - max(at - half, -0.5) for at in (bubble.x, bubble.y)]
    return min(sides) > 0 and sides[0] * sides[1] >= _LEAST_SHOWN * (2.0 * half) ** 2


def _clear(new: Placed, others: list[Placed]) -> bool:
    return all(
        np.hypot(new.x - each.x, new.y - each.y) > 1.2 * (new.major_px + each.major_px)
        for each in others
    )
