"""`astroseg mosaic` as a person types it."""

import json

import numpy as np
import pytest
from astropy.io import fits
from tiles import CORNERS, cut, sky, sky_header

from napari_astroseg.cli.main import main
from napari_astroseg.sky.mosaics import mosaicfile

SHAPE = (300, 400)


def astroseg(*words):
    return main([str(word) for word in words])


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    levels = np.linspace(-1, 1, len(CORNERS))
    return cut(folder, sky(SHAPE), sky_header(SHAPE), CORNERS, levels=levels)


def test_a_folder_of_tiles_becomes_a_file(files, tmp_path, capsys):
    out = tmp_path / "m.fits"
    words = ("mosaic", files[0].parent, "--out", out, "--match-background")
    assert astroseg(*words, "--footprint", tmp_path / "f.fits", "--json") == 0
    told, said = capsys.readouterr()
    told = json.loads(told)
    assert told["shape"] == [300, 400]
    assert told["projection"] == "GLON-TAN/GLAT-TAN"
    assert told["footprint"] == str(tmp_path / "f.fits")
    assert len(told["tiles"]) == len(files)
    assert sum(tile["offset"] for tile in told["tiles"]) == pytest.approx(0, abs=1e-6)
    assert told["tiles"][0]["offset"] == pytest.approx(1.0, abs=1e-3)
    assert "placed as they are" in said
    assert np.nanmin(fits.getdata(out)) > 0
    assert fits.getdata(tmp_path / "f.fits").max() == 4


def test_plain_on_an_asked_grid(files, tmp_path, capsys):
    out = tmp_path / "m.fits"
    words = ("--no-compress", "--projection", "car", "--scale", 4, "--quiet")
    assert astroseg("mosaic", *files, "--out", out, *words) == 0
    told, said = capsys.readouterr()
    assert str(out) in told and said == ""
    header = fits.getheader(out)
    assert header["NAXIS"] == 2 and header["CTYPE1"] == "GLON-CAR"
    assert header["CDELT2"] == pytest.approx(4 / 3600)


def test_ctrl_c_says_how_to_go_on(files, tmp_path, capsys, monkeypatch):
    out = tmp_path / "m.fits"
    write = mosaicfile._written

    def interrupted(image, form, done, band, file):
        if band == 1:
            raise KeyboardInterrupt
        return write(image, form, done, band, file)

    with monkeypatch.context() as patch:
        patch.setattr(mosaicfile, "_written", interrupted)
        assert astroseg("mosaic", *files, "--out", out) == 130
    assert "--resume" in capsys.readouterr().err
    assert not out.exists()
    assert astroseg("mosaic", *files, "--out", out, "--resume") == 0
    assert astroseg("mosaic", *files, "--out", tmp_path / "at_once.fits") == 0
    assert out.read_bytes() == (tmp_path / "at_once.fits").read_bytes()


def test_what_is_there_is_kept_unless_forced(files, tmp_path, capsys):
    out = tmp_path / "m.fits"
    out.write_bytes(b"precious")
    assert astroseg("mosaic", *files, "--out", out) == 1
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == b"precious"
    assert astroseg("mosaic", *files, "--out", out, "--force") == 0
    assert astroseg("mosaic", *files, "--out", files[0], "--force") == 1
    assert "is one of the tiles" in capsys.readouterr().err


def test_the_footprint_needs_a_file_of_its_own(files, tmp_path, capsys):
    out, same = tmp_path / "m.fits", f"{tmp_path}/../{tmp_path.name}/m.fits"
    assert astroseg("mosaic", *files, "--out", out, "--footprint", same, "--force") == 1
    assert "give --footprint another name" in capsys.readouterr().err
    assert not out.exists()


def test_a_bad_tile_is_one_sentence(files, tmp_path, capsys):
    (tmp_path / "words.fits").write_text("none", encoding="utf-8")
    out = tmp_path / "m.fits"
    assert astroseg("mosaic", *files, tmp_path / "words.fits", "--out", out) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1 and "words.fits" in said
    assert not out.exists()
    with pytest.raises(SystemExit) as leaving:
        astroseg("mosaic", *files)
    assert leaving.value.code == 2
