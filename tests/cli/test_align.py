"""`astroseg align` as a person types it."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from reproject import reproject_interp
from tiles import sky, sky_header

from napari_astroseg.cli.main import main

SHAPE = (200, 260)


def astroseg(*words):
    return main([str(word) for word in words])


@pytest.fixture
def files(tmp_path):
    """A map, a reference in another frame and scale, and a photo without a sky."""
    header = sky_header(SHAPE)
    header["BUNIT"] = "MJy/sr"
    fits.PrimaryHDU(sky(SHAPE), header).writeto(tmp_path / "map.fits")
    middle = WCS(header).pixel_to_world(130, 100).icrs
    other = sky_header((150, 150), "SIN", "icrs", middle.ra.deg, middle.dec.deg, arcsec=2.5)
    fits.PrimaryHDU(np.zeros((150, 150), np.float32), other).writeto(tmp_path / "onto.fits")
    fits.PrimaryHDU(sky((150, 150), seed=1)).writeto(tmp_path / "photo.fits")
    return tmp_path


def test_a_file_on_the_references_pixels_with_its_sky(files, capsys):
    out = files / "a.fits"
    words = ("align", files / "map.fits", "--onto", files / "onto.fits", "--out", out)
    assert astroseg(*words, "--json") == 0
    told, said = capsys.readouterr()
    told = json.loads(told)
    assert told["kind"] == "affine" and 0 < told["error_px"] < 0.05
    assert told["shape"] == [150, 150] and told["unit"] == "MJy/sr"
    assert told["tolerance_px"] == 0.25 and told["affine_error_px"] is None
    assert f"map on onto: {told['sentence']}\n" in said
    written, header = fits.getdata(out, header=True)
    target = fits.getheader(files / "onto.fits")
    theirs, _ = reproject_interp(str(files / "map.fits"), target)
    both = np.isfinite(theirs)
    assert both.sum() > 10_000
    assert np.abs(written - theirs)[both].max() < 0.05
    assert header["BUNIT"] == "MJy/sr"
    x, y = np.array([0, 149, 70]), np.array([0, 10, 149])
    apart = WCS(header).pixel_to_world(x, y).separation(WCS(target).pixel_to_world(x, y))
    assert apart.arcsec.max() < 1e-6
    history = "".join(str(line).ljust(72) for line in header["HISTORY"])
    assert f"{told['sentence']}; bilinear values, surface brightness conserved" in history
    assert "values of map" in history and "tile" not in history
    assert told["sampling"] == "bilinear" and told["flux_conserved"] is False
    assert told["values"] in history


def test_exact_and_compressed_and_nearest(files, capsys):
    out = files / "a.fits"
    words = ("align", files / "map.fits", "--onto", files / "onto.fits", "--out", out)
    assert astroseg(*words, "--tolerance", 0, "--compress", "--quiet") == 0
    told, said = capsys.readouterr()
    assert "exact" in told and str(out) in told and said == ""
    exact = fits.getdata(out)
    with fits.open(out, disable_image_compression=True) as stored:
        assert stored[1].header["ZCMPTYPE"] == "GZIP_2"
    assert astroseg(*words, "--sampling", "nearest", "--force") == 0
    nearest = fits.getdata(out)
    known = np.isfinite(nearest)
    assert np.isin(nearest[known], fits.getdata(files / "map.fits")).all()
    history = "".join(str(line).ljust(72) for line in fits.getheader(out)["HISTORY"])
    assert "; nearest values" in history
    assert np.isfinite(exact).sum() == known.sum()


def test_flux_scales_with_the_area_of_pixels(files):
    words = ("align", files / "map.fits", "--onto", files / "onto.fits", "--out")
    assert astroseg(*words, files / "a.fits") == 0
    assert astroseg(*words, files / "b.fits", "--conserve-flux") == 0
    assert "flux conserved" in str(fits.getheader(files / "b.fits")["HISTORY"])
    ratio = fits.getdata(files / "b.fits") / fits.getdata(files / "a.fits")
    assert np.nanmedian(ratio) == pytest.approx((2.5 / 2.0) ** 2, rel=1e-3)


def test_labels_keep_their_values_unasked(files, capsys):
    values = np.zeros(SHAPE, np.int32)
    for number in range(1, 40):
        values[5 * number - 4 : 5 * number - 1, 10 + number : 200 + number] = 7 * number
    fits.PrimaryHDU(values, sky_header(SHAPE)).writeto(files / "labels.fits")
    words = ("align", files / "labels.fits", "--onto", files / "onto.fits", "--out")
    assert astroseg(*words, files / "a.fits", "--json") == 0
    told, said = capsys.readouterr()
    told = json.loads(told)
    assert told["sampling"] == "nearest" and "nearest values, for these are labels" in said
    seen = fits.getdata(files / "a.fits")
    assert np.isin(seen[np.isfinite(seen)], np.unique(values)).all() and np.nanmax(seen) > 0
    assert astroseg(*words, files / "b.fits", "--sampling", "bilinear", "--json") == 0
    between = fits.getdata(files / "b.fits")
    assert not np.isin(between[np.isfinite(between)], np.unique(values)).all()


def test_images_without_a_sky(files, capsys):
    out = files / "a.fits"
    words = ("align", files / "photo.fits", "--onto", files / "onto.fits", "--out", out)
    assert astroseg(*words) == 1
    assert "photo cannot be placed on the sky" in capsys.readouterr().err
    assert astroseg(*words, "--pixels") == 0
    np.testing.assert_array_equal(fits.getdata(out), fits.getdata(files / "photo.fits"))
    assert fits.getheader(out)["CTYPE1"] == "RA---SIN"
    table = files / "points.csv"
    table.write_text("x,y,onto_x,onto_y\n10,10,30,10\n110,10,130,10\n10,90,30,90\n")
    assert astroseg(*words, "--anchors", table, "--force", "--json") == 0
    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert told["kind"] == "anchors" and told["error_px"] < 1e-9
    moved = fits.getdata(out)
    np.testing.assert_allclose(
        moved[:, 20:], fits.getdata(files / "photo.fits")[:, :-20], rtol=1e-5
    )
    assert np.isnan(moved[:, :20]).all()


@pytest.mark.parametrize(
    ("table", "why"),
    [("a,b\n1,2\n", "is no table of anchors"), ("x,y,onto_x,onto_y\n1,2,3\n", "is no table"),
     ("x,y,onto_x,onto_y\n1,2,3,4\n", "mark at least two"), (None, "check the name")],
)  # fmt: skip
def test_a_bad_table_is_one_sentence(files, capsys, table, why):
    if table is not None:
        (files / "p.csv").write_text(table)
    words = (
        "align",
        files / "photo.fits",
        "--onto",
        files / "onto.fits",
        "--out",
        files / "a.fits",
    )
    assert astroseg(*words, "--anchors", files / "p.csv") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1 and why in said
    assert not (files / "a.fits").exists()


def test_nothing_is_lost_unasked_and_nothing_read_is_written_to(files, capsys):
    out = files / "a.fits"
    out.write_bytes(b"precious")
    words = ("align", files / "map.fits", "--onto", files / "onto.fits", "--out")
    assert astroseg(*words, out) == 1
    assert "is there already" in capsys.readouterr().err and out.read_bytes() == b"precious"
    before = (files / "onto.fits").read_bytes()
    assert astroseg(*words, files / "onto.fits", "--force") == 1
    assert "is the reference" in capsys.readouterr().err
    assert astroseg(*words, files / "map.fits", "--force") == 1
    assert (files / "onto.fits").read_bytes() == before


def test_what_cannot_be_meant_is_said(files, capsys):
    words = (
        "align",
        files / "photo.fits",
        "--onto",
        files / "onto.fits",
        "--out",
        files / "a.fits",
    )
    assert astroseg(*words, "--pixels", "--conserve-flux") == 1
    assert "--conserve-flux asks for the sky" in capsys.readouterr().err
    with pytest.raises(SystemExit) as leaving:
        astroseg(*words, "--pixels", "--anchors", files / "p.csv")
    assert leaving.value.code == 2


def test_a_stack_wants_a_plane(files, capsys):
    cube = np.stack([sky(SHAPE), sky(SHAPE, seed=2)])
    fits.PrimaryHDU(cube, sky_header(SHAPE)).writeto(files / "cube.fits")
    words = ("align", files / "cube.fits", "--onto", files / "map.fits", "--out", files / "a.fits")
    assert astroseg(*words) == 1
    assert "a stack of 2 planes; name one with --plane" in capsys.readouterr().err
    assert astroseg(*words, "--plane", 1) == 0
    np.testing.assert_array_equal(fits.getdata(files / "a.fits"), cube[1])


def test_memory_does_not_grow_with_the_file(files, monkeypatch):
    """Band by band: no more than a band of it is ever asked for at once."""
    from napari_astroseg.sky.files import appending
    from napari_astroseg.sky.mosaics.tiling import TiledPixels

    monkeypatch.setattr(appending, "_BAND_PIXELS", 150 * 10)
    asked = []
    read = TiledPixels.__getitem__

    def counting(pixels, key):
        values = read(pixels, key)
        asked.append(values.shape)
        return values

    monkeypatch.setattr(TiledPixels, "__getitem__", counting)
    words = ("align", files / "map.fits", "--onto", files / "onto.fits", "--out", files / "a.fits")
    assert astroseg(*words) == 0
    assert max(asked) == (10, 150) and len(asked) == 15
