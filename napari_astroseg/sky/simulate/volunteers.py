"""Volunteers: what simulated people of differing care mark in a picture of a galaxy.

They point at its centre and at stars, and draw around arms and bars with a few straight lines,
more or less where these are; some see less, some mark one thing twice or the wrong one, and some
nothing. How far points scatter, and how many people mark stars at all, is as in the one real file
looked at; how people draw is argued, not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.simulate.spiralarm import Arm
from napari_astroseg.sky.simulate.spiralscene import FIELD_PX, Galaxy, SpiralSettings
from napari_astroseg.sky.votes.drawings import Drawing

Path = NDArray[np.float64]

CHOSEN = 0.5
"""Share of an earlier round's votes from which people are asked for arms; half of it for bars."""

_FIRST = datetime(2017, 3, 8, 12, tzinfo=UTC)
_DAYS = 420.0
_NUMBERS = (40_000_000, 142_000)
"""The first classification's number, and how many were made on a day."""

_SCATTER_PX = 2.3
"""Of a point that is meant to mark a centre or a star, each way."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """What people said of one galaxy.

    Parameters
    ----------
    drawings
        `center`, `star`, `spiral`, `bar` → a drawing for each person asked; none where it was not
        asked for. Places are px of the picture that was shown.
    asked, spiral, bar
        Of an earlier round: how many were asked what they see, and how many saw arms or a bar.
    """

    drawings: dict[str, tuple[Drawing, ...]]
    asked: int
    spiral: int
    bar: int


def crowd(
    galaxy: Galaxy,
    stars: Path,
    magnitudes: NDArray[np.float64],
    size: int,
    rng: np.random.Generator,
    settings: SpiralSettings,
) -> Crowd:
    """What people mark in a picture of `size` pixels a side.

    Parameters
    ----------
    stars, magnitudes
        Places (x, y) of foreground stars in a picture of the usual side, and their r.
    """
    early, points, arms, bars = rng.spawn(4)
    asked = int(np.clip(early.normal(42.0, 6.0), 25, 70))
    spiral = int(early.binomial(asked, _chance_of_arms(galaxy)))
    bar = int(early.binomial(asked, _chance_of_bar(galaxy)))
    people = settings.volunteers

    def drawn(
        marks: str, which: Sequence[list[Path]], when: Sequence[tuple[int, str]]
    ) -> tuple[Drawing, ...]:
        return tuple(
            Drawing(number, time, "", "points" if marks == "points" else "paths", _shown(own, size))
            for own, (number, time) in zip(which, when, strict=True)
        )

    when = _times(people, points)
    centres = [_centre(galaxy, points) for _ in range(people)]
    found = [_stars(stars, magnitudes, points) for _ in range(people)]
    told = {"center": drawn("points", centres, when), "star": drawn("points", found, when)}
    for kind, chosen, draw, own in (
        ("spiral", spiral >= CHOSEN * asked, _arms, arms),
        ("bar", bar >= 0.5 * CHOSEN * asked, _bars, bars),
    ):
        told[kind] = ()
        if chosen:
            lines = [draw(galaxy, own) for _ in range(people)]
            told[kind] = drawn("paths", lines, _times(people, own))
    return Crowd(told, asked, spiral, bar)


def around(galaxy: Galaxy, arm: Arm, care: float, rng: np.random.Generator) -> Path:
    """Corners (N, 2) of an outline drawn around an arm, px.

    Parameters
    ----------
    care
        0 for few corners far off, 1 for many close by.
    """
    reach = np.log(arm.outer / arm.inner)
    start = abs(rng.normal(0.04, 0.05 + 0.10 * (1.0 - care)))
    end = 1.0 - abs(rng.normal(0.05, 0.06 + 0.18 * (1.0 - care)))
    end = max(end, start + 0.3)
    length = (end - start) * reach / abs(np.tan(arm.pitch))
    corners = int(np.clip(np.ceil(3.0 + length * (1.6 + 2.4 * care)), 4, 26))
    radius = arm.inner * np.exp(reach * np.linspace(start, end, corners))
    azimuth = arm.crest(radius)
    crest = np.column_stack((radius * np.cos(azimuth), radius * np.sin(azimuth)))
    ahead = np.gradient(crest, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    normal = np.column_stack((-ahead[:, 1], ahead[:, 0]))
    half = 1.25 * arm.looks(radius) * np.exp(rng.normal(0.0, 0.22))
    half *= np.sqrt(np.clip(4.0 * np.linspace(0.08, 0.92, corners), 0.3, 1.0))
    stray = _wave(corners, 1.0 + 4.0 * (1.0 - care), rng)
    sides = []
    for sign in (1.0, -1.0):
        off = stray + sign * half + rng.normal(0.0, 0.8 + 1.6 * (1.0 - care), corners)
        places = crest + off[:, None] * normal
        sides.append(galaxy.seen(np.hypot(*places.T), np.arctan2(places[:, 1], places[:, 0])))
    return np.concatenate((sides[0], sides[1][::-1]))


def _shown(lines: list[Path], size: int) -> tuple[Path, ...]:
    """Places of a picture of the usual side on one of `size`, to a 64th of a pixel."""
    factor = size / FIELD_PX
    return tuple(np.round(((line + 0.5) * factor - 0.5) * 64.0) / 64.0 for line in lines)


def _times(people: int, rng: np.random.Generator) -> list[tuple[int, str]]:
    """Numbers and times of so many classifications, in order."""
    days = np.sort(rng.uniform(0.0, _DAYS, people))
    first, daily = _NUMBERS
    return [
        (first + round(day * daily), f"{_FIRST + timedelta(days=day):%Y-%m-%d %H:%M:%S} UTC")
        for day in days.tolist()
    ]


def _chance_of_arms(galaxy: Galaxy) -> float:
    """That somebody who looks at it briefly sees arms."""
    if galaxy.arms:
        return float(np.clip(0.03 + 0.95 * galaxy.evident, 0.0, 0.98))
    return {"lenticular": 0.12, "irregular": 0.33, "edge_on": 0.1}.get(galaxy.shape, 0.02)


def _chance_of_bar(galaxy: Galaxy) -> float:
    if not galaxy.bar[0]:
        return 0.05
    return float(np.clip(0.1 + 0.8 * (galaxy.ratio - 0.25), 0.1, 0.7))


def _centre(galaxy: Galaxy, rng: np.random.Generator) -> list[Path]:
    """One point mostly; two, or none, now and then."""
    count = int(rng.choice(3, p=(0.06, 0.91, 0.03)))
    middle = np.array((galaxy.x, galaxy.y))
    return [middle + rng.normal(0.0, _SCATTER_PX, (1, 2)) for _ in range(count)]


def _stars(places: Path, magnitudes: NDArray[np.float64], rng: np.random.Generator) -> list[Path]:
    """Points at the stars that are bright enough, by the half of the people who mark any."""
    if rng.random() > 0.45:
        return []
    seen = rng.random(len(places)) < np.clip((21.2 - magnitudes) / 2.0, 0.0, 0.92)
    return [place + rng.normal(0.0, 0.8 * _SCATTER_PX, (1, 2)) for place in places[seen]]


def _arms(galaxy: Galaxy, rng: np.random.Generator) -> list[Path]:
    """What one person draws who is asked for spiral arms."""
    care = float(rng.beta(3.0, 2.0))
    if rng.random() < 0.06 + 0.3 * (1.0 - galaxy.evident) * (1.0 - care):
        return []
    if not galaxy.arms:
        return [] if rng.random() < 0.8 else [around(galaxy, _imagined(galaxy, rng), care, rng)]
    wrong_way = rng.random() < 0.04
    lines = []
    for arm in galaxy.drawable:
        if rng.random() > galaxy.shown(arm) ** (1.1 - 0.8 * care):
            continue
        meant = replace(arm, pitch=-arm.pitch) if wrong_way else arm
        lines.append(around(galaxy, meant, care, rng))
        if rng.random() < 0.05:
            lines.append(around(galaxy, meant, care, rng))
    for chance, draw in _SLIPS:
        if rng.random() < chance:
            lines.append(draw(galaxy, rng))
    return lines


def _bars(galaxy: Galaxy, rng: np.random.Generator) -> list[Path]:
    """What one person draws who is asked for a bar."""
    if rng.random() < (0.12 if galaxy.bar[0] else 0.75):
        return []
    lines = [_bar(galaxy, rng)]
    if rng.random() < 0.03:
        lines.append(_bar(galaxy, rng))
    return lines


def _bar(galaxy: Galaxy, rng: np.random.Generator) -> Path:
    """A box with blunt ends around the bar, or around the middle where there is none."""
    length, angle = galaxy.bar
    length = (length or 0.4 * galaxy.radius) * float(np.exp(rng.normal(0.0, 0.12)))
    angle += float(rng.normal(0.0, 0.07))
    turn = np.linspace(0.0, 2.0 * np.pi, int(rng.integers(5, 13)), endpoint=False)
    along, over = length * np.cos(turn), 0.36 * length * np.sin(turn)
    corners = galaxy.seen(np.hypot(along, over), np.arctan2(over, along) + angle)
    return np.asarray(corners + rng.normal(0.0, 1.6, corners.shape))


def _whole(galaxy: Galaxy, rng: np.random.Generator) -> Path:
    """A line around the whole galaxy, by one who takes the disc for what is asked for."""
    turn = np.linspace(0.0, 2.0 * np.pi, int(rng.integers(8, 15)), endpoint=False)
    radius = galaxy.radius * rng.uniform(1.6, 2.3) * np.exp(rng.normal(0.0, 0.06, turn.size))
    return galaxy.seen(radius, turn)


def _slip(galaxy: Galaxy, rng: np.random.Generator) -> Path:
    """A line of one or two corners, which a click too many leaves behind."""
    place = galaxy.seen(galaxy.radius * rng.uniform(0.2, 2.0, 1), rng.uniform(0.0, 6.0, 1))
    return np.repeat(place, int(rng.integers(1, 3)), axis=0) + rng.normal(0.0, 2.0)


def _crossed(galaxy: Galaxy, rng: np.random.Generator) -> Path:
    """An outline of which the sides change places halfway, so that it crosses itself."""
    line = around(galaxy, galaxy.arms[0], 0.5, rng)
    one, other = line[: len(line) // 2], line[len(line) // 2 :][::-1]
    half = len(one) // 2
    return np.concatenate((one[:half], other[half:], one[half:][::-1], other[:half][::-1]))


_SLIPS: tuple[tuple[float, Callable[[Galaxy, np.random.Generator], Path]], ...] = (
    (0.03, _whole),
    (0.03, _bar),
    (0.04, _slip),
    (0.04, _crossed),
)
"""What goes wrong, and how often."""


def _imagined(galaxy: Galaxy, rng: np.random.Generator) -> Arm:
    """An arm where there is none."""
    inner = galaxy.radius * float(rng.uniform(0.6, 1.2))
    pitch = float(rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.6))
    width = 0.12 * galaxy.radius
    return Arm(float(rng.uniform(0.0, 6.0)), pitch, inner, 1.8 * inner, width, 1.0)


def _wave(count: int, size: float, rng: np.random.Generator) -> Path:
    """A line's way off its aim, smooth from corner to corner."""
    at = np.linspace(0.0, 1.0, count)
    turns, phases = np.array((1.0, 2.0, 3.0)), rng.uniform(0.0, 2.0 * np.pi, 3)
    waves = np.sin(2.0 * np.pi * turns[:, None] * at + phases[:, None])
    return np.asarray(size * (rng.normal(0.0, 1.0, 3) @ waves) / np.sqrt(1.5))
