"""`astroseg compare` as a person types it, on a prediction of the simulated sky."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from napari_astroseg.cli.main import main
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.comparison import compare
from napari_astroseg.sky.comparing.page import write_page
from napari_astroseg.sky.comparing.pictures import LARGEST, write_picture
from napari_astroseg.sky.comparing.regionmap import open_prediction
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.simulate import FilamentSettings, write_filaments
from napari_astroseg.sky.surveys.survey import survey
from napari_astroseg.sky.window import Window

DENSE = FilamentSettings(log_density=(22.3, 22.5), edges=0.0)
SIZE = 256


def astroseg(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a simulated sky, and the prediction of its filaments in `found`."""
    folder = tmp_path_factory.mktemp("sky")
    image = write_filaments(folder, 1, SIZE, seed=3, settings=DENSE)[0]
    out = folder / "found"
    assert astroseg("predict", image, "--model", "filaments", "--out", out, "--quiet") == 0
    return folder


def turned(path: Path, out: Path) -> Path:
    """The same picture on finer, turned pixels of a tangent plane, in other coordinates."""
    from reproject import reproject_interp

    with fits.open(path) as file:
        centre = WCS(file[0].header).pixel_to_world(SIZE / 2, SIZE / 2).icrs
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [centre.ra.deg, centre.dec.deg]
        wcs.wcs.crpix = [300.5, 300.5]
        wcs.wcs.cdelt = [-6.0 / 3600, 6.0 / 3600]
        wcs.wcs.pc = [[0.8, -0.6], [0.6, 0.8]]
        values = reproject_interp(file[0], wcs, (600, 600), return_footprint=False)
    return write_image(out, values.astype(np.float32), wcs.to_header(), "MJy/sr")


class Page(HTMLParser):
    """Which tags a page has, and what it takes from elsewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.taken: list[str] = []
        self.words = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.taken += [value for name, value in attrs if name in {"src", "href"} and value]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_filaments_are_dark_in_the_infrared(
    sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "D", turned(sky / "000_infrared.fits", tmp_path / "other.fits")
    words = ("compare", sky / "found", sky / "000_infrared.fits", other, "--out", out)
    assert astroseg(*words, "--original", sky / "000_target.fits", "--json", "--max", 9) == 0
    told, said = capsys.readouterr()
    told = json.loads(told)
    assert [each["key"] for each in told["images"]] == ["000_infrared", "other"]
    assert "same pixels" in said and "other: " in said
    assert told["images"][1]["error_px"] < 0.25

    table = Catalogue.read(out / "catalogue.ecsv").table
    before = Catalogue.read(sky / "found" / "catalogue.ecsv").table
    assert table.colnames[: len(before.colnames)] == before.colnames
    assert len(table) == len(before) == told["structures"] > 20
    for key in ("000_infrared", "other"):
        contrast, sure = table[f"contrast_{key}"], table[f"significance_{key}"]
        assert np.nanmedian(contrast) < -0.05
        assert np.mean(sure < 0.0) > 0.9
        assert np.mean(sure < -3.0) > 0.5
        assert str(table[f"ring_{key}"].unit) == "MJy / sr"
    # The same sky on other pixels says the same.
    off = table["contrast_other"] - table["contrast_000_infrared"]
    assert np.nanmedian(np.abs(off)) < 0.01

    covered = json.loads((out / "coverage.json").read_text())
    assert told["coverage"] == {name: covered[name] for name in ("unit", "area", "structures")}
    assert covered["area"]["both"] > covered["area"]["only_predicted"]
    assert np.median(table["covered"]) > 0.5

    made = json.loads((out / "provenance.json").read_text())
    assert made["command"]["verb"] == "compare"
    names = [Path(each["path"]).name for each in made["inputs"]]
    inputs = ["regions", "000_infrared", "other", "000_target", "000_image"]
    assert names == [f"{name}.fits" for name in inputs]
    assert sorted([*made["outputs"], "provenance.json"]) == sorted(told["files"])
    assert sorted(told["files"]) == sorted(
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    )
    found = Page(out / "compare.html")
    assert found.tags.count("section") == 9
    assert "script" not in found.tags
    assert not any(re.match(r"\w+:|/", each) for each in found.taken)
    assert {out / each for each in found.taken} == set(out.rglob("*.png"))
    assert "contrast −" in found.words and "contrast -" not in found.words
    assert "arcmin²" in found.words and "arcmin2" not in found.words
    for each in told["images"]:
        known = np.isfinite(table[f"contrast_{each['key']}"]).sum()
        assert each["with_contrast"] == known
        said = f"measured, {known} with a contrast (their median −"
        assert said in found.words


def test_a_map_of_regions_alone_will_do(sky: Path, tmp_path: Path) -> None:
    out = tmp_path / "D"
    words = (sky / "000_target.fits", sky / "000_infrared.fits", "--out", out)
    assert astroseg("compare", *words, "--max", 2, "--ring", 5, "--gap", 1) == 0
    table = Catalogue.read(out / "catalogue.ecsv").table
    assert len(table) > 20  # a mask: what hangs together is a structure
    assert "score" not in table.colnames
    assert np.nanmedian(table["contrast_000_infrared"]) < -0.05
    found = Page(out / "compare.html")
    assert found.tags.count("section") == 2
    assert f"highest significance; {len(table) - 2} more" in found.words
    assert not (out / "coverage.json").exists()


def test_names_are_words_and_no_markup(
    sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "<b>&amp;.fits"
    shutil.copy(sky / "000_infrared.fits", odd)
    words = ("compare", sky / "found", odd, odd, "--out", tmp_path / "D", "--quiet", "--max", 1)
    assert astroseg(*words) == 0
    assert "structures measured" in capsys.readouterr().out
    found = Page(tmp_path / "D" / "compare.html")
    assert "<b>&amp;" in found.words and "<b>&amp; (2): " in found.words
    assert found.tags.count("b") == 3  # the captions
    columns = Catalogue.read(tmp_path / "D" / "catalogue.ecsv").table.colnames
    assert {"contrast_b_amp", "contrast_b_amp_2"} <= set(columns)


def test_whom_to_thank_for_an_image_is_on_the_page(sky: Path, tmp_path: Path) -> None:
    thanks = "NASA/JPL-Caltech Spitzer <IRAC> legacy surveys; HiPS by CDS"
    infrared = open_image(sky / "000_infrared.fits")
    found = compare(open_prediction(sky / "found"), [replace(infrared, notes=(thanks,))])
    page, *_ = write_page(tmp_path / "compare.html", found, "thanks", most=0)
    words = Page(page).words
    assert f"000_infrared: {thanks}." in words
    assert words.count("aligned with") == 0  # how it lies is a sentence of its own


def test_a_copy_of_a_kept_field_still_says_whom_to_thank(sky: Path, tmp_path: Path) -> None:
    glimpse = survey("irac4")
    with fits.open(sky / "000_infrared.fits") as file:
        told = {"HIPS": glimpse.hips, "LON": 30.0, "LAT": 0.0, "FRAME": "galactic", "PIX": 11.5}
        file[0].header.update({f"FLD{name}": value for name, value in told.items()})
        file.writeto(tmp_path / "copied.fits")
    words = ("compare", sky / "found", tmp_path / "copied.fits", "--max", 0, "--quiet")
    assert astroseg(*words, "--out", tmp_path / "D") == 0
    assert f"copied: {glimpse.credit}." in Page(tmp_path / "D" / "compare.html").words


def test_a_picture_of_a_wide_structure_leans_to_no_side(tmp_path: Path) -> None:
    side = 3 * LARGEST - 7
    values = np.random.default_rng(0).random((side, side), np.float32)
    seen = []
    for name, some in (("here", values), ("turned", values[::-1, ::-1].copy())):
        image = SkyImage.from_array(some, None, name=name)
        path = write_picture(tmp_path / name, image, Window(0, 0, side, side), "gray")
        seen.append(np.asarray(Image.open(path)))
    np.testing.assert_array_equal(seen[0], seen[1][::-1, ::-1])


@pytest.mark.parametrize(
    ("place", "told"),
    [("gone.fits", "is not shown"), ("http://127.0.0.1:9/gone.fits", "is not fetched")],
)
def test_the_image_that_was_predicted_on_may_be_gone(
    place: str, told: str, sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tmp_path / "found"
    shutil.copytree(sky / "found", found)
    record = json.loads((found / "provenance.json").read_text())
    record["command"]["image"] = place if "://" in place else str(tmp_path / place)
    (found / "provenance.json").write_text(json.dumps(record))
    words = ("compare", found, sky / "000_infrared.fits", "--out", tmp_path / "D", "--max", 3)
    assert astroseg(*words) == 0
    assert told in capsys.readouterr().err
    assert len(list((tmp_path / "D" / "pictures").iterdir())) == 3
    assert "gone.fits" in Page(tmp_path / "D" / "compare.html").words


def test_without_a_sky_pixels_are_compared(tmp_path: Path) -> None:
    labels = np.zeros((128, 128), np.int16)
    labels[60:64, 30:90] = 7
    values = np.random.default_rng(0).normal(100.0, 1.0, labels.shape).astype(np.float32)
    values[labels > 0] -= 10.0
    write_image(tmp_path / "labels.fits", labels)
    write_image(tmp_path / "plain.fits", values)
    words = (tmp_path / "labels.fits", tmp_path / "plain.fits", "--out", tmp_path / "D")
    assert astroseg("compare", *words, "--original", tmp_path / "labels.fits") == 0
    row = Catalogue.read(tmp_path / "D" / "catalogue.ecsv").table[0]
    assert row["contrast_plain"] == pytest.approx(-0.1, abs=0.01)
    assert row["significance_plain"] < -20
    assert row["covered"] == 1.0


def test_what_an_earlier_run_left_goes_and_nothing_else(sky: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "D", tmp_path / "outside.ecsv"
    words = ("compare", sky / "found", sky / "000_infrared.fits", "--out", out, "--quiet")
    assert astroseg(*words, "--original", sky / "000_target.fits", "--max", 3) == 0
    record = json.loads((out / "provenance.json").read_text())
    kept = [elsewhere, out / "notes.txt", out / "pictures" / "mine.png"]
    for path in kept:
        path.write_text("precious")
    record["outputs"] += ["../outside.ecsv", "notes.txt", "pictures/mine.png", str(elsewhere)]
    (out / "provenance.json").write_text(json.dumps(record))
    assert astroseg(*words, "--max", 1) == 0
    assert not (out / "coverage.json").exists()
    assert len(list((out / "pictures").glob("0*.png"))) == 2  # of one structure
    assert all(path.read_text() == "precious" for path in kept)


def test_pictures_behind_a_link_are_somebody_elses(sky: Path, tmp_path: Path) -> None:
    out, others = tmp_path / "D", tmp_path / "others"
    words = ("compare", sky / "found", sky / "000_infrared.fits", "--out", out, "--quiet")
    assert astroseg(*words, "--max", 2) == 0
    (out / "pictures").rename(others)
    (out / "pictures").symlink_to(others)
    before = set(others.iterdir())
    assert astroseg(*words, "--max", 0) == 0
    assert set(others.iterdir()) == before


def test_the_original_regions_may_be_a_prediction(
    sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, infrared = sky / "found", sky / "000_infrared.fits"
    words = ("compare", found, infrared, "--max", 0, "--quiet", "--json")
    assert astroseg(*words, "--original", found, "--out", tmp_path / "D") == 0
    area = json.loads(capsys.readouterr().out)["coverage"]["area"]
    assert area["both"] > 0 == area["only_original"] == area["only_predicted"]
    far = tmp_path / "far"
    far.mkdir()
    write_filaments(far, 3, 32)
    (far / "002_target.fits").rename(far / "regions.fits")
    assert astroseg(*words, "--original", far, "--out", tmp_path / "E") == 1
    assert "far/regions and found/regions show different" in capsys.readouterr().err


def test_an_image_is_no_prediction(
    sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    infrared, dense = sky / "000_infrared.fits", tmp_path / "dense.fits"
    write_image(dense, np.full((64, 64), 4.7e21, np.float32))
    for place in (infrared, dense):
        assert astroseg("compare", place, infrared, "--out", tmp_path / "D", "--quiet") == 1
        said = capsys.readouterr().err
        assert "is an image, not regions" in said and "give a map of labels" in said


def test_a_recipe_is_no_model(
    sky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("predict", sky / "000_image.fits", "--out", tmp_path / "D")
    assert astroseg(*words, "--model", "filaments_small") == 1
    said = capsys.readouterr().err.strip()
    assert said.endswith(
        "that is a recipe: train it first "
        "(astroseg train filaments_small --data … --out run), then --model run"
    )


def test_nothing_found_is_no_error(sky: Path, tmp_path: Path) -> None:
    with fits.open(sky / "000_target.fits") as file:
        write_image(tmp_path / "none.fits", 0 * file[0].data, WCS(file[0].header).to_header())
    words = (tmp_path / "none.fits", sky / "000_infrared.fits", "--out", tmp_path / "D")
    assert astroseg("compare", *words) == 0
    assert len(Catalogue.read(tmp_path / "D" / "catalogue.ecsv")) == 0
    assert "All 0 structures" in Page(tmp_path / "D" / "compare.html").words


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("nowhere", "IR"), "nowhere"),
        (("EMPTY", "IR"), "give a folder left by `astroseg predict`"),
        (("found", "FAR"), "different parts of the sky"),
        (("found", "IR", "--original", "IR"), "give a map of labels"),
        (("found", "STACK"), "a stack of 3 planes, of which only one can be compared; write"),
        (("found", "IR", "--ring", "0"), "give a ring of at least 1"),
        (("found", "IR", "--max", "-1"), "give 0 or more"),
        (("found", "IR", "--out", "found"), "give another folder"),
        (("REGIONS", "IR", "--out", "found"), "give another folder"),
        (("found", "IR", "--out", "IR"), "is a file; give a folder"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: tuple[str, ...],
    remedy: str,
    sky: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    write_filaments(tmp_path, 3, 32)
    places = {
        "IR": sky / "000_infrared.fits",
        "FAR": tmp_path / "002_infrared.fits",
        "EMPTY": tmp_path / "empty",
        "found": sky / "found",
        "REGIONS": sky / "found" / "regions.fits",
        "STACK": tmp_path / "stack.fits",
    }
    with fits.open(places["IR"]) as file:
        fits.writeto(places["STACK"], np.stack([file[0].data] * 3), file[0].header)
    out = () if "--out" in words else ("--out", tmp_path / "D")
    before = sorted((sky / "found").iterdir())
    catalogue = (sky / "found" / "catalogue.ecsv").read_bytes()
    assert astroseg("compare", *(places.get(word, word) for word in words), *out) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ") and remedy in said
    assert not (tmp_path / "D").exists()
    assert sorted((sky / "found").iterdir()) == before
    assert (sky / "found" / "catalogue.ecsv").read_bytes() == catalogue
