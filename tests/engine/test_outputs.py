"""The folder a prediction leaves: complete, on the input's own sky, and resumable."""

import errno
import io
import json
import shutil
import weakref
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from regions import Regions

from napari_astroseg.engine import mapoutputs
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.evaluation import evaluate_to_folder
from napari_astroseg.engine.events import Finished, Preparing, TileDone
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.report.files import read_evaluation
from napari_astroseg.engine.store import KeptMaps
from napari_astroseg.engine.unitview import look_at
from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.scratch import Scratch
from napari_astroseg.sky.window import Window


def finished(events):
    *_, last = events
    assert isinstance(last, Finished)
    return last.result


def sky_of(path, points):
    with fits.open(path) as hdus:
        header = next(hdu.header for hdu in hdus if hdu.header.get("NAXIS", 0) == 2)
        return np.array(WCS(header).pixel_to_world_values(points[:, 0], points[:, 1]))


@pytest.mark.parametrize("window", [None, Window(20, 30, 90, 70)])
def test_every_file_is_there_and_on_the_input_s_sky(random_model, field_image, tmp_path, window):
    result = finished(predict_to_folder(random_model, field_image, tmp_path, window, threshold=0.5))
    names = {path.name for path in result["files"]}
    assert names == {"probability.fits", "regions.fits", "catalogue.ecsv", "catalogue.reg",
                     "preview.png", "provenance.json"}  # fmt: skip
    assert all((tmp_path / name).stat().st_size for name in names)
    corner = np.array([window.x, window.y] if window else [0, 0])
    points = np.random.default_rng(0).uniform(0, 60, (20, 2))
    expected = sky_of(field_image, points + corner)
    for name in ("probability.fits", "regions.fits"):
        assert np.abs(sky_of(tmp_path / name, points) - expected).max() < 1e-9
    image = open_image(field_image)
    inside = window or Window.whole(image.shape)
    probability = open_image(tmp_path / "probability.fits").cutout(Window.whole(inside.shape))
    gaps = np.isnan(image.cutout(inside))
    assert np.array_equal(np.isnan(probability), gaps)
    regions = fits.getdata(tmp_path / "regions.fits", 1)
    assert not regions[gaps].any()
    assert regions.max() == result["structures"] == len(Catalogue.read(tmp_path / "catalogue.ecsv"))
    provenance = json.loads((tmp_path / "provenance.json").read_text())
    assert provenance["model"]["digest"] == random_model.digest
    assert provenance["inputs"][-1]["path"] == str(field_image)


@pytest.mark.parametrize("distortion", [
    {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-5, "B_0_2": -2e-5},
    {"CD1_1": -0.0009, "CD1_2": 0.0003, "CD2_1": 0.0003, "CD2_2": 0.0009},
    {"CROTA2": 31.0},
])  # fmt: skip
def test_any_wcs_comes_through_to_a_billionth_of_a_degree(random_model, tmp_path, distortion):
    sip = "-SIP" if "A_ORDER" in distortion else ""
    header = fits.Header({"CTYPE1": "RA---TAN" + sip, "CTYPE2": "DEC--TAN" + sip,
                          "CRVAL1": 83.63308123456, "CRVAL2": 22.01447123456,
                          "CRPIX1": 31.5, "CRPIX2": 12.25})  # fmt: skip
    if "CD1_1" not in distortion:
        header.update({"CDELT1": -0.00319444444444, "CDELT2": 0.00319444444444})
    header.update(distortion)
    values = np.random.default_rng(0).lognormal(np.log(1e22), 0.2, (80, 90)).astype(np.float32)
    path = write_image(tmp_path / "in.fits", values, header, "cm-2")
    finished(predict_to_folder(random_model, path, tmp_path / "out", Window(7, 9, 60, 50)))
    points = np.random.default_rng(1).uniform(0, 50, (30, 2))
    expected = sky_of(path, points + np.array([7, 9]))
    assert np.abs(sky_of(tmp_path / "out" / "probability.fits", points) - expected).max() < 1e-9


def test_outlines_read_back_as_regions_on_the_sky(random_model, field_image, tmp_path):
    part = Window(64, 32, 96, 96)  # the `regions` package takes its time
    result = finished(predict_to_folder(random_model, field_image, tmp_path, part, threshold=0.5))
    shapes = Regions.read(tmp_path / "catalogue.reg", format="ds9")
    assert len(shapes) >= result["structures"] > 0
    image = open_image(field_image)
    x, y = image.pixel(shapes[0].vertices)
    assert (x > -1).all() and (x < 256).all() and (y > -1).all() and (y < 192).all()


def test_an_image_without_sky_gets_pixel_regions(random_model, noise_image, tmp_path):
    finished(predict_to_folder(random_model, noise_image, tmp_path, threshold=0.5))
    assert "image" in (tmp_path / "catalogue.reg").read_text()
    assert Catalogue.read(tmp_path / "catalogue.ecsv").frame is None


def test_a_stopped_prediction_resumes_and_gives_the_same(random_model, field_image, tmp_path):
    events = predict(random_model, field_image, store=tmp_path / "s.zarr")
    for event in events:
        if isinstance(event, TileDone) and event.done == 2:
            events.close()
    resumed = list(predict(random_model, field_image, store=tmp_path / "s.zarr", resume=True))
    expected = predicted(predict(random_model, field_image))
    assert np.array_equal(predicted(iter(resumed)), expected, equal_nan=True)
    with pytest.raises(OutputError, match="another model, image or window"):
        list(predict(random_model, field_image, Window(0, 0, 64, 64),
                     store=tmp_path / "s.zarr", resume=True))  # fmt: skip


def test_tiles_on_disk_are_not_predicted_again(random_model, field_image, tmp_path, monkeypatch):
    store = tmp_path / "s.zarr"
    whole = predicted(predict(random_model, field_image, store=store))

    def never(*_):
        raise AssertionError("a tile was predicted again")

    monkeypatch.setattr("napari_astroseg.engine.predict.Predictor.answer", never)
    again = predicted(predict(random_model, field_image, store=store, resume=True))
    assert np.array_equal(again, whole, equal_nan=True)


def test_a_folder_that_is_no_store_is_left_alone(random_model, field_image, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match="move it elsewhere"):
        list(predict(random_model, field_image, store=tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_a_store_of_earlier_work_is_replaced_unless_resumed(random_model, field_image, tmp_path):
    store = tmp_path / "s.zarr"
    list(predict(random_model, field_image, Window(0, 0, 64, 64), store=store))
    wider = Window(0, 0, 96, 64)
    answer = predicted(predict(random_model, field_image, wider, store=store))
    assert np.array_equal(
        answer, predicted(predict(random_model, field_image, wider)), equal_nan=True
    )


def test_a_disk_that_refuses_is_told(random_model, field_image, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        finished(predict_to_folder(random_model, field_image, tmp_path / "file" / "out"))


def test_evaluation_gives_the_paper_s_figures(random_model, maps):
    told = evaluate(random_model, maps, window=Window(0, 0, 128, 128))
    assert {"dice", "recovery", "missed", "new", "dice_0.2", "dice_0.8"} <= told["figures"].keys()
    assert all(0 <= told["figures"][name] <= 1 for name in ("dice", "recovery", "missed", "new"))
    assert told["errors"]["dice"] >= 0
    json.dumps(told)


def test_an_evaluation_is_left_in_a_folder_or_stopped(random_model, maps, tmp_path):
    path = random_model.save(tmp_path / "m.safetensors")
    first, *_, last = evaluate_to_folder(path, maps, tmp_path / "out", device="cpu")
    assert isinstance(first, Preparing)
    told = read_evaluation(tmp_path / "out")
    assert told["figures"] == last.result["evaluation"]["figures"]
    assert told["provenance"]["command"] == f"astroseg evaluate {path} {maps} --device cpu"
    assert told["provenance"]["model_digest"] == random_model.digest
    assert set(last.result["files"]) == set((tmp_path / "out").iterdir())
    events = evaluate_to_folder(path, maps, tmp_path / "stopped", device="cpu")
    next(events)
    events.close()
    assert not (tmp_path / "stopped").exists()


def test_a_part_of_a_map_is_looked_at(random_model, maps, tmp_path):
    from napari_astroseg.sky.fourmaps import open_four_maps

    path, part = random_model.save(tmp_path / "m.safetensors"), Window(30, 20, 64, 48)
    *_, last = look_at(path, maps, "001_image.fits", part, "cpu")
    view = last.result["view"]
    field = open_four_maps(maps)[1]
    assert np.array_equal(view.truth, (field.target & field.valid)[part.slices])
    assert view.found.shape == (48, 64) and not view.boxed
    probability = predicted(predict(random_model, field.image, part, device="cpu"), part)[0]
    assert not (view.found > (np.nan_to_num(probability) >= 0.5)).any()


def test_evaluation_without_truth_is_refused(random_model, maps):
    with pytest.raises(DataError, match="no labelled structure"):
        evaluate(random_model, maps, window=Window(0, 12, 6, 6))


def test_dice_of_a_perfect_answer_is_one(random_model, maps, monkeypatch):
    from napari_astroseg.sky.fourmaps import open_four_maps

    truth = {f.name: f for f in open_four_maps(maps)}

    def perfect(model, image, window, **_):
        assert isinstance(image, SkyImage)
        field = truth[image.name]
        probability = np.where(field.valid, field.target.astype(np.float32), np.nan)
        yield TileDone(window, probability[None].astype(np.float32), 1, 1)

    monkeypatch.setattr("napari_astroseg.engine.mapfigures.predict", perfect)
    figures = evaluate(random_model, maps)["figures"]
    assert figures["dice"] == figures["recovery"] == figures["roc_auc"] == 1
    assert figures["missed"] == figures["new"] == 0


def test_a_store_killed_while_it_was_made_is_made_again(random_model, field_image, tmp_path):
    store = tmp_path / "s.zarr"
    expected = predicted(predict(random_model, field_image, store=store))
    shutil.rmtree(store / "done")
    again = predicted(predict(random_model, field_image, store=store, resume=True))
    assert np.array_equal(again, expected, equal_nan=True)


def test_another_image_in_memory_is_other_work(random_model, noise_image, tmp_path):
    store = tmp_path / "s.zarr"
    list(predict(random_model, noise_image, store=store))
    list(predict(random_model, noise_image, store=store, resume=True))
    values = noise_image.cutout(Window.whole(noise_image.shape)) * np.float32(1.5)
    other = SkyImage.from_array(values, unit="cm-2", name=noise_image.name)
    with pytest.raises(OutputError, match="another model, image or window"):
        list(predict(random_model, other, store=store, resume=True))


def test_text_beyond_ascii_does_not_keep_a_map_from_being_written(tmp_path):
    path = write_image(tmp_path / "m.fits", np.zeros((4, 4)), notes={"MODEL": "modèle"})
    assert fits.getval(path, "MODEL") == "mod?le"


def test_an_image_that_changed_is_other_work(random_model, field_image, tmp_path):
    path, store = tmp_path / "i.fits", tmp_path / "s.zarr"
    shutil.copy(field_image, path)
    list(predict(random_model, path, store=store))
    with fits.open(path, mode="update") as hdus:  # same size, other values
        hdus[0].data *= 2
    with pytest.raises(OutputError, match="another model, image or window"):
        list(predict(random_model, path, store=store, resume=True))


def test_a_map_in_parts_gives_the_same_files(random_model, field_image, tmp_path, monkeypatch):
    part, recipe = Window(9, 5, 150, 140), random_model.recipe.replace(prediction__min_area_px=1)
    random_model = replace(random_model, card=replace(random_model.card, recipe=recipe))
    level = float(np.nanquantile(predicted(predict(random_model, field_image, part)), 0.75))
    once = finished(
        predict_to_folder(random_model, field_image, tmp_path / "once", part, threshold=level)
    )
    monkeypatch.setattr("napari_astroseg.sky.files.tilewriting.TILE", 64)
    monkeypatch.setattr("napari_astroseg.engine.mapoutputs.SIDE", 64)
    monkeypatch.setattr("napari_astroseg.sky.spines._AT_ONCE", 1)
    monkeypatch.setattr("napari_astroseg.sky.outlinefile._AT_ONCE", 1)
    parted = finished(
        predict_to_folder(random_model, field_image, tmp_path / "parts", part, threshold=level)
    )
    assert once["structures"] == parted["structures"] > 0
    for name in ("probability.fits", "regions.fits"):
        told, expected = (fits.getdata(tmp_path / d / name, 1) for d in ("parts", "once"))
        assert np.array_equal(told, expected, equal_nan=True)
    told, expected = (Catalogue.read(tmp_path / d / "catalogue.ecsv") for d in ("parts", "once"))
    for name in expected.table.colnames:
        assert np.allclose(told.table[name], expected.table[name], rtol=1e-9, equal_nan=True)
    regions = [(tmp_path / d / "catalogue.reg").read_text() for d in ("parts", "once")]
    assert regions[0] == regions[1]


def test_outlines_are_written_as_they_are_traced(random_model, tmp_path, monkeypatch):
    trace, traced, held = mapoutputs.outline, [], []

    def outline(*words):
        lines = trace(*words)
        traced.extend(weakref.ref(line.base) for line in lines)  # views of it keep it
        held.append(sum(line() is not None for line in traced))
        return lines

    monkeypatch.setattr(mapoutputs, "outline", outline)
    monkeypatch.setattr("napari_astroseg.sky.outlinefile._AT_ONCE", 2)
    squares = np.kron(np.eye(40, dtype=np.float32), np.pad(np.ones((4, 4), np.float32), 2))
    image, window = SkyImage.from_array(squares), Window.whole(squares.shape)
    answer = mapoutputs.Answer(window, lambda part: squares[None][:, *part.slices], 1)
    told = mapoutputs.write_outputs(tmp_path, random_model, image, answer, 0.5)
    assert told["structures"] == len(held) == 40 and max(held) < 5


def test_a_mask_is_let_go_before_the_next_one_is_made():
    def regions():
        for number in (1, 2, 3):
            mask = np.ones((4, 4), bool)
            held = weakref.ref(mask)
            yield number, Window(0, 0, 4, 4), mask
            del mask
            assert held() is None

    assert [text for text, _ in mapoutputs.outlined(regions())] == ["1", "2", "3"]


class Torn:
    """Values that can be read once."""

    def __init__(self, values):
        self._values, self._read = values, False

    def __getitem__(self, key):
        if self._read:
            raise OSError(errno.EIO, "Input/output error")
        self._read = True
        return self._values[key]


def test_tiles_that_cannot_be_read_again_are_told_as_what_they_are(
    random_model, field_image, tmp_path, monkeypatch
):
    class TornMaps(KeptMaps):
        def __init__(self, path):
            super().__init__(path)
            self._values = Torn(self._values)

    monkeypatch.setattr("napari_astroseg.engine.outputs.KeptMaps", TornMaps)
    with pytest.raises(OutputError, match=r"^tiles that were stored cannot be read \(input"):
        finished(predict_to_folder(random_model, field_image, tmp_path, threshold=0.5))
    assert {path.name for path in tmp_path.iterdir()} == {"prediction.zarr"}


class TornFile(io.RawIOBase):
    """A file whose disk gives nothing."""

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, place, _whence=0):
        return place

    def readinto(self, _into):
        raise OSError(errno.EIO, "Input/output error")


def test_a_scratch_file_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    scratch, part = Scratch(tmp_path, Window(0, 0, 4, 4), 1), Window(1, 1, 2, 2)
    scratch.put(part, np.ones((1, 2, 2), np.float32))
    assert np.nansum(scratch.read(Window(0, 0, 4, 4))) == 4
    scratch.close()
    monkeypatch.setattr(scratch, "_file", io.BufferedReader(TornFile()))
    with pytest.raises(OutputError, match=r"cannot be read again \(input"):
        scratch.read(part)
