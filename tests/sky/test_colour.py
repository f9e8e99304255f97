"""Three bands become the picture that astropy makes of them, lazily, and only on one grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.visualization import make_lupton_rgb
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.looks.colour import AUTOMATIC, Lupton, Tuning, fitting, on_one_grid
from napari_astroseg.sky.looks.colourlevels import (
    ColourLevel,
    colour_levels,
    is_native_colour,
    native,
    native_colour_levels,
)
from napari_astroseg.sky.looks.wavelengths import reddest_first, wavelength_um
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.pyramids.pyramid import levels
from napari_astroseg.sky.window import Window


def noise(seed: int, shape: tuple[int, ...] = (64, 80)) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1.0, shape).astype(np.float32)


def bright_sky() -> list[np.ndarray]:
    """Noise, and stars from faint to far beyond white, of three colours."""
    bands = [noise(seed) for seed in range(3)]
    for number, flux in enumerate([3.0, 30.0, 300.0, 3e5]):
        for band, share in zip(bands, (1.0, 0.5, 0.2), strict=True):
            band[10 + 10 * number, 20] += flux * share
            band[10 + 10 * number, 60] += flux * (1.2 - share)
    return bands


def wcs(x: float = 40.0, ctype: str = "RA---TAN", lat: str = "DEC--TAN") -> WCS:
    made = WCS(naxis=2)
    made.wcs.ctype = [ctype, lat]
    made.wcs.crpix, made.wcs.crval = [x, 30.0], [150.0, 2.0]
    made.wcs.cdelt = [-1 / 3600, 1 / 3600]
    return made


# --- the mapping -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minimum", "stretch", "q"),
    [((0.0, 0.0, 0.0), 5.0, 8.0), ((-1.0, 0.5, 0.1), 0.5, 10.0), ((0.0, 0.0, 0.0), 100.0, 1.0)],
)
def test_it_is_astropys(minimum: tuple, stretch: float, q: float) -> None:
    bands = bright_sky()
    expected = make_lupton_rgb(*bands, minimum=minimum, stretch=stretch, Q=q)
    found = Lupton(minimum, stretch=stretch, q=q)(*bands)
    assert found.shape == (64, 80, 4)
    assert found.dtype == np.uint8
    assert expected.max() == 255
    assert np.abs(found[..., :3].astype(int) - expected).max() <= 1
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize(("stretch", "q"), [(0.05, 8.0), (0.5, 3.0)])
def test_real_bands_are_astropys(shared_data: Path, stretch: float, q: float) -> None:
    images = [open_image(shared_data / f"multiband/img_{band}.fits") for band in "zrg"]
    on_one_grid(images)
    bands = [image.cutout(Window.whole(image.shape)) for image in images]
    expected = make_lupton_rgb(*bands, minimum=0.0, stretch=stretch, Q=q)
    assert expected.mean() > 1
    pyramids = [levels(image) for image in images]
    (found,) = colour_levels(*pyramids, Lupton(stretch=stretch, q=q))
    assert np.abs(np.asarray(found)[..., :3].astype(int) - expected).max() <= 1


def test_weights_multiply_what_is_above_the_minimum() -> None:
    red, green, blue = bright_sky()
    plain = Lupton((0.1, 0.2, 0.3))(0.1 + 2 * (red - 0.1), green, 0.3 + 0.5 * (blue - 0.3))
    weighted = Lupton((0.1, 0.2, 0.3), (2.0, 1.0, 0.5))(red, green, blue)
    assert np.abs(plain.astype(int) - weighted).max() <= 1


def test_a_pixel_that_one_band_lacks_is_transparent() -> None:
    bands = bright_sky()
    bands[1][3, 4] = np.nan
    found = Lupton()(*bands)
    assert tuple(found[3, 4]) == (0, 0, 0, 0)
    assert (found[..., 3] == 0).sum() == 1


def test_infinite_pixels_are_drawn() -> None:
    bands = [np.array([[value]], np.float32) for value in (np.inf, 1.0, -np.inf)]
    red, green, blue, opacity = Lupton()(*bands)[0, 0]
    assert opacity == 255
    assert (red, blue) == (0, 0) or red > green >= blue


@given(
    scale=st.integers(-20, 22),
    values=st.lists(st.tuples(*[st.floats(-3, 1000)] * 3), min_size=1, max_size=20),
)
def test_units_do_not_matter(scale: int, values: list[tuple[float, float, float]]) -> None:
    unit = 10.0**scale
    bands = np.array(values, np.float64).T[:, None]
    plain = Lupton((-1.0, 0.0, 1.0), stretch=20.0)(*bands)
    weights = (1 / unit,) * 3
    scaled = Lupton((-unit, 0.0, unit), weights, stretch=20.0)(*(bands * unit).astype(np.float32))
    assert np.abs(plain.astype(int) - scaled).max() <= 1


@pytest.mark.parametrize(
    "bad",
    [{"stretch": 0.0}, {"q": -1.0}, {"weights": (1.0, 0.0, 1.0)}, {"minimum": (0.0, np.nan, 0.0)}],
)
def test_a_mapping_that_is_none_is_refused(bad: dict) -> None:
    with pytest.raises(ImageError, match="change these numbers"):
        Lupton(**bad)


def test_the_automatic_mapping_shows_faint_and_bright() -> None:
    rng = np.random.default_rng(3)
    scales, skies = (10.0, 1e-3, 5e4), (100.0, -0.01, 3e5)
    bands = []
    for scale, sky in zip(scales, skies, strict=True):
        band = rng.normal(0.0, 1.0, (200, 200))
        band[50:60, 50:60] += 5.0
        band[100:130, 100:130] += 60.0
        bands.append((sky + scale * band).astype(np.float32))
    found = fitting([band.ravel().astype(float) for band in bands])(*bands).astype(float)
    sky, faint, bright = found[:40, :40, :3], found[50:60, 50:60, :3], found[100:130, 100:130, :3]
    assert 2 < sky.mean() < 25
    assert 2 * sky.mean() < faint.mean() < bright.mean()
    assert bright.mean() > 120
    red, green, blue = bright.mean(axis=(0, 1))
    assert max(red, green, blue) < 1.15 * min(red, green, blue)  # white on average


@pytest.mark.parametrize(
    "values", [[], [3.0], [0.0] * 9, [-5.0] * 9 + [7.0], [1e30, 1e30, 2e30], list(range(50))]
)
def test_any_values_give_a_mapping(values: list[float]) -> None:
    samples = [np.array(values, float)] * 3
    picture = fitting(samples)(*[np.array([[*values, 1.0]], np.float32)] * 3)
    assert (picture[..., 3] == 255).all()


def test_a_tuning_changes_what_it_says() -> None:
    mapping = Lupton((1.0, 2.0, 3.0), (1.0, 10.0, 0.1), stretch=4.0)
    assert AUTOMATIC.of(mapping) == mapping
    tuned = Tuning(0.5, 3.0, 0.25, (2.0, 1.0, 1.0)).of(mapping)
    assert (tuned.stretch, tuned.q) == (2.0, 3.0)
    assert tuned.weights == (2.0, 10.0, 0.1)
    assert tuned.minimum == pytest.approx((1.0 + 1.0, 2.0 + 0.1, 3.0 + 10.0))


# --- levels ------------------------------------------------------------------------------------


def test_levels_are_made_where_they_are_looked_at() -> None:
    bands = [noise(seed, (2500, 2100)) for seed in range(3)]
    images = [SkyImage.from_array(band) for band in bands]
    paint = fitting([band.ravel().astype(float) for band in bands])
    made = colour_levels(*[levels(image) for image in images], paint)
    assert [level.shape for level in made] == [(2500, 2100, 4), (1250, 1050, 4)]
    whole = paint(*bands)
    finest = made[0]
    assert np.array_equal(finest[100:140, 7:9], whole[100:140, 7:9])
    assert np.array_equal(finest[100:140:3, 2000:, 1], whole[100:140:3, 2000:, 1])
    assert np.array_equal(finest[5], whole[5])
    assert np.array_equal(finest[5, 6], whole[5, 6])
    assert np.array_equal(finest[:, 6], whole[:, 6])
    assert np.array_equal(finest[..., 3], whole[..., 3])
    assert finest[9:9].shape == (0, 2100, 4)
    means = [band.reshape(1250, 2, 1050, 2).mean(axis=(1, 3)) for band in bands]
    difference = np.abs(np.asarray(made[1]).astype(int) - paint(*means))
    assert difference.max() <= 1


class _Counting:
    """A band that knows what was asked of it."""

    shape = (40_000, 40_000)

    def __init__(self) -> None:
        self.read = 0

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        rows, columns = (range(*part.indices(40_000)) for part in key)
        self.read += len(rows) * len(columns)
        return np.zeros((len(rows), len(columns)), np.float32)


def test_a_small_part_of_a_huge_picture_reads_little() -> None:
    bands = (_Counting(), _Counting(), _Counting())
    level = ColourLevel(bands, Lupton())
    assert level[20_000:20_010, 5:25].shape == (10, 20, 4)
    assert [band.read for band in bands] == [200, 200, 200]


# --- colours of their own ----------------------------------------------------------------------


def stack(planes: list[np.ndarray], labels: tuple[str, ...]) -> SkyImage:
    sources = [ArrayPixels(plane) for plane in planes]
    image = SkyImage(sources[0], name="stack")
    return replace(image, planes=sources, axis=Axis("band", "band", labels))


def test_native_colours_are_unchanged() -> None:
    planes = [np.random.default_rng(n).integers(0, 256, (30, 20)) for n in range(3)]
    image = stack([plane.astype(np.float32) for plane in planes], ("R", "G", "B"))
    (level,) = native_colour_levels(image)
    assert np.array_equal(np.asarray(level)[..., :3], np.stack(planes, axis=-1))
    assert (np.asarray(level)[..., 3] == 255).all()


def test_what_is_no_colour_is_clipped_or_transparent() -> None:
    found = native([[np.nan, -3.0]], [[1.0, 300.0]], [[2.0, 2.6]])
    assert tuple(found[0, 0]) == (0, 1, 2, 0)
    assert tuple(found[0, 1]) == (0, 255, 3, 255)


def test_other_bands_have_no_colours_of_their_own() -> None:
    image = stack([noise(n) for n in range(3)], ("g", "r", "z"))
    assert not is_native_colour(image)
    assert not is_native_colour(SkyImage.from_array(noise(0)))
    with pytest.raises(ImageError, match="choose three of its bands"):
        native_colour_levels(image)


def test_a_galaxy_zoo_picture_has_its_own_colours(shared_data: Path) -> None:
    from astropy.io import fits

    (path,) = (shared_data / "gz3d").glob("*.fits.gz")
    level = native_colour_levels(open_image(path, 0))[0]
    with fits.open(path) as hdus:
        stored = np.asarray(hdus[0].data)
    assert np.array_equal(level[:525, :525, :3], stored)


# --- one grid ----------------------------------------------------------------------------------


def on_sky(x: float = 40.0, **kwargs: str) -> SkyImage:
    return SkyImage.from_array(noise(0), wcs(x, **kwargs), name=f"at {x}")


def test_images_of_one_grid_pass() -> None:
    on_one_grid([on_sky(), on_sky(40.05), on_sky()])
    on_one_grid([SkyImage.from_array(noise(n)) for n in range(3)])


def test_other_grids_are_refused_in_words() -> None:
    with pytest.raises(ImageError, match=r"at 40.0 and at 40.2 .* \(0.2 px off\)"):
        on_one_grid([on_sky(), on_sky(), on_sky(40.2)])
    with pytest.raises(ImageError, match=r"80 × 64 px and 5 × 4 px.*choose three images"):
        on_one_grid([on_sky(), SkyImage.from_array(np.ones((4, 5)))])
    with pytest.raises(ImageError, match="only one has sky coordinates"):
        on_one_grid([on_sky(), SkyImage.from_array(noise(1))])
    with pytest.raises(ImageError, match="px off"):
        on_one_grid([on_sky(), on_sky(ctype="GLON-TAN", lat="GLAT-TAN")])


# --- which band is red -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g", 0.48), ("img_z", 0.90), ("gc_2mass_k", 2.17), ("Ks", 2.17), ("HSC-Y", 1.02),
        ("3.6", 3.6), ("spitzer 8um", 8.0), ("24 µm", 24.0), ("850nm", 0.85), ("wise_w3", 11.6),
        ("F814W", 0.814), ("F160W", 1.6), ("F090W", 0.9), ("F1500W", 15.0), ("PLW", 500.0),
        ("red", 0.62), ("sky_green", 0.53), ("PACS blue", 70.0), ("pacs_red", 160.0),
        ("F200W", 2.0), ("F322W2", 3.22), ("F444W", 4.44), ("F770W", 7.7), ("F2550W", 25.5),
        ("F606W", 0.606), ("F225W", 0.225), ("F125W", 1.25), ("F110W", 1.1), ("F105W", 1.05),
        ("F140W", 1.4), ("F140LP", 0.14), ("F850LP", 0.85), ("F1042M", 1.042),
        ("nircam_F410M", 4.1), ("hst_wfc3_F410M", 0.41),
    ],
)  # fmt: skip
def test_a_name_tells_its_wavelength(name: str, expected: float) -> None:
    assert wavelength_um(name) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["", "dark", "NGC 7000 mosaic", "m17"])
def test_other_names_tell_none(name: str) -> None:
    assert wavelength_um(name) is None


def test_the_reddest_comes_first() -> None:
    assert reddest_first(["img_g", "img_z", "img_r"]) == [1, 2, 0]
    assert reddest_first(["3.6", "8.0", "4.5", "notes"]) == [1, 2, 0, 3]
    assert reddest_first(["blue", "red", "green"]) == [1, 2, 0]
    assert reddest_first(["F606W", "F444W", "F200W"]) == [1, 2, 0]
    assert reddest_first(["a1", "a2", "a3"]) == [0, 1, 2]
