"""Five mornings' work without a window: the words a person types, and what lies there after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from PIL import Image

from napari_astroseg.cli.main import main
from napari_astroseg.review.detections import Detections
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

SEED = 9000
"""Of skies that no model in the box has seen."""


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the words of one line, which must do; gives what it printed, read where it is JSON."""

    def run(*words: object) -> Any:
        assert main([str(word) for word in words]) == 0, capsys.readouterr().err
        printed = capsys.readouterr().out
        return json.loads(printed) if "--json" in words else printed

    return run


def rows_of(place: Path) -> QTable:
    return Catalogue.read(place / "catalogue.ecsv" if place.is_dir() else place).table


def values_of(path: Path) -> Any:
    """All pixels of a map that is written, of one plane."""
    image = open_image(path)
    return image.cutout(Window.whole(image.shape))


def judged(found: QTable, path: Path, verdicts: list[str], notes: list[str] | None = None) -> Path:
    """A person's table: what was found, and beside it what they make of it."""
    table = found.copy()
    table["verdict"] = verdicts
    table["note"] = notes or [""] * len(table)
    table.write(path, format="ascii.csv")
    return path


def infrared_of(column_density: Path, out: Path) -> Path:
    """The same sky as an 8 µm map: a bright background that the dust of the first one dims.

    On pixels of its own, finer and turned, in equatorial coordinates.
    """
    from reproject import reproject_interp

    with fits.open(column_density) as file:
        header = WCS(file[0].header)
        wcs = WCS(naxis=2)
        centre = header.pixel_to_world(157, 157).icrs
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [centre.ra.deg, centre.dec.deg]
        wcs.wcs.crpix = [250.5, 250.5]
        wcs.wcs.cdelt = [-8 / 3600, 8 / 3600]
        wcs.wcs.pc = [[0.8, -0.6], [0.6, 0.8]]
        dust = reproject_interp((file[0].data, header), wcs, (500, 500), return_footprint=False)
    noise = np.random.default_rng(0).normal(0, 0.2, dust.shape)
    values = 100 * np.exp(-dust / 5e22) + noise
    return write_image(out, values.astype(np.float32), wcs.to_header(), "MJy/sr")


def test_filaments_of_a_real_map(shared_data: Path, tmp_path: Path, tell: Any) -> None:
    survey, here = shared_data / "filaments" / "HIGAL_L_Fil10_N.fits", tmp_path
    assert "315 × 315 px" in tell("info", survey)

    # a click, and the whole map
    at, side = SkyCoord(332.1, 0.15, unit="deg", frame="galactic"), 20.0
    words = ("predict", survey, "--model", "filaments", "--quiet", "--json", "--out")
    (clicked,) = tell(*words, here / "click", "--sky", f"332.1,0.15,{side}'")
    (whole,) = tell(*words, here / "whole")
    few, all_of = rows_of(here / "click"), rows_of(here / "whole")
    assert (len(few), len(all_of)) == (clicked["structures"], whole["structures"])
    assert 3 < len(few) < len(all_of)
    places = SkyCoord(few["lon"], few["lat"], frame="galactic")
    assert places.separation(at).arcmin.max() < side / 2**0.5
    # away from its edges, a click says of each place what the whole map says
    maps = [open_image(here / name / "regions.fits") for name in ("click", "whole")]
    x, y = (np.round(each).astype(int) for each in maps[1].pixel(maps[0].sky(0, 0)))
    rows, columns = maps[0].shape
    inner, outer = (each.cutout(Window.whole(each.shape)) for each in maps)
    assert outer.max() == len(all_of)
    outer = outer[int(y) : int(y) + rows, int(x) : int(x) + columns]
    middle = np.s_[rows // 4 : -rows // 4, columns // 4 : -columns // 4]
    assert np.array_equal(inner[middle] > 0, outer[middle] > 0)
    assert 0 < np.count_nonzero(inner[middle]) < inner[middle].size

    # the same answer again, and what a paper says of it
    again = tell("rerun", here / "click", "--json", "--quiet", "--out", here / "again")
    assert again["same"] and again["changed"] == [] and again["differences"] == []
    said = tell("methods", here / "whole")
    assert "HIGAL\\_L\\_Fil10\\_N.fits" in said and f"of {whole['threshold']:g} or more" in said
    assert "@article{Zavagno2023," in said

    # dark in the infrared, and what FilFinder had marked is found again
    infrared = infrared_of(survey, here / "irac.fits")
    words = ("compare", here / "whole", infrared, "--original",
             shared_data / "filaments" / "Fil10_filfind_mask.fits")  # fmt: skip
    held = tell(*words, "--out", here / "compared", "--max", 2, "--quiet", "--json")
    area = held["coverage"]["area"]
    assert area["both"] / (area["both"] + area["only_original"]) > 0.35
    compared = rows_of(here / "compared")
    dark = (compared["contrast_irac"] < 0) & (compared["significance_irac"] < -3)
    assert len(compared) == len(all_of) and np.mean(dark) > 0.7

    # judged in a table, written for others, opened again
    verdicts = ["real" if each else "not" for each in dark]
    mine = judged(compared["id", "lon", "lat", "x", "y", "score"], here / "mine.csv", verdicts)
    store = here / "verdicts.sqlite"
    brought = tell("vet", "import", store, here / "whole", "--json", "--quiet")
    assert brought == {"list": 1, "detections": len(all_of), "verdicts": 0}
    words = ("vet", "import", store, mine, "--vetter", "Ada", "--list", 1, "--json")
    assert tell(*words)["verdicts"] == len(all_of)
    assert tell(*words)["verdicts"] == 0, "the same verdicts are taken once"
    for name in ("good.ecsv", "good.reg"):
        tell("vet", "export", store, "--out", here / name, "--only", "accepted")
    good = rows_of(here / "good.ecsv")
    assert good["id"].tolist() == [str(each) for each in all_of["id"][dark]]
    assert np.allclose(good["lon"].to_value("deg"), all_of["lon"][dark].to_value("deg"))
    reopened = tell("vet", "import", here / "again.sqlite", here / "good.reg", "--json")
    assert reopened["detections"] == len(good)


def test_spiral_arms_from_the_votes_of_a_crowd(
    shared_data: Path, tmp_path: Path, tell: Any
) -> None:
    # a real file: nobody saw arms, and the folder's card says so
    real, skies, run = tmp_path / "real", tmp_path / "skies", tmp_path / "run"
    real.mkdir()
    file = next((shared_data / "gz3d").glob("*.fits.gz"))
    (real / file.name).symlink_to(file)
    card = tell("dataset", real, "--threshold", 3, "--json")["card"]
    assert card["parts"]["training"]["pixels"]["spiral"] == 0

    # simulated volunteers; the higher the threshold, the smaller the arms
    tell("simulate", "spirals", "--out", skies, "--n", 14, "--size", 128, "--seed", 9006,
         "--workers", 1, "--quiet")  # fmt: skip
    share = [
        sum(part["pixels"]["spiral"] for part in told["card"]["parts"].values())
        for told in (tell("dataset", skies, "--threshold", n, "--json") for n in (1, 3, 6))
    ]
    assert share[0] > share[1] > share[2] > 0

    # a short training on three votes or more, from the weights in the box
    words = ("data.threshold=3", "data.validation=0.5", "schedule.epochs=1")
    told = tell("train", "spiral_arms_small", "--data", skies, "--out", run, "--from",
                "spiral_arms_small", "--set", *words, "--quiet")  # fmt: skip
    assert "best epoch 1, validation Jaccard = " in told
    (card,) = tell("models", run, "--json")
    assert card["recipe"] == "spiral_arms_small"

    # it stays silent on the galaxy in which nobody saw arms, and the picture lies on its sky
    (found,) = tell("predict", file, "--model", run, "--out", tmp_path / "found", "--json",
                    "--quiet")  # fmt: skip
    probability = open_image(tmp_path / "found" / "probability.fits")
    assert probability.sky(262, 262).icrs.ra.deg == pytest.approx(148.9795, abs=1e-3)
    assert found["structures"] == len(rows_of(tmp_path / "found"))
    assert np.mean(values_of(tmp_path / "found" / "probability.fits") >= found["threshold"]) < 0.01

    # Jaccard of each galaxy, as a histogram
    words = ("evaluate", run, skies, "--out", tmp_path / "measured", "--json", "--quiet")
    told = tell(*words)
    figures, bars = told["figures"], told["histograms"]["jaccard"]
    assert figures["galaxies"] == 7  # those that were kept for validation
    assert len(bars) == 20 and sum(bars) == round(figures["both"] * 7) > 0
    middles = (np.arange(20) + 0.5) / 20
    assert np.average(middles, weights=bars) == pytest.approx(figures["jaccard"], abs=0.026)
    with Image.open(tmp_path / "measured" / "histogram-jaccard.png") as picture:
        assert min(picture.size) > 200


def test_blended_galaxies_and_how_sure_they_are(tmp_path: Path, tell: Any) -> None:
    pytest.importorskip("galsim")
    skies, out = tmp_path / "skies", tmp_path / "found"
    tell("simulate", "galaxies", "--out", skies, "--n", 1, "--size", 384, "--seed", SEED,
         "--workers", 1, "--quiet")  # fmt: skip
    field = skies / "image_field_000.fits"
    (told,) = tell("predict", field, "--model", "blended_galaxies_small", "--samples", 50,
                   "--window", "140,300,96,84", "--out", out, "--json", "--quiet")  # fmt: skip
    mean, spread = (fits.getdata(out / f"{name}.fits") for name in ("probability", "uncertainty"))
    assert mean.shape == spread.shape == (2, 84, 96)
    edge, inside = (mean[0] > 0.2) & (mean[0] < 0.8), mean[0] > 0.99
    assert spread[0][edge].mean() > 5 * spread[0][inside].mean() > 0
    assert spread[0][mean[0] < 0.001].max() < 0.1

    # each galaxy of the truth that is bright is found in its place, with a spread of its own
    found, truth = rows_of(out), QTable.read(skies / "catalogue_field_000.ecsv")
    x, y = truth["x"], truth["y"]
    (brightest,) = truth[(truth["area"] > 500) & (x > 150) & (x < 226) & (y > 310) & (y < 374)]
    apart = np.hypot(found["x"] - brightest["x"], found["y"] - brightest["y"])
    assert apart.min() < 5 and found["area"][apart.argmin()] == found["area"].max()
    assert told["structures"] == len(found) and np.all(found["uncertainty"] > 0)
    assert np.all((found["overlap"] >= 0) & (found["overlap"] <= 1))
    assert "50 samples" in tell("methods", out)

    # completeness and purity, of galaxies alone and of those that overlap
    figures = tell("evaluate", "blended_galaxies_small", skies, "--json", "--quiet")["figures"]
    for each in ("completeness_isolated", "purity_isolated", "detected_isolated"):
        assert 0.6 < figures[each] <= 1
    assert figures["completeness_blended"] > 0.4 and figures["null"] > 0.5


def test_stars_and_galaxies_of_real_bands(shared_data: Path, tmp_path: Path, tell: Any) -> None:
    bands = {name: shared_data / "multiband" / f"img_{name}.fits" for name in "grz"}
    words = ("--bands", "--model", "astro_rcnn_small", "--window", "192,192,160,160", "--quiet")
    (told,) = tell("predict", *bands.values(), *words, "--out", tmp_path / "a", "--json")
    assert told["what"] == "objects" and told["structures"] > 10
    found = rows_of(tmp_path / "a")
    assert set(found["kind"]) == {"star", "galaxy"}

    # whoever names the bands in another order has the same catalogue
    tell("predict", bands["z"], bands["g"], bands["r"], *words, "--out", tmp_path / "b")
    other = rows_of(tmp_path / "b")
    assert np.array_equal(other["id"], found["id"]) and np.array_equal(other["x"], found["x"])
    assert list(other["kind"]) == list(found["kind"])

    # what shines most has a row, where it shines
    image = open_image(bands["r"])
    light = values_of(bands["r"])[192:352, 192:352]
    row, column = np.unravel_index(np.argsort(light, axis=None)[-30:], light.shape)
    labels = fits.getdata(tmp_path / "a" / "regions.fits")
    assert np.mean(labels[row, column] > 0) > 0.9
    for each in found:
        there = image.sky(float(each["x"]), float(each["y"])).icrs
        assert there.ra.deg == pytest.approx(each["lon"].to_value("deg"), abs=1e-6)
        assert there.dec.deg == pytest.approx(each["lat"].to_value("deg"), abs=1e-6)
    # Lupton's colours, not one grey
    with Image.open(tmp_path / "a" / "preview.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), int)
    assert np.ptp(pixels, axis=2).max() > 50


def test_bubbles_from_tiles_to_a_queue_of_what_teaches_most(
    shared_data: Path, tmp_path: Path, tell: Any
) -> None:
    skies, here = tmp_path / "skies", tmp_path
    tell("simulate", "bubbles", "--out", skies, "--n", 2, "--size", 448, "--seed", SEED,
         "--workers", 1, "--quiet")  # fmt: skip
    truth, _ = read_bubbles(skies / "simulated_bubbles.dat", skies)
    for band in "rg":
        tell("mosaic", *sorted(skies.glob(f"spitzer_*/{band}.fits")), "--out",
             here / f"{band}.fits", "--quiet")  # fmt: skip
    search = ("predict", here / "r.fits", here / "g.fits", "--bands", "--threshold", 0.3,
             "--json", "--quiet")  # fmt: skip
    # known and new
    known = ("--model", "bubbles_small", "--known", skies / "simulated_bubbles.dat")
    (told,) = tell(*search, *known, "--out", here / "found")
    found = rows_of(here / "found")
    assert told["known"] == np.count_nonzero(found["known"]) == len(truth) > 0
    assert set(found["known_name"][found["known"]]) == {each.name for each in truth}

    # a team of two on one store: they agree on all but the last
    store, real = here / "team.sqlite", ["real" if each else "not" for each in found["known"]]
    tell("vet", "import", store, here / "found")
    notes = ["", "", "half of its neighbour"]
    for who, verdicts in (("Ada", real), ("Grace", [*real[:-1], "unsure"])):
        mine = judged(found["id", "lon", "lat", "x", "y"], here / f"{who}.csv", verdicts, notes)
        told = tell("vet", "import", store, mine, "--vetter", who, "--list", 1, "--json")
        assert told["verdicts"] == len(found) == 3
    agreed = tell("vet", "agreement", store, "--json")
    (pair,) = agreed["pairs"]
    assert (pair["first"], pair["second"], pair["both"]) == ("Ada", "Grace", 3)
    assert pair["alike"] == pytest.approx(2 / 3) and 0 < pair["kappa"] < 1
    assert agreed["disagreements"] == ["3"]
    matched = here / "vetted.ecsv"
    tell("vet", "export", store, "--out", matched, "--match", skies / "simulated_bubbles.dat")
    bubbles = rows_of(matched)
    assert set(bubbles["cross_id"][bubbles["verdict"] == "real"]) == {each.name for each in truth}
    # nothing of the Milky Way Project lies on this simulated sky
    words = ("--match", shared_data / "catalogues" / "mwpdr2bubbles.dat", "--within", 1)
    tell("vet", "export", store, "--out", matched, *words)
    assert not any(rows_of(matched)["cross_id"])

    # what they said, to learn from, and a model that learnt a little more
    words = ("--data", skies, "--out", here / "vetted", "--negatives", 20, "--json", "--quiet")
    assert tell("vet", "harvest", store, *words)["bubbles"] == len(truth)
    how = ("schedule.epochs=1", "schedule.learning_rate=1e-5", "data.negatives_drawn=20",
           "data.windows_px=[150,300]")  # fmt: skip
    told = tell("train", "bubbles_small", "--data", here / "vetted", "--out", here / "run",
                "--from", "bubbles_small", "--set", *how, "--quiet")  # fmt: skip
    assert "best epoch 1, validation F2" in told
    tell(*search, "--model", here / "run", "--out", here / "anew")

    # whoever comes next sees first what teaches the newer model most
    words = ("vet", "rescore", store, here / "anew", "--vetter", "Linus", "--json")
    told = tell(*words, "--out", here / "queue.ecsv")
    queue = rows_of(here / "queue.ecsv")
    assert told["of"] == len(queue) == 3 and told["queue"] == queue["id"].tolist()
    again = Detections.of(3, lon=queue["lon"].value, lat=queue["lat"].value, frame="galactic")
    anew = rows_of(here / "anew")
    there = SkyCoord(anew["lon"], anew["lat"], frame="galactic")
    nearest, apart, _ = again.position.match_to_catalog_sky(there)
    scored = queue["score"] > 0
    assert scored.sum() == told["found"] > 0
    assert np.allclose(queue["score"][scored], anew["score"][nearest][scored])
    assert np.all(apart.arcmin[scored] < 1)
    doubt = 1 - np.abs(2 * queue["score"] - 1)
    assert doubt[0] == doubt.max() and not scored[scored.sum() :].any()
    tell("vet", "import", store, here / "Ada.csv", "--vetter", "Linus", "--list", 1)
    assert tell(*words)["queue"] == []
