"""Instance outputs: what a prediction of objects with masks leaves in its folder.

`probability.fits` is the score of the strongest object of each pixel, `regions.fits` its number in
`catalogue.ecsv`, `uncertainty.fits` how unsure that object is, where that is told. They are written
part by part: in memory are the objects, and no map as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.mapfiles import SIDE, MapFile, MapFiles, Notes
from napari_astroseg.engine.mapoutputs import outlined
from napari_astroseg.engine.model import Model
from napari_astroseg.recipes.data import SetData
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instancecatalogue import catalogued
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.outlinefile import write_polygons
from napari_astroseg.sky.preview import Sampled, draw_preview, sampled
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.whole.runs import Runs
from napari_astroseg.sky.window import Window


def write_instances(
    out: Path, model: Model, image: SkyImage, window: Window, objects: Instances, threshold: float
) -> dict[str, Any]:
    """Write maps, catalogue and picture of the objects from a score up.

    Returns
    -------
    `out`, `structures`, `files`, and the `objects` themselves.
    """
    data = model.recipe.data
    assert isinstance(data, SetData)
    objects = objects[objects.scores >= threshold]
    unsure = _unsure(model, objects)
    files = MapFiles(
        window, window_cards(image.header, window), _files(out, model, threshold, unsure)
    )
    runs, shown, marked = Runs(), Sampled(window), Sampled(window, np.bool_)
    lying = objects.lying
    with files:
        for part in window.parts(SIDE):
            labels, scores = _labelled(objects, lying, part)
            unsures = [] if unsure is None else [unsure[labels][None]]
            files.put(part, [scores[None], *unsures, labels[None]])
            runs.add(labels, part)
            shown.put(part, scores)
            marked.put(part, labels > 0)
    catalogue = catalogued(objects, data.kinds, image, model.unsure_words)
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    count = len(objects)
    title = (
        f"{image.name}: {count} object{'s' * (count != 1)}, model “{model.card.name}”, "
        f"score ≥ {threshold:g}"
    )
    values = sampled(flattened(image), window)
    written = [
        *files.paths,
        catalogue.write(out / "catalogue.ecsv"),
        write_polygons(out / "catalogue.reg", outlined(runs.masks()), image),
        draw_preview(
            out / "preview.png", image, window, values, shown.values, marked.values, title
        ),
    ]
    return {"out": str(out), "structures": count, "files": written, "objects": objects}


def _labelled(
    objects: Instances, lying: NDArray[np.int64], part: Window
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Numbers among all objects, and scores, of a part; only those near it are looked at."""
    x, y, x_end, y_end = lying
    near = (x < part.x_end) & (x_end > part.x) & (y < part.y_end) & (y_end > part.y)
    labels, scores = objects[near].labels(part)
    numbers = np.concatenate([[0], np.flatnonzero(near) + 1]).astype(np.int32)
    return numbers[labels], scores


def _files(
    out: Path, model: Model, threshold: float, unsure: NDArray[np.float32] | None
) -> list[MapFile]:
    """The files of the objects: scores, uncertainties where they are told, numbers."""
    notes: Notes = {"MODEL": model.card.name, "MODELID": model.digest, "THRESH": threshold}
    files = [MapFile(out / "probability.fits", np.float32, notes)]
    if unsure is not None and model.spread is not None:
        told = notes | model.spread.cards("score")
        files.append(MapFile(out / "uncertainty.fits", np.float32, told))
    return [*files, MapFile(out / "regions.fits", np.int32, notes)]


def _unsure(model: Model, objects: Instances) -> NDArray[np.float32] | None:
    """How unsure the object of each number is, 0 where there is none; None where it is not told."""
    if model.spread is None or objects.doubts is None:
        return None
    return np.concatenate([[0.0], objects.doubts.score]).astype(np.float32)
