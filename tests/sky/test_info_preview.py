"""What `info` tells of a file, and that the preview is a picture of the map."""

import io

import matplotlib.image
import numpy as np
import pytest
from astropy.io import fits
from loopback import serving
from skies import galactic_wcs, write_four_maps

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.fitspixels import CompressedPixels
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.info import describe
from napari_astroseg.sky.opening import open_image, pictures
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
    fits.PrimaryHDU(np.zeros((20, 4, 5), np.float32)).writeto(cube)
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(table)
    fits.PrimaryHDU().writeto(bare)
    told = describe(cube)
    assert told["kind"] == "cube"
    (image,) = told["images"]
    assert (image["shape"], image["width"], image["height"]) == ([20, 4, 5], 5, 4)
    assert image["planes"] == {
        "count": 20, "axis": "axis 3", "first": "1", "last": "20", "labels": None
    }  # fmt: skip
    told = describe(table)
    assert told["kind"] == "catalogue" and told["images"] == []
    assert told["tables"] == [{"hdu": 1, "name": "", "rows": 1, "columns": ["a"]}]
    told = describe(bare)
    assert told["kind"] == "none" and "no two-dimensional image" in told["notes"][0]
    (tmp_path / "text.fits").write_text("hello, this is a text")
    with pytest.raises(ImageError, match=r"text\.fits is not a FITS file"):
        describe(tmp_path / "text.fits")


def a_family(path):
    hdus = [fits.ImageHDU(np.full((4, 5), 2.0), name=n) for n in ("SCI", "ERR", "DQ", "EXP")]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def test_families_and_roles_are_told(tmp_path):
    told = describe(a_family(tmp_path / "a.fits"))
    roles = [(image["name"], image["role"]) for image in told["images"]]
    assert roles == [("SCI", "science"), ("ERR", "uncertainty"), ("DQ", "mask"), ("EXP", "other")]
    assert [image["uncertainty"] for image in told["images"]] == [2, None, None, None]
    assert [image["mask"] for image in told["images"]] == [3, None, None, None]
    assert told["notes"] == [
        "HDU 1, 2, 3, 4: no sky coordinates in its header; positions are in pixels"
    ]
    (only,) = describe(f"{tmp_path}/a.fits[ERR,1]")["images"]
    assert only["hdu"] == 2


def test_an_image_that_was_cut_short_does_not_hide_the_others(tmp_path):
    path = a_family(tmp_path / "a.fits")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 2880)
    told = describe(path)
    assert [image["hdu"] for image in told["images"]] == [1, 2, 3]
    assert any("HDU 4" in note and "cut short" in note for note in told["notes"])


def test_a_packed_file_is_described_as_unpacked(tmp_path):
    path = tmp_path / "a.fits.gz"
    fits.PrimaryHDU(np.zeros((5, 30, 40), np.int16)).writeto(path)
    told = describe(path)
    (image,) = told["images"]
    assert told["kind"] == "multiband"
    assert (image["shape"], image["dtype"], image["reads"]) == ([5, 30, 40], "int16", "unpacked")
    assert image["planes"]["labels"] == ["1", "2", "3", "4", "5"]


def test_a_description_reads_a_bounded_part(tmp_path, monkeypatch):
    from napari_astroseg.sky.files.handle import LocalHandle

    path = tmp_path / "big.fits"
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 3)])
    header.update(NAXIS1=4000, NAXIS2=4000, NAXIS3=100)
    with path.open("wb") as file:
        file.write(header.tostring(padding=True).encode("ascii"))
        file.truncate(file.tell() + 4000 * 4000 * 100 * 4 + 2880)
    asked = []
    for name in ("read", "read_lines"):
        plain = getattr(LocalHandle, name)

        def counted(self, into, *where, plain=plain):
            asked.append(into.nbytes)
            plain(self, into, *where)

        monkeypatch.setattr(LocalHandle, name, counted)
    told = describe(path)
    assert told["images"][0]["missing_fraction"] == 0.0
    assert 0 < sum(asked) < 4e6


def test_a_url_is_described_from_few_of_its_bytes(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hdus = [fits.ImageHDU(np.ones((8, 1500, 1600), np.float32), name="SCI"),
            fits.ImageHDU(np.ones((8, 1500, 1600), np.int16), name="DQ")]  # fmt: skip
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file)
    with serving(sky__fits=file.getvalue()) as site:
        url = site.url("sky.fits")
        told = describe(f"{url}[SCI,1]")
        assert told["kind"] == "multiband"
        (image,) = told["images"]
        assert (image["shape"], image["mask"], image["reads"]) == ([8, 1500, 1600], 2, "lazy")
        assert image["missing_fraction"] == 0.0
        assert site.sent < len(file.getvalue()) / 4
        flags = open_image(url).plane(3).mask
        assert flags.value(700, 700) == 1.0


def write_hips(folder):
    """All of order 0, in tiles of 64 × 64 ones."""
    tiles = folder / "Norder0" / "Dir0"
    tiles.mkdir(parents=True)
    for number in range(12):
        fits.PrimaryHDU(np.ones((64, 64), np.float32)).writeto(tiles / f"Npix{number}.fits")
    told = {"hips_order": 0, "hips_tile_width": 64, "hips_tile_format": "fits",
            "hips_frame": "galactic"}  # fmt: skip
    lines = [f"{key} = {value}" for key, value in told.items()]
    (folder / "properties").write_text("\n".join(lines))


@pytest.mark.parametrize("name", ["folder", "properties"])
def test_a_hips_is_described(tmp_path, name):
    folder = tmp_path / "survey"
    write_hips(folder)
    told = describe(folder if name == "folder" else folder / "properties")
    assert told["kind"] == "image"
    (image,) = told["images"]
    assert image["reads"] == "lazy" and image["frame"] == "galactic"
    assert (image["height"], image["width"]) == tuple(image["shape"])
    assert 0.0 < image["missing_fraction"] < 1.0
    assert [entry.hdu for entry in pictures(folder)] == [0]
    assert open_image(folder).shape == tuple(image["shape"])


def test_a_healpix_map_is_described(tmp_path):
    values = np.arange(12 * 64**2, dtype=np.float32)
    table = fits.BinTableHDU.from_columns([fits.Column("T", "E", unit="K", array=values)])
    table.header.update(PIXTYPE="HEALPIX", NSIDE=64, ORDERING="RING", COORDSYS="G")
    table.writeto(tmp_path / "map.fits")
    told = describe(tmp_path / "map.fits")
    assert told["kind"] == "image" and told["tables"] == []
    (image,) = told["images"]
    assert (image["hdu"], image["kind"], image["unit"]) == (1, "healpix", "K")
    assert image["frame"] == "galactic" and image["projection"].startswith("GLON")
    assert 0.15 < image["missing_fraction"] < 0.3  # the corners beside a Mollweide ellipse


@pytest.mark.parametrize(("offset", "told"), [(2460000.5, True), (1.0, False)])
def test_values_finer_than_a_picture_are_noted(tmp_path, offset, told):
    values = offset + np.random.default_rng(0).uniform(0, 0.1, (40, 50))
    fits.writeto(tmp_path / "times.fits", values)
    notes = describe(tmp_path / "times.fits")["notes"]
    assert any("less than float32 can tell" in note for note in notes) == told


def test_a_packed_image_is_sampled_in_a_few_tiles(tmp_path, monkeypatch):
    values = np.ones((1500, 1400), np.float32)
    values[:750] = np.nan
    path = write_image(tmp_path / "a.fits", values, compress=True)
    asked = []
    plain = CompressedPixels.__getitem__

    def counted(self, key):
        got = plain(self, key)
        asked.append(got.size)
        return got

    monkeypatch.setattr(CompressedPixels, "__getitem__", counted)
    (image,) = describe(path)["images"]
    assert image["missing_fraction"] == 0.5
    assert asked == [64] * 64


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
