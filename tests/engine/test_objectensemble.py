"""Objects by several networks and turns: grouped, scored, doubted; in files, and from a kill on."""

import dataclasses

import numpy as np
import pytest
import torch
from astropy.io import fits
from scipy import ndimage
from skies import galactic_wcs

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.ensemble import TURNS, entropy
from napari_astroseg.engine.events import Finished, ObjectsDone
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.objectensemble import grouped, objects_of
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

LEAN = 2
"""Pixels by which `Leaning` sees boxes too far to the right of whatever it is shown."""


class Leaning(Network):
    """Finds bright patches, `lean` px off to the right; in boxes, or with masks."""

    def __init__(self, lean=LEAN, score=0.8, boxes=False):
        super().__init__()
        self.lean, self.score, self.boxes = lean, score, boxes
        self.register_buffer("leaning", torch.tensor([lean, score]))  # a model is its weights

    def learn(self, batch):
        return torch.zeros(())

    def answer(self, planes):
        return [self._found(each) for each in planes.numpy().mean(1)]

    def _found(self, plane):
        labels, count = ndimage.label(plane > 0.5)
        masks = []
        for n, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            mask = labels[rows, columns] == n
            masks.append(Footprint(Window(columns.start, rows.start, *mask.shape[::-1]), mask))
        edges = [(w.x, w.y, w.x_end, w.y_end) for w, _ in masks]
        boxes = np.array(edges, float).reshape(-1, 4)
        boxes[:, [0, 2]] += self.lean
        told = np.full(count, self.score), np.ones(count, np.int64)
        if self.boxes:
            return Objects(boxes / plane.shape[-1], *told)
        return Instances(boxes - 0.5, *told, tuple(masks))


def model(preset, net, **changes):
    recipe = Recipe.preset(preset).replace(
        **{"expects.unit": "", "expects.pixel_scale_arcsec": None, **changes}
    )
    return Model(ModelCard("leaning", recipe, 0, threshold=0.5), net)


def star_model(**how):
    changes = {
        "data.crop_px": 64,
        "normalisation.kind": "linear",
        "normalisation.percentile": 100,
    }
    return model("astro_rcnn_small", Leaning(**how), **changes)


def bubble_model(**how):
    changes = {"data.windows_px": [300], "data.step": 1.0}
    return model("bubbles_small", Leaning(boxes=True, **how), **changes)


@pytest.fixture(scope="module")
def stars():
    """Two patches of other sides, in three bands."""
    values = np.zeros((64, 64), np.float32)
    values[10:20, 30:50] = values[40:52, 5:13] = 1
    plane = SkyImage.from_array(values, wcs=galactic_wcs(), name="field")
    return stacked([plane] * 3, ("z", "r", "g"), "field")


@pytest.fixture(scope="module")
def glow():
    """One bright patch in both bands of a tile."""
    values = np.random.default_rng(0).random((300, 300)).astype(np.float32) * 0.01
    values[100:140, 60:120] += 1
    bands = [SkyImage.from_array(values, unit="MJy/sr") for _ in range(2)]
    return stacked(bands, ("r", "g"), "tile")


def finished(events):
    return next(event for event in events if isinstance(event, Finished)).result


@pytest.mark.parametrize("turn", TURNS)
def test_what_is_found_on_a_turned_square_lies_where_it_was(turn):
    plane = torch.zeros(1, 32, 32)
    plane[:, 4:10, 20:23] = 1
    plane[:, 9, 23] = 1  # no two turns alike
    (found,) = Leaning(lean=0).answer(turn.there(plane)[None])
    assert turn.boxes_back(found.boxes, 31.0).tolist() == [[19.5, 3.5, 23.5, 9.5]]
    window, mask = turn.mask_back(found.masks[0], 32)
    assert np.array_equal(mask, plane[0].numpy()[window.slices] > 0)
    assert mask.sum() == 19


def test_a_group_is_one_object_and_who_misses_it_says_nought():
    one = Objects(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([0.9, 0.3]), np.ones(2))
    two = Objects(np.array([[1.0, 0, 11, 10]]), np.array([0.3]), np.ones(1))
    three = Objects(np.array([[0.0, 0, 10, 10]]), np.array([0.6]), np.array([2]))
    told = grouped([one, two, three], 0.3)
    assert told.scores == pytest.approx([0.4, 0.2, 0.1])
    assert told.classes.tolist() == [1, 2, 1]
    assert told.boxes[0] == pytest.approx([0.25, 0, 10.25, 10])  # 0.9 against 0.3
    assert told.doubts.score[0] == pytest.approx(np.std([0.9, 0.3, 0.0]))
    assert told.doubts.edge == pytest.approx([0.5 / np.sqrt(2), np.nan, np.nan], nan_ok=True)
    assert told.doubts.seen == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert len(grouped([one, two, three], 0.9)) == 4  # at this overlap no two are one
    nothing = grouped([Objects.none()] * 3, 0.3)
    assert len(nothing) == len(nothing.doubts.seen) == 0


def test_of_one_answer_a_group_takes_one():
    twins = Objects(np.array([[0.0, 0, 10, 10], [2, 0, 12, 10]]), np.array([0.9, 0.8]), np.ones(2))
    told = grouped([twins, twins], 0.3)
    assert told.scores.tolist() == [0.9, 0.8]
    assert np.allclose(told.boxes, twins.boxes)
    assert told.doubts.seen.tolist() == [1, 1]


def test_a_pixel_is_an_object_s_where_half_of_the_weight_says_so():
    def of(x, width, score):
        window = Window(x, 0, width, 4)
        box = np.array([[x - 0.5, -0.5, x + width - 0.5, 3.5]])
        mask = Footprint(window, np.ones((4, width), bool))
        return Instances(box, np.array([score]), np.ones(1, np.int64), (mask,))

    told = grouped([of(0, 8, 0.6), of(2, 8, 0.6), of(2, 10, 0.6)], 0.3)
    window, mask = told.masks[0]
    held = np.nonzero(mask.all(0))[0] + window.x
    assert (held.min(), held.max()) == (2, 9)


def test_turns_take_out_what_leans_and_say_how_far(stars, glow):
    plain = finished(predict(star_model(), stars, device="cpu"))["objects"]
    assert plain.doubts is None
    assert sorted(plain.boxes[:, 0] - LEAN) == [4.5, 29.5]
    told = finished(predict(star_model(), stars, device="cpu", uncertainty="turns"))
    objects = told["objects"]
    assert told["spread"].kind == "turns"
    boxes = sorted(objects.boxes.tolist())
    assert np.allclose(boxes, [[4.5, 39.5, 12.5, 51.5], [29.5, 9.5, 49.5, 19.5]])
    assert objects.doubts.edge == pytest.approx([LEAN / np.sqrt(2)] * 2)
    assert objects.doubts.score == pytest.approx([0, 0], abs=1e-9)
    assert sorted(objects.areas) == [96, 200]
    found = finished(predict(bubble_model(), glow, device="cpu", uncertainty="turns", force=True))
    assert np.allclose(found["objects"].boxes, [[59.5, 99.5, 119.5, 139.5]])
    assert found["objects"].doubts.edge == pytest.approx([LEAN / np.sqrt(2)])
    assert found["objects"].doubts.seen.tolist() == [1.0]


def test_several_models_count_alike(stars, tmp_path):
    one, two = star_model(lean=0), star_model(lean=0, score=0.6)
    both = one.joined([two])
    *_, last = predict_to_folder(both.turned(2), stars, tmp_path, device="cpu")
    assert last.result["spread"].kind == "models" and last.result["spread"].members == 4
    table = Catalogue.read(tmp_path / "catalogue.ecsv").table
    assert table["score"].tolist() == pytest.approx([0.7, 0.7])
    assert table["uncertainty"].tolist() == pytest.approx([0.1, 0.1])
    assert "score over 4 answers, of several models" in table["uncertainty"].info.description
    assert table.meta["uncertainty"] == table["uncertainty"].info.description
    assert table["seen"].tolist() == [1, 1]
    assert str(table["edge_uncertainty"].unit) == "arcsec"
    labels = fits.getdata(tmp_path / "regions.fits")
    with fits.open(tmp_path / "uncertainty.fits") as hdus:
        assert hdus[-1].header["UNCKIND"] == "models"
        assert np.allclose(hdus[-1].data, np.where(labels > 0, 0.1, 0.0), atol=1e-6)
    with pytest.raises(MisfitError, match="join models of one recipe"):
        one.joined([bubble_model()])
    again = finished(predict(one, stars, device="cpu", others=[two]))
    assert again["objects"].scores == pytest.approx([0.7, 0.7])


def test_entropy_is_of_the_score_alone(stars, tmp_path):
    doubting = star_model(score=0.11).doubting()
    *_, _ = predict_to_folder(doubting, stars, tmp_path, device="cpu", threshold=0.1)
    table = Catalogue.read(tmp_path / "catalogue.ecsv").table
    assert table["uncertainty"].tolist() == pytest.approx([entropy(np.float32(0.11))] * 2, rel=1e-5)
    assert not {"seen", "edge_uncertainty"} & set(table.colnames)
    assert table["uncertainty"].info.description.startswith("entropy of the score")
    told = [e for e in predict(doubting, stars, device="cpu") if isinstance(e, ObjectsDone)]
    assert told[0].spread.kind == "entropy" and told[0].objects.doubts is not None


@pytest.mark.parametrize("make, where", [(star_model, "stars"), (bubble_model, "glow")])
def test_a_killed_run_knows_its_doubts_again(make, where, request, tmp_path):
    image = request.getfixturevalue(where)
    how = {"device": "cpu", "store": tmp_path / "objects.jsonl", "force": True}
    whole = finished(predict(make().turned(4), image, **how))["objects"]
    again = finished(predict(make().turned(4), image, resume=True, **how))["objects"]
    for name in ("score", "edge", "seen"):
        assert np.array_equal(getattr(again.doubts, name), getattr(whole.doubts, name))
    assert np.array_equal(again.boxes, whole.boxes)


def test_one_network_that_is_not_turned_is_asked_once():
    net = Leaning()
    planes = torch.zeros(2, 3, 8, 8)
    planes[0, :, 2:5, 2:5] = 1
    first, second = objects_of([net], 1, planes, 0.3)
    assert len(first) == 1 and len(second) == 0 and first.doubts is None


def test_what_is_near_comes_first(stars, glow):
    large = dataclasses.replace(stars, wcs=None)
    wide = [
        SkyImage.from_array(np.tile(large.plane(0).cutout(Window(0, 0, 64, 64)), (4, 4)))
        for _ in range(3)
    ]
    image = stacked(wide, ("z", "r", "g"), "wide")
    near = (200.0, 40.0)
    events = list(predict(star_model(lean=0), image, device="cpu", near=near))
    told = [event for event in events if isinstance(event, ObjectsDone)]
    away = [event.window.away(near) for event in told]
    assert away[0] == 0 and away[-1] > 100
    plain = finished(predict(star_model(lean=0), image, device="cpu"))["objects"]
    assert np.array_equal(finished(events)["objects"].boxes, plain.boxes)
