"""Detect: from a window of sky to objects in boxes, by windows of several sizes slid over it.

Every window is seen by the network as a crop of one size, normalised by itself. Of boxes that
overlap, in a crop and then in the whole image, the strongest stays.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster, sharing
from napari_astroseg.engine.crops import prepared_crop
from napari_astroseg.engine.events import Event, Finished, ObjectsDone, Started, Warned
from napari_astroseg.engine.fit import check_fit
from napari_astroseg.engine.model import Model, load_model, told_device, torch_device
from napari_astroseg.engine.nets.boxes import strongest
from napari_astroseg.engine.objectensemble import doubted, objects_of
from napari_astroseg.engine.objectstore import ObjectStore, Piece
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.recipes.families.ssd300 import Spec
from napari_astroseg.sky.holes import filled
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.sliding import blocks
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

_AT_ONCE = 16
"""Crops in one go: more gain nothing on a CPU, and whoever waits hears of each."""

_BANDS = ("r", "g")
"""24 and 8 µm, as the tiles of the recipe name them."""


@dataclass(frozen=True)
class Work:
    """Windows that the network sees together, and the pixels read for them and their neighbours."""

    number: int
    outer: Window
    windows: tuple[Window, ...]


def detect(
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
    """Find objects in a window of an image; a generator of events, cancelled by closing it.

    Parameters
    ----------
    model
        A model, the name of a built-in one, a run's folder, or a file.
    image
        A stack of the bands that the model takes, in its order; or of any that are named `r` (24
        µm) and `g` (8 µm).
    window
        Where objects have their middles; anywhere in the image by default. Windows that reach
        out of it are looked at, too, so that large objects are seen whole.
    store
        File that takes what is found as it is found, so that a killed run resumes.
    resume
        Keep what `store` already holds.
    force
        Detect even where unit or values do not suit the model.
    near
        A place x, y whose surroundings are looked at first, by windows of all sides.

    Yields
    ------
    `Started`, any number of `Warned`, `ObjectsDone` every few windows (those of the store
    included), and `Finished` with `window`, `threshold`, `missing_fraction` of the windows, the
    `objects` that remain, of any score from the network's least one, strongest first, and the
    `spread` that their doubts are. Of several models or turns, each window's answers are grouped
    before windows are compared.

    Raises
    ------
    MisfitError
        When the image does not suit the model, is smaller than its smallest window, or misses
        data in every window.
    """
    begun = time.perf_counter()
    model = load_model(model)
    image = shown_bands(model, image if isinstance(image, SkyImage) else open_image(image))
    where = torch_device(device)
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    fit = check_fit(model.recipe, image, inside, force)
    work = works(model, image, inside)
    kept = ObjectStore(store, work_told(model, image, inside), resume) if store else None
    total = sum(len(each.windows) for each in work)
    away = sharing(device, partial(looking, model, image, fit.factor))
    yield Started(f"{model.card.name} on {image.name}", total, "windows", told_device(device))
    yield from (Warned(sentence) for sentence in fit.warnings)
    found: dict[int, Objects] = {}
    done = looked = 0
    todo = work if near is None else sorted(work, key=lambda each: each.outer.away(near))
    for each, piece in Detector(model, image, fit.factor, where).answers(todo, kept, away):
        done += len(each.windows)
        looked += piece.looked
        found[each.number] = piece.objects
        yield ObjectsDone(
            each.outer, doubted(piece.objects, model.spread), done, total, model.spread
        )
    if not looked:
        raise MisfitError(
            f"every window of {image.name} misses data; choose a part that holds some in both bands"
        )
    in_order = (found[each.number] for each in work)  # in whichever order they came
    objects = strongest(Objects.joined(in_order), spec_of(model).image_overlap).inside(inside)
    result = {
        "window": inside,
        "threshold": model.card.threshold,
        "missing_fraction": 1.0 - looked / total,
        "objects": doubted(objects, model.spread),
        "spread": model.spread,
    }
    yield Finished(result, time.perf_counter() - begun)


class Detector:
    """A model set up to look at windows of one image.

    Parameters
    ----------
    factor
        Multiplies the image's values into the unit that the model expects.
    """

    def __init__(self, model: Model, image: SkyImage, factor: float, device: torch.device) -> None:
        data = model.recipe.data
        assert isinstance(data, BubbleData)
        self.recipe, self.image = model.recipe, filled(image, data.hole_px)
        self._factor, self._device = factor, device
        self._nets, self._turns = model.networks(device), model.turns
        self._overlap = spec_of(model).image_overlap
        self._read: tuple[Window, NDArray[np.float32]] | None = None

    def answers(
        self,
        work: list[Work],
        kept: ObjectStore | None = None,
        away: Callable[[Sequence[Work]], Iterator[tuple[Work, Piece]]] | None = None,
    ) -> Iterator[tuple[Work, Piece]]:
        """What each piece of work finds: what is kept first, then from `away`, or from here."""
        todo = []
        for each in work:
            piece = kept.get(each.number) if kept is not None else None
            if piece is None:
                todo.append(each)
            else:
                yield each, piece
        for each, piece in self._found_here(todo) if away is None else away(todo):
            if kept is not None:
                kept.put(each.number, piece)
            yield each, piece

    def _found_here(self, todo: list[Work]) -> Iterator[tuple[Work, Piece]]:
        """What each piece finds; the next one is read while this one is worked on."""
        with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
            waiting = None
            for number, each in enumerate(todo):
                now = waiting or reader.submit(self.crops, each)
                following = todo[number + 1 : number + 2]
                windows, planes = now.result()
                waiting = reader.submit(self.crops, following[0]) if following else None
                yield each, Piece(self.found(windows, planes), len(windows))

    def crops(self, work: Work) -> tuple[list[Window], NDArray[np.float32]]:
        """The windows that hold data, and how the network sees them; it needs no network."""
        if self._read is None or self._read[0] != work.outer:
            values = self.image.cutout(work.outer) * np.float32(self._factor)
            self._read = work.outer, values
        values = self._read[1]
        windows, planes = [], []
        for window in work.windows:
            rows, columns = window.moved(-work.outer.x, -work.outer.y).slices
            crop = prepared_crop(values[:, rows, columns], self.recipe)
            if crop is not None:
                windows.append(window)
                planes.append(crop)
        side = self.recipe.data.side_px
        shape = len(planes), len(values), side, side
        return windows, np.stack(planes) if planes else np.empty(shape, np.float32)

    def found(self, windows: list[Window], planes: NDArray[np.float32]) -> Objects:
        """The objects of windows, on the image's pixels."""
        if not windows:
            return Objects.none()
        with torch.inference_mode():
            given = torch.from_numpy(planes).to(self._device, memory_format=torch.channels_last)
            answers: list[Objects] = objects_of(self._nets, self._turns, given, self._overlap)
        return Objects.joined(
            each.placed(window) for each, window in zip(answers, windows, strict=True)
        )


def looking(model: Model, image: SkyImage, factor: float, device: str) -> Callable[[Work], Piece]:
    """What looks at a piece of work by itself, on the worker of a cluster."""
    detector = Detector(model, image, factor, torch_device(device))

    def look(work: Work) -> Piece:
        windows, planes = detector.crops(work)
        return Piece(detector.found(windows, planes), len(windows))

    return look


def works(model: Model, image: SkyImage, window: Window) -> list[Work]:
    """The work that covers a window of an image.

    Raises
    ------
    MisfitError
        When the image is smaller than the smallest window.
    """
    data = model.recipe.data
    assert isinstance(data, BubbleData)
    parts = [
        (block.outer, block.windows[first : first + _AT_ONCE])
        for block in blocks(window, image.shape, data.windows_px, data.step)
        for first in range(0, len(block.windows), _AT_ONCE)
    ]
    if not parts:
        raise MisfitError(
            f"{image.name} is {image.shape[1]} × {image.shape[0]} pixels, smaller than the "
            f"smallest window of {min(data.windows_px)} that {model.card.name} looks at; choose a "
            "larger image"
        )
    return [Work(number, *part) for number, part in enumerate(parts)]


def shown_bands(model: Model, image: SkyImage) -> SkyImage:
    """The bands of an image that a model takes, in its order.

    Raises
    ------
    MisfitError
        When the image has others.
    """
    wanted, labels = model.recipe.data.bands, image.bands
    if wanted == len(_BANDS) and set(_BANDS) <= set(labels) and labels != _BANDS:
        planes = [image.plane(labels.index(band)) for band in _BANDS]
        return stacked(planes, _BANDS, image.name)
    if image.count == wanted:
        return image
    held = "one plane" if image.count == 1 else f"{image.count} planes"
    raise MisfitError(
        f"{image.name} holds {held} and {model.card.name} takes 24 and 8 µm together; open the two "
        "files as bands of one image, 24 µm first (`astroseg predict 24.fits 8.fits --bands`)"
    )


def spec_of(model: Model) -> Spec:
    """The network's spec."""
    assert isinstance(model.recipe.family, Spec)
    return model.recipe.family


def work_told(model: Model, image: SkyImage, window: Window) -> str:
    """What makes two runs the same work, as text."""
    planes = [image.plane(number) for number in range(image.count)]
    places = [each.reference and [each.reference.place, each.reference.hdu] for each in planes]
    return json.dumps(
        {
            "image": image.name,
            "places": places,
            "values": [each.pixels.identity for each in planes],
            "window": [window.x, window.y, window.width, window.height],
            "recipe": model.recipe.digest,
            "weights": model.digest,
        },
        sort_keys=True,
    )
