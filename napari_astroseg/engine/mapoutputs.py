"""Map outputs: the files of a prediction of maps, written part by part from what is on disk.

No map is ever in memory as a whole. A first look at the probabilities finds the regions; a second
one measures them, writes the maps and takes the pixels of the picture. What memory is needed grows
with the number of regions and the length of their edges; and the spine of a region takes three
bytes for each pixel of the rectangle around it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.ensemble import entropy
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.scoring import add_scores
from napari_astroseg.engine.spread import Spread
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.tilewriting import TILE, TileWriter, tile_writer
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

SIDE = 8 * TILE
"""Pixels along a side of a part."""

Maps = NDArray[np.float32]
Notes = dict[str, str | int | float]


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
) -> dict[str, Any]:
    """Write the maps, the catalogue and the picture of one answer.

    Regions are where any class is likely enough. A network that judges whole stamps looks at each
    region again, in the middle of a stamp of its own.
    """
    window, spread = answer.window, answer.spread
    found = answer.regions(threshold, model.recipe.prediction.min_area_px)
    cards = window_cards(image.header, window)
    files = MapFiles(out, model, answer, cards, threshold)
    tally, runs = Tally(found.count, spread is not None), Runs()
    shown = Sampled(window), Sampled(window), Sampled(window, np.bool_)
    plain = flattened(image)
    with files:
        for part in window.parts(SIDE):
            maps, deviation = answer.told(part)
            probability, values = any_class(maps), plain.cutout(part)
            labels = found.labels(part, probability >= threshold)
            files.put(part, maps, deviation, labels)
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
        add_scores(catalogue, model, image, threshold, device)
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


class MapFiles:
    """The FITS files of an answer, written side by side; whole or not at all."""

    def __init__(
        self, out: Path, model: Model, answer: Answer, cards: fits.Header, threshold: float
    ) -> None:
        notes: Notes = {
            "MODEL": model.card.name,
            "MODELID": model.digest,
            "THRESH": threshold,
            "TEMPER": model.card.temperature,
        }
        classes = model.recipe.data.classes
        names: Notes = {f"CLASS{n}": name for n, name in enumerate(classes, start=1)}
        told = notes | names if answer.classes > 1 else notes
        self._cards, self._window, self._classes = cards, answer.window, answer.classes
        self._wanted: list[tuple[Path, type[np.number[Any]], Notes]] = [
            (out / "probability.fits", np.float32, told)
        ]
        if answer.spread is not None:
            self._wanted.append(
                (out / "uncertainty.fits", np.float32, told | answer.spread.cards())
            )
        self._wanted.append((out / "regions.fits", np.int32, notes))
        self._open = ExitStack()
        self._writers: list[TileWriter] = []

    @property
    def paths(self) -> list[Path]:
        """Where they are."""
        return [path for path, _, _ in self._wanted]

    def __enter__(self) -> MapFiles:
        with ExitStack() as stack:
            pool: Executor = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
            for path, dtype, notes in self._wanted:
                planes = (self._classes,) if self._classes > 1 and dtype is np.float32 else ()
                shape = (*planes, *self._window.shape)
                writer = tile_writer(path, shape, dtype, pool, self._cards, notes)
                self._writers.append(stack.enter_context(writer))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def put(
        self, part: Window, maps: Maps, deviation: Maps | None, labels: NDArray[np.int32]
    ) -> None:
        """Write a part of each."""
        here = part.moved(-self._window.x, -self._window.y)
        told = (maps, labels[None]) if deviation is None else (maps, deviation, labels[None])
        for writer, planes in zip(self._writers, told, strict=True):
            for plane, values in enumerate(planes):
                writer.put(here, values, plane)


def _describe(
    catalogue: Catalogue, model: Model, image: SkyImage, answer: Answer, threshold: float
) -> None:
    """Say in the table what it is of."""
    catalogue.table.meta.update(
        {"image": image.name, "model": model.card.name, "threshold": threshold}
    )
    if answer.spread is not None:
        catalogue.table.meta["uncertainty"] = answer.spread.words


def write_regions(path: Path, labels: NDArray[np.int32], window: Window, image: SkyImage) -> Path:
    """Outlines as DS9 polygons, on the sky where the image has coordinates, else in pixels."""
    runs = Runs()
    runs.add(labels, window)
    return write_polygons(path, outlined(runs.masks()), image)


def outlined(regions: Iterable[Region]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Numbers of regions, and vertices (N, 2) x and y of an outline of each; some have several."""
    for number, where, mask in regions:
        for line in outline(mask, where.x, where.y):
            yield str(number), line[:-1]  # the last vertex closes it
