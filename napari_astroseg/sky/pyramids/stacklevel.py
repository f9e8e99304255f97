"""StackLevel: the levels of a stack's planes as one lazy array; DisplayLevel: levels as drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramids.chunks import ArrayFace, ChunkCache, as_slice, axes
from napari_astroseg.sky.pyramids.grown import means_of
from napari_astroseg.sky.pyramids.level import Level

if TYPE_CHECKING:
    from napari_astroseg.sky.looks.stretch import Stretch


@dataclass(frozen=True, eq=False)
class StackLevel(ArrayFace):
    """One level of a stack: the same level of all its planes, shape (planes, rows, columns).

    Parameters
    ----------
    image
        The stack.
    factor
        Side of a block, image pixels.
    shape
        (planes, rows, columns) of the level.
    cache
        Shared by all levels and planes of the image.
    """

    image: SkyImage
    factor: int
    shape: tuple[int, int, int]
    cache: ChunkCache = field(repr=False)

    def __getitem__(self, key: Any) -> Any:
        """Values, float32, where the plane is an integer; a `StackView` of several planes."""
        return StackView.whole(self)[key]

    def plane(self, index: int) -> Level:
        """The level of one plane."""
        number = range(self.shape[0])[index]
        image, means = self.image.plane(number), means_of(self.image, number)
        return Level(image, self.factor, self.shape[1:], self.cache, means, number)


AnyLevel = Level | StackLevel


@dataclass(frozen=True, eq=False)
class DisplayLevel(ArrayFace):
    """A level as it is drawn: its values through a stretch, computed where it is looked at."""

    level: ArrayFace
    stretch: Stretch

    shape: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", self.level.shape)

    def __getitem__(self, key: Any) -> Any:
        """Display values, float32: 0 and 1 at the stretch's limits, NaN where missing.

        Of several planes of a stack a lazy view, as the level gives it.
        """
        if self.ndim == 3:
            return StackView.whole(self)[key]
        return self.level.drawn(key, self.stretch)

    def plane(self, index: int) -> DisplayLevel:
        """The display level of one plane of a stack."""
        return DisplayLevel(self.level.plane(index), self.stretch)


class Stacked(Protocol):
    """An array of three axes that gives its planes one by one, each sliced as an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(planes, rows, columns)."""

    def plane(self, index: int) -> Any:
        """One plane."""


@dataclass(frozen=True, eq=False)
class StackView(ArrayFace):
    """Some planes, rows and columns of a stack's level, not read yet.

    Viewers slice rows and columns of all planes first, and choose the plane from what they get;
    a level that answered with values would read every plane.

    Parameters
    ----------
    source
        The level.
    places
        Of which planes, rows and columns.
    """

    source: Stacked
    places: tuple[range, ...]

    @classmethod
    def whole(cls, source: Stacked) -> StackView:
        """All of a level."""
        return cls(source, tuple(range(length) for length in source.shape))

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(planes, rows, columns)."""
        return tuple(len(places) for places in self.places)

    def __getitem__(self, key: Any) -> Any:
        """Values where a plane, row or column is an integer; otherwise a smaller view."""
        chosen = [p[i] for p, i in zip(self.places, axes(key, 3), strict=True)]
        kept = tuple(each for each in chosen if isinstance(each, range))
        if len(kept) == 3:
            return StackView(self.source, kept)
        planes, *inside = chosen
        where = tuple(as_slice(each) if isinstance(each, range) else each for each in inside)
        if not isinstance(planes, range):
            return self.source.plane(planes)[where]
        return np.array([self.source.plane(each)[where] for each in planes], self.dtype)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.empty(self.shape, self.dtype)
        for place in range(len(values)):
            values[place] = self[place]
        return np.asarray(values, dtype=dtype)
