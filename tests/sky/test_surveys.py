"""The list of surveys, and the field that a view asks for."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError, SurveyError
from napari_astroseg.sky.coords.orientation import directions
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.wavelengths import wavelength_um
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.surveys.field import HALF_SKY_DEG, MOST_PX, Field, on_plane
from napari_astroseg.sky.surveys.survey import GROUPS, survey, surveys
from napari_astroseg.sky.window import Window

IRAC4 = survey("irac4")
PAGE = Path(__file__).parents[2] / "docs" / "surveys.md"


def view(
    axes: str, lon: float, lat: float, pixel_deg: float, shape: tuple[int, int], turn: float = 0.0
) -> SkyImage:
    """An image of nothing, of any size, with its reference point in its middle."""
    wcs = WCS(naxis=2)
    names = ("GLON", "GLAT") if axes.startswith("G") else ("RA--", "DEC-")
    wcs.wcs.ctype = [f"{name}-{axes[1:]}" for name in names]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-pixel_deg, pixel_deg]
    cosine, sine = math.cos(turn), math.sin(turn)
    wcs.wcs.pc = [[cosine, -sine], [sine, cosine]]
    return SkyImage(ArrayPixels(np.broadcast_to(np.float32(0), shape)), wcs, name="view")


def hidden(field: Field, image: SkyImage, window: Window) -> float:
    """Share of the sky in a window, up to 90° from the field's middle, that the field lacks."""
    inside = window.clipped(image.shape)
    x = np.linspace(inside.x - 0.5, inside.x_end - 0.5, 40)
    y = np.linspace(inside.y - 0.5, inside.y_end - 0.5, 40)
    there = image.sky(*np.meshgrid(x, y))
    there = there[np.isfinite(there.spherical.lon)]
    there = there[there.separation(field.middle.transform_to(there.frame)).deg < 90]
    x, y = field.wcs.world_to_pixel(there)
    shown = (abs(x - (field.width_px - 1) / 2) <= field.width_px / 2 + 1e-6) & (
        abs(y - (field.height_px - 1) / 2) <= field.height_px / 2 + 1e-6
    )
    return float(1 - shown.mean())


def seen(image: SkyImage, window: Window) -> bool:
    """Whether there is any sky in a window of an image."""
    x = np.linspace(window.x - 0.5, window.x_end - 0.5, 33)
    y = np.linspace(window.y - 0.5, window.y_end - 0.5, 33)
    return bool(np.isfinite(image.sky(*np.meshgrid(x, y)).spherical.lon).any())


# --- the list -----------------------------------------------------------------------------


def test_the_list_is_complete_and_has_no_doubles() -> None:
    listed = surveys()
    assert {each.group for each in listed} == set(GROUPS)
    for words in ("key", "name", "hips"):
        told = [getattr(each, words).casefold() for each in listed]
        assert len(told) == len(set(told))
    for each in listed:
        assert re.fullmatch(r"[a-z0-9_]+", each.key)
        assert re.fullmatch(r"(CDS|ESAVO|ov-gso)/P/[A-Za-z0-9]+(/[A-Za-z0-9-]+)*", each.hips)
        assert each.attribution
        assert each.coverage
        assert re.fullmatch(r"\d{4}[\w&.]{15}|https://\S+", each.reference)
        assert each.wavelength_um is not None and 0.3 < each.wavelength_um < 1200
        assert each.resolution_arcsec is not None and each.pixel_arcsec is not None
        assert 0.2 <= each.pixel_arcsec < each.resolution_arcsec
        assert each.listed
    assert [each.group for each in listed] == sorted(
        (each.group for each in listed), key=GROUPS.index
    )


def test_names_tell_the_wavelengths_of_the_list() -> None:
    for each in surveys():
        told = wavelength_um(each.name)
        if told is not None and each.group != "DSS":
            assert told == pytest.approx(each.wavelength_um, rel=0.07), each.name


@pytest.mark.parametrize(
    "told",
    ["2mass_k", "2MASS K", " 2mass  k ", "CDS/P/2MASS/K", "cds/p/2mass/k", "P/2MASS/K",
     "ivo://CDS/P/2MASS/K"],
)  # fmt: skip
def test_a_survey_goes_by_many_words(told: str) -> None:
    assert survey(told) is survey("2mass_k")


def test_both_greek_letters_and_micro_signs_are_micrometres() -> None:
    assert survey("Spitzer GLIMPSE 8.0 μm") == survey("Spitzer GLIMPSE 8.0 µm") == IRAC4


@pytest.mark.parametrize(
    ("told", "key"),
    [("CDS/P/SDSS9/g", "cds_p_sdss9_g"), ("ov-gso/P/CGPS/VGPS", "ov_gso_p_cgps_vgps")],
)
def test_any_hips_makes_a_survey(told: str, key: str) -> None:
    made = survey(told)
    assert (made.key, made.hips, made.name, made.group) == (key, told, told, "other")
    assert told in made.credit
    assert not made.listed
    assert survey("µ/sky").key != survey("ñ/sky").key


@pytest.mark.parametrize("told", ["", "   ", "ivo://", "a\0b", "x" * 300])
def test_what_names_nothing_is_told(told: str) -> None:
    with pytest.raises(SurveyError, match="names no survey; give one of the list"):
        survey(told)


def test_the_page_lists_what_the_package_does() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in line]
    assert rows == [
        f"| {each.name} | `{each.key}` | `{each.hips}` | {each.resolution_arcsec:g}″ "
        f"| {each.unit or '–'} | {each.coverage} | {each.reference} |"
        for each in surveys()
    ]


# --- the field that covers a view ---------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "window"),
    [
        (view("GCAR", 0, 0, 11.5 / 3600, (2000, 40000)), Window(19000, 500, 2000, 1000)),
        (view("GCAR", 0, 0, 11.5 / 3600, (2000, 40000)), Window(0, 0, 40000, 2000)),
        (view("GCAR", 30, 0, 11.5 / 3600, (2000, 40000)), Window(19000, 500, 20, 10)),
        (view("GTAN", 359.99, 0.2, 1 / 3600, (2000, 3000), 0.3), Window(0, 0, 3000, 2000)),
        (view("GTAN", 0.01, 0.2, 1 / 3600, (2000, 3000), 2.3), Window(100, 0, 900, 2000)),
        (view("RTAN", 123, 90, 1 / 3600, (2000, 3000), 0.3), Window(0, 0, 3000, 2000)),
        (view("RTAN", 123, 89.99, 1 / 3600, (2000, 3000), 1), Window(0, 0, 3000, 2000)),
        (view("RTAN", 123, -89.6, 1 / 3600, (2000, 3000)), Window(-500, -500, 3000, 2000)),
        (view("RAIT", 0, 0, 0.1, (1800, 3600)), Window(0, 0, 3600, 1800)),
        (view("RAIT", 0, 0, 0.1, (1800, 3600)), Window(-200, -300, 1000, 800)),
        (view("RSIN", 40, 50, 0.1, (1200, 1200)), Window(0, 0, 1200, 1200)),
    ],
)
@pytest.mark.parametrize("screen_px", [None, 1600])
def test_all_that_is_in_view_is_covered(
    image: SkyImage, window: Window, screen_px: int | None
) -> None:
    field = Field.of(image, window, screen_px, IRAC4)
    assert hidden(field, image, window) == 0
    assert field.frame == image.frame
    assert max(field.width_px, field.height_px) <= MOST_PX


@settings(max_examples=80)
@given(
    axes=st.sampled_from(["GTAN", "RTAN", "GCAR", "RSIN", "RZEA", "GAIT", "RSTG"]),
    lon=st.floats(0, 360),
    lat=st.floats(-90, 90),
    pixel=st.floats(-4.5, -0.5),
    turn=st.floats(0, 6.3),
    corner=st.tuples(st.integers(-300, 900), st.integers(-300, 700)),
    size=st.tuples(st.integers(1, 1200), st.integers(1, 1200)),
)
def test_any_view_of_any_sky_is_covered(
    axes: str,
    lon: float,
    lat: float,
    pixel: float,
    turn: float,
    corner: tuple[int, int],
    size: tuple[int, int],
) -> None:
    lat = 0.0 if axes[1:] in {"CAR", "AIT"} else lat
    image = view(axes, lon, lat, 10**pixel, (800, 1000), turn)
    window = Window(*corner, *size)
    try:
        field = Field.of(image, window, 900, IRAC4)
    except SurveyError:
        inside = window.overlap(Window.whole(image.shape))
        assert inside is None or not seen(image, inside)
        return
    assert hidden(field, image, window) == 0
    assert max(field.width_px, field.height_px) <= MOST_PX
    assert field.pixel_arcsec >= 0.8


def test_the_resolution_is_that_in_view_and_never_finer_than_the_survey() -> None:
    image = view("GTAN", 30, 0, 2 / 3600, (9000, 9000))
    for side in (50, 300, 1500, 2500, 4500, 9000):
        for key in ("irac4", "wise_w3", "akari90"):
            band = survey(key)
            field = Field.of(image, Window(0, 0, side, side), 1000, band)
            seen = 2.0 * max(1.0, side / 1000)
            own = band.pixel_arcsec or 0.0
            assert field.pixel_arcsec >= own
            assert field.pixel_arcsec == pytest.approx(max(seen, own), rel=0.2)
            assert not field.note


def test_without_a_screen_it_is_the_image_s_own() -> None:
    image = view("GTAN", 30, 0, 2 / 3600, (9000, 9000))
    field = Field.of(image, Window(0, 0, 900, 900), None, IRAC4)
    assert field.pixel_arcsec == pytest.approx(2, rel=0.2)


def test_an_unknown_survey_is_asked_at_the_resolution_in_view() -> None:
    image = view("GTAN", 30, 0, 0.05 / 3600, (900, 900))
    field = Field.of(image, Window(0, 0, 900, 900), 900, survey("ESAVO/P/HST/ACS"))
    assert field.pixel_arcsec == pytest.approx(0.05, rel=0.2)


def test_small_pans_ask_for_the_same_field() -> None:
    image = view("GCAR", 30, 0, 11.5 / 3600, (3000, 9000))
    fields = [
        Field.of(image, Window(3000 + dx, 500 + dx // 2, 2000, 1000), 1600, IRAC4)
        for dx in range(0, 800, 10)
    ]
    assert len(set(fields)) <= 12  # of 80
    changes = sum(one != two for one, two in pairwise(fields))
    assert changes == len(set(fields)) - 1  # none comes back
    for dx, field in zip(range(0, 800, 10), fields, strict=True):
        assert hidden(field, image, Window(3000 + dx, 500 + dx // 2, 2000, 1000)) == 0


def test_no_more_is_fetched_than_needed() -> None:
    image = view("GCAR", 30, 0, 11.5 / 3600, (3000, 9000))
    for width in range(400, 2400, 133):
        window = Window(3000, 500, width, width // 2)
        field = Field.of(image, window, width, IRAC4)
        area = field.width_px * field.height_px * field.pixel_arcsec**2
        assert area <= 2.4 * width * (width // 2) * 11.5**2


def test_what_is_wider_than_half_the_sky_is_cut_and_told() -> None:
    image = view("RAIT", 0, 0, 0.1, (1800, 3600))
    field = Field.of(image, Window.whole(image.shape), 1600, IRAC4)
    assert field.projection == "ZEA"
    assert field.width_px * field.pixel_arcsec / 3600 == pytest.approx(HALF_SKY_DEG, abs=0.3)
    assert "only half the sky around the middle of the view; zoom in for more" in field.note


def test_what_has_too_many_pixels_is_coarser_and_told() -> None:
    image = view("GCAR", 0, 0, 2 / 3600, (3000, 20000))
    field = Field.of(image, Window.whole(image.shape), None, IRAC4)
    assert MOST_PX / 2 < field.width_px <= MOST_PX
    assert "coarser than the view" in field.note
    assert "at most 4096 pixels" in field.note


def test_a_view_without_sky_is_told() -> None:
    image = view("RAIT", 0, 0, 0.1, (1800, 3600))
    with pytest.raises(SurveyError, match="shows no sky; move"):
        Field.of(image, Window(0, 0, 30, 30), 1000, IRAC4)
    with pytest.raises(SurveyError, match="shows nothing of view; move"):
        Field.of(image, Window(-100, 0, 100, 30), 1000, IRAC4)
    plain = SkyImage.from_array(np.zeros((9, 9), np.float32))
    with pytest.raises(ImageError, match="no sky coordinates"):
        Field.of(plain, Window(0, 0, 9, 9), 9, IRAC4)


# --- the field itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [(0, 0), (266.4, -29), (0, 90), (77, 90), (200, -90), (359.9, 89)]
)
@pytest.mark.parametrize(("pixel", "projection"), [(20.0, "TAN"), (900.0, "ZEA")])
def test_its_plane_is_what_the_standard_says(
    place: tuple[float, float], pixel: float, projection: str
) -> None:
    field = Field(*place, "icrs", 200, 120, pixel)
    assert field.projection == projection
    image = SkyImage(ArrayPixels(np.zeros((120, 200), np.float32)), field.wcs)
    x, y = np.array([0, 199, 30, 99.5]), np.array([0, 119, 100, 59.5])
    flat = on_plane(directions(image, x, y, "icrs"), place, field.projection)
    expected = np.stack([99.5 - x, y - 59.5], axis=1) * pixel / 3600
    np.testing.assert_allclose(flat, expected, atol=1e-9)
    far = image.sky(0.0, 0.0).separation(field.middle).deg
    assert far == pytest.approx(field.radius_deg, rel=0.01)


def test_a_longitude_goes_round() -> None:
    assert Field(-1.0, 0.0, "galactic", 9, 9, 1.0) == Field(359.0, 0.0, "galactic", 9, 9, 1.0)
    assert Field(1.0, 0.0, "icrs", 9, 9, 1.0) == Field(1.0, 0.0, "icrs", 9, 9, 1.0, note="x")


def test_different_fields_have_different_identities() -> None:
    fields = [
        Field(1.0, 0.0, "icrs", 9, 9, 1.0),
        Field(1.0, 0.0, "galactic", 9, 9, 1.0),
        Field(1.0001, 0.0, "icrs", 9, 9, 1.0),
        Field(1.0, 0.0, "icrs", 9, 8, 1.0),
        Field(1.0, 0.0, "icrs", 9, 9, 1.1),
    ]
    assert len({field.identity for field in fields}) == len(fields)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.0, 91.0, "icrs", 9, 9, 1.0), "no place on the sky; give a latitude"),
        ((math.nan, 0.0, "icrs", 9, 9, 1.0), "no place on the sky; give a latitude"),
        ((0.0, 0.0, "icrs", 0, 9, 1.0), "cannot be fetched; give sides of 1 to 4096"),
        ((0.0, 0.0, "icrs", 9, 5000, 1.0), "cannot be fetched; give sides of 1 to 4096"),
        ((0.0, 0.0, "icrs", 9, 9, 0.0), "cannot be fetched; give sides"),
        ((0.0, 0.0, "fk4", 9, 9, 1.0), "no frame for a field; give galactic or icrs"),
    ],
)
def test_numbers_that_are_no_field_are_told(numbers: tuple, words: str) -> None:
    with pytest.raises(SurveyError, match=words):
        Field(*numbers)


def test_its_words_are_for_people() -> None:
    assert Field(30.0, -0.1, "galactic", 900, 60, 2.0).words == (
        "l 30.000°, b -0.100°, 30′ × 2′ at 2″"
    )
    assert "RA 10.000°, Dec +0.000°, 2.5° × 9″ at 9″" in Field(10, 0, "icrs", 1000, 1, 9.0).words


def test_neighbours_are_near() -> None:
    here = Field(0.1, 0.0, "galactic", 100, 100, 36.0)
    assert here.near(Field(359.5, 0.0, "galactic", 100, 100, 36.0))
    assert not here.near(Field(357.0, 0.0, "galactic", 100, 100, 36.0))
    centre = here.middle.icrs
    assert here.near(Field(float(centre.ra.deg), float(centre.dec.deg), "icrs", 9, 9, 1.0))
