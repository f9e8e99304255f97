"""Outputs: the folder a prediction leaves, and the one path that makes it.

`probability.fits`, `regions.fits`, `catalogue.ecsv`, `catalogue.reg`, `preview.png`,
`provenance.json`, where an uncertainty is told also `uncertainty.fits`, and what a killed run
resumes from: the zarr store, and where galaxies are looked at again, `scores.jsonl`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.events import Event, Finished, TileDone, Warned
from napari_astroseg.engine.instanceoutputs import write_instances
from napari_astroseg.engine.mapoutputs import Answer, is_entropy, write_outputs
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.objectoutputs import STORE as OBJECTS
from napari_astroseg.engine.objectoutputs import detect_to_folder
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.prepare import resizing_for
from napari_astroseg.engine.provenance import write_provenance
from napari_astroseg.engine.spread import Spread
from napari_astroseg.engine.store import KeptMaps
from napari_astroseg.errors import OutputError
from napari_astroseg.recipes.data import BubbleData, SetData
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.scratch import Scratch
from napari_astroseg.sky.window import Window

STORE = "prediction.zarr"


def predict_to_folder(
    model: str | Path | Model,
    image: str | Path | SkyImage,
    out: Path,
    window: Window | None = None,
    *,
    threshold: float | None = None,
    device: str | Cluster = "auto",
    resume: bool = False,
    force: bool = False,
    command: dict[str, Any] | None = None,
) -> Iterator[Event]:
    """Predict and leave every file in `out`; the events of `predict`, with a fuller `Finished`.

    Parameters
    ----------
    threshold
        Probability from which a pixel belongs to a region; the model's own by default.
    command
        What to write into the provenance as the way to run it again.

    Yields
    ------
    The events of `predict`; `Finished.result` also has `out`, `structures`, `files`. A model of
    objects in boxes leaves a catalogue and a picture, and no maps; the result of one of objects
    also has the `objects` from the threshold up.
    """
    begun = time.perf_counter()
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise OutputError(
            f"a threshold of {threshold:g} divides no probabilities; give one between 0 and 1"
        )
    model = load_model(model, device)
    least = getattr(model.recipe.family, "least_score", 0.0)
    if threshold is not None and threshold < least:
        yield Warned(
            f"{model.card.name} tells no object of a score below {least:g}, so that {threshold:g} "
            "shows no more than that"
        )
    image = image if isinstance(image, SkyImage) else open_image(image)
    if isinstance(model.recipe.data, BubbleData):
        yield from detect_to_folder(
            model,
            image,
            out,
            window,
            threshold=threshold,
            device=device,
            resume=resume,
            force=force,
            command=command,
        )
        return
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    store = out / (OBJECTS if isinstance(model.recipe.data, SetData) else STORE)
    with closing(_Gathering(out, model, image, inside)) as gathering:
        events = predict(
            model, image, inside, device=device, store=store, resume=resume, force=force
        )
        for event in events:
            if isinstance(event, TileDone):
                gathering.add(event)
            if not isinstance(event, Finished):
                yield event
                continue
            level = model.card.threshold if threshold is None else threshold
            if isinstance(model.recipe.data, SetData):
                objects = event.result["objects"]
                told = write_instances(out, model, image, inside, objects, level)
            else:
                answer = gathering.answer(store)
                told = write_outputs(out, model, image, answer, level, device, resume)
            seconds = time.perf_counter() - begun
            told["files"].append(
                write_provenance(out, model, image, command or {}, told["files"], seconds)
            )
            yield Finished({**event.result, **told, "threshold": level}, seconds)


class _Gathering:
    """What the tiles of a prediction of maps add up to: what is in the store, or beside it.

    A store holds answers on the pixels that the network sees. Where these are others than the
    image's, its own are gathered in a file that is gone when this is closed.
    """

    def __init__(self, out: Path, model: Model, image: SkyImage, window: Window) -> None:
        self._out, self._window = out, window
        self._classes = len(model.recipe.data.classes)
        self._resized = resizing_for(model.recipe, image) is not None
        self._spread: Spread | None = None
        self._scratch: Scratch | None = None

    def add(self, tile: TileDone) -> None:
        self._spread = tile.spread
        if not self._resized:
            return
        maps = [tile.probability]
        if tile.deviation is not None and not is_entropy(tile.spread):
            maps.append(tile.deviation)
        values = np.concatenate(maps)
        self._scratch = self._scratch or Scratch(self._out, self._window, len(values))
        self._scratch.put(tile.window, values)

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.close()

    def answer(self, store: Path) -> Answer:
        read = self._scratch.read if self._scratch is not None else KeptMaps(store).read
        return Answer(self._window, read, self._classes, self._spread)
