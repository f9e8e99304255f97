"""Glow: the light of bubbles and of what is like them, at 8 and 24 um.

A bubble is a shell of polycyclic aromatic hydrocarbons around an H II region: they shine at 8 um
where the ultraviolet reaches them and are destroyed inside, where hot dust shines at 24 um
(Watson et al. 2008, ApJ 681 1341). Brightness here is in units of the sky around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.simulate.bubblescene import BubbleSettings, Placed

Floats = NDArray[np.float64]

_REACH = 2.2
"""Semi-major axes beyond which a structure has no light."""


@dataclass(frozen=True, slots=True, eq=False)
class Glow:
    """Light of the structures, (H, W) each, in units of the sky around."""

    rims: Floats
    """Of aromatic molecules, as seen at 8 um."""
    warm: Floats
    """Of the same rims at 24 um."""
    cores: Floats
    """Of hot dust at 24 um."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """The pixels about a structure: where they are, and their elliptical coordinates."""

    rows: slice
    columns: slice
    radius: Floats
    """1 on the ellipse."""
    turn: Floats
    """Angle from the major axis, radians."""


def glow(
    placed: list[Placed],
    shape: tuple[int, int],
    texture: Floats,
    settings: BubbleSettings,
    rng: np.random.Generator,
) -> Glow:
    """The light of all structures of a tile but its stars.

    Parameters
    ----------
    texture
        (H, W) factors of unit mean by which matter is lumpy.
    """
    rims, warm, cores = (np.zeros(shape) for _ in range(3))
    for each, own in zip(placed, rng.spawn(len(placed)), strict=True):
        there = _place(each, shape)
        if each.kind == "bright_star" or there is None:
            continue
        box = (there.rows, there.columns)
        lumps = texture[box]
        if each.kind != "diffuse_24um":
            rim = lumps * _rim(each, there, settings, own)
            rims[box] += rim
            # Small grains of the rim are warm, too, but not hot.
            warm[box] += rim * own.uniform(0.2, 0.5)
        if each.kind in ("bubble", "diffuse_24um"):
            core = _core(there, settings, own) * np.sqrt(lumps)
            cores[box] += core
            # What little is left of the molecules, and the wings of the lines.
            rims[box] += 0.03 * core
    return Glow(rims, warm, cores)


def _place(each: Placed, shape: tuple[int, int]) -> _Place | None:
    reach = _REACH * each.major_px
    low = [max(int(at - reach), 0) for at in (each.y, each.x)]
    high = [min(int(at + reach) + 2, n) for at, n in zip((each.y, each.x), shape, strict=True)]
    if low[0] >= high[0] or low[1] >= high[1]:
        return None
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    y, x = rows - each.y, columns - each.x
    # Longitude increases to the left, so an angle from North towards it opens anticlockwise.
    angle = np.deg2rad(each.angle)
    along = (y * np.cos(angle) - x * np.sin(angle)) / each.major_px
    across = (y * np.sin(angle) + x * np.cos(angle)) / (each.major_px * each.minor / each.major)
    return _Place(
        slice(low[0], high[0]),
        slice(low[1], high[1]),
        np.hypot(along, across),
        np.arctan2(across, along),
    )


def _rim(each: Placed, there: _Place, settings: BubbleSettings, rng: np.random.Generator) -> Floats:
    """The rim of a shell in projection: uneven, often open to one side, its crest at radius 1."""
    crest = 1.0 + _harmonics(there.turn, 0.05, (2, 3, 4, 5), rng)
    shell = _projected_shell(
        there.radius / crest, float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.15, 0.8))
    )
    uneven = np.exp(_harmonics(there.turn, 0.35, (1, 2, 3, 4, 6), rng))
    strength = max(settings.rim * 10.0 ** (0.2 * rng.standard_normal()), 0.5 * settings.rim)
    if each.kind == "arc":
        shown = _opening(there.turn, float(rng.uniform(0.5, 1.2)), rng)
    elif rng.random() < 0.6:
        shown = 1.0 - 0.9 * _opening(there.turn, float(rng.uniform(0.2, 0.7)), rng)
    else:
        shown = np.ones_like(shell)
    # No shell is as thin as its projection's cusp: the ionisation front has a depth.
    soft = ndimage.gaussian_filter(shell * uneven * shown, 0.04 * each.major_px, mode="nearest")
    return np.asarray(strength * soft)


def _projected_shell(radius: Floats, thickness: float, cap: float) -> Floats:
    """Column through a spherical shell, 1 at its inner radius, where it is highest.

    Parameters
    ----------
    radius
        In units of the inner radius.
    thickness
        Of the shell in units of its outer radius.
    cap
        How much of its front and back is there, 0 to 1: molecular clouds are flat, so bubbles are
        rings rather than spheres (Beaumont & Williams 2010, ApJ 709 791).
    """
    outer = 1.0 / (1.0 - thickness)
    far = np.sqrt(np.maximum(outer**2 - radius**2, 0.0))
    near = np.sqrt(np.maximum(1.0 - radius**2, 0.0))
    column = (far - near) / np.sqrt(outer**2 - 1.0)
    return np.asarray(column * (cap + (1.0 - cap) * np.minimum(radius, 1.0) ** 4))


def _core(there: _Place, settings: BubbleSettings, rng: np.random.Generator) -> Floats:
    """Hot dust inside, off its centre."""
    strength = max(settings.core * 10.0 ** (0.25 * rng.standard_normal()), 0.4 * settings.core)
    shift, towards = rng.uniform(0.0, 0.2), rng.uniform(0.0, 2.0 * np.pi)
    width = rng.uniform(0.25, 0.42)
    along = there.radius * np.cos(there.turn) - shift * np.cos(towards)
    across = there.radius * np.sin(there.turn) - shift * np.sin(towards)
    uneven = np.exp(_harmonics(there.turn, 0.3, (1, 2, 3), rng) * np.minimum(there.radius, 1.0))
    return np.asarray(strength * uneven * np.exp(-0.5 * (along**2 + across**2) / width**2))


def _opening(turn: Floats, half_width: float, rng: np.random.Generator) -> Floats:
    """1 within so many radians of a random direction, 0 away from it, soft between."""
    away = np.angle(np.exp(1j * (turn - rng.uniform(-np.pi, np.pi))))
    return np.asarray(np.exp(-((away / half_width) ** 4)))


def _harmonics(
    turn: Floats, scatter: float, orders: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """Smooth noise along a closed curve of about this standard deviation."""
    total = np.zeros_like(turn)
    for order in orders:
        phase = rng.uniform(0.0, 2.0 * np.pi)
        total += rng.standard_normal() * np.cos(order * turn + phase) / np.sqrt(order)
    return np.asarray(scatter * total)
