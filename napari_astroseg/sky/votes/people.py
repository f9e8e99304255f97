"""People: who marked what in a folder of marks, painted or as shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.classes import classes_of
from napari_astroseg.sky.marks.shapes import shapes_of
from napari_astroseg.sky.marks.store import ENDING, MarkStore
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.shapes.outline import rings
from napari_astroseg.sky.shapes.raster import marked, reach
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.votes.writing import Annotator
from napari_astroseg.sky.window import Window


@dataclass(frozen=True, eq=False)
class Person:
    """What one person marked, as it was read.

    Parameters
    ----------
    name, folder, time
        Who, in which folder, and when last.
    labels, extent
        Theirs in the window of all that they marked; None where they marked nothing.
    kinds
        What each label stands for.
    shapes, field
        Theirs, and an empty image in its place.
    """

    name: str
    folder: str
    time: datetime
    labels: NDArray[np.uint16]
    kinds: dict[int, str]
    shapes: tuple[Shape, ...]
    field: SkyImage
    extent: Window | None

    @property
    def classes(self) -> set[str]:
        """What they marked."""
        painted = {self.kinds[label] for label in np.unique(self.labels).tolist() if label}
        return painted | {_kind(shape) for shape in self.shapes if not shape.excludes}

    def annotator(self, window: Window, spelt: dict[str, str]) -> Annotator:
        """Their masks in a window, one for each class that there is."""
        masks = {kind: np.zeros(window.shape, bool) for kind in spelt.values()}
        if self.extent is not None:
            own = self.extent.moved(-window.x, -window.y)
            for label in np.unique(self.labels).tolist():
                if label:
                    mask = masks[spelt[self.kinds[label].lower()]]
                    mask[own.slices] |= self.labels == label
        for shape, outline in zip(self.shapes, rings(self.shapes, self.field), strict=True):
            within = reach(outline, self.field.shape)
            if within is None:
                continue
            part = within.overlap(window)
            if part is None:  # it takes away where there is nothing
                continue
            inside = marked(shape, outline, part)
            place = part.moved(-window.x, -window.y).slices
            if shape.excludes:
                named = spelt.get(shape.class_name.lower())
                for kind in [named] if named else masks:
                    masks[kind][place] &= ~inside
            else:
                masks[spelt[_kind(shape).lower()]][place] |= inside
        return Annotator(self.name, masks, self.time)


def people_of(store: MarkStore, path: Path, field: SkyImage) -> Iterator[Person]:
    """Those who marked anything in a folder; one who did not, where nobody did."""
    stem = path.name.removesuffix(ENDING)
    shapes = tuple(shapes_of(store).values())
    kinds = {each.label: each.name for each in classes_of(store.values())}
    names = list(dict.fromkeys([*store.annotators, *(shape.who for shape in shapes)]))
    if "" in names and len(set(names) - {""}) == 1:  # shapes of nobody else are theirs
        (one,) = set(names) - {""}
        names = [one] if "" not in store.annotators else names
    for name in names or [""]:
        own = tuple(shape for shape in shapes if shape.who == name or len(names) == 1)
        labels, extent = _labels(store, name, own, field)
        told = {label: kinds.get(label, f"label {label}") for label in np.unique(labels).tolist()}
        time = _time(store, name, own)
        yield Person(name or stem, path.name, time, labels, told, own, field, extent)


def _labels(
    store: MarkStore, name: str, shapes: Sequence[Shape], field: SkyImage
) -> tuple[NDArray[np.uint16], Window | None]:
    """Someone's labels in the window of all that they marked; None where they marked nothing."""
    parts: list[Window | None] = []
    for row, column in store.places(name):
        chunk = store.read(Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK), name) > 0
        rows, columns = np.flatnonzero(chunk.any(1)), np.flatnonzero(chunk.any(0))
        if rows.size:
            x, y = int(columns[0]), int(rows[0])
            own = Window(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
            parts.append(own.moved(column * CHUNK, row * CHUNK))
    wanted = [shape for shape in shapes if not shape.excludes]
    parts += [reach(outline, field.shape) for outline in rings(wanted, field)]
    known = [part for part in parts if part is not None]
    if not known:
        return np.zeros((0, 0), np.uint16), None
    window = around(known, field.shape)
    return store.read(window, name), window


def around(parts: Sequence[Window | None], shape: tuple[int, int]) -> Window:
    """The smallest window around some; the first pixel where there are none."""
    known = [part for part in parts if part is not None]
    if not known:
        return Window(0, 0, 1, 1)
    x, y = min(part.x for part in known), min(part.y for part in known)
    x_end, y_end = max(part.x_end for part in known), max(part.y_end for part in known)
    return Window(x, y, x_end - x, y_end - y).clipped(shape)


def _kind(shape: Shape) -> str:
    return shape.class_name or "shape"


def _time(store: MarkStore, name: str, shapes: Sequence[Shape]) -> datetime:
    """When someone marked last; when their folder was written last, if nobody knows."""
    times = [entry.time for entry in store.done if entry.who == name]
    times += [shape.when for shape in shapes if shape.when is not None]
    known = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in times]
    return max(known, default=datetime.fromtimestamp((store.path / "journal").stat().st_mtime, UTC))
