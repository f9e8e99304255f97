"""Whole mosaics: killed runs go on, stores and HiPS open again where they lie on the sky."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from scipy.ndimage import gaussian_filter
from tiles import cut, sky_header

from napari_astroseg.cli.main import main
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaic import open_mosaic
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.spheres.hipswriting import write_hips
from napari_astroseg.sky.window import Window

KILLED = """
import sys, time
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.events import TileDone
model, image, store = sys.argv[1:]
for event in predict(model, image, device="cpu", store=store):
    if isinstance(event, TileDone):
        print(event.done, flush=True)
        time.sleep(0.01)
"""


def test_a_run_killed_at_any_moment_goes_on_to_the_same_answer(random_model, field_image, tmp_path):
    model, store = random_model.save(tmp_path / "m.safetensors"), tmp_path / "s.zarr"
    rng = np.random.default_rng(os.getpid())
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(model), str(field_image), str(store)],
        stdout=subprocess.PIPE,
    )
    with child:
        for _ in range(rng.integers(1, 8)):
            child.stdout.readline()
        child.kill()
    resumed = predicted(predict(model, field_image, device="cpu", store=store, resume=True))
    whole = predicted(predict(model, field_image, device="cpu"))
    assert np.array_equal(resumed, whole, equal_nan=True)


FINDING = """
import sys
from pathlib import Path
import numpy as np
from napari_astroseg.engine.objectstore import ObjectStore, Piece
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.window import Window
path, resume = Path(sys.argv[1]), len(sys.argv) > 2
store = ObjectStore(path, "work", resume)
for number in range(40):
    if store.get(number) is None:
        rng = np.random.default_rng(number)
        masks = tuple(Footprint(Window(n, n, 90, 90), rng.random((90, 90)) > 0.5) for n in range(9))
        found = Instances(rng.random((9, 4)), rng.random(9), np.ones(9, int), masks)
        store.put(number, Piece(found, 9))
        print(number, flush=True)
"""


def test_objects_of_a_run_killed_at_any_moment_are_kept_whole(tmp_path):
    words = [sys.executable, "-c", FINDING]
    with subprocess.Popen([*words, str(tmp_path / "o")], stdout=subprocess.PIPE) as child:
        for _ in range(np.random.default_rng(os.getpid()).integers(1, 30)):
            child.stdout.readline()
        child.kill()
    left = (tmp_path / "o").read_bytes()
    assert 0 < left.count(b"\n") < 41
    subprocess.run([*words, str(tmp_path / "o"), "resume"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*words, str(tmp_path / "once")], check=True, stdout=subprocess.DEVNULL)
    resumed = (tmp_path / "o").read_bytes()
    assert resumed == (tmp_path / "once").read_bytes()
    assert resumed.startswith(left[: left.rindex(b"\n")])


def test_a_store_opens_as_the_image_that_it_is(random_model, field_image, tmp_path):
    store, window = tmp_path / "prediction.zarr", Window(20, 30, 100, 90)
    answer = predicted(
        predict(random_model.turned(2), field_image, window, store=store, device="cpu")
    )
    image, source = open_image(store), open_image(field_image)
    assert list(image.axis.labels)[1].startswith("uncertainty of ") and image.count == 2
    mean = image.plane(0)
    x, y = mean.pixel(source.sky(window.x + 7, window.y + 9))
    assert (x - round(float(x)), y - round(float(y))) == pytest.approx((0, 0), abs=1e-6)
    corner = Window(round(float(x)) - 7, round(float(y)) - 9, window.width, window.height)
    assert np.array_equal(mean.cutout(corner), answer[0], equal_nan=True)
    assert mean.pixels.identity != image.plane(1).pixels.identity
    (tmp_path / "other.zarr").mkdir()
    (tmp_path / "other.zarr" / "zarr.json").write_text("{}")
    with pytest.raises(ImageError, match="holds no maps of a prediction"):
        open_image(tmp_path / "other.zarr")


def polygons(out, image):
    """Number, and vertices (N, 2) x and y on an image, of each outline of an answer."""
    text = (out / "catalogue.reg").read_text()
    for corners, number in re.findall(r"polygon\((.*)\) # text={(\d+)}", text):
        lon, lat = np.array(corners.split(","), float).reshape(-1, 2).T
        where = SkyCoord(lon, lat, unit="deg", frame="galactic")
        yield int(number), lon, np.stack(image.pixel(where), 1)


def answered(model, image, out):
    """What an answer's folder holds: numbers and probabilities of pixels, and the table."""
    level = float(np.nanquantile(predicted(predict(model, image, device="cpu")), 0.7))
    *_, last = predict_to_folder(model, image, out, threshold=level, device="cpu")
    labels, probability = (
        fits.getdata(out / f"{name}.fits") for name in ("regions", "probability")
    )
    table = Catalogue.read(out / "catalogue.ecsv").table
    assert last.result["structures"] == len(table) == labels.max() > 2
    return labels, probability, table, last.result["missing_fraction"]


SHAPE = (80, 160)


@pytest.fixture
def values():
    """Column densities of a field."""
    smooth = gaussian_filter(np.random.default_rng(4).normal(size=SHAPE), 3)
    return (1e22 * 10 ** (3 * smooth)).astype(np.float32)


def test_tiles_on_both_sides_of_longitude_zero_are_one_sky(random_model, values, tmp_path):
    header = sky_header(SHAPE, "CAR", lon=0.0, arcsec=11.5)
    mosaic = open_mosaic(cut(tmp_path, values, header, [(0, 0), (70, 0)], (80, 90), unit="cm-2"))
    labels, probability, table, _ = answered(random_model, mosaic, tmp_path / "out")
    plain = SkyImage.from_array(values, unit="cm-2")
    expected = predicted(predict(random_model, plain, device="cpu"))[0]
    assert np.allclose(probability, expected, atol=1e-5)
    assert labels.shape == SHAPE and not np.isnan(probability).any()
    lon = table["lon"].value
    assert ((lon >= 0) & (lon < 0.3) | (lon > 359.7)).all() and lon.min() < 0.3 < lon.max()
    place = SkyCoord(table["lon"], table["lat"], frame="galactic")
    assert np.allclose(mosaic.pixel(place), [table["x"], table["y"]], atol=1e-6)
    crossing = set(np.unique(labels[:, 79])) & set(np.unique(labels[:, 80])) - {0}
    assert crossing
    for number, lon, corners in polygons(tmp_path / "out", mosaic):
        rows, columns = np.nonzero(labels == number)
        low, high = (columns.min() - 1, rows.min() - 1), (columns.max() + 1, rows.max() + 1)
        assert (corners >= low).all() and (corners <= high).all()
        crossing -= {number} if np.ptp(lon) > 359 else set()
    assert not crossing  # each of these is told in degrees of both sides


def test_half_a_map_may_be_missing(random_model, values, tmp_path):
    values[:, 90:] = np.nan
    header = sky_header(SHAPE, "CAR", lon=0.0, arcsec=11.5)
    image = open_image(write_image(tmp_path / "half.fits", values, header, "cm-2"))
    labels, probability, table, missing = answered(random_model, image, tmp_path / "out")
    assert missing == pytest.approx(70 / 160)
    assert np.array_equal(np.isnan(probability), np.isnan(values))
    assert not labels[:, 90:].any() and table["x"].max() < 90
    assert np.isfinite(table["mean_value"].value).all() and np.isfinite(table["score"]).all()
    for _, _, corners in polygons(tmp_path / "out", image):
        assert corners[:, 0].max() <= 90


def test_a_hips_opens_again_with_the_values_where_they_were(field_image, tmp_path, capsys):
    out = tmp_path / "hips"
    assert main(["hips", str(field_image), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    image, hips = open_image(field_image), open_image(out)
    assert hips.frame == "galactic"
    for x, y in ((40, 60), (150, 100), (200, 30)):
        column, row = hips.pixel(image.sky(x, y))
        around = image.cutout(Window(x - 2, y - 2, 5, 5))
        value = hips.value(float(column), float(row))
        assert np.nanmin(around) <= value <= np.nanmax(around)
    assert main(["hips", str(field_image), "--out", str(out)]) == 1
    bare = SkyImage.from_array(np.zeros((8, 8), np.float32))
    with pytest.raises(ImageError, match="no sky coordinates"):
        write_hips(bare, tmp_path / "none")
    with pytest.raises(OutputError, match="is there already"):
        write_hips(image, out)
