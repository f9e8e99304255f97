"""What `info` tells of a file, and that the preview is a picture of the map."""

import matplotlib.image
import numpy as np
import pytest
from astropy.io import fits
from skies import galactic_wcs, write_four_maps

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.info import describe
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.preview import write_preview
from napari_astroseg.sky.window import Window


def test_an_image_is_described(tmp_path):
    told = describe(write_four_maps(tmp_path))
    assert told["kind"] == "image"
    (image,) = told["images"]
    assert image["shape"] == [192, 256]
    assert image["projection"] == "GLON-CAR/GLAT-CAR"
    assert image["frame"] == "galactic"
    assert image["pixel_scale_arcsec"] == pytest.approx(11.5)
    assert image["unit"] == "cm-2"
    assert image["dtype"] == "float32"
    assert 0 < image["missing_fraction"] < 0.02


def test_cubes_tables_and_headers_are_told_apart(tmp_path):
    cube, table, bare = (tmp_path / f"{name}.fits" for name in ("cube", "table", "bare"))
    fits.PrimaryHDU(np.zeros((3, 4, 5), np.float32)).writeto(cube)
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(table)
    fits.PrimaryHDU().writeto(bare)
    assert describe(cube)["kind"] == "cube"
    assert "plane" in describe(cube)["notes"][0]
    assert describe(table)["kind"] == "catalogue"
    assert describe(bare)["kind"] == "none"
    (tmp_path / "text.fits").write_text("hello, this is a text")
    with pytest.raises(ImageError, match=r"text\.fits is not a FITS file"):
        describe(tmp_path / "text.fits")


@pytest.mark.parametrize("with_wcs", [True, False])
def test_the_preview_draws_map_probability_and_outlines(tmp_path, with_wcs):
    values = np.random.default_rng(0).lognormal(50, 0.3, (80, 120)).astype(np.float32)
    values[:10] = np.nan
    image = SkyImage.from_array(values, galactic_wcs() if with_wcs else None, "cm-2")
    labels = np.zeros((80, 120), np.int32)
    labels[30:50, 40:80] = 1
    probability = (labels > 0).astype(np.float32)
    whole = Window.whole((80, 120))
    path = write_preview(tmp_path / "p.png", image, whole, probability, labels, "t")
    picture = matplotlib.image.imread(path)[..., :3]
    assert picture.shape[1] > 1000
    cyan = (picture[..., 0] < 0.2) & (picture[..., 1] > 0.7) & (picture[..., 2] > 0.8)
    assert cyan.sum() > 100


@pytest.mark.parametrize("fill", [np.nan, 5.0])
def test_a_preview_of_nothing_still_draws(tmp_path, fill):
    image = SkyImage.from_array(np.full((40, 40), fill, np.float32))
    nothing = np.zeros((40, 40), np.int32)
    path = write_preview(
        tmp_path / "n.png", image, Window.whole((40, 40)), nothing.astype(np.float32), nothing, "t"
    )
    assert path.stat().st_size > 5000


def test_a_huge_window_is_drawn_from_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_astroseg.sky.preview._LONGEST", 50)
    image = open_image(write_four_maps(tmp_path))
    nothing = np.zeros(image.shape, np.int32)
    whole = Window.whole(image.shape)
    path = write_preview(tmp_path / "h.png", image, whole, nothing.astype(np.float32), nothing, "t")
    assert path.exists()
