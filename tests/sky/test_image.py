"""SkyImage: lazy values that know their unit and their place on the sky."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import astropy.units as u
import dask.array as da
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.stored import value_dtype
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import CHUNK, Axis, SkyImage, parsed_unit
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window

SHAPE = (60, 90)


def sky_of(lon: str, lat: str, **attributes: object) -> WCS:
    """A 6-arcsec sky whose reference pixel is in the middle of SHAPE."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [lon, lat]
    wcs.wcs.crpix = [45.5, 30.5]
    wcs.wcs.crval = [30.0, -20.0]
    wcs.wcs.cdelt = [-6 / 3600, 6 / 3600]
    for name, value in attributes.items():
        setattr(wcs.wcs, name, value)
    return wcs


SKIES = {
    "icrs": sky_of("RA---TAN", "DEC--TAN", radesys="ICRS"),
    "galactic": sky_of("GLON-CAR", "GLAT-CAR", crval=[30.0, 0.0]),
    "fk4": sky_of("RA---TAN", "DEC--TAN", radesys="FK4", equinox=1950.0),
    "fk5": sky_of("RA---TAN", "DEC--TAN", radesys="FK5", equinox=1975.0),
    "latitude first": sky_of("DEC--SIN", "RA---SIN", crval=[-20.0, 30.0], radesys="ICRS"),
    "arcsec": sky_of("RA---TAN", "DEC--TAN", cunit=["arcsec"] * 2, cdelt=[-6, 6], crval=[9e3, 2e3]),
}
each_sky = pytest.mark.parametrize("name", SKIES)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def image(values: np.ndarray) -> SkyImage:
    return SkyImage.from_array(values, SKIES["galactic"], "MJy/sr", "field")


# --- values -------------------------------------------------------------------------------


def test_an_array_becomes_an_image_without_a_copy(values: np.ndarray, image: SkyImage) -> None:
    assert (image.shape, image.dtype, image.name) == (SHAPE, np.float32, "field")
    assert isinstance(image.pixels, ArrayPixels)
    assert image.pixels.ndim == 2
    assert image.pixels.array is values
    assert image.reference is None


def test_data_is_lazy_and_in_squares() -> None:
    read: list[tuple[slice, slice]] = []

    class Watched(ArrayPixels):
        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            read.append(key)
            return super().__getitem__(key)

    image = SkyImage(Watched(np.ones((3 * CHUNK, 2 * CHUNK), np.float32)))
    data = image.data
    assert isinstance(data, da.Array)
    assert data.chunks == ((CHUNK,) * 3, (CHUNK,) * 2)
    assert all(key == (slice(0, 0), slice(0, 0)) for key in read)  # dask asks for the type
    read.clear()
    assert data[: CHUNK // 2, :10].sum().compute() == CHUNK // 2 * 10
    assert len(read) == 1


@pytest.mark.parametrize(
    ("given_type", "held"),
    [
        ("?", "f4"), ("u1", "f4"), ("i2", "f4"), ("u2", "f4"), ("i4", "f8"), ("i8", "f8"),
        ("f2", "f4"), ("f4", "f4"), ("f8", "f8"), (">f4", "f4"), (">f8", "f8"), (">i2", "f4"),
    ],
)  # fmt: skip
def test_any_real_type_is_held_exactly(given_type: str, held: str) -> None:
    largest = 2**24 + 1 if np.dtype(given_type).itemsize >= 4 and "i" in given_type else 1
    values = np.array([[0, 1], [largest, 1]]).astype(given_type)
    image = SkyImage.from_array(values)
    assert image.dtype == np.dtype(held) == value_dtype(values.dtype)
    assert image.dtype.isnative
    np.testing.assert_array_equal(image.data.compute(), values.astype("f8"))


@pytest.mark.parametrize("shape", [(5,), (2, 5, 5), ()])
def test_an_image_has_two_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=f"two axes, not {len(shape)}; pass one plane"):
        SkyImage.from_array(np.zeros(shape))


@pytest.mark.parametrize("values", [[["a", "b"]], [[1j, 2]]])
def test_an_image_holds_real_numbers(values: list[list[object]]) -> None:
    with pytest.raises(ImageError, match=r"real numbers, not .*; convert them first"):
        SkyImage.from_array(values)  # type: ignore[arg-type]


@given(x=st.floats(-20, 120), y=st.floats(-20, 80))
def test_the_value_under_the_cursor(x: float, y: float) -> None:
    values = np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    got = SkyImage.from_array(values).value(x, y)
    if -0.5 < x < SHAPE[1] - 0.5 and -0.5 < y < SHAPE[0] - 0.5:
        row, column = divmod(got, SHAPE[1])
        assert abs(column - x) <= 0.5
        assert abs(row - y) <= 0.5
    elif not (-0.5 <= x <= SHAPE[1] - 0.5 and -0.5 <= y <= SHAPE[0] - 0.5):
        assert np.isnan(got)


@pytest.mark.parametrize(("x", "y"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0)])
def test_no_pixel_is_under_what_is_no_number(image: SkyImage, x: float, y: float) -> None:
    assert np.isnan(image.value(x, y))


def test_a_cutout_is_a_copy() -> None:
    held = np.ones((6, 6), np.float32)
    SkyImage.from_array(held).cutout(Window.whole((6, 6)))[:] = 7.0
    assert (held == 1.0).all()


def test_a_cutout_wholly_outside_is_missing(image: SkyImage) -> None:
    assert np.isnan(image.cutout(Window(500, 500, 4, 3))).all()
    assert image.cutout(Window(500, 500, 4, 3)).shape == (3, 4)


# --- the sky ------------------------------------------------------------------------------


@each_sky
def test_sky_and_pixel_are_each_others_inverse(name: str, values: np.ndarray) -> None:
    image = SkyImage.from_array(values, SKIES[name])
    y, x = np.mgrid[0:60:7, 0:90:11].astype(float)
    back = image.pixel(image.sky(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-6)
    assert back[0].shape == x.shape


@each_sky
def test_positions_are_astropys(name: str, values: np.ndarray) -> None:
    wcs = SKIES[name]
    image = SkyImage.from_array(values, wcs)
    ours = image.sky(3.25, 50.5)
    theirs = wcs.pixel_to_world(3.25, 50.5)
    assert ours.frame.is_equivalent_frame(theirs.frame)
    assert ours.separation(theirs).arcsec < 1e-9
    if name in {"icrs", "galactic", "fk4", "fk5"}:
        assert image.frame == name
    scale = image.pixel_scale_arcsec
    assert scale == pytest.approx(6.0, rel=1e-6)


def test_positions_of_another_frame(image: SkyImage) -> None:
    here = image.sky(10.0, 20.0)
    x, y = image.pixel(here.icrs)
    assert (float(x), float(y)) == pytest.approx((10.0, 20.0), abs=1e-6)


def test_a_position_behind_the_tangent_plane_has_no_pixel(values: np.ndarray) -> None:
    image = SkyImage.from_array(values, SKIES["icrs"])
    x, y = image.pixel(SkyCoord([30.0, 210.0], [-20.0, 20.0], unit="deg"))
    assert np.isfinite([x[0], y[0]]).all()
    assert np.isnan([x[1], y[1]]).all()


def test_far_off_a_distorted_image_there_is_no_pixel(values: np.ndarray) -> None:
    image = SkyImage.from_array(values, distorted())
    x, y = image.pixel(SkyCoord([30.0, 33.0], [-20.0, -18.0], unit="deg"))
    assert (x[0], y[0]) == pytest.approx((44.5, 29.5), abs=1e-6)
    assert np.isnan([x[1], y[1]]).all()


def test_an_image_without_a_sky_says_what_to_do(values: np.ndarray) -> None:
    image = SkyImage.from_array(values, name="photo")
    assert image.frame is None
    assert image.pixel_scale_arcsec is None
    for question in (lambda: image.sky(0, 0), lambda: image.window_on_sky(1, 2, 3)):
        with pytest.raises(ImageError, match="photo has no sky coordinates; give pixels instead"):
            question()


@each_sky
def test_a_window_on_the_sky(name: str, values: np.ndarray) -> None:
    image = SkyImage.from_array(values, SKIES[name])
    middle = image.sky(40.2, 20.2).spherical
    window = image.window_on_sky(middle.lon.deg, middle.lat.deg, 60 / 3600)
    assert window == Window.around(40.2, 20.2, 10)
    assert image.window_on_sky(middle.lon.deg, middle.lat.deg, 1e-9).shape == (1, 1)


def test_a_window_on_another_sky_is_refused(values: np.ndarray) -> None:
    image = SkyImage.from_array(values, SKIES["icrs"], name="field")
    with pytest.raises(ImageError, match=r"field does not reach 210, 20 deg \(icrs\); give a pos"):
        image.window_on_sky(210.0, 20.0, 0.1)


def distorted() -> WCS:
    """The ICRS sky with SIP polynomials."""
    header = SKIES["icrs"].to_header()
    header.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 3, "B_ORDER": 3})
    header.update({"A_3_0": 1e-5, "B_0_3": 1e-5})
    return WCS(header)


def test_threads_that_share_an_image_agree(values: np.ndarray) -> None:
    """One WCS shared by threads gives a few wrong values in a million: each has its own."""
    image = SkyImage.from_array(values, distorted())
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 90, (8, 30_000)), rng.uniform(0, 60, (8, 30_000))
    expected = [image.sky(*here).spherical for here in zip(x, y, strict=True)]
    start = threading.Barrier(8)

    def ask(one: int) -> float:
        start.wait(30)
        got = [image.sky(x[one], y[one]).spherical for _ in range(30)]
        return max(
            np.abs(np.subtract(getattr(each, axis).deg, getattr(expected[one], axis).deg)).max()
            for each in got
            for axis in ("lon", "lat")
        )

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(ask, range(8))) < 1e-12


def test_a_changed_copy_has_its_own_sky(image: SkyImage) -> None:
    image.sky(0, 0)
    moved = dataclasses.replace(image, wcs=SKIES["icrs"])
    assert (image.frame, moved.frame) == ("galactic", "icrs")


# --- units --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("cm-2", u.cm**-2),
        ("cm^-2", u.cm**-2),
        ("cm^(-2)", u.cm**-2),
        ("cm**-2", u.cm**-2),
        (" MJy/sr ", u.MJy / u.sr),
        ("Jy/beam", u.Jy / u.beam),
        ("", None),
        ("   ", None),
        ("counts of things", None),
    ],
)
def test_units_as_files_spell_them(written: str, unit: u.UnitBase | None) -> None:
    assert parsed_unit(written) == unit
    assert SkyImage.from_array(np.zeros((2, 2)), unit=written).physical_unit == unit


# --- travelling ---------------------------------------------------------------------------


def test_an_image_in_memory_travels_whole(image: SkyImage) -> None:
    image.sky(0, 0)
    bands = dataclasses.replace(image, axis=Axis("band", "band", ("8um",)), notes=("a note",))
    again = pickle.loads(pickle.dumps(bands))
    np.testing.assert_array_equal(again.data.compute(), image.data.compute())
    assert (again.name, again.unit, again.bands) == ("field", "MJy/sr", ("8um",))
    assert again.notes == ("a note",)
    assert again.header == image.header
    assert again.sky(5, 6).separation(image.sky(5, 6)).arcsec < 1e-9


@pytest.mark.parametrize("hdu", [None, 1, "SCI"])
def test_an_image_in_a_file_travels_by_name(tmp_path: Path, hdu: int | str | None) -> None:
    science = fits.ImageHDU(np.ones(SHAPE, np.float32), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), science]).writeto(tmp_path / "a.fits")
    image = open_image(tmp_path / "a.fits", hdu)
    again = pickle.loads(pickle.dumps(image))
    assert (again.name, again.reference) == (image.name, image.reference)
    assert again.value(3, 3) == 1.0


def test_a_cutout_is_written_and_read_back_where_it_was(tmp_path: Path, image: SkyImage) -> None:
    path = write_image(tmp_path / "a.fits", image.cutout(Window.whole(SHAPE)), image.header)
    again = open_image(path)
    assert again.frame == "galactic"
    assert again.sky(7, 8).separation(image.sky(7, 8)).deg < 1e-9


@pytest.mark.parametrize("middle", [0.0, 179.5, 300.0])
def test_an_array_on_a_cylinder_is_found_beyond_half_a_turn(middle):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["GLON-CAR", "GLAT-CAR"], [0, 0], [-0.1, 0.1]
    wcs.wcs.crpix = 100.5 + 10 * middle, 20.5  # 20 degrees of longitude around `middle`
    image = SkyImage.from_array(np.zeros((40, 200)), wcs)
    x, y = np.array([0.0, 99.5, 199.0]), np.array([0.0, 20.0, 39.0])
    position = image.sky(x, y)
    assert position.l.wrap_at(middle * u.deg + 180 * u.deg).deg[1] == pytest.approx(middle)
    assert np.allclose(image.pixel(position), [x, y], atol=1e-6)
    assert wcs.pixel_shape is None  # the caller's own is left alone
