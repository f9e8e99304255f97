"""Map outputs: the files of a prediction of maps, written part by part from what is on disk.

No map is ever in memory as a whole. A first look at the probabilities finds the regions; a second
one measures them, writes the maps and takes the pixels of the picture. What memory is needed grows
with the number of regions and the length of their edges; and a region takes a byte for each pixel
of the rectangle around it, and 32 to 60 for each of its spine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.ensemble import entropy
from napari_astroseg.engine.mapfiles import SIDE, MapFile, MapFiles, Notes
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.scoring import add_scores
from napari_astroseg.engine.spread import Spread
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.outlinefile import write_polygons
from napari_astroseg.sky.preview import Sampled, draw_preview
from napari_astroseg.sky.spines import Region, Spines
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.structures import any_class, outline, tabulated
from napari_astroseg.sky.tally import Tally
from napari_astroseg.sky.whole.components import Components, components
from napari_astroseg.sky.whole.runs import Runs
from napari_astroseg.sky.window import Window

SCORES = "scores.jsonl"
"""What a killed run resumes the second look at galaxies from."""

Maps = NDArray[np.float32]


def is_entropy(spread: Spread | None) -> bool:
    """Whether an uncertainty follows from the probabilities themselves."""
    return spread is not None and spread.kind == "entropy"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of a window.

    Parameters
    ----------
    read
        Gives (maps, h, w) of a part: probabilities of the classes, then how unsure each is,
        where that does not follow from them.
    classes
        How many there are.
    spread
        What the uncertainty is of; None where there is none.
    """

    window: Window
    read: Callable[[Window], Maps]
    classes: int
    spread: Spread | None = None

    def told(self, part: Window) -> tuple[Maps, Maps | None]:
        """Probabilities (classes, h, w) of a part, and how unsure each is, if known."""
        maps = self.read(part)
        probability = maps[: self.classes]
        if self.spread is None:
            return probability, None
        return probability, entropy(probability) if is_entropy(self.spread) else maps[
            self.classes :
        ]

    def regions(self, threshold: float, min_area_px: int) -> Components:
        """The regions where any class is likely enough."""
        return components(
            self.window,
            SIDE,
            lambda part: any_class(self.read(part)[: self.classes]) >= threshold,
            min_area_px,
        )


def write_outputs(
    out: Path,
    model: Model,
    image: SkyImage,
    answer: Answer,
    threshold: float,
    device: str | Cluster = "auto",
    resume: bool = False,
) -> dict[str, Any]:
    """Write the maps, the catalogue and the picture of one answer.

    Regions are where any class is likely enough. A network that judges whole stamps looks at each
    region again, in the middle of a stamp of its own; with `resume`, not at those that an earlier
    run did, which are in the file of scores.
    """
    window, spread = answer.window, answer.spread
    found = answer.regions(threshold, model.recipe.prediction.min_area_px)
    cards = window_cards(image.header, window)
    files = MapFiles(window, cards, _files(out, model, answer, threshold))
    tally, runs = Tally(found.count, spread is not None), Runs()
    shown = Sampled(window), Sampled(window), Sampled(window, np.bool_)
    plain = flattened(image)
    with files:
        for part in window.parts(SIDE):
            maps, deviation = answer.told(part)
            probability, values = any_class(maps), plain.cutout(part)
            labels = found.labels(part, probability >= threshold)
            unsures = [] if deviation is None else [deviation]
            files.put(part, [maps, *unsures, labels[None]])
            unsure = None if deviation is None else deviation.max(0)
            tally.add(part, labels, values, probability, unsure)
            runs.add(labels, part)
            for each, taken in zip(shown, (values, probability, labels > 0), strict=True):
                each.put(part, taken)
    spines = Spines(found.count)
    polygons = outlined(spines.passing(runs.masks()))
    drawn = write_polygons(out / "catalogue.reg", polygons, image)
    words = "" if spread is None else spread.words
    catalogue = tabulated(tally.sums(), spines.lengths, image, words)
    if isinstance(model.recipe.data, BlendedData):
        add_scores(catalogue, model, image, threshold, device, out / SCORES, resume)
    _describe(catalogue, model, image, answer, threshold)
    count = found.count
    title = (
        f"{image.name}: {count} region{'s' * (count != 1)}, model “{model.card.name}”, "
        f"probability ≥ {threshold:g}"
    )
    written = [
        *files.paths,
        catalogue.write(out / "catalogue.ecsv"),
        drawn,
        draw_preview(
            out / "preview.png",
            image,
            window,
            shown[0].values,
            shown[1].values,
            shown[2].values,
            title,
        ),
    ]
    return {"out": str(out), "structures": count, "files": written}


def _files(out: Path, model: Model, answer: Answer, threshold: float) -> list[MapFile]:
    """The files of an answer: probabilities, uncertainties where they are told, regions."""
    notes: Notes = {
        "MODEL": model.card.name,
        "MODELID": model.digest,
        "THRESH": threshold,
        "TEMPER": model.card.temperature,
    }
    names: Notes = {f"CLASS{n}": name for n, name in enumerate(model.recipe.data.classes, start=1)}
    told = notes | names if answer.classes > 1 else notes
    files = [MapFile(out / "probability.fits", np.float32, told, answer.classes)]
    if answer.spread is not None:
        unsure = told | answer.spread.cards()
        files.append(MapFile(out / "uncertainty.fits", np.float32, unsure, answer.classes))
    return [*files, MapFile(out / "regions.fits", np.int32, notes)]


def _describe(
    catalogue: Catalogue, model: Model, image: SkyImage, answer: Answer, threshold: float
) -> None:
    """Say in the table what it is of."""
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    if answer.spread is not None:
        catalogue.table.meta["uncertainty"] = answer.spread.words


def outlined(regions: Iterable[Region]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Numbers of regions, and vertices (N, 2) x and y of an outline of each; some have several."""
    for number, where, mask in regions:
        for line in outline(mask, where.x, where.y):
            yield str(number), line[:-1]  # the last vertex closes it
        del mask  # it may be as large as the map, and what comes next takes memory, too
