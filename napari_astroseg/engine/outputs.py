"""Outputs: the folder a prediction leaves, and the one path that makes it.

`probability.fits`, `regions.fits`, `catalogue.ecsv`, `catalogue.reg`, `preview.png`,
`provenance.json`, of a probabilistic network also `uncertainty.fits`, and the zarr store that a
killed run resumes from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.typing import NDArray
from regions import (
    PixCoord,
    PolygonPixelRegion,
    PolygonSkyRegion,
    RegionMeta,
    Regions,
)

from napari_astroseg.engine.events import Event, Finished, TileDone
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.provenance import record
from napari_astroseg.engine.scoring import add_scores
from napari_astroseg.errors import OutputError
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.writing import replacing, write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
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
    device: str = "auto",
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
    The events of `predict`; `Finished.result` also has `out`, `structures`, `files`.
    """
    begun = time.perf_counter()
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise OutputError(
            f"a threshold of {threshold:g} divides no probabilities; give one between 0 and 1"
        )
    model = load_model(model, device)
    image = image if isinstance(image, SkyImage) else open_image(image)
    inside = (window or Window.whole(image.shape)).clipped(image.shape)
    canvas = Canvas(inside, len(model.recipe.data.classes))
    spread: Canvas | None = None
    store = out / STORE
    how = {"resume": resume, "force": force}
    for event in predict(model, image, inside, device=device, store=store, **how):
        if isinstance(event, TileDone):
            canvas.put(event.window, event.probability)
            if event.deviation is not None:
                spread = spread or Canvas(inside, len(event.deviation))
                spread.put(event.window, event.deviation)
        if not isinstance(event, Finished):
            yield event
            continue
        level = model.card.threshold if threshold is None else threshold
        answer = Answer(inside, canvas.values, None if spread is None else spread.values)
        told = write_outputs(out, model, image, answer, level, device)
        seconds = time.perf_counter() - begun
        told["files"].append(_write_provenance(out, model, image, command or {}, told, seconds))
        yield Finished({**event.result, **told, "threshold": level}, seconds)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of a window: its probabilities and, of samples, their deviations.

    Both (classes, H, W).
    """

    window: Window
    probability: NDArray[np.float32]
    deviation: NDArray[np.float32] | None = None


def write_outputs(
    out: Path,
    model: Model,
    image: SkyImage,
    answer: Answer,
    threshold: float,
    device: str = "auto",
) -> dict[str, Any]:
    """Write the maps, the catalogue and the picture of one answer.

    Regions are where any class is likely enough. A network that judges whole stamps looks at each
    region again, in the middle of a stamp of its own.
    """
    window, probability = answer.window, any_class(answer.probability)
    labels = label_structures(probability, threshold, model.recipe.prediction.min_area_px)
    catalogue = measure(labels, probability, image, window, answer.deviation)
    if isinstance(model.recipe.data, BlendedData):
        add_scores(catalogue, model, image, threshold, device)
    notes: dict[str, str | int | float] = {
        "MODEL": model.card.name,
        "MODELID": model.digest,
        "THRESH": threshold,
    }
    cards = window_cards(image.header, window)
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    title = (
        f"{image.name}: {len(catalogue)} regions of interest, model “{model.card.name}”, "
        f"probability ≥ {threshold:g}"
    )
    files = [
        _write_maps(out / "probability.fits", answer.probability, model, cards, notes),
        *(
            [_write_maps(out / "uncertainty.fits", answer.deviation, model, cards, notes)]
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
    shapes = []
    for number, lines in outlines(labels, window).items():
        meta = RegionMeta({"text": str(number)})
        for line in lines:
            vertices = line[:-1]  # the last closes it
            if image.wcs is None:
                shapes.append(PolygonPixelRegion(PixCoord(*vertices.T), meta=meta))
            else:
                position = image.sky(*vertices.T)
                shapes.append(PolygonSkyRegion(_ds9_frame(position), meta=meta))
    text = Regions(shapes).serialize(format="ds9") if shapes else "# Region file format: DS9\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _ds9_frame(position: SkyCoord) -> SkyCoord:
    """Vertices in a frame that DS9 reads without an equinox."""
    return position if position.frame.name == "galactic" else position.icrs


def _write_provenance(
    out: Path,
    model: Model,
    image: SkyImage,
    command: dict[str, Any],
    told: dict[str, Any],
    seconds: float,
) -> Path:
    inputs = [model.card.path] if model.card.path is not None else []
    source = image.reference.path if image.reference is not None else None
    inputs += [source] if source is not None else []
    path = out / "provenance.json"
    content = record(command, [p for p in inputs if p.is_file()], told["files"], seconds)
    content["model"] = {"name": model.card.name, "digest": model.digest}
    content["recipe"] = model.recipe.model_dump(mode="json")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
