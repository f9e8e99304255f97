"""Whole mosaics: killed runs go on, stores and HiPS open again where they lie on the sky."""

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_astroseg.cli.main import main
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.image import SkyImage
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
