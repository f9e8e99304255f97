"""Unit view: one image of a folder with its truth and what a model says of it, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.blended import likeliest, open_stamps
from napari_astroseg.engine.bubbles import boxes_of, open_tiles
from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.events import Event, Finished
from napari_astroseg.engine.findobjects import found_objects
from napari_astroseg.engine.galaxies import open_galaxies
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.objects import open_sets
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.preparing import heard
from napari_astroseg.engine.report.view import View
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BlendedData, BubbleData, PatchData, SetData, VoteData
from napari_astroseg.sky.datasets.blended import CLASSES
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.truth import Item, Thing
from napari_astroseg.sky.fourmaps import open_four_maps
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.structures import any_class, label_structures
from napari_astroseg.sky.window import Window


def look_at(
    model: str | Path,
    data: Path,
    name: str,
    window: Window | None = None,
    device: str = "auto",
) -> Iterator[Event]:
    """Predict one of the images that `evaluate` tells among the `worst`.

    Parameters
    ----------
    name, window
        As they are told there.

    Yields
    ------
    `Preparing`, then `Finished` with the `view`.

    Raises
    ------
    DataError
        When the folder holds no such image any more.
    """

    def work(progress: Progress) -> View:
        progress(f"predicting {name}", 0, None)
        return view_of(load_model(model), data, name, window, device, progress)

    view = yield from heard(work)
    yield Finished({"view": view})


def view_of(
    model: Model,
    data: Path,
    name: str,
    window: Window | None,
    device: str,
    progress: Progress,
) -> View:
    """One image with its truth and the model's answer; see `look_at`."""
    spec = model.recipe.data
    match spec:
        case PatchData():
            return _map(model, data if data.is_file() else data / name, window, device)
        case VoteData():
            item = _item(open_galaxies(spec, data, progress), name)
            return _galaxy(model, item, spec.marked, device)
        case BlendedData():
            return _stamp(model, _item(open_stamps(spec, data, progress), name), device)
        case SetData():
            return _set(model, _item(open_sets(spec, data, progress), name), device)
        case BubbleData():
            return _tile(model, _item(open_tiles(spec, data, progress), name), device)


def _map(model: Model, path: Path, window: Window | None, device: str) -> View:
    assert isinstance(model.recipe.data, PatchData)
    (field,) = open_four_maps(path, "one_vs_all", model.recipe.data.floor)
    inside = (window or Window.whole(field.target.shape)).clipped(field.target.shape)
    probability = predicted(predict(model, field.image, inside, device=device, force=True))[0]
    least = model.recipe.prediction.min_area_px
    found = label_structures(probability, model.card.threshold, least) > 0
    truth = (field.target & field.valid)[inside.slices]
    return View(field.image, inside, truth.astype(np.uint8), found.astype(np.uint8))


def _galaxy(model: Model, item: Item, kind: str, device: str) -> View:
    image, truth = item.image, item.truth()
    probability = predicted(predict(model, image, device=device, force=True))[0]
    with np.errstate(invalid="ignore"):
        found = probability >= model.card.threshold
    marked = truth.pixels[kind] if truth is not None else np.zeros(image.shape, bool)
    whole = Window.whole(image.shape)
    return View(image, whole, marked.astype(np.uint8), found.astype(np.uint8))


def _stamp(model: Model, item: Item, device: str) -> View:
    image, truth = item.image, item.truth()
    probability = predicted(predict(model, image, device=device, force=True))[: len(CLASSES)]
    any_galaxy = any_class(probability)
    with np.errstate(invalid="ignore"):
        above = any_galaxy >= model.card.threshold
    found = np.where(above, np.maximum(likeliest(np.nan_to_num(probability)), 1), 0)
    classes = np.zeros(image.shape, np.uint8)
    for number, kind in enumerate(CLASSES, start=1):
        if truth is not None:
            classes[truth.pixels[kind]] = number
    return View(image, Window.whole(image.shape), classes, found.astype(np.uint8))


def _set(model: Model, item: Item, device: str) -> View:
    image, truth = item.image, item.truth()
    whole = Window.whole(image.shape)
    objects = found_objects(model, image, device)
    sure = objects[objects.scores >= model.card.threshold]
    things = truth.objects if truth is not None else ()
    return View(image, whole, _instances(things).labels(whole)[0], sure.labels(whole)[0])


def _tile(model: Model, item: Item, device: str) -> View:
    objects = Objects.none()
    for event in detect(model, item.image, device=device, force=True):
        if isinstance(event, Finished):
            objects = event.result["objects"]
    sure = objects[objects.scores >= model.card.threshold]
    image = item.image
    return View(image, Window.whole(image.shape), boxes_of(item.truth()), sure.boxes)


def _instances(things: Sequence[Thing]) -> Instances:
    """Objects that are there, as if they had been found: the last lies above the others."""
    known = [thing for thing in things if thing.window is not None and thing.mask is not None]
    masks = tuple(Footprint(*_place(thing)) for thing in known)
    boxes = np.array([thing.box for thing in known], float).reshape(-1, 4)
    count = len(known)
    return Instances(boxes, np.arange(count, dtype=float), np.ones(count, np.int64), masks)


def _place(thing: Thing) -> tuple[Window, NDArray[np.bool_]]:
    assert thing.window is not None and thing.mask is not None
    return thing.window, thing.mask


def _item(dataset: Dataset, name: str) -> Item:
    for item in dataset.items:
        if item.name == name:
            return item
    raise DataError(f"{dataset.folder} no longer holds {name}; evaluate it again")
