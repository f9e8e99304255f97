"""Opening: stacks of files, bands, and images that another process opens again by name."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_bands, open_image, pictures
from napari_astroseg.sky.spheres.healpix import HealpixPixels
from napari_astroseg.sky.window import Window

SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 4.0, "CRPIX2": 3.0, "CRVAL1": 83.6,
       "CRVAL2": -5.4, "CDELT1": -0.001, "CDELT2": 0.001}  # fmt: skip


def band(path: Path, fill: float, shape: tuple[int, int] = (6, 7), **cards: Any) -> Path:
    fits.PrimaryHDU(np.full(shape, fill, np.float32), fits.Header(SKY | cards)).writeto(path)
    return path


def whole(image: SkyImage) -> NDArray[Any]:
    return np.asarray(image.data.compute())


# --- many files as one --------------------------------------------------------------------


def test_files_of_one_grid_are_bands_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    paths = [band(tmp_path / f"img_{name}.fits", n, BUNIT="Jy") for n, name in enumerate("grz")]
    image = open_bands(paths)
    assert (image.bands, image.name, image.unit) == (("g", "r", "z"), "img", "Jy")
    np.testing.assert_array_equal(whole(image)[:, 2, 3], [0, 1, 2])
    assert image.plane(2).name == "img [z]"
    theirs = WCS(fits.Header(SKY)).pixel_to_world(1, 2)
    assert image.sky(1, 2).separation(theirs).arcsec < 1e-6
    again = pickle.loads(pickle.dumps(image))
    assert again.bands == image.bands
    np.testing.assert_array_equal(whole(again), whole(image))
    plane = pickle.loads(pickle.dumps(image.plane(1)))
    assert plane.reference == open_image(paths[1]).reference
    assert (plane.name, plane.bands) == ("img [r]", ("r",))
    np.testing.assert_array_equal(whole(plane), 1.0)


def test_filter_cards_go_before_file_names(tmp_path: Path) -> None:
    paths = [band(tmp_path / f"{n}.fits", n, FILTER=name) for n, name in enumerate(["Ha", "OIII"])]
    assert open_bands(paths).bands == ("Ha", "OIII")
    paths.append(band(tmp_path / "2.fits", 2, FILTER="Ha"))
    assert open_bands(paths).bands == ("0", "1", "2")


def test_hdus_can_be_bands(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    extensions = [fits.ImageHDU(np.full((4, 5), n), name=name) for n, name in enumerate("uv")]
    fits.HDUList([fits.PrimaryHDU(), *extensions]).writeto(path)
    image = open_bands([f"{path}[v]", f"{path}[u]"], "mine")
    assert (image.name, image.count) == ("mine", 2)
    np.testing.assert_array_equal(whole(image)[:, 0, 0], [1, 0])


def test_bands_off_the_grid_are_refused(tmp_path: Path) -> None:
    first = band(tmp_path / "a.fits", 0)
    with pytest.raises(ImageError, match=r"b is 7 × 5 pixels and a 7 × 6; .* as layers instead"):
        open_bands([first, band(tmp_path / "b.fits", 0, (5, 7))])
    with pytest.raises(ImageError, match=r"c lies up to 1 px away from a on the sky; bands need"):
        open_bands([first, band(tmp_path / "c.fits", 0, CRPIX1=5.0)])
    fits.PrimaryHDU(np.zeros((2, 6, 7))).writeto(tmp_path / "d.fits")
    with pytest.raises(ImageError, match=r"d.fits holds 2 planes where one band is wanted; open"):
        open_bands([first, tmp_path / "d.fits"])
    with pytest.raises(ImageError, match="no bands were named"):
        open_bands([])


def test_bands_of_several_units_have_none_together(tmp_path: Path) -> None:
    paths = [band(tmp_path / f"{unit}.fits", 0, BUNIT=unit) for unit in ("K", "Jy")]
    image = open_bands(paths)
    assert image.unit == "" and "its bands have different units" in image.notes


def test_the_real_bands(shared_data: Path) -> None:
    folder = shared_data / "multiband"
    image = open_bands([folder / f"img_{name}.fits" for name in "grz"])
    assert image.bands == ("g", "r", "z")
    window = Window(100, 200, 30, 20)
    theirs = [fits.getdata(folder / f"img_{name}.fits")[window.slices] for name in "grz"]
    np.testing.assert_array_equal(image.cutout(window), theirs)
    hsc = open_image(folder / "Cut_HSC.fits")
    assert (hsc.count, hsc.bands) == (5, ("1", "2", "3", "4", "5"))
    np.testing.assert_array_equal(whole(hsc), fits.getdata(folder / "Cut_HSC.fits"))


# --- opened again elsewhere ---------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0)])
def test_stacks_and_planes_are_opened_again_as_what_they_were(
    tmp_path: Path, order: tuple[int, ...], compress: bool
) -> None:
    cube = np.random.default_rng(0).normal(size=(30, 6, 7)).astype(np.float32)
    sky = SKY if order == (0, 1, 2) else {
        f"{key[:-1]}{int(key[-1]) + 1}": value for key, value in SKY.items()
    }  # fmt: skip
    values, header = cube.transpose(order), fits.Header(sky)
    hdu: Any = fits.ImageHDU(values, header)
    if compress:
        hdu = fits.CompImageHDU(values, header, compression_type="GZIP_2", quantize_level=0)
    path = tmp_path / "cube.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    image = open_image(f"{path}[1]")
    packed = pickle.dumps(image)
    assert len(packed) < 2000
    again = pickle.loads(packed)
    assert (again.name, again.count, again.reference) == (image.name, 30, image.reference)
    np.testing.assert_array_equal(whole(again), cube)
    plane = image.plane(12)
    assert plane.reference is not None and plane.reference.plane == 12
    packed = pickle.dumps(plane)
    assert len(packed) < 2000
    back = pickle.loads(packed)
    assert (back.name, back.shape, back.count) == (plane.name, (6, 7), 1)
    assert back.reference == plane.reference
    assert back.pixels.identity == plane.pixels.identity
    assert back.pixels.identity != image.plane(13).pixels.identity
    np.testing.assert_array_equal(whole(back), cube[12])


def test_a_file_in_hdus_of_its_own_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "bands.fits"
    header = fits.Header(SKY)
    extensions = [fits.ImageHDU(np.full((4, 5), n), header, name) for n, name in enumerate("gr")]
    fits.HDUList([fits.PrimaryHDU(), *extensions]).writeto(path)
    image = open_image(path)
    again = pickle.loads(pickle.dumps(image))
    assert again.bands == ("G", "R")
    np.testing.assert_array_equal(whole(again), whole(image))


# --- every odd file -----------------------------------------------------------------------

REFUSED = {
    "astropy_tests__compressed_float_bzero.fits": "no two-dimensional image",
    "astropy_tests__dist.fits": "no two-dimensional image",
    "astropy_tests__random_groups.fits": "random groups",
    "astropy_tests__sip.fits": "no two-dimensional image",
}


def test_every_image_of_every_odd_file_is_as_astropy_has_it(shared_data: Path) -> None:
    for path in sorted((shared_data / "odd").iterdir()):
        entries = pictures(path)
        if not entries:
            with pytest.raises(ImageError, match=f"{path.name}.*{REFUSED[path.name]}.*;"):
                open_image(path)
        for entry in entries:
            image = open_image(path, entry.hdu)
            if isinstance(image.pixels, HealpixPixels):
                continue
            theirs = np.asarray(fits.getdata(path, entry.hdu))
            ours = whole(image)
            np.testing.assert_allclose(
                ours, theirs.reshape(ours.shape), rtol=1e-6, err_msg=f"{path.name} {entry.hdu}"
            )
            if image.wcs is None:
                assert any("sky coordinates" in note for note in image.notes), path.name
                continue
            with fits.open(path) as hdus, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wcs = WCS(hdus[entry.hdu].header, hdus, naxis=2)
                x, y = np.mgrid[0 : image.shape[1] : 5j, 0 : image.shape[0] : 5j]
                expected = wcs.pixel_to_world(x, y)
            apart = image.sky(x, y).separation(expected).arcsec
            assert np.nanmax(apart) < 1e-5, path.name


@pytest.mark.parametrize("key", ["0", "PRIMARY", "x", "2", "SCI,1"])
def test_what_is_no_image_is_listed_elsewhere(tmp_path: Path, key: str) -> None:
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 3)))]).writeto(path)
    assert open_image(f"{path}[1]").name == "a [1]"
    with pytest.raises(ImageError, match=r"a\.fits.*`astroseg info a\.fits` lists"):
        open_image(f"{path}[{key}]")


def test_a_minus_sign_counts_no_hdus(tmp_path: Path) -> None:
    path = band(tmp_path / "a.fits", 1)
    with pytest.raises(ImageError, match="no HDU -1"):
        open_image(path, -1)
