"""Sets as batches of crops: what is seen, how it is changed, how it is judged, and learning."""

import numpy as np
import pytest
import torch
from layouts import SIDE, write_set

from napari_astroseg.engine.events import EpochDone, ExamplesDone, Finished
from napari_astroseg.engine.loading import loader
from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.objectjudge import ObjectJudge
from napari_astroseg.engine.objects import ObjectSet, covering
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.window import Window


@pytest.fixture(scope="module")
def recipe():
    return Recipe.preset("astro_rcnn_small").replace(
        **{
            "expects.unit": "",
            "data.crop_px": 64,
            "data.validation": 0.34,
            "family.width": 0.125,
            "family.features": 8,
            "family.hidden": 16,
            "schedule.epochs": 2,
            "schedule.stage_epochs": [1, 1],
            "schedule.head_stages": 1,
            "schedule.batch_size": 2,
        }
    )


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for number in range(3):
        write_set(folder, number)
    return folder


@pytest.fixture(scope="module")
def loaded(recipe, sets):
    return loader(recipe, sets)


def test_sets_are_counted(loaded):
    assert isinstance(loaded, ObjectSet)
    assert loaded.told == "2 sets with 4 objects and 1 with 2 for validation"
    assert len(loaded.digest) == 32


def test_a_small_image_is_one_crop_whose_rest_is_empty(loaded):
    (batch,) = loaded.validation_batches()
    assert batch.planes.shape == (1, 3, 64, 64)
    assert batch.planes[0, :, :SIDE, :SIDE].any((1, 2)).all()
    assert not batch.planes[0, :, SIDE:].any() and not batch.planes[0, :, :, SIDE:].any()
    assert batch.classes[0].tolist() == [1, 2]
    assert batch.masks[0].shape == (2, 64, 64)
    for box, mask in zip(batch.boxes[0], batch.masks[0], strict=True):
        rows, columns = np.nonzero(mask)
        assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    middles = (batch.boxes[0][:, :2] + batch.boxes[0][:, 2:]) / 2
    assert middles.tolist() == [[10.5, 12.5], [30.5, 28.5]]


def test_the_bands_are_shown_in_the_recipe_s_order(recipe, sets, loaded):
    other = loader(recipe.replace(**{"data.band_names": ["g", "r", "z"]}), sets)
    (batch,), (turned,) = loaded.validation_batches(), other.validation_batches()
    assert np.array_equal(batch.planes, turned.planes[:, ::-1])


def test_an_epoch_depends_on_its_number_alone(loaded):
    (count, first), (_, again), (_, other) = (loaded.batches(n) for n in (1, 1, 2))
    assert count == 1
    (first,), (again,), (other,) = first, again, other
    assert np.array_equal(first.planes, again.planes)
    assert not np.array_equal(first.planes, other.planes)
    for boxes, masks in zip(first.boxes, first.masks, strict=True):
        for (x, y, x_end, y_end), mask in zip(boxes.astype(int).tolist(), masks, strict=True):
            assert mask.sum() == mask[y:y_end, x:x_end].sum() > 0


def test_crops_of_a_larger_image_show_what_they_hold(recipe, sets):
    """Windows of 64 on 48 pixels hang over; of a smaller crop, an object may be cut off."""
    assert covering((48, 48), 64, 64) == [Window(0, 0, 64, 64)]
    assert covering((64, 130), 64, 64) == [
        Window(0, 0, 64, 64),
        Window(64, 0, 64, 64),
        Window(66, 0, 64, 64),
    ]
    assert covering((64, 100), 64, 32) == [
        Window(0, 0, 64, 64),
        Window(32, 0, 64, 64),
        Window(36, 0, 64, 64),
    ]


def test_a_folder_that_cannot_teach_is_refused(recipe, sets, tmp_path):
    with pytest.raises(DataError, match="has the bands z, r, g and not y"):
        loader(recipe.replace(**{"data.band_names": ["y", "r", "g"]}), sets)
    write_set(tmp_path, 0)
    with pytest.raises(DataError, match="no validation set with an object"):
        loader(recipe, tmp_path)


def test_the_judge_counts_classes_apart(loaded):
    """The star found as it is; the galaxy found as a star: half of the classes are right."""
    (batch,) = loaded.validation_batches()
    edges = batch.boxes[0].astype(int)
    masks = tuple(
        Footprint(Window(x, y, x_end - x, y_end - y), mask[y:y_end, x:x_end] > 0)
        for (x, y, x_end, y_end), mask in zip(edges.tolist(), batch.masks[0], strict=True)
    )
    boxes = batch.boxes[0].astype(float) - 0.5
    judge = ObjectJudge(("star", "galaxy"))
    judge.add([Instances(boxes, np.array([0.9, 0.7]), np.array([1, 1]), masks)], batch)
    figures = judge.figures()
    assert (figures["ap50_star"], figures["ap50_galaxy"], figures["ap50"]) == (1.0, 0.0, 0.5)
    assert figures["mask_iou_star"] == 1.0
    assert figures["threshold"] == pytest.approx(0.75)


def test_training_leaves_a_model_and_resumes(recipe, sets, tmp_path):
    run = Run(data=sets, out=tmp_path / "run", device="cpu")
    events = train(recipe, run)
    shown = next(event for event in events if isinstance(event, ExamplesDone))
    assert shown.classes == ("star", "galaxy")
    assert shown.truth.any()
    first = next(event for event in events if isinstance(event, EpochDone))
    events.close()
    assert {"ap50", "ap", "ap50_star", "ap50_galaxy", "mask_iou", "threshold"} <= set(
        first.validation
    )
    whole = Run(data=sets, out=tmp_path / "run", device="cpu", resume=True)
    resumed = list(train(recipe, whole))
    assert isinstance(resumed[-1], Finished)
    once = list(train(recipe, Run(data=sets, out=tmp_path / "once", device="cpu")))
    losses = [[e.loss for e in each if isinstance(e, EpochDone)] for each in (resumed, once)]
    assert losses[0] == losses[1][1:]
    model = load_model(tmp_path / "run")
    planes = torch.zeros(1, 3, 64, 64)
    with torch.inference_mode():
        (found,) = model.net.answer(planes)
    assert isinstance(found, Instances)
