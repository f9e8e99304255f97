"""Meridians, parallels and the compass: where astropy puts them, in every kind of projection."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.sky.coords.graticule import Graticule, graticule
from napari_astroseg.sky.coords.orientation import FRAMES, orientation
from napari_astroseg.sky.coords.steps import (
    angle_text,
    length_text,
    round_length,
    round_step,
    ticks,
)
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image

EVERYWHERE = (-1e9, -1e9, 1e9, 1e9)


def sky(  # what a test wants to turn
    projection: str = "TAN",
    centre: tuple[float, float] = (83.8, -5.4),
    scale: float = 0.001,
    shape: tuple[int, int] = (300, 400),
    turn: float = 0.0,
    mirrored: bool = False,
    galactic: bool = False,
) -> SkyImage:
    height, width = shape
    wcs = WCS(naxis=2)
    lon, lat = ("GLON", "GLAT") if galactic else ("RA--", "DEC-")
    wcs.wcs.ctype = [f"{lon}-{projection}", f"{lat}-{projection}"]
    wcs.wcs.crpix = [(width + 1) / 2, (height + 1) / 2]
    wcs.wcs.cdelt = [scale if mirrored else -scale, scale]
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    wcs.wcs.pc = [[c, -s], [s, c]]
    wcs.wcs.crval = centre
    wcs.wcs.set()
    return SkyImage.from_array(np.zeros(shape, np.float32), wcs)


def off_by(image: SkyImage, made: Graticule) -> float:
    """How far, in pixels, points are from the line they claim to be on; the worst."""
    worst = 0.0
    for line in made.lines:
        x, y = line.points.T
        there = image.sky(x, y).transform_to(made.frame).spherical
        if line.kind == "lat":
            away = np.abs(there.lat.deg - line.value)
        else:
            turn = there.lon.rad - math.radians(line.value)
            away = np.degrees(np.abs(np.sin(turn) * np.cos(there.lat.rad)))
            assert np.median(np.cos(turn)) > 0.99  # on this side of the pole
        assert np.isfinite(away).all()
        worst = max(worst, float(away.max()) * 3600 / (image.pixel_scale_arcsec or 1))
    return worst


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    "image",
    [
        sky(),
        sky("SIN", turn=37.0),
        sky("CAR", centre=(0.0, 0.0), galactic=True),
        sky("ZEA", centre=(12.0, 60.0), scale=0.05, mirrored=True),
        sky("TAN", centre=(0.01, 10.0)),
    ],
    ids=["plain", "turned", "car", "mirrored", "ra-0"],
)
def test_lines_are_where_they_say(image: SkyImage, frame: str) -> None:
    made = graticule(image, EVERYWHERE, frame)  # type: ignore[arg-type]

    assert {line.kind for line in made.lines} == {"lon", "lat"}
    assert off_by(image, made) < 1.0


def test_lines_do_not_jump_across_the_picture_at_ra_zero() -> None:
    made = graticule(sky(centre=(0.0, 20.0), scale=0.01), EVERYWHERE, "icrs")

    values = {line.value for line in made.lines if line.kind == "lon"}
    steps = [np.abs(np.diff(line.points, axis=0)).max() for line in made.lines]

    assert 0.0 in values
    assert any(value > 350 for value in values)
    assert max(steps) < 10


def test_all_meridians_meet_at_a_pole_in_view_and_parallels_close_around_it() -> None:
    image = sky(centre=(30.0, 90.0), scale=0.01)

    made = graticule(image, EVERYWHERE, "icrs")

    pole = np.array(image.pixel(SkyCoord(0.0, 90.0, unit="deg"))).T
    meridians = [line for line in made.lines if line.kind == "lon"]
    nearest = [np.hypot(*(line.points - pole).T).min() for line in meridians]
    rings = [each.points for each in made.lines if each.kind == "lat" and each.value > 89.0]
    assert sorted({line.value for line in meridians}) == [30.0 * n for n in range(12)]
    assert max(nearest) < 5.0
    assert rings
    assert all(np.allclose(ring[0], ring[-1]) for ring in rings)


@pytest.mark.parametrize("projection", ["AIT", "MOL", "HPX", "CAR"])
def test_all_sky_maps_have_lines_on_the_sky_only_and_none_across_their_cuts(
    projection: str,
) -> None:
    image = sky(projection, (0.0, 0.0), 0.4, (450, 900), galactic=True)

    made = graticule(image, EVERYWHERE, "icrs")

    lengths = [np.hypot(*np.diff(line.points, axis=0).T).max() for line in made.lines]
    assert len(made.lines) > 10
    assert off_by(image, made) < 2.5
    assert max(lengths) < 20.0


def test_without_sky_or_off_the_image_there_are_no_lines() -> None:
    bare = SkyImage.from_array(np.zeros((8, 8), np.float32))

    assert graticule(bare, EVERYWHERE, "icrs").lines == ()
    assert graticule(sky(), (1e4, 1e4, 2e4, 2e4), "icrs").lines == ()


def test_spacing_is_kept_about() -> None:
    made = graticule(sky(scale=1 / 3600), EVERYWHERE, "icrs", spacing=60.0)

    assert made.lat_step * 3600 == pytest.approx(60.0)


@pytest.mark.parametrize("name", ["odd/galsim__pole.fits", "odd/galsim__1904-66_ARC.fits"])
def test_real_files(shared_data: Path, name: str) -> None:
    image = open_image(shared_data / name)

    for frame in FRAMES:
        made = graticule(image, EVERYWHERE, frame)
        assert {line.kind for line in made.lines} == {"lon", "lat"}
        assert off_by(image, made) < 1.0


@given(
    turn=st.floats(0, 360),
    mirrored=st.booleans(),
    lat=st.floats(-89.9, 89.9),
    frame=st.sampled_from(FRAMES),
)
def test_compass_points_where_the_sky_grows(
    turn: float, mirrored: bool, lat: float, frame: str
) -> None:
    image = sky(centre=(200.0, lat), turn=turn, mirrored=mirrored)
    x, y = 199.5, 149.5

    around = orientation(image, x, y, frame)  # type: ignore[arg-type]

    assert around is not None
    here = image.sky(x, y).transform_to(frame)
    for way, angle in ((around.north, 0.0), (around.east, 90.0)):
        there = image.sky(x + 0.1 * way[0], y + 0.1 * way[1]).transform_to(frame)
        turned = here.position_angle(there).deg - angle
        assert abs((turned + 180) % 360 - 180) < 0.1
    assert around.angle_deg(1.0, 0.0) == pytest.approx(0.001, rel=1e-3)


def test_there_is_no_compass_off_the_sky() -> None:
    image = sky("AIT", (0.0, 0.0), 0.4, (450, 900), galactic=True)

    assert orientation(image, 5.0, 5.0) is None
    assert orientation(SkyImage.from_array(np.zeros((8, 8), np.float32)), 1, 1) is None


@pytest.mark.parametrize(
    ("value", "step", "notation", "text"),
    [
        (83.75, 1.25, "hours", "5h35m"),
        (83.75, 15.0, "hours", "5h"),
        (83.8208333333, 1 / 240, "hours", "5h35m17s"),
        (83.8208333333 + 0.1 / 240, 0.1 / 240, "hours", "5h35m17.1s"),
        (359.99999999999, 0.25, "hours", "0h00m"),
        (-5.391111111, 1 / 3600, "degrees", "−5°23′28″"),
        (-0.5, 1 / 6, "degrees", "−0°30′"),
        (-1e-12, 1 / 6, "degrees", "0°00′"),
        (30.2, 0.2, "decimal", "30.2°"),
        (-0.0, 0.2, "decimal", "0.0°"),
    ],
)
def test_angles_are_written_as_their_step_needs(
    value: float, step: float, notation: str, text: str
) -> None:
    assert angle_text(value, step, notation) == text  # type: ignore[arg-type]


@given(st.floats(1e-7, 180.0))
def test_scale_bars_are_round_and_no_longer_than_asked(most: float) -> None:
    angle = round_length(most)

    assert 0.39 * most < angle <= most * (1 + 1e-6) or most > 90
    assert len(length_text(angle).rstrip("°′″mas ").replace(".", "").strip("0")) <= 2


@given(st.floats(1e-4, 40.0), st.sampled_from(["hours", "degrees", "decimal"]))
def test_steps_close_half_the_sky(about: float, notation: str) -> None:
    step = round_step(about, notation)  # type: ignore[arg-type]

    assert 180.0 / step == pytest.approx(round(180.0 / step), rel=1e-9)
    assert 0.4 < step / about < 2.5


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from([1.0, 0.3, 3.0]))
def test_ticks_rise_and_lie_between_the_ends(low: float, span: float, power: float) -> None:
    found = ticks(lambda share: low + span * max(0.0, share) ** power, 7)

    values = [value for value, _ in found]
    room = 1e-9 * max(abs(low), abs(low + span))
    assert values == sorted(set(values))
    assert all(low - room <= value <= low + span + room for value in values)
    assert 2 <= len(found) <= 15


def test_linear_ticks_are_even() -> None:
    assert [text for _, text in ticks(lambda share: -2 + 12 * share, 6)] == [
        "−2", "0", "2", "4", "6", "8", "10",
    ]  # fmt: skip
