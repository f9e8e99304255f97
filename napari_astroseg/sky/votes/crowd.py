"""Crowd: several people's marks of one image, in folders of their own, counted pixel by pixel.

A person is a name in a folder, or the folder itself where nobody gave one. Whoever has a folder is
taken to have looked for every class that any of them marked, so finding nothing counts, too. Of one
person a pixel counts once, however often it is painted or lies in a shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.about import About
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.mosaics.together import one_grid
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.agreement import Agreement, agreement_on
from napari_astroseg.sky.votes.people import Person, around, people_of
from napari_astroseg.sky.votes.votemap import VoteMap
from napari_astroseg.sky.votes.writing import Annotator, summed
from napari_astroseg.sky.window import Window

_MOST_BYTES = 2**33
"""Of masks, one byte a pixel for each person and class."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """What several people marked on one image.

    Parameters
    ----------
    field
        An empty image in its place.
    window
        Around all that anyone marked; masks are of it.
    people
        Who, when, and their masks by class.
    """

    field: SkyImage
    window: Window
    people: tuple[Annotator, ...]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """What anybody marked, by its name."""
        return tuple(sorted({kind for each in self.people for kind in each.masks}))

    def counts(self, kind: str) -> NDArray[np.uint16]:
        """How many people marked each pixel of the window.

        Raises
        ------
        VoteError
            When nobody marked such a thing.
        """
        if kind not in self.classes:
            raise VoteError(
                f"nobody marked {kind!r}; choose one of {', '.join(self.classes) or 'none'}"
            )
        return summed(self.people, kind, self.window.shape)

    def votes(self, kind: str) -> VoteMap:
        """The same on all pixels of the image, where they are wanted.

        Raises
        ------
        VoteError
            When nobody marked such a thing.
        """
        pixels = PlacedCounts(self.counts(kind), self.window, self.field.shape)
        name = f"{self.field.name}: {kind}"
        image = SkyImage(pixels, self.field.wcs, self.field.header, name=name)
        drew = sum(bool(each.masks[kind].any()) for each in self.people)
        return VoteMap(image, kind, len(self.people), drew)

    def agreement(self, kind: str, at_least: int = 1) -> Agreement:
        """How well they agree on a class, over the whole image; places are the image's pixels.

        Raises
        ------
        VoteError
            When there is one person only, nobody marked such a thing, or no object can be so.
        """
        self.counts(kind)
        masks = [each.masks[kind] for each in self.people]
        height, width = self.field.shape
        names = [each.name for each in self.people]
        found = agreement_on(masks, names, at_least, pixels=height * width)
        objects = found.objects.copy()
        objects["x"] += self.window.x * u.pixel
        objects["y"] += self.window.y * u.pixel
        return replace(found, objects=objects)


@dataclass(frozen=True, eq=False)
class PlacedCounts(PlainPixels):
    """Counts in a window of an image, 0 around it.

    Parameters
    ----------
    counts
        (height, width) of the window, which lies inside the image.
    shape
        (H, W) of the image.
    """

    counts: NDArray[np.uint16]
    window: Window
    shape: tuple[int, int]
    identity: None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 holds them all."""
        return np.dtype(np.float32)

    @property
    def stored(self) -> np.dtype[Any]:
        """They are whole numbers."""
        return self.counts.dtype

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(n)[each] for n, each in zip(self.shape, key, strict=True))
        values = np.zeros((len(rows), len(columns)), np.float32)
        if not values.size:
            return values
        asked = Window(columns.start, rows.start, len(columns), len(rows))
        inside = asked.overlap(self.window)
        if inside is not None:
            own = inside.moved(-self.window.x, -self.window.y)
            values[inside.moved(-asked.x, -asked.y).slices] = self.counts[own.slices]
        return values


def open_crowd(folders: Sequence[str | Path], *, progress: Progress = silent) -> Crowd:
    """What people marked, from their folders, which are read only.

    Parameters
    ----------
    folders
        Of marks on one image; a folder may hold several people's.
    progress
        Hears of every folder; what it raises ends the reading.

    Raises
    ------
    VoteError
        When there is none, they belong to different images, or spread over far too much.
    MarkError
        When one is no folder of marks, or damaged.
    """
    paths = [Path(folder) for folder in folders]
    if not paths:
        raise VoteError("no folders of marks were given; name one for each person")
    if len({path.resolve() for path in paths}) < len(paths):
        raise VoteError("a folder of marks was given twice; name each once")
    first: About | None = None
    drawn: list[Person] = []
    for number, path in enumerate(paths):
        progress(f"reading {path.name}", number, len(paths))
        with MarkStore.open(path, writing=False) as store:
            if first is None:
                first = store.about
            elif not _one_image(first, store.about):
                raise VoteError(_apart(paths[0], first, path, store.about))
            drawn += people_of(store, path, first.field)
    assert first is not None
    window = around([each.extent for each in drawn], first.shape)
    spelt: dict[str, str] = {}
    for each in drawn:
        for kind in each.classes:
            spelt.setdefault(kind.lower(), kind)
    if len(drawn) * len(spelt) * window.width * window.height > _MOST_BYTES:
        raise VoteError(
            f"the marks of {len(drawn)} people spread over {window.width} × {window.height} "
            "pixels, too many to count at once; give fewer folders, or marks of smaller images"
        )
    people = tuple(each.annotator(window, spelt) for each in drawn)
    return Crowd(first.field, window, _told_apart(people, [each.folder for each in drawn]))


def _told_apart(people: Sequence[Annotator], folders: Sequence[str]) -> tuple[Annotator, ...]:
    """Names that more than one has, with their folders."""
    names = [each.name for each in people]
    return tuple(
        each if names.count(each.name) == 1 else replace(each, name=f"{each.name} ({folder})")
        for each, folder in zip(people, folders, strict=True)
    )


def _one_image(one: About, other: About) -> bool:
    """Whether marks belong to one image; without sky coordinates, its name tells."""
    if one.shape != other.shape or (one.wcs is None) != (other.wcs is None):
        return False
    if one.wcs is None:
        return one.name == other.name
    return one_grid([one.field, other.field])


def _apart(first: Path, one: About, path: Path, other: About) -> str:
    def told(about: About) -> str:
        return f"{about.name}, {about.shape[1]} × {about.shape[0]} px"

    return (
        f"{path} marks another image ({told(other)}) than {first} ({told(one)}); "
        "give marks of one image"
    )
