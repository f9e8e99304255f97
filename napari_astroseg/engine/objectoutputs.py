"""Object outputs: the folder that a detection leaves, and the one path that makes it.

`catalogue.ecsv`, `catalogue.reg`, `preview.png`, `provenance.json`, and `objects.jsonl`, which a
killed run resumes from.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.detect import detect, shown_bands
from napari_astroseg.engine.events import Event, Finished
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.provenance import write_provenance
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objectcatalogue import catalogued, write_box_picture, write_boxes
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

STORE = "objects.jsonl"


def detect_to_folder(
    model: Model,
    image: SkyImage,
    out: Path,
    window: Window | None = None,
    *,
    threshold: float | None = None,
    device: str | Cluster = "auto",
    resume: bool = False,
    force: bool = False,
    command: dict[str, Any] | None = None,
) -> Iterator[Event]:
    """Detect and leave every file in `out`; see `engine.outputs.predict_to_folder`."""
    begun = time.perf_counter()
    image = shown_bands(model, image)
    events = detect(
        model, image, window, device=device, store=out / STORE, resume=resume, force=force
    )
    for event in events:
        if not isinstance(event, Finished):
            yield event
            continue
        level = model.card.threshold if threshold is None else threshold
        objects: Objects = event.result["objects"]
        objects = objects[objects.scores >= level]
        told = write_objects(out, model, image, event.result["window"], objects, level)
        seconds = time.perf_counter() - begun
        told["files"].append(
            write_provenance(out, model, image, command or {}, told["files"], seconds)
        )
        yield Finished({**event.result, **told, "objects": objects, "threshold": level}, seconds)


def write_objects(
    out: Path, model: Model, image: SkyImage, window: Window, objects: Objects, threshold: float
) -> dict[str, Any]:
    """Write the catalogue and the picture of what was found."""
    data = model.recipe.data
    assert isinstance(data, BubbleData)
    catalogue = catalogued(objects, data.kinds, image, model.unsure_words)
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    count = len(objects)
    title = (
        f"{image.name}: {count} {data.kinds[0]}{'s' * (count != 1)}, model “{model.card.name}”, "
        f"score ≥ {threshold:g}"
    )
    files = [
        catalogue.write(out / "catalogue.ecsv"),
        write_boxes(out / "catalogue.reg", objects, image),
        write_box_picture(out / "preview.png", image, window, objects, title),
    ]
    return {"out": str(out), "structures": len(objects), "files": files}
