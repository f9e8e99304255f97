"""Find objects: from a window of sky to stars and galaxies with masks, tile by tile.

Tiles have the side that the network learnt on, each normalised by itself, and lie on one grid over
the image, whichever window is asked for. They overlap: an object is taken from the tile in whose
core its middle lies. One that is wider than what tiles share is put together from what each saw of
it, and of two that are one the stronger stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster, sharing
from napari_astroseg.engine.detect import work_told
from napari_astroseg.engine.events import Event, Finished, ObjectsDone, Started, TileDone, Warned
from napari_astroseg.engine.fit import check_fit
from napari_astroseg.engine.loader import Planes, made_ahead
from napari_astroseg.engine.model import Model, load_model, told_device, torch_device
from napari_astroseg.engine.nets.boxes import strongest
from napari_astroseg.engine.objectensemble import doubted, objects_of
from napari_astroseg.engine.objects import prepared_crop, shown_bands, starts
from napari_astroseg.engine.objectstore import ObjectStore, Piece
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.data import SetData
from napari_astroseg.recipes.families.maskrcnn import Spec
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.stitching import stitched
from napari_astroseg.sky.window import Window

Valid = NDArray[np.bool_]
Seen = tuple[Instances, Valid]

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
    device: str | Cluster = "auto",
    store: Path | None = None,
    resume: bool = False,
    force: bool = False,
    near: tuple[float, float] | None = None,
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
    near
        A place x, y whose tiles come first, nearest first; row by row by default.

    Yields
    ------
    `Started`, any number of `Warned`; for each tile `ObjectsDone`, and a `TileDone` whose map is
    the score of the strongest object of each pixel of its core; and `Finished` with `window`,
    `threshold`, `missing_fraction`, the `objects`, of any score, strongest first, and the `spread`
    that their doubts are.

    Raises
    ------
    MisfitError
        When the image does not suit the model or every pixel of the window is missing.
    """
    begun = time.perf_counter()
    model = load_model(model)
    image = fed(model, image if isinstance(image, SkyImage) else open_image(image))
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    fit = check_fit(model.recipe, image, inside, force)
    places = places_over(model, image.shape, inside)
    yield Started(f"{model.card.name} on {image.name}", len(places), "tiles", told_device(device))
    yield from (Warned(sentence) for sentence in fit.warnings)
    kept = ObjectStore(store, work_told(model, image, inside), resume) if store else None
    away = sharing(device, partial(finding, model, image, fit.factor))
    finder = Finder(model, image, fit.factor, torch_device(device))
    found: dict[int, Instances] = {}
    seen = total = 0
    order = list(range(len(places)))
    if near is not None:
        order.sort(key=lambda number: places[number].core.away(near))
    pieces = finder.answers(places, order, kept, away)
    for done, (number, here, valid) in enumerate(pieces, start=1):
        tile, core = places[number].tile, places[number].core
        own = here.inside(core.grown(_SLACK_PX)).inside(inside)
        found[number] = own
        yield ObjectsDone(tile, doubted(own, model.spread), done, len(places), model.spread)
        part = core.overlap(inside)
        assert part is not None  # else it would be no place
        known = valid[part.moved(-tile.x, -tile.y).slices]
        scores = np.where(known, here.labels(part)[1], np.float32(np.nan))
        seen, total = seen + int(known.sum()), total + known.size
        yield TileDone(part, scores[None], done, len(places))
    if not seen:
        raise MisfitError(
            f"every pixel of this window of {image.name} misses a band; choose one that holds data"
        )
    in_order = [(places[number].tile, found[number]) for number in range(len(places))]
    whole = stitched(in_order, image.shape)
    objects = strongest(whole, spec_of(model).image_overlap)
    result = {
        "window": inside,
        "threshold": model.card.threshold,
        "missing_fraction": 1.0 - seen / total,
        "objects": doubted(objects, model.spread),
        "spread": model.spread,
    }
    yield Finished(result, time.perf_counter() - begun)


class Finder:
    """A model set up to look at tiles of one image.

    Parameters
    ----------
    factor
        Multiplies the image's values into the unit that the model expects.
    """

    def __init__(self, model: Model, image: SkyImage, factor: float, device: torch.device) -> None:
        self._recipe, self._image = model.recipe, image
        self._factor, self._device = factor, device
        self._nets, self._turns = model.networks(device), model.turns
        self._overlap = spec_of(model).image_overlap

    def answers(
        self,
        places: list[Place],
        order: list[int],
        kept: ObjectStore | None = None,
        away: Callable[[Sequence[Window]], Iterator[tuple[Window, Seen]]] | None = None,
    ) -> Iterator[tuple[int, Instances, Valid]]:
        """A tile's number, objects and valid pixels: kept first, then from `away` or here."""
        todo = []
        for number in order:
            piece = kept.get(number) if kept is not None else None
            if piece is None:
                todo.append(number)
                continue
            assert isinstance(piece.objects, Instances)  # so it was put
            yield number, piece.objects, self.valid(places[number].tile)
        tiles = [places[number].tile for number in todo]
        numbers = dict(zip(tiles, todo, strict=True))
        for tile, (here, valid) in self._found_here(tiles) if away is None else away(tiles):
            number = numbers[tile]
            if kept is not None:
                kept.put(number, Piece(here, int(valid.sum())))
            yield number, here, valid

    def look(self, tile: Window) -> Seen:
        """What a tile holds, and which of its pixels have all bands."""
        return self._found(tile, *self._read(tile))

    def valid(self, tile: Window) -> Valid:
        """Which pixels of a tile have all bands."""
        valid: Valid = np.logical_and.reduce(np.isfinite(self._image.cutout(tile)))
        return valid

    def _found_here(self, tiles: list[Window]) -> Iterator[tuple[Window, Seen]]:
        """What each tile holds; the next one is read while this one is worked on."""
        if not tiles:
            return
        read = made_ahead(lambda number: self._read(tiles[number]), range(len(tiles)))
        for tile, planes in zip(tiles, read, strict=True):
            yield tile, self._found(tile, *planes)

    def _read(self, tile: Window) -> tuple[Planes, Valid]:
        return prepared_crop(self._image, tile, self._recipe, self._factor), self.valid(tile)

    def _found(self, tile: Window, planes: Planes, valid: Valid) -> Seen:
        """The objects of a tile, on the image's pixels."""
        if not valid.any():
            return Instances.none(), valid
        with torch.inference_mode():
            given = torch.from_numpy(planes[None]).to(
                self._device, memory_format=torch.channels_last
            )
            (found,) = objects_of(self._nets, self._turns, given, self._overlap)
        return found.moved(tile.x, tile.y).clipped(self._image.shape), valid


def finding(model: Model, image: SkyImage, factor: float, device: str) -> Callable[[Window], Seen]:
    """What looks at a tile by itself, on the worker of a cluster."""
    return Finder(model, image, factor, torch_device(device)).look


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
    files = " ".join(f"{band}.fits" for band in data.band_names)
    raise MisfitError(
        f"{image.name} holds {held} and {model.card.name} takes the bands "
        f"{', '.join(data.band_names)}; open their files as bands of one image, in that order "
        f"(`astroseg predict {files} --bands`)"
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
