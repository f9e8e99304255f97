"""Patient: levels for which the window never waits long.

In the window's thread a patient level gives what is in memory, waits a moment for the rest, and
draws what has not come by then from the next coarser level. A thread reads on, and says when it
has landed, so that the layer can be drawn again. Every other thread, and whoever asks before
anybody listens, gets the values themselves, however long that takes.

What cannot be read is missing (NaN), told once, and tried again when somebody looks there later.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_astroseg.gui.drawn.reads import Place, Reads
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.pyramids.chunks import CHUNK, ArrayFace, Floats, axes, extent
from napari_astroseg.sky.pyramids.pyramid import AnyLevel, Level, StackLevel, StackView
from napari_astroseg.sky.window import Window

if TYPE_CHECKING:
    from napari_astroseg.sky.looks.stretch import Stretch

_PLANES = 8
"""Planes of a stack whose levels are held ready."""


def patient(pyramid: Sequence[AnyLevel]) -> list[PatientLevel | PatientStack]:
    """The levels of one image, finest first, each with those above it to fall back on."""
    reads, flat, deep = Reads(), None, None
    made: list[PatientLevel | PatientStack] = []
    for level in reversed(pyramid):
        if isinstance(level, StackLevel):
            deep = PatientStack(level, deep, reads)
            made.append(deep)
        else:
            flat = PatientLevel(level, flat, reads)
            made.append(flat)
    return made[::-1]


@dataclass(frozen=True, eq=False)
class PatientLevel(ArrayFace):
    """A level of an image, or of a stack's plane, that answers at once; see the module.

    Parameters
    ----------
    level
        Where the values come from.
    coarser
        The next coarser level; None for the coarsest.
    reads
        Shared by all levels of the image.
    """

    level: Level
    coarser: PatientLevel | None
    reads: Reads = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """(rows, columns)."""
        return self.level.shape

    def __getitem__(self, key: Any) -> Any:
        """Values for integers and slices, float32; NaN where missing, or not yet known at all."""
        return self._found(key, None)

    def drawn(self, key: Any, stretch: Stretch) -> NDArray[np.float32]:
        """The same through a stretch; of chunks that were drawn before nothing is computed."""
        return np.asarray(self._found(key, stretch))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it, as it is."""
        return np.asarray(self.level, dtype=dtype, copy=copy)

    def plane(self, index: int) -> PatientLevel:
        """Itself."""
        return (self,)[index]

    def at_once(self, window: Window, stretch: Stretch | None = None) -> Floats:
        """What there is of a window now or in a moment; the rest from coarser levels."""
        found = self.reads.ask(self.level, _places(window), self._ring(window), stretch)
        return self._composed(window, found, stretch)

    def at_hand(self, window: Window, stretch: Stretch | None = None) -> Floats:
        """What is in memory of a window, the rest from coarser levels; nothing is read."""
        store = self.level.store
        kept = {place: self.level.kept(*place, store) for place in _places(window)}
        return self._composed(window, kept, stretch)

    def read_ahead(self, window: Window, stretch: Stretch) -> None:
        """Have what a window will show in memory, as it is drawn; not for the window's thread.

        Raises
        ------
        ImageError
            When it cannot be read.
        """
        store = self.level.store
        self.level[window.slices]
        for place in _places(window):
            chunk = self.level.kept(*place, store)
            if chunk is not None:
                self.reads.stretched.of(chunk, stretch)

    def _found(self, key: Any, stretch: Stretch | None) -> Any:
        """What `key` asks for, at once where the window's thread does."""
        rows, columns = axes(key)
        (top, height, of_rows), (left, width, of_columns) = (
            extent(rows, self.shape[0]),
            extent(columns, self.shape[1]),
        )
        if height == 0 or width == 0 or not self._in_a_hurry:
            values = self.level[key]
            return values if stretch is None else stretch(values)
        return self.at_once(Window(left, top, width, height), stretch)[of_rows, of_columns]

    @property
    def _in_a_hurry(self) -> bool:
        """Whether the window's thread asks, of something that somebody will draw again."""
        instant = isinstance(self.level.image.pixels, ArrayPixels)
        main = threading.current_thread() is threading.main_thread()
        return main and not instant and self.reads.watched

    def _composed(
        self, window: Window, found: Mapping[Place, Floats | None], stretch: Stretch | None
    ) -> Floats:
        values = np.empty(window.shape, np.float32)
        for row, column in _places(window):
            whole = Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK)
            part = whole.overlap(window)
            assert part is not None
            chunk = found.get((row, column))
            if chunk is None:  # what was sampled is still better than a coarser level
                chunk = self.level.kept(row, column, None)
            there = values[part.moved(-window.x, -window.y).slices]
            if chunk is None:
                self._fill_coarsely(there, part, stretch)
                continue
            inside = part.moved(-whole.x, -whole.y).slices
            if stretch is None:
                there[...] = chunk[inside]
            elif self.coarser is None:  # small, and hardly panned: not worth the memory
                there[...] = stretch(chunk[inside])
            else:
                there[...] = self.reads.stretched.of(chunk, stretch)[inside]
        return values

    def _fill_coarsely(self, values: Floats, window: Window, stretch: Stretch | None) -> None:
        """Put a window from the next coarser level into `values`, its pixels repeated."""
        if self.coarser is None:
            values[...] = np.nan
            return
        ratio = self.coarser.level.factor // self.level.factor
        x, y = window.x // ratio, window.y // ratio
        above = Window(x, y, -(-window.x_end // ratio) - x, -(-window.y_end // ratio) - y)
        small = self.coarser.at_hand(above, stretch)
        wide = np.empty((small.shape[0], window.width), np.float32)
        _spread(small.T, ratio, window.x - x * ratio, wide.T)
        _spread(wide, ratio, window.y - y * ratio, values)

    def _ring(self, window: Window) -> list[Place]:
        """The chunks around a window, which a pan will ask for."""
        inside = set(_places(window))
        wide = Window(
            window.x - CHUNK, window.y - CHUNK, window.width + 2 * CHUNK, window.height + 2 * CHUNK
        )
        around = wide.overlap(Window.whole(self.shape))
        return [] if around is None else [each for each in _places(around) if each not in inside]


@dataclass(frozen=True, eq=False)
class PatientStack(ArrayFace):
    """A level of a stack whose planes are patient; (planes, rows, columns).

    Parameters
    ----------
    level
        Where the values come from.
    coarser
        The next coarser level; None for the coarsest.
    reads
        Shared by all levels and planes.
    """

    level: StackLevel
    coarser: PatientStack | None
    reads: Reads = field(repr=False)
    _planes: dict[int, PatientLevel] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        """(planes, rows, columns)."""
        return self.level.shape

    def __getitem__(self, key: Any) -> Any:
        """Values where the plane is an integer; a lazy view of several planes."""
        return StackView.whole(self)[key]

    def plane(self, index: int) -> PatientLevel:
        """The level of one plane."""
        made = self._planes.get(index)
        if made is None:
            coarser = None if self.coarser is None else self.coarser.plane(index)
            made = PatientLevel(self.level.plane(index), coarser, self.reads)
            for old in list(self._planes)[: 1 - _PLANES]:
                self._planes.pop(old, None)
            self._planes[index] = made
        return made


def _spread(rows: Floats, ratio: int, skipped: int, out: Floats) -> None:
    """Put each row into `out` `ratio` times, the first `skipped` of all left out."""
    for turn in range(ratio):  # in strides: three times as fast as looking each row up
        first = (turn - skipped) % ratio
        places = out[first::ratio]
        begin = (skipped + first) // ratio
        places[...] = rows[begin : begin + len(places)]


def _places(window: Window) -> list[Place]:
    """The chunks that touch a window."""
    return [
        (row, column)
        for row in range(window.y // CHUNK, -(-window.y_end // CHUNK))
        for column in range(window.x // CHUNK, -(-window.x_end // CHUNK))
    ]
