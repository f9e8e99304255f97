"""HiPS folders: the survey's own pixels in their places, at every order."""

from __future__ import annotations

import io
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from loopback import serving
from numpy.typing import NDArray
from PIL import Image
from reproject import reproject_interp
from reproject.hips import hips_as_dask_array, reproject_to_hips

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.far import patience
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids import pyramid
from napari_astroseg.sky.spheres.hips import is_hips, open_hips
from napari_astroseg.sky.spheres.hipspixels import HipsPixels

ORDER, WIDTH = 3, 64
SOURCE = SkyCoord(83.63, 22.01, unit="deg")


def tan(centre: SkyCoord, side: int, step_deg: float) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = centre.ra.deg, centre.dec.deg
    wcs.wcs.crpix = side / 2 + 0.5, side / 2 + 0.5
    wcs.wcs.cdelt = -step_deg, step_deg
    return wcs


def make(folder: Path, centre: SkyCoord = SOURCE, frame: str = "galactic") -> Path:
    """A HiPS of a field of 16 degrees with a round source of height 100 in its middle."""
    side, wcs = 320, tan(centre, 320, 0.05)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    values = (5 + 100 * np.exp(-(x**2 + y**2) / (2 * 8.0**2))).astype(np.float32)
    reproject_to_hips(
        (values, wcs), coord_system_out=frame, reproject_function=reproject_interp,
        output_directory=str(folder), level=ORDER, tile_size=WIDTH,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def hips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("hips") / "crab")


@pytest.fixture
def copy(hips: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(hips, tmp_path / "copy"))


def change(folder: Path, **told: Any) -> None:
    """Other values for keys of the properties; None takes a key away."""
    path = folder / "properties"
    lines = [
        line for line in path.read_text().splitlines() if line.split("=")[0].strip() not in told
    ]
    lines += [f"{key} = {value}" for key, value in told.items() if value is not None]
    path.write_text("\n".join(lines))


def whole(image: SkyImage, factor: int = 1) -> NDArray[Any]:
    assert isinstance(image.pixels, HipsPixels)
    return np.asarray(image.pixels.reduced(factor)[:, :])


def test_a_source_is_at_its_place_with_its_value_at_every_order(hips: Path) -> None:
    image = open_image(hips)
    assert image.shape == (5 * WIDTH * 2**ORDER,) * 2
    assert image.frame == "galactic"
    assert image.dtype == np.float32
    for order in range(ORDER, 0, -1):
        factor = 2 ** (ORDER - order)
        values = whole(image, factor)
        y, x = np.unravel_index(np.nanargmax(values), values.shape)
        peak = [(n + 0.5) * factor - 0.5 for n in (x, y)]
        assert image.sky(*peak).separation(SOURCE) < 0.1 * factor * u.deg
    x, y = (float(n) for n in image.pixel(SOURCE))
    assert image.value(x, y) == pytest.approx(105, rel=0.03)


@pytest.mark.parametrize("frame", ["galactic", "equatorial"])
@pytest.mark.parametrize("centre", [(83, 22), (180, 2), (0, 89)])
def test_pixels_are_those_of_reproject(
    tmp_path: Path, frame: str, centre: tuple[float, float]
) -> None:
    folder = make(tmp_path / "field", SkyCoord(*centre, unit="deg"), frame)
    image = open_hips(Address.of(folder))
    for order in range(ORDER):
        ours = whole(image, 2 ** (ORDER - order))
        theirs, wcs = hips_as_dask_array(str(folder), level=order)
        theirs = theirs.compute(scheduler="synchronous")
        there = np.isfinite(ours)
        assert there.any()
        np.testing.assert_array_equal(ours[there], theirs[there])
        x, y = np.meshgrid(*[np.arange(len(ours))] * 2)
        on_sky = np.isfinite(wcs.pixel_to_world_values(x, y)[0])
        # Theirs shows the tile at longitude 180 whole at both ends; ours where it is on the sky.
        np.testing.assert_array_equal(there, np.isfinite(theirs) & on_sky)
    _, wcs = hips_as_dask_array(str(folder))
    x, y = np.meshgrid(*[np.arange(0, image.shape[0], 7)] * 2)
    assert image.wcs is not None
    for one, other in zip(
        image.wcs.pixel_to_world_values(x, y), wcs.pixel_to_world_values(x, y), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def test_orders_that_are_not_there_are_means_of_finer_ones(copy: Path) -> None:
    before = open_image(copy)
    truth = {factor: whole(before, factor) for factor in (2, 4, 8)}
    for order in range(ORDER):
        shutil.rmtree(copy / f"Norder{order}")
    change(copy, hips_order_min=ORDER)
    after = open_image(copy)
    for factor, values in truth.items():
        np.testing.assert_allclose(whole(after, factor), values, rtol=1e-6)


def test_beyond_order_0_blocks_are_averaged(hips: Path) -> None:
    image = open_image(hips)
    least, lesser = whole(image, 16), whole(image, 8)
    assert least.shape == (lesser.shape[0] // 2,) * 2
    blocks = lesser.reshape(len(least), 2, len(least), 2)
    full = np.isfinite(blocks).all(axis=(1, 3))
    np.testing.assert_allclose(least[full], blocks.mean(axis=(1, 3))[full], rtol=1e-6)
    assert np.isfinite(least).sum() >= full.sum() > 0


def test_levels_of_the_pyramid_are_orders(hips: Path) -> None:
    image = open_image(hips)
    levels = pyramid.levels(image)
    assert len(levels) > 1
    coarse = np.asarray(levels[1])
    np.testing.assert_array_equal(
        coarse[: image.shape[0] // 2, : image.shape[1] // 2], whole(image, 2)
    )
    assert not pyramid.worth_growing(image)


@pytest.mark.parametrize(
    "key",
    [
        (slice(1100, 1300), slice(700, 900)),
        (slice(1300, 1100, -7), slice(700, 900, 3)),
        (slice(5, 5), slice(4)),
    ],
)
def test_slices_are_slices_of_the_whole(hips: Path, key: tuple[slice, slice]) -> None:
    image = open_image(hips)
    np.testing.assert_array_equal(image.pixels[key], whole(image)[key])


def test_a_survey_of_a_trillion_pixels_opens_and_reads_a_view_only(copy: Path) -> None:
    for order in range(ORDER):
        shutil.rmtree(copy / f"Norder{order}")
    change(copy, hips_order=12, hips_order_min=ORDER)
    image = open_image(copy)
    assert image.shape == (5 * WIDTH * 2**12,) * 2
    assert np.isnan(image.pixels[600_000:601_000, 600_000:601_000]).all()


def test_images_travel(hips: Path) -> None:
    image = open_image(hips)
    again = pickle.loads(pickle.dumps(image))
    assert again.pixels.identity == image.pixels.identity
    np.testing.assert_array_equal(whole(again, 4), whole(image, 4))
    pixels = pickle.loads(pickle.dumps(image.pixels))
    np.testing.assert_array_equal(pixels[1200:1210, 800:810], image.pixels[1200:1210, 800:810])


def test_another_version_has_another_identity(copy: Path) -> None:
    before = open_image(copy).pixels.identity
    change(copy, hips_release_date="2026-11-21T00:00Z")
    assert open_image(copy).pixels.identity != before


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_pictures_are_three_bands(copy: Path, form: str) -> None:
    grey = whole(open_image(copy))
    ending = {"png": "png", "jpeg": "jpg"}[form]
    from astropy.io import fits

    for tile in copy.rglob("Npix*.fits"):
        values = np.nan_to_num(fits.getdata(tile))[::-1]
        colours = np.stack([values, values * 0.5, values * 0], axis=-1).round().astype(np.uint8)
        picture = Image.fromarray(colours)
        if form == "png":
            picture.putalpha(Image.fromarray((values > 0).astype(np.uint8) * 255))
        picture.save(tile.with_suffix(f".{ending}"), quality=100, subsampling=0)
        tile.unlink()
    change(copy, hips_tile_format=form)
    image = open_image(copy)
    assert image.bands == ("R", "G", "B")
    red, green, blue = (np.asarray(image.plane(n).pixels[:, :]) for n in range(3))
    on = np.isfinite(grey)
    tolerance = 0.51 if form == "png" else 8
    np.testing.assert_allclose(red[on], grey[on], atol=tolerance)
    np.testing.assert_allclose(green[on], grey[on] / 2, atol=tolerance)
    assert np.nanmax(blue[on]) < 20
    if form == "png":
        np.testing.assert_array_equal(np.isfinite(red), on)


def test_a_url_without_an_ending_is_opened_before_it_is_taken_for_a_hips(
    hips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(patience, "PAUSES_S", (0.01,))
    file = io.BytesIO()
    fits.PrimaryHDU(np.ones((30, 40), np.float32)).writeto(file)
    with serving(cutout=file.getvalue()) as site:
        assert open_image(site.url("cutout")).shape == (30, 40)
        assert not any("properties" in asked for asked in site.requests)
        site.files["survey"] = b"<html>what is in this folder</html>"
        site.files["survey/properties"] = (hips / "properties").read_bytes()
        assert is_hips(site.url("survey"))
        site.forget()
        site.status = lambda number: 503
        with pytest.raises(ImageError, match="503"):
            open_image(site.url("survey"))
        assert {asked.split()[1] for asked in site.requests} == {"survey"}


def test_numbers_are_preferred_to_pictures(copy: Path) -> None:
    change(copy, hips_tile_format="jpeg fits")
    assert open_image(copy).count == 1


def test_the_url_of_a_hips_will_do(hips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as site:
        for path in hips.rglob("*"):
            if path.is_file():
                site.files[f"surveys/crab/{path.relative_to(hips).as_posix()}"] = path.read_bytes()
        url = site.url("surveys/crab")
        assert is_hips(url)
        assert is_hips(url + "/")
        assert not is_hips(site.url("surveys"))
        image = open_image(url)
        assert not any("Npix" in asked for asked in site.requests)
        np.testing.assert_array_equal(whole(image, 2), whole(open_image(hips), 2))
        asked = [each for each in site.requests if "Norder2" in each]
        assert len(asked) == len(set(asked)) == 12 * 4**2


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "empty").mkdir()
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "properties").write_text("colour = blue\n")
    return tmp_path


def test_other_folders_are_none(folders: Path, hips: Path) -> None:
    assert is_hips(str(hips))
    assert is_hips(str(hips / "properties"))
    assert not is_hips(str(folders / "empty"))
    assert not is_hips(str(folders / "tiles"))
    assert not is_hips(str(folders / "nowhere"))
    assert not is_hips("http://127.0.0.1:9/a.fits")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"dataproduct_type": "catalog"}, "HiPS of type 'catalog'"),
        ({"hips_tile_format": "tsv"}, "HiPS of tsv tiles; open one of FITS tiles"),
        ({"hips_frame": "mars"}, "in the frame 'mars'"),
        ({"hips_order": 77}, "hips_order = 77; give it a whole number from 0 to 20"),
        ({"hips_order": "x"}, "hips_order = x"),
        ({"hips_tile_width": 100}, "not 100"),
    ],
)
def test_properties_that_cannot_be_shown_get_their_sentence(
    copy: Path, told: dict[str, Any], words: str
) -> None:
    change(copy, **told)
    with pytest.raises(ImageError, match=f"copy.*{words}"):
        open_image(copy)


def test_a_broken_tile_gets_its_sentence(copy: Path) -> None:
    tile = next(copy.glob("Norder3/*/Npix*.fits"))
    tile.write_bytes(b"SIMPLE  =" + bytes(3000))
    image = open_image(copy)
    with pytest.raises(ImageError, match=rf"Norder3/Dir0/{tile.name} cannot be read as a tile"):
        whole(image)


def test_a_tile_of_another_size_gets_its_sentence(copy: Path) -> None:
    change(copy, hips_tile_width=WIDTH * 2)
    with pytest.raises(
        ImageError, match=r"\(it is 64 × 64 pixels, and its HiPS has tiles of 128 × 128\)"
    ):
        whole(open_image(copy))
