"""Instance outputs: what a prediction of objects with masks leaves in its folder.

`probability.fits` is the score of the strongest object of each pixel, `regions.fits` its number in
`catalogue.ecsv`, `uncertainty.fits` how unsure that object is, where that is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.engine.mapoutputs import write_regions
from napari_astroseg.engine.model import Model
from napari_astroseg.recipes.data import SetData
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instancecatalogue import catalogued
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.preview import write_preview
from napari_astroseg.sky.stack import flattened
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
    labels, scores = objects.labels(window)
    catalogue = catalogued(objects, data.kinds, image, model.unsure_words)
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    notes: dict[str, str | int | float] = {
        "MODEL": model.card.name,
        "MODELID": model.digest,
        "THRESH": threshold,
    }
    cards = window_cards(image.header, window)
    count = len(objects)
    title = (
        f"{image.name}: {count} object{'s' * (count != 1)}, model “{model.card.name}”, "
        f"score ≥ {threshold:g}"
    )
    shown = flattened(image)
    files = [
        write_image(out / "probability.fits", scores, cards, notes=notes, compress=True),
        *_uncertainty(out / "uncertainty.fits", model, objects, labels, (cards, notes)),
        write_image(out / "regions.fits", labels, cards, notes=notes, compress=True),
        catalogue.write(out / "catalogue.ecsv"),
        write_regions(out / "catalogue.reg", labels, window, image),
        write_preview(out / "preview.png", shown, window, scores, labels, title),
    ]
    return {"out": str(out), "structures": len(objects), "files": files, "objects": objects}


def _uncertainty(
    path: Path,
    model: Model,
    objects: Instances,
    labels: NDArray[np.int32],
    header: tuple[fits.Header, dict[str, str | int | float]],
) -> list[Path]:
    """Write how unsure the strongest object of each pixel is, 0 where there is none, if told."""
    spread = model.spread
    if spread is None or objects.doubts is None:
        return []
    unsure = np.concatenate([[0.0], objects.doubts.score]).astype(np.float32)[labels]
    cards, notes = header
    told = {**notes, **spread.cards("score")}
    return [write_image(path, unsure, cards, notes=told, compress=True)]
