"""Predict: one path from a window of sky to probabilities, tile by tile.

Where the normalisation does not depend on the patch, tiles carry enough context to be exact:
put together they equal the untiled answer. Where it does (per-patch min-max), overlapping
patches on one grid are averaged under a taper, so the answer does not depend on the tiles either.

A network of many answers gives the mean of its samples and their standard deviation, as does a
model that sees each stamp in several turns, or several models; where patches overlap, both are
those of the answers of all patches together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster, sharing
from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.ensemble import entropy
from napari_astroseg.engine.events import Event, Finished, Started, TileDone, Warned
from napari_astroseg.engine.findobjects import find_objects
from napari_astroseg.engine.fit import check_fit
from napari_astroseg.engine.model import Model, load_model, told_device, torch_device
from napari_astroseg.engine.predictor import Predictor, Probability, answering
from napari_astroseg.engine.prepare import resizing_for
from napari_astroseg.engine.sampled import draws_for
from napari_astroseg.engine.spread import Spread
from napari_astroseg.engine.store import PredictionStore
from napari_astroseg.errors import MisfitError, SetupError
from napari_astroseg.recipes.data import BubbleData, SetData
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.resizing import Resizing
from napari_astroseg.sky.tiles import Tile
from napari_astroseg.sky.window import Window


def predict(  # noqa: PLR0913 (what a user may say, each by name)
    model: str | Path | Model,
    image: str | Path | SkyImage,
    window: Window | None = None,
    samples: int | None = None,
    *,
    device: str | Cluster = "auto",
    store: Path | None = None,
    resume: bool = False,
    force: bool = False,
    uncertainty: str | None = None,
    near: tuple[float, float] | None = None,
    others: Sequence[str | Path | Model] = (),
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
    device
        Where the network runs: `auto`, `cpu`, `cuda`, `mps`, or the workers of a cluster.
    store
        Folder of a zarr store that takes each tile as it is done, so that a killed run resumes.
    resume
        Keep the tiles that `store` already holds.
    force
        Predict even where unit or values do not suit the model.
    uncertainty
        Of a network that draws no samples: `turns`, the spread over the eight turns and mirrorings
        of the image, whose mean is the answer then; or `entropy` of the answer. Other numbers of
        turns are a `Model`'s own (`turned`).
    near
        A place x, y whose tiles are to come first, nearest first; row by row by default.
    others
        Further models of the same recipe: the mean of all is the answer, their spread its
        uncertainty.

    Yields
    ------
    `Started`, any number of `Warned`, one `TileDone` per tile (those found in the store
    included), and `Finished` with `window`, `threshold` and `missing_fraction`. Tiles of a
    model that tells an uncertainty carry a `deviation`, and what it is. A model of objects in
    boxes yields what `napari_astroseg.engine.detect.detect` does instead, one of objects with
    masks what `napari_astroseg.engine.findobjects.find_objects` does.

    Raises
    ------
    MisfitError
        When the image does not suit the model or every pixel of the window is missing.
    """
    begun = time.perf_counter()
    model = load_model(model)
    if others:
        model = model.joined([load_model(each) for each in others])
    if uncertainty is not None:
        model = unsure(model, uncertainty)
    image = image if isinstance(image, SkyImage) else open_image(image)
    draws = draws_for(model.net, model.recipe, model.card.name, samples)
    how: dict[str, Any] = {
        "device": device, "store": store, "resume": resume, "force": force, "near": near
    }  # fmt: skip
    if isinstance(model.recipe.data, BubbleData):
        yield from detect(model, image, window, **how)
        return
    if isinstance(model.recipe.data, SetData):
        yield from find_objects(model, image, window, **how)
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
    if kept is not None and resizing is None:
        kept.tell(image.header, predictor.names)
    away = sharing(device, partial(answering, model, shown, fit.factor, draws))
    yield Started(_told(model, image), len(tiles), "tiles", told_device(device))
    yield from (Warned(sentence) for sentence in fit.warnings)
    spread = model.spread if draws is None else Spread("samples", draws)
    seen = 0
    todo = tiles if near is None else _nearest_first(tiles, near, image, resizing)
    for done, (tile, values) in enumerate(_answers(predictor, todo, kept, away), start=1):
        if kept is not None:
            kept.put(tile, values)
        answer = (tile.core, values) if resizing is None else resizing.back(tile.core, values)
        counted = (predictor.classes, done, len(tiles))
        event = None if answer is None else _event(*answer, inside, *counted, spread)
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


def _nearest_first(
    tiles: list[Tile], near: tuple[float, float], image: SkyImage, resizing: Resizing | None
) -> list[Tile]:
    """Tiles by how far they are from a place of the image, or from its edge if it lies beyond."""
    rows, columns = image.shape
    x, y = (int(np.clip(at, 0, most - 1)) for at, most in zip(near, (columns, rows), strict=True))
    spot = Window(x, y, 1, 1)
    spot = spot if resizing is None else resizing.there(spot)
    return sorted(tiles, key=lambda tile: _apart(tile.core, spot))


def _apart(one: Window, other: Window) -> int:
    """Squared distance of the middles of two windows, in half pixels."""
    across = one.x + one.x_end - other.x - other.x_end
    return across**2 + (one.y + one.y_end - other.y - other.y_end) ** 2


def _told(model: Model, image: SkyImage) -> str:
    """What is done, in words."""
    warmth = model.card.temperature
    calibrated = "" if warmth == 1.0 else f", calibrated (temperature {warmth:g})"
    return f"{model.card.name} on {image.name}{calibrated}"


def unsure(model: Model, how: str) -> Model:
    """A model that tells how unsure it is by `turns` or `entropy`.

    Raises
    ------
    SetupError
        When there is no such way.
    MisfitError
        When it is none for this model.
    """
    ways = {"turns": model.turned, "entropy": model.doubting}
    if how not in ways:
        raise SetupError(f"no uncertainty is called {how!r}; choose {' or '.join(ways)}")
    return ways[how]()


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


def _answers(
    predictor: Predictor,
    tiles: list[Tile],
    kept: PredictionStore | None,
    away: Callable[[Sequence[Tile]], Iterator[tuple[Tile, Probability]]] | None,
) -> Iterator[tuple[Tile, Probability]]:
    """Each tile's answer: kept ones first, then from `away`, or from here.

    Here the next tile is read while this one is worked on.
    """
    todo = [tile for tile in tiles if kept is None or not kept.has(tile)]
    if kept is not None:
        yield from ((tile, kept.get(tile)) for tile in tiles if kept.has(tile))
    if away is not None:
        yield from away(todo)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        waiting: Future[tuple[Probability, NDArray[np.bool_]]] | None = None
        for number, tile in enumerate(todo):
            now = waiting or reader.submit(predictor.read, tile)
            following = todo[number + 1 : number + 2]
            values, valid = now.result()
            waiting = reader.submit(predictor.read, following[0]) if following else None
            yield tile, predictor.answer(tile, values, valid)


def _event(
    place: Window,
    values: Probability,
    inside: Window,
    classes: int,
    done: int,
    total: int,
    spread: Spread | None,
) -> TileDone | None:
    """The part of an answer at `place` that was asked for; None where there is none."""
    shared = place.overlap(inside)
    if shared is None:  # on an image far coarser than the network's view
        return None
    rows, columns = shared.moved(-place.x, -place.y).slices
    told = values[:, rows, columns]
    deviation = told[classes:] if len(told) > classes else None
    if spread is not None and spread.kind == "entropy":
        deviation = entropy(told[:classes])
    return TileDone(shared, told[:classes], done, total, deviation, spread)
