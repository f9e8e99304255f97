"""Outputs: the folder a prediction leaves, and the one path that makes it.

`probability.fits`, `regions.fits`, `catalogue.ecsv`, `catalogue.reg`, `preview.png`,
`provenance.json`, where an uncertainty is told also `uncertainty.fits`, and the zarr store that a
killed run resumes from.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.events import Event, Finished, TileDone
from napari_astroseg.engine.instanceoutputs import write_instances
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.objectoutputs import STORE as OBJECTS
from napari_astroseg.engine.objectoutputs import detect_to_folder
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.provenance import write_provenance
from napari_astroseg.engine.scoring import add_scores
from napari_astroseg.engine.spread import Spread
from napari_astroseg.errors import OutputError
from napari_astroseg.recipes.data import BlendedData, BubbleData, SetData
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.outlinefile import write_polygons
from napari_astroseg.sky.preview import write_preview
from napari_astroseg.sky.structures import any_class, label_structures, measure, outlines
from napari_astroseg.sky.tiles import Canvas
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
    canvas = Canvas(inside, len(model.recipe.data.classes))
    spread: Canvas | None = None
    kind: Spread | None = None
    store = out / (OBJECTS if isinstance(model.recipe.data, SetData) else STORE)
    events = predict(model, image, inside, device=device, store=store, resume=resume, force=force)
    for event in events:
        if isinstance(event, TileDone):
            canvas.put(event.window, event.probability)
            if event.deviation is not None:
                spread = spread or Canvas(inside, len(event.deviation))
                spread.put(event.window, event.deviation)
                kind = event.spread
        if not isinstance(event, Finished):
            yield event
            continue
        level = model.card.threshold if threshold is None else threshold
        if isinstance(model.recipe.data, SetData):
            objects = event.result["objects"]
            told = write_instances(out, model, image, inside, objects, level)
        else:
            values = None if spread is None else spread.values
            answer = Answer(inside, canvas.values, values, kind)
            told = write_outputs(out, model, image, answer, level, device)
        seconds = time.perf_counter() - begun
        told["files"].append(
            write_provenance(out, model, image, command or {}, told["files"], seconds)
        )
        yield Finished({**event.result, **told, "threshold": level}, seconds)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of a window: its probabilities and, where known, how unsure they are.

    Both (classes, H, W); `spread` tells what the second is.
    """

    window: Window
    probability: NDArray[np.float32]
    deviation: NDArray[np.float32] | None = None
    spread: Spread | None = None


def write_outputs(
    out: Path,
    model: Model,
    image: SkyImage,
    answer: Answer,
    threshold: float,
    device: str | Cluster = "auto",
) -> dict[str, Any]:
    """Write the maps, the catalogue and the picture of one answer.

    Regions are where any class is likely enough. A network that judges whole stamps looks at each
    region again, in the middle of a stamp of its own.
    """
    window, probability = answer.window, any_class(answer.probability)
    labels = label_structures(probability, threshold, model.recipe.prediction.min_area_px)
    spread = answer.spread or Spread("samples")
    catalogue = measure(labels, probability, image, window, answer.deviation, spread.words)
    if isinstance(model.recipe.data, BlendedData):
        add_scores(catalogue, model, image, threshold, device)
    notes: dict[str, str | int | float] = {
        "MODEL": model.card.name,
        "MODELID": model.digest,
        "THRESH": threshold,
        "TEMPER": model.card.temperature,
    }
    cards = window_cards(image.header, window)
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    unsure: dict[str, str | int | float] = {}
    if answer.deviation is not None:
        unsure = spread.cards()
        catalogue.table.meta["uncertainty"] = spread.words
    count = len(catalogue)
    title = (
        f"{image.name}: {count} region{'s' * (count != 1)}, model “{model.card.name}”, "
        f"probability ≥ {threshold:g}"
    )
    files = [
        _write_maps(out / "probability.fits", answer.probability, model, cards, notes),
        *(
            [_write_maps(out / "uncertainty.fits", answer.deviation, model, cards, notes | unsure)]
            if answer.deviation is not None
            else []
        ),
        write_image(out / "regions.fits", labels, cards, notes=notes, compress=True),
        catalogue.write(out / "catalogue.ecsv"),
        write_regions(out / "catalogue.reg", labels, window, image),
        write_preview(out / "preview.png", image, window, probability, labels, title),
    ]
    return {"out": str(out), "structures": len(catalogue), "files": files}


def _write_maps(
    path: Path,
    maps: NDArray[np.float32],
    model: Model,
    cards: fits.Header,
    notes: dict[str, str | int | float],
) -> Path:
    """Write one map for each class, as planes that CLASS1, CLASS2 … name, or the only one."""
    if len(maps) == 1:
        return write_image(path, maps[0], cards, notes=notes, compress=True)
    names = {f"CLASS{n}": name for n, name in enumerate(model.recipe.data.classes, start=1)}
    return write_image(path, maps, cards, notes={**notes, **names}, compress=True)


def write_regions(path: Path, labels: NDArray[np.int32], window: Window, image: SkyImage) -> Path:
    """Outlines as DS9 polygons, on the sky where the image has coordinates, else in pixels."""
    shapes = (
        (str(number), line[:-1])  # the last vertex closes it
        for number, lines in outlines(labels, window).items()
        for line in lines
    )
    return write_polygons(path, shapes, image)
