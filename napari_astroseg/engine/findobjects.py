"""Find objects: from a window of sky to stars and galaxies with masks, tile by tile.

Tiles have the side that the network learnt on, each normalised by itself, and lie on one grid over
the image, whichever window is asked for. They overlap: an object is taken from the tile in whose
core its middle lies, where it is seen whole, and of two that are one the stronger stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.detect import work_told
from napari_astroseg.engine.events import Event, Finished, ObjectsDone, Started, TileDone, Warned
from napari_astroseg.engine.fit import check_fit
from napari_astroseg.engine.loader import Planes, made_ahead
from napari_astroseg.engine.model import Model, load_model, torch_device
from napari_astroseg.engine.nets.boxes import strongest
from napari_astroseg.engine.objects import prepared_crop, shown_bands, starts
from napari_astroseg.engine.objectstore import ObjectStore, Piece
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.data import SetData
from napari_astroseg.recipes.families.maskrcnn import Spec
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

_SLACK_PX = 2
"""By which cores overlap: two tiles may see an object's middle a little apart."""


@dataclass(frozen=True)
class Place:
    """A tile, and its core, within which the middles of objects are its own."""

    tile: Window
    core: Window


def find_objects(
    model: str | Path | Model,
    image: str | Path | SkyImage,
    window: Window | None = None,
    *,
    device: str = "auto",
    store: Path | None = None,
    resume: bool = False,
    force: bool = False,
) -> Iterator[Event]:
    """Find objects in a window of a stack; a generator of events, cancelled by closing it.

    Parameters
    ----------
    model
        A model, the name of a built-in one, a run's folder, or a file.
    image
        A stack of the bands that the model takes, by their names or in its order.
    window
        Where objects have their middles; the whole image by default.
    store
        File that takes the objects of each tile as they are found, so that a killed run resumes.
    resume
        Keep what `store` already holds.
    force
        Find them even where unit or values do not suit the model.

    Yields
    ------
    `Started`, any number of `Warned`; for each tile `ObjectsDone`, and a `TileDone` whose map is
    the score of the strongest object of each pixel of its core; and `Finished` with `window`,
    `threshold`, `missing_fraction` and the `objects`, of any score, strongest first.

    Raises
    ------
    MisfitError
        When the image does not suit the model or every pixel of the window is missing.
    """
    begun = time.perf_counter()
    model = load_model(model)
    image = fed(model, image if isinstance(image, SkyImage) else open_image(image))
    where = torch_device(device)
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    fit = check_fit(model.recipe, image, inside, force)
    places = places_over(model, image.shape, inside)
    yield Started(f"{model.card.name} on {image.name}", len(places), "tiles", str(where))
    yield from (Warned(sentence) for sentence in fit.warnings)
    net: Any = model.swift(where)
    kept = ObjectStore(store, work_told(model, image, inside), resume) if store else None

    def read(number: int) -> tuple[Planes, NDArray[np.bool_]]:
        tile = places[number].tile
        valid: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(image.cutout(tile)))
        return prepared_crop(image, tile, model.recipe, fit.factor), valid

    found: list[Instances] = []
    nothing = Instances.none()
    seen = total = 0
    for number, (planes, valid) in enumerate(made_ahead(read, range(len(places)))):
        tile, core = places[number].tile, places[number].core
        piece = kept.get(number) if kept is not None else None
        if piece is not None:
            here = piece.objects
            assert isinstance(here, Instances)  # so it was put
        else:
            here = _in_tile(net, planes, where, tile, image.shape) if valid.any() else nothing
            if kept is not None:
                kept.put(number, Piece(here, int(valid.sum())))
        own = here.inside(core.grown(_SLACK_PX)).inside(inside)
        found.append(own)
        yield ObjectsDone(tile, own, number + 1, len(places))
        part = core.overlap(inside)
        assert part is not None  # else it would be no place
        known = valid[part.moved(-tile.x, -tile.y).slices]
        scores = np.where(known, here.labels(part)[1], np.float32(np.nan))
        seen, total = seen + int(known.sum()), total + known.size
        yield TileDone(part, scores[None], number + 1, len(places))
    if not seen:
        raise MisfitError(
            f"every pixel of this window of {image.name} misses a band; choose one that holds data"
        )
    result = {
        "window": inside,
        "threshold": model.card.threshold,
        "missing_fraction": 1.0 - seen / total,
        "objects": strongest(Instances.gathered(found), spec_of(model).image_overlap),
    }
    yield Finished(result, time.perf_counter() - begun)


def found_objects(model: Model, image: SkyImage, device: str = "auto") -> Instances:
    """All objects of an image, whatever its unit; see `find_objects`."""
    objects = Instances.none()
    for event in find_objects(model, image, device=device, force=True):
        if isinstance(event, Finished):
            objects = event.result["objects"]
    return objects


def places_over(model: Model, shape: tuple[int, int], window: Window) -> list[Place]:
    """The tiles of an image of `shape` whose cores touch `window`."""
    side = model.recipe.data.side_px
    step = max(1, round(side * (1.0 - model.recipe.prediction.overlap)))
    rows, columns = (_runs(length, side, step) for length in shape)
    places = [
        Place(Window(x, y, side, side), Window(left, low, width, height))
        for y, low, height in rows
        for x, left, width in columns
    ]
    return [place for place in places if place.core.overlap(window) is not None]


def fed(model: Model, image: SkyImage) -> SkyImage:
    """The bands of a stack that a model takes, by their names, or all in their order.

    Raises
    ------
    MisfitError
        When it has others.
    """
    data = model.recipe.data
    assert isinstance(data, SetData)
    if set(data.band_names) <= set(image.bands):
        return shown_bands(image, data)
    if image.count == data.bands and image.planes is not None:
        return image
    held = "one plane" if image.count == 1 else f"{image.count} planes"
    raise MisfitError(
        f"{image.name} holds {held} and {model.card.name} takes the bands "
        f"{', '.join(data.band_names)}; open their files as bands of one image, in that order"
    )


def spec_of(model: Model) -> Spec:
    """The network's spec."""
    assert isinstance(model.recipe.family, Spec)
    return model.recipe.family


def _runs(length: int, side: int, step: int) -> list[tuple[int, int, int]]:
    """Along one axis: where each tile begins, where its core does, and how long that is.

    Cores meet in the middle of what two tiles share.
    """
    begins = starts(length, side, step)
    edges = [0, *((here + side + there) // 2 for here, there in pairwise(begins)), length]
    return [(at, low, high - low) for at, (low, high) in zip(begins, pairwise(edges), strict=True)]


def _in_tile(
    net: Any, planes: Planes, device: torch.device, tile: Window, shape: tuple[int, int]
) -> Instances:
    """The objects of a tile, on the image's pixels."""
    with torch.inference_mode():
        given = torch.from_numpy(planes[None]).to(device, memory_format=torch.channels_last)
        (found,) = net.answer(given)
    there: Instances = found.moved(tile.x, tile.y).clipped(shape)
    return there
