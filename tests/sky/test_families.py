"""Families: an image finds its errors and its flags, as each observatory names them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.sky.files.families import Part, part_of
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image, pictures

SHAPE = (6, 7)
VALUES = np.arange(42, dtype=np.float32).reshape(SHAPE)


def written(path: Path, *hdus: tuple[str, int, Any], primary: Any = None) -> Path:
    """A file of images with these names, versions and values."""
    extensions = []
    for name, version, values in hdus:
        hdu = fits.ImageHDU(np.asarray(values), name=name, ver=version)
        hdu.header["BUNIT"] = f"unit of {name}"
        extensions.append(hdu)
    fits.HDUList([fits.PrimaryHDU(primary), *extensions]).writeto(path)
    return path


def whole(image: SkyImage | None) -> NDArray[Any]:
    assert image is not None
    return np.asarray(image.data.compute())


@pytest.mark.parametrize(
    ("names", "spread"),
    [
        (("SCI", "ERR", "DQ"), "deviation"),  # HST, JWST
        (("IMAGE", "VARIANCE", "MASK"), "variance"),  # Rubin
        (("SCI", "WGT", "MSK"), "weight"),  # DES
        (("DATA", "STAT", "DQ"), "variance"),  # MUSE
        (("FLUX", "IVAR", "MASK"), "weight"),  # SDSS
        (("HALPHA", "HALPHA_IVAR", "HALPHA_MASK"), "weight"),  # MaNGA maps
        (("image", "uncert", "flags"), "deviation"),
        (("NGC253", "SIGMA", "BPM"), "deviation"),
    ],
)
def test_an_image_carries_its_errors_and_flags(
    tmp_path: Path, names: tuple[str, str, str], spread: str
) -> None:
    science, error, mask = names
    flags = (VALUES % 3).astype(np.int16)
    path = written(tmp_path / "a.fits", (science, 1, VALUES * 10), (error, 1, VALUES),
                   (mask, 1, flags))  # fmt: skip
    assert [entry.role for entry in pictures(path)] == ["science", "uncertainty", "mask"]
    image = open_image(path)
    expected = {
        "deviation": VALUES,
        "variance": np.sqrt(VALUES),
        "weight": np.where(VALUES > 0, 1 / np.sqrt(np.maximum(VALUES, 1)), np.nan),
    }[spread]
    np.testing.assert_array_equal(whole(image), VALUES * 10)
    np.testing.assert_allclose(whole(image.uncertainty), expected, rtol=1e-6)
    np.testing.assert_array_equal(whole(image.mask), flags)
    assert image.uncertainty is not None
    if spread != "deviation":
        assert image.uncertainty.unit == f"unit of {science}"
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_allclose(whole(again.uncertainty), expected, rtol=1e-6)
    lone = pickle.loads(pickle.dumps(image.uncertainty))
    np.testing.assert_allclose(whole(lone), expected, rtol=1e-6)


def test_an_error_opens_by_itself_as_the_file_has_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", ("IMAGE", 1, VALUES), ("VARIANCE", 1, VALUES * 2))
    image = open_image(path, "VARIANCE")
    np.testing.assert_array_equal(whole(image), VALUES * 2)
    assert image.uncertainty is None and image.unit == "unit of VARIANCE"


def test_versions_keep_detectors_apart(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.fits",
        ("SCI", 1, VALUES), ("ERR", 1, VALUES + 1), ("SCI", 2, VALUES * 2),
        ("ERR", 2, VALUES + 2), ("DQ", 2, VALUES),
    )  # fmt: skip
    first, second = open_image(path), open_image(f"{path}[SCI,2]")
    np.testing.assert_array_equal(whole(first.uncertainty), VALUES + 1)
    assert first.mask is None
    np.testing.assert_array_equal(whole(second), VALUES * 2)
    np.testing.assert_array_equal(whole(second.uncertainty), VALUES + 2)
    assert second.name == "a [SCI,2]"


def test_another_shape_is_no_relative(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", ("SCI", 1, VALUES), ("ERR", 1, VALUES[:3]))
    assert open_image(path).uncertainty is None


def test_an_unnamed_primary_image_and_its_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", ("ERROR", 1, VALUES + 1), primary=VALUES)
    np.testing.assert_array_equal(whole(open_image(path).uncertainty), VALUES + 1)


def test_a_weight_before_its_image_is_not_the_default(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", ("WEIGHT", 1, VALUES), ("SCI", 1, VALUES * 3))
    image = open_image(path)
    np.testing.assert_array_equal(whole(image), VALUES * 3)
    assert image.uncertainty is None
    only = written(tmp_path / "b.fits", ("WEIGHT", 1, VALUES))
    np.testing.assert_array_equal(whole(open_image(only)), VALUES)


@pytest.mark.parametrize(
    ("card", "told", "inverse"),
    [
        ("WGTTYPE", "IVAR", True),
        ("BUNIT", "1/(MJy/sr)**2", True),
        ("BUNIT", "nanomaggy^-2", True),
        ("COMMENT", "Weights are inverse variances", True),
        ("WGTTYPE", "MAP_WEIGHT", False),
        ("BUNIT", "erg s-1 cm-2", False),
        ("HISTORY", "coadded with inverse variance weights", False),
    ],
)
def test_weights_become_an_uncertainty_where_their_header_says_so(
    tmp_path: Path, card: str, told: str, inverse: bool
) -> None:
    path = written(tmp_path / "a.fits", ("SCI", 1, VALUES), ("WEIGHT", 1, VALUES + 4))
    with fits.open(path, "update") as hdus:
        hdus[2].header[card] = told
    assert pictures(path)[1].role == ("uncertainty" if inverse else "other")
    image = open_image(path)
    assert (image.uncertainty is not None) == inverse
    if inverse:
        np.testing.assert_allclose(whole(image.uncertainty), (VALUES + 4) ** -0.5, rtol=1e-6)


def test_a_width_of_lines_is_a_map_with_errors_of_its_own(tmp_path: Path) -> None:
    names = [f"STELLAR_{n}{end}" for n in ("VEL", "SIGMA") for end in ("", "_IVAR", "_MASK")]
    path = written(tmp_path / "a.fits", *((n, 1, VALUES + k) for k, n in enumerate(names, 1)))
    assert [entry.role for entry in pictures(path)] == ["science", "uncertainty", "mask"] * 2
    image = open_image(path, "STELLAR_SIGMA")
    np.testing.assert_allclose(whole(image.uncertainty), (VALUES + 5) ** -0.5, rtol=1e-6)
    np.testing.assert_array_equal(whole(image.mask), VALUES + 6)
    plain = written(tmp_path / "b.fits", ("STELLAR", 1, VALUES), ("STELLAR_SIGMA", 1, VALUES + 1))
    np.testing.assert_array_equal(whole(open_image(plain).uncertainty), VALUES + 1)
    alone = written(tmp_path / "c.fits", ("GAS_SIGMA", 1, VALUES), ("GAS_FLUX", 1, VALUES))
    assert [entry.role for entry in pictures(alone)] == ["science", "science"]


def test_an_error_goes_before_a_variance_and_a_component_stands_for_none(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.fits",
        ("SCI", 1, VALUES), ("VAR_POISSON", 1, VALUES), ("VAR", 1, VALUES), ("ERR", 1, VALUES + 5),
    )  # fmt: skip
    np.testing.assert_array_equal(whole(open_image(path).uncertainty), VALUES + 5)
    path = written(tmp_path / "b.fits", ("SCI", 1, VALUES), ("VAR_RNOISE", 1, VALUES))
    assert open_image(path).uncertainty is None


def test_what_has_no_deviation_is_missing(tmp_path: Path) -> None:
    odd = np.array([[4.0, 0.0, -1.0, np.nan, np.inf]])
    for name, expected in (("VAR", [2, 0, np.nan, np.nan, np.inf]),
                           ("IVAR", [0.5, np.nan, np.nan, np.nan, 0])):  # fmt: skip
        path = written(tmp_path / f"{name}.fits", ("SCI", 1, odd), (name, 1, odd))
        np.testing.assert_array_equal(whole(open_image(path).uncertainty), [expected])


def test_a_cube_and_a_plane_of_it_carry_theirs(tmp_path: Path) -> None:
    cube = np.arange(20 * 42, dtype=np.float32).reshape(20, *SHAPE)
    path = written(tmp_path / "a.fits", ("DATA", 1, cube), ("STAT", 1, cube + 1))
    image = open_image(path)
    np.testing.assert_allclose(whole(image.uncertainty), np.sqrt(cube + 1), rtol=1e-6)
    plane = pickle.loads(pickle.dumps(image.plane(7)))
    np.testing.assert_allclose(whole(plane.uncertainty), np.sqrt(cube[7] + 1), rtol=1e-6)


def test_an_image_whose_flags_are_cut_off_opens_without_them(tmp_path: Path) -> None:
    big = np.ones((90, 80), np.float32)
    path = written(tmp_path / "a.fits", ("SCI", 1, big), ("ERR", 1, big), ("DQ", 1, big))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 2880)
    image = open_image(path)
    assert image.uncertainty is not None and image.mask is None
    assert any("opens without its DQ: a.fits" in note for note in image.notes)


def test_constant_images_without_pixels(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", ("SCI", 1, VALUES))
    empty = fits.ImageHDU(name="ERR", ver=1)
    empty.header.update(NPIX1=7, NPIX2=6, PIXVALUE=0.25, BUNIT="COUNTS")
    with fits.open(path, mode="append") as hdus:
        hdus.append(empty)
    image = open_image(path)
    np.testing.assert_array_equal(whole(image.uncertainty), np.full(SHAPE, 0.25))
    assert open_image(path, "ERR").shape == SHAPE


def test_the_real_families(shared_data: Path) -> None:
    path = shared_data / "odd" / "fitsrs__HST_NICMOS.fits"
    image = open_image(path)
    np.testing.assert_array_equal(whole(image.uncertainty), fits.getdata(path, "ERR"))
    np.testing.assert_array_equal(whole(image.mask), fits.getdata(path, "DQ"))
    path = shared_data / "filaments" / "HIGAL_L_Fil10_N.fits"
    np.testing.assert_array_equal(whole(open_image(path).uncertainty), fits.getdata(path, 1))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", Part("", "science")),
        ("sci", Part("", "science")),
        ("ccd07", Part("CCD07", "science")),
        ("STELLAR_VEL_IVAR", Part("STELLAR_VEL", "uncertainty", "weight")),
        ("VAR_FLAT", Part("VAR_FLAT", "uncertainty")),
        ("WHT", Part("", "other")),
        ("BIG_SKY", Part("BIG_SKY", "science")),
    ],
)
def test_names_tell_roles(name: str, part: Part) -> None:
    assert part_of(name) == part
