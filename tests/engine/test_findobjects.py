"""Objects of an image of any size: each once, whole, wherever tiles end; files; figures."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.io import fits
from layouts import SIDE, write_set
from scipy import ndimage
from sharedwork import backwards
from skies import galactic_wcs

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import Finished, ObjectsDone, Started, TileDone
from napari_astroseg.engine.findobjects import places_over
from napari_astroseg.engine.instanceoutputs import write_instances
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.objectfigures import evaluate_objects
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.unitview import view_of
from napari_astroseg.errors import DataError, MisfitError, OutputError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import silent
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

SHAPE = (150, 200)
WIDE = 100
"""Pixels from which an object is a galaxy."""


class Bright(Network):
    """Finds what is brighter than half of the brightest, as any network would tell it."""

    def learn(self, batch):
        return torch.zeros(())

    def answer(self, planes):
        return [self._found(each) for each in planes.numpy().mean(1)]

    def _found(self, plane):
        labels, count = ndimage.label(plane > 0.5)
        masks = []
        for n, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            window = Window(columns.start, rows.start, columns.stop - columns.start,
                            rows.stop - rows.start)  # fmt: skip
            masks.append(Footprint(window, labels[rows, columns] == n))
        boxes = [(w.x - 0.5, w.y - 0.5, w.x_end - 0.5, w.y_end - 0.5) for w, _ in masks]
        areas = np.array([mask.sum() for _, mask in masks], float).reshape(count)
        return Instances(
            np.array(boxes, float).reshape(-1, 4),
            0.5 + areas / 1000,
            np.where(areas < WIDE, 1, 2),
            tuple(masks),
        )


@pytest.fixture(scope="module")
def model():
    recipe = Recipe.preset("astro_rcnn_small").replace(
        **{
            "expects.unit": "",
            "expects.pixel_scale_arcsec": None,
            "data.crop_px": 64,
            "data.validation": 0.34,
            "normalisation.kind": "linear",
            "normalisation.percentile": 100,
        }
    )
    return Model(ModelCard("bright", recipe, 0, threshold=0.5), Bright())


def squares():
    """Squares of 5 to 15 pixels that do not touch, all over the image."""
    rng = np.random.default_rng(4)
    taken = np.zeros(SHAPE, bool)
    found = []
    while len(found) < 40:
        side = int(rng.integers(5, 16))
        y, x = (int(rng.integers(0, length - side + 1)) for length in SHAPE)
        around = taken[max(y - 1, 0) : y + side + 1, max(x - 1, 0) : x + side + 1]
        if not around.any():
            around[:] = True
            found.append(Window(x, y, side, side))
    return found


@pytest.fixture(scope="module")
def truth():
    return squares()


@pytest.fixture(scope="module")
def image(truth):
    values = np.zeros(SHAPE, np.float32)
    for window in truth:
        values[window.slices] = 1.0
    plane = SkyImage.from_array(values, wcs=galactic_wcs(), name="field")
    return stacked([plane] * 3, ("z", "r", "g"), "field")


def finished(events):
    return next(event for event in events if isinstance(event, Finished)).result


def windows(objects):
    return {mask.window for mask in objects.masks}


def test_every_object_is_found_once_and_whole(model, image, truth):
    events = list(predict(model, image, device="cpu"))
    told = [event for event in events if isinstance(event, ObjectsDone)]
    assert isinstance(events[0], Started)
    assert events[0].total == len(told) == told[-1].done == 12
    result = finished(events)
    assert len(result["objects"]) == 40
    assert windows(result["objects"]) == set(truth)
    assert (result["threshold"], result["missing_fraction"]) == (0.5, 0.0)
    wide = {window for window in truth if window.width * window.height >= WIDE}
    galaxies = result["objects"][result["objects"].classes == 2]
    assert windows(galaxies) == wide


@pytest.mark.parametrize("side", [9, 15, 31, 47, 60, 80])
def test_a_galaxy_where_four_tiles_meet_is_one_and_whole(model, side):
    """Tiles of 64 pixels share 16, and their cores meet at 56; a wide one no tile sees whole."""
    corner = 56 - side // 2
    values = np.zeros((200, 200), np.float32)
    values[corner : corner + side, corner : corner + side] = 1
    values[150:160, 20:30] = 1  # another, in a single tile
    bands = [SkyImage.from_array(values, name="corner") for _ in range(3)]
    result = finished(predict(model, stacked(bands, ("z", "r", "g"), "corner"), device="cpu"))
    assert windows(result["objects"]) == {Window(corner, corner, side, side),
                                          Window(20, 150, 10, 10)}  # fmt: skip
    far = corner + side - 0.5
    assert [corner - 0.5, corner - 0.5, far, far] in result["objects"].boxes.tolist()


def test_the_map_of_scores_is_that_of_the_objects(model, image, truth):
    events = list(predict(model, image, device="cpu"))
    scores = predicted(iter(events))[0]
    lit = image.plane(0).cutout(Window.whole(SHAPE)) > 0
    assert np.array_equal(scores > 0.5, lit)


def test_a_window_holds_the_objects_whose_middles_lie_in_it(model, image, truth):
    asked = Window(30, 40, 90, 60)
    result = finished(predict(model, image, asked, device="cpu"))
    inside = {
        w for w in truth
        if 30 <= w.x + (w.width - 1) / 2 + 0.5 < 120 and 40 <= w.y + (w.height - 1) / 2 + 0.5 < 100
    }  # fmt: skip
    assert windows(result["objects"]) == inside
    assert len(inside) > 5


def test_cores_cover_the_image_and_lie_in_their_tiles(model):
    places = places_over(model, SHAPE, Window.whole(SHAPE))
    covered = np.zeros(SHAPE, int)
    for place in places:
        assert place.core.overlap(place.tile) == place.core
        covered[place.core.slices] += 1
    assert (covered == 1).all()
    assert len(places_over(model, SHAPE, Window(0, 0, 10, 10))) == 1
    (small,) = places_over(model, (40, 50), Window.whole((40, 50)))
    assert small.core == Window(0, 0, 50, 40)


def test_bands_are_found_by_their_names_and_others_refused(model, image):
    g, r, z = image.plane(2), image.plane(1), image.plane(0)
    other = stacked([g, r, g, z], ("g", "r", "i", "z"), "more")
    assert len(finished(predict(model, other, device="cpu"))["objects"]) == 40
    numbered = stacked([z, r, g], ("1", "2", "3"), "numbered")
    assert len(finished(predict(model, numbered, device="cpu"))["objects"]) == 40
    with pytest.raises(MisfitError, match="holds one plane and bright takes the bands z, r, g"):
        list(predict(model, r, device="cpu"))
    with pytest.raises(MisfitError, match="holds 2 planes"):
        list(predict(model, stacked([z, r], ("1", "2"), "two"), device="cpu"))


def test_missing_pixels_hold_no_object_and_no_score(model, image):
    values = image.plane(0).cutout(Window.whole(SHAPE))
    values[:75] = np.nan
    half = SkyImage.from_array(values, name="half")
    stack = stacked([half, image.plane(1), image.plane(2)], ("z", "r", "g"), "half")
    stack = replace(stack, wcs=None)
    events = list(predict(model, stack, device="cpu"))
    result = finished(events)
    assert result["missing_fraction"] == pytest.approx(0.5)
    assert np.isnan(predicted(iter(events))[0][:75]).all()
    assert (result["objects"].boxes[:, 3] > 74).all()
    with pytest.raises(MisfitError, match="misses a band"):
        list(predict(model, stack, Window(0, 0, 200, 10), device="cpu"))


def test_a_prediction_leaves_labels_catalogue_outlines_and_picture(model, image, truth, tmp_path):
    out = tmp_path / "found"
    result = finished(predict_to_folder(model, image, out, device="cpu", threshold=0.55))
    kept = [w for w in truth if w.width * w.height >= 50]
    assert result["structures"] == len(result["objects"]) == len(kept)
    catalogue = Catalogue.read(out / "catalogue.ecsv")
    assert catalogue.frame == "galactic"
    labels = fits.getdata(out / "regions.fits")
    for row in catalogue:
        x, y = round(float(row["x"])), round(float(row["y"]))
        assert labels[y, x] == row["id"]
        assert row["kind"] == ("galaxy" if (labels == row["id"]).sum() >= WIDE else "star")
    side = image.pixel_scale_arcsec
    areas = catalogue.table["area"].to_value("arcsec2") / side**2
    assert areas == pytest.approx([(labels == n).sum() for n in catalogue.table["id"]], rel=1e-6)
    assert (out / "catalogue.reg").read_text().count("polygon") == len(kept)
    assert {path.name for path in out.iterdir()} >= {"preview.png", "provenance.json"}
    assert json.loads((out / "provenance.json").read_text())["model"]["name"] == "bright"


def test_where_objects_overlap_the_map_and_the_catalogue_still_agree(model, image, tmp_path):
    places = [
        Window(40, 40, 5, 5),
        Window(10, 10, 6, 6),
        Window(60, 60, 4, 4),
        Window(13, 13, 6, 6),
    ]
    objects = Instances(
        np.array([(w.x - 0.5, w.y - 0.5, w.x_end - 0.5, w.y_end - 0.5) for w in places]),
        np.array([0.9, 0.8, 0.4, 0.6]),
        np.array([1, 2, 1, 2]),
        tuple(Footprint(place, np.ones(place.shape, bool)) for place in places),
    )
    write_instances(tmp_path, model, image, Window.whole(SHAPE), objects, 0.5)
    labels = fits.getdata(tmp_path / "regions.fits")
    scores = fits.getdata(tmp_path / "probability.fits")
    table = Catalogue.read(tmp_path / "catalogue.ecsv").table
    assert table["id"].tolist() == [1, 2, 3] and set(np.unique(labels)) == {0, 1, 2, 3}
    for row, place in zip(table, (places[0], places[1], places[3]), strict=True):
        mine = labels == row["id"]
        assert mine.sum() == mine[place.slices].sum() and np.allclose(scores[mine], row["score"])
    assert labels[14, 14] == 2 and (labels == 3).sum() == 36 - 9  # shared pixels are the stronger's


def test_objects_in_parts_leave_the_same_files(model, image, tmp_path, monkeypatch):
    rng, shape, window = np.random.default_rng(1), (30, 30), Window(9, 5, 150, 140)
    places = [Window(int(x), int(y), 30, 30) for x, y in rng.integers(0, (170, 120), (40, 2))]
    objects = Instances(
        np.array([(w.x - 0.5, w.y - 0.5, w.x_end - 0.5, w.y_end - 0.5) for w in places]),
        rng.permutation(np.linspace(0.3, 0.9, 40)),
        rng.integers(1, 3, 40),
        tuple(Footprint(place, rng.random(shape) > 0.3) for place in places),
        doubts=Doubts(rng.random(40), rng.random(40), np.ones(40)),
    )
    turned = model.turned(2)
    write_instances(tmp_path / "once", turned, image, window, objects, 0.5)
    asked, labels = [], Instances.labels

    def noting(some, part):
        asked.append((part.width, part.height))
        return labels(some, part)

    monkeypatch.setattr(Instances, "labels", noting)
    monkeypatch.setattr("napari_astroseg.sky.files.tilewriting.TILE", 64)
    monkeypatch.setattr("napari_astroseg.engine.instanceoutputs.SIDE", 64)
    write_instances(tmp_path / "parts", turned, image, window, objects, 0.5)
    assert len(asked) == 9 and max(max(sides) for sides in asked) == 64  # no map as a whole
    kept = objects[objects.scores >= 0.5]
    told = dict(zip(("regions", "probability"), labels(kept, window), strict=True))
    told["uncertainty"] = np.append(0, kept.doubts.score).astype(np.float32)[told["regions"]]
    for folder in ("once", "parts"):
        for name, values in told.items():
            assert np.array_equal(fits.getdata(tmp_path / folder / f"{name}.fits"), values)
    for name in ("catalogue.ecsv", "catalogue.reg", "preview.png"):
        once, parts = ((tmp_path / d / name).read_bytes() for d in ("once", "parts"))
        assert once == parts


def test_a_run_that_was_killed_goes_on_where_it_was(model, image, tmp_path, monkeypatch):
    asked = []
    answer = Bright.answer

    def counting(net, planes):
        asked.append(len(planes))
        return answer(net, planes)

    monkeypatch.setattr(Bright, "answer", counting)
    how = {"device": "cpu", "store": tmp_path / "objects.jsonl"}
    events = predict(model, image, **how)
    told = (event for event in events if isinstance(event, TileDone))
    for _ in range(5):
        next(told)
    events.close()
    asked.clear()
    again = list(predict(model, image, resume=True, **how))
    assert len(asked) == 12 - 5
    whole = list(predict(model, image, device="cpu"))
    for mine, other in zip(again, whole, strict=True):
        if isinstance(mine, TileDone):
            assert np.array_equal(mine.probability, other.probability, equal_nan=True)
    mine, other = finished(again)["objects"], finished(whole)["objects"]
    assert np.array_equal(mine.boxes, other.boxes)
    for (window, mask), (there, theirs) in zip(mine.masks, other.masks, strict=True):
        assert window == there
        assert np.array_equal(mask, theirs)
    with pytest.raises(OutputError, match="another model, image or window"):
        list(predict(model, image, Window(0, 0, 50, 50), resume=True, **how))


def test_tiles_looked_at_elsewhere_in_any_order_tell_the_same(model, image, monkeypatch, tmp_path):
    here = finished(predict(model, image, device="cpu"))["objects"]
    store = tmp_path / "objects.jsonl"
    monkeypatch.setattr("napari_astroseg.engine.findobjects.sharing", backwards)
    there = finished(predict(model, image, device="cpu", store=store))["objects"]
    kept = finished(predict(model, image, device="cpu", store=store, resume=True))["objects"]
    assert np.array_equal(there.boxes, here.boxes) and np.array_equal(kept.boxes, here.boxes)


def test_an_image_without_sky_is_catalogued_in_pixels(model, image, tmp_path):
    bare = replace(image, wcs=None)
    finished(predict_to_folder(model, bare, tmp_path, device="cpu"))
    catalogue = Catalogue.read(tmp_path / "catalogue.ecsv")
    assert catalogue.frame is None
    assert str(catalogue.table["area"].unit) == "pix2"


def lit_sets(folder, count):
    """Sets whose images are bright just where their masks say."""
    for number in range(count):
        place = write_set(folder, number)
        with fits.open(place / "masks.fits") as masks:
            light = sum(hdu.data for hdu in masks) / 7
        for band in "grz":
            fits.writeto(place / f"img_{band}.fits", light.astype(np.float32), overwrite=True)
    return folder


def test_what_is_found_as_it_is_has_every_precision(model, tmp_path):
    """The masks' smoothing takes three pixels from each corner of squares of 9 and of 15."""
    told = evaluate(model, lit_sets(tmp_path, 3), device="cpu")
    figures = told["figures"]
    assert (figures["images"], figures["objects"]) == (3, 6)
    assert figures["ap50"] == figures["ap50_star"] == figures["ap50_galaxy"] == 1.0
    assert figures["precision"] == figures["recall"] == 1.0
    assert figures["mask_iou_star"] == pytest.approx(69 / 81)
    assert figures["mask_iou_galaxy"] == pytest.approx(213 / 225)
    assert told["errors"]["ap50"] == 0.0
    assert told["overlaps"]["star"] == [1.0] * 8 + [0.0] * 2  # found from 0.50 to 0.85
    assert told["overlaps"]["star_error"] == [0.0] * 10
    assert [unit["ap50"] for unit in told["worst"]["units"]] == [1.0] * 3
    assert told["curves"]["recall"][0] == 0.0
    assert told["curves"]["star"]["0.50"] == [1.0] * 101
    view = view_of(model, tmp_path, told["worst"]["units"][0]["name"], None, "cpu", silent)
    assert view.truth.max() == view.found.max() == 2
    assert np.count_nonzero(view.truth) == 69 + 213
    assert np.count_nonzero(view.found) == 81 + 225
    with pytest.raises(DataError, match="no longer holds set_9"):
        view_of(model, tmp_path, "set_9", None, "cpu", silent)
    with pytest.raises(DataError, match="whole images"):
        evaluate(model, tmp_path, window=Window(0, 0, 4, 4), device="cpu")


def test_a_folder_without_masks_cannot_tell_figures(model, tmp_path):
    place = write_set(tmp_path, 0)
    (place / "masks.fits").unlink()
    with pytest.raises(DataError, match="no set of"):
        evaluate_objects(model, tmp_path, "cpu")
    image = open_image(place / "img_g.fits")
    assert image.shape == (SIDE, SIDE)
