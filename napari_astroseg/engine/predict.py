"""Predict: one path from a window of sky to probabilities, tile by tile.

Where the normalisation does not depend on the patch, tiles carry enough context to be exact:
put together they equal the untiled answer. Where it does (per-patch min-max), overlapping
patches on one grid are averaged under a taper, so the answer does not depend on the tiles either.

A network of many answers gives the mean of its samples and their standard deviation; where patches
overlap, both are those of the samples of all patches together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.events import Event, Finished, Started, TileDone, Warned
from napari_astroseg.engine.findobjects import find_objects
from napari_astroseg.engine.fit import check_fit
from napari_astroseg.engine.model import Model, load_model, torch_device
from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.engine.nets.sampling import SamplingNet
from napari_astroseg.engine.prepare import by_patch, context_px, prepared, resizing_for
from napari_astroseg.engine.sampled import draws_for, moments, noise_at
from napari_astroseg.engine.store import PredictionStore
from napari_astroseg.errors import MisfitError
from napari_astroseg.recipes.data import BubbleData, SetData
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.tiles import Tile, cut, patch_corners, taper
from napari_astroseg.sky.window import Window

Probability = NDArray[np.float32]

_BATCH_PIXELS = 512 * 512
"""Patches predicted together, in pixels: beyond this a batch gains nothing on a CPU."""


def predict(
    model: str | Path | Model,
    image: str | Path | SkyImage,
    window: Window | None = None,
    samples: int | None = None,
    *,
    device: str = "auto",
    store: Path | None = None,
    resume: bool = False,
    force: bool = False,
) -> Iterator[Event]:
    """Predict a window of an image; a generator of events, cancelled by closing it.

    Parameters
    ----------
    model
        A model, the name of a built-in one, a run's folder, or a file.
    image
        An image, or the path of a FITS file.
    window
        What to predict; the whole image by default.
    samples
        Draws of a probabilistic network, as many as its recipe says by default; a deterministic
        one refuses it.
    store
        Folder of a zarr store that takes each tile as it is done, so that a killed run resumes.
    resume
        Keep the tiles that `store` already holds.
    force
        Predict even where unit or values do not suit the model.

    Yields
    ------
    `Started`, any number of `Warned`, one `TileDone` per tile (those found in the store
    included), and `Finished` with `window`, `threshold` and `missing_fraction`. Tiles of a
    probabilistic network carry a `deviation`. A model of objects in boxes yields what
    `napari_astroseg.engine.detect.detect` does instead, one of objects with masks what
    `napari_astroseg.engine.findobjects.find_objects` does.

    Raises
    ------
    MisfitError
        When the image does not suit the model or every pixel of the window is missing.
    """
    begun = time.perf_counter()
    model = load_model(model)
    image = image if isinstance(image, SkyImage) else open_image(image)
    draws = draws_for(model.net, model.recipe, model.card.name, samples)
    if isinstance(model.recipe.data, BubbleData):
        yield from detect(
            model, image, window, device=device, store=store, resume=resume, force=force
        )
        return
    if isinstance(model.recipe.data, SetData):
        yield from find_objects(
            model, image, window, device=device, store=store, resume=resume, force=force
        )
        return
    _require_planes(model, image)
    where = torch_device(device)
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    fit = check_fit(model.recipe, image, inside, force)
    resizing = resizing_for(model.recipe, image)
    shown = image if resizing is None else resizing.resized
    predictor = Predictor(model, shown, fit.factor, where, draws)
    tiles = predictor.tiles(inside if resizing is None else resizing.there(inside))
    work = (inside, tiles, model, image, predictor.maps, draws)
    kept = PredictionStore.open(store, *work, resume) if store else None
    yield Started(f"{model.card.name} on {image.name}", len(tiles), "tiles", str(where))
    yield from (Warned(sentence) for sentence in fit.warnings)
    seen = 0
    for done, (tile, values) in enumerate(_answers(predictor, tiles, kept), start=1):
        if kept is not None:
            kept.put(tile, values)
        answer = (tile.core, values) if resizing is None else resizing.back(tile.core, values)
        counted = (predictor.classes, done, len(tiles))
        event = None if answer is None else _event(*answer, inside, *counted)
        if event is None:
            continue
        seen += int(np.isfinite(event.probability[0]).sum())
        yield event
    if not seen:
        raise MisfitError(_nothing_there(image, model.recipe.data.floor))
    result = {
        "window": inside,
        "threshold": model.card.threshold,
        "missing_fraction": 1.0 - seen / (inside.width * inside.height),
    }
    yield Finished(result, time.perf_counter() - begun)


def _nothing_there(image: SkyImage, floor: float) -> str:
    """Why there is no answer at all."""
    if math.isinf(floor):
        return f"no pixel of this window of {image.name} has a value; choose one that holds data"
    return (
        f"no pixel of this window of {image.name} has a value above {floor:g}, below which the "
        "model takes data for missing; choose a window that holds data, in the model's unit"
    )


def _require_planes(model: Model, image: SkyImage) -> None:
    """Refuse an image with other planes than the model learnt from."""
    bands = model.recipe.data.bands
    if image.count == bands or (bands == 1 and image.axis is None):
        return
    if bands > 1:
        raise MisfitError(
            f"{image.name} holds {_counted(image.count)} and {model.card.name} takes {bands}, a "
            "colour picture; choose a picture in red, green and blue"
        )
    assert image.axis is not None
    first, last = image.axis.labels[0], image.axis.labels[image.count - 1]
    raise MisfitError(
        f"{image.name} holds {image.count} planes ({first} to {last}) and {model.card.name} takes "
        f"one; choose it by number from 0 to {image.count - 1}, with --plane or `image.plane`"
    )


def _counted(planes: int) -> str:
    return "one plane" if planes == 1 else f"{planes} planes"


def predicted(events: Iterator[Event], window: Window | None = None) -> Probability:
    """The probability map (classes, H, W) that a prediction's events add up to."""
    from napari_astroseg.sky.tiles import Canvas

    tiles = [event for event in events if isinstance(event, TileDone)]
    x, y = min(t.window.x for t in tiles), min(t.window.y for t in tiles)
    x_end, y_end = max(t.window.x_end for t in tiles), max(t.window.y_end for t in tiles)
    whole = window or Window(x, y, x_end - x, y_end - y)
    canvas = Canvas(whole, tiles[0].probability.shape[0])
    for tile in tiles:
        canvas.put(tile.window, tile.probability)
    return canvas.values


class Predictor:
    """A model set up to answer tiles of one image.

    Parameters
    ----------
    factor
        Multiplies the image's values into the unit that the model expects.
    draws
        Samples of a probabilistic network; None of a deterministic one.

    Attributes
    ----------
    classes, maps
        Maps of probability in an answer, and of all: with samples, deviations come after them.
    """

    def __init__(
        self,
        model: Model,
        image: SkyImage,
        factor: float,
        device: torch.device,
        draws: int | None = None,
    ) -> None:
        self.recipe, self.image = model.recipe, image
        self.classes = len(model.recipe.data.classes)
        self.maps = self.classes * (1 if draws is None else 2)
        self._factor, self._device, self._draws = factor, device, draws
        net = model.swift(device)
        assert isinstance(net, Net)
        self._net = net
        self._patchwise = by_patch(model.recipe)

    def tiles(self, window: Window) -> list[Tile]:
        """The work that covers `window`."""
        reach = 0 if self._patchwise else self._net.reach
        side = self.recipe.prediction.tile_px
        return cut(window, self.image.shape, side, self._net.stride, reach)

    def read(self, tile: Tile) -> tuple[Probability, NDArray[np.bool_]]:
        """Values, normalised unless each patch is by itself, and which of them carry data.

        All that a tile's answer depends on; it needs no network, so it can run ahead of it.
        """
        margin = self.recipe.data.side_px if self._patchwise else context_px(self.recipe)
        values = self.image.cutout(tile.outer.grown(margin)) * np.float32(self._factor)
        valid = valid_pixels(values, self.recipe.data.floor)
        if valid.ndim > 2:
            valid = np.logical_and.reduce(valid)
        return values if self._patchwise else prepared(values, valid, self.recipe), valid

    def answer(self, tile: Tile, values: Probability, valid: NDArray[np.bool_]) -> Probability:
        """The answer (maps, h, w) to a tile's core, NaN where its pixels are missing."""
        margin = (values.shape[-2] - tile.outer.height) // 2
        top, left = (tile.core.y - tile.outer.y + margin, tile.core.x - tile.outer.x + margin)
        core = slice(top, top + tile.core.height), slice(left, left + tile.core.width)
        if not valid[core].any():
            return np.full((self.maps, *tile.core.shape), np.nan, np.float32)
        if self._patchwise:
            answer = self._blended(tile, values, valid, margin)
        else:
            answer = self._exact(tile, values, margin)
        answer[:, ~valid[core]] = np.nan
        return answer

    def _exact(self, tile: Tile, values: Probability, margin: int) -> Probability:
        inner = slice(margin, margin + tile.outer.height), slice(margin, margin + tile.outer.width)
        planes = values if values.ndim > 2 else values[None]
        return self._forward(planes[:, *inner][None], Halo(*tile.halo))[0]

    def _blended(
        self, tile: Tile, values: Probability, valid: NDArray[np.bool_], margin: int
    ) -> Probability:
        side = self.recipe.data.side_px
        step = max(1, round(side * (1.0 - self.recipe.prediction.overlap)))
        corners = patch_corners(tile.core, side, step)
        weight = taper(side)
        exact = np.float32 if self._draws is None else np.float64  # of squares that nearly cancel
        total = np.zeros((self.maps, *values.shape), exact)
        weights = np.zeros(values.shape, np.float32)
        at_once = max(1, _BATCH_PIXELS // side**2)
        for first in range(0, len(corners), at_once):
            places = [
                (slice(y - tile.outer.y + margin, y - tile.outer.y + margin + side),
                 slice(x - tile.outer.x + margin, x - tile.outer.x + margin + side))
                for x, y in corners[first : first + at_once]
            ]  # fmt: skip
            planes = np.stack([prepared(values[p], valid[p], self.recipe) for p in places])
            answers = self._stamps(planes[:, None], corners[first : first + at_once])
            for place, answer in zip(places, answers, strict=True):
                total[:, *place] += answer * weight
                weights[place] += weight
        top, left = tile.core.y - tile.outer.y + margin, tile.core.x - tile.outer.x + margin
        core = slice(top, top + tile.core.height), slice(left, left + tile.core.width)
        blend = np.divide(total[:, *core], weights[core], dtype=exact)
        if self._draws is not None:
            mean, square = blend[: self.classes], blend[self.classes :]
            blend[self.classes :] = np.sqrt(np.maximum(square - mean**2, 0.0))
        return blend.astype(np.float32, copy=False)

    def _stamps(self, planes: Probability, corners: list[tuple[int, int]]) -> NDArray[Any]:
        """Answers to whole patches; of samples, the mean of each class and that of its square."""
        if self._draws is None:
            return self._forward(planes)
        assert isinstance(self._net, SamplingNet)
        noise = noise_at(corners, self._draws, self._net.latent, self.recipe.schedule.seed)
        told = moments(self._net, planes, noise, self._device).astype(np.float64)
        told[:, self.classes :] += told[:, : self.classes] ** 2
        return told

    def _forward(self, planes: Probability, halo: Halo = Halo()) -> Probability:
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(planes)).to(
                self._device, memory_format=torch.channels_last
            )
            scores = self._net(given, halo)
            answer: Probability = self._net.probability(scores).float().cpu().numpy()
        return answer


def _answers(
    predictor: Predictor, tiles: list[Tile], kept: PredictionStore | None
) -> Iterator[tuple[Tile, Probability]]:
    """Each tile's answer; the next tile is read while this one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        waiting: Future[tuple[Probability, NDArray[np.bool_]]] | None = None
        todo = [tile for tile in tiles if kept is None or not kept.has(tile)]
        if kept is not None:
            yield from ((tile, kept.get(tile)) for tile in tiles if kept.has(tile))
        for number, tile in enumerate(todo):
            now = waiting or reader.submit(predictor.read, tile)
            following = todo[number + 1 : number + 2]
            values, valid = now.result()
            waiting = reader.submit(predictor.read, following[0]) if following else None
            yield tile, predictor.answer(tile, values, valid)


def _event(
    place: Window, values: Probability, inside: Window, classes: int, done: int, total: int
) -> TileDone | None:
    """The part of an answer at `place` that was asked for; None where there is none."""
    shared = place.overlap(inside)
    if shared is None:  # on an image far coarser than the network's view
        return None
    rows, columns = shared.moved(-place.x, -place.y).slices
    told = values[:, rows, columns]
    deviation = told[classes:] if len(told) > classes else None
    return TileDone(shared, told[:classes], done, total, deviation)
