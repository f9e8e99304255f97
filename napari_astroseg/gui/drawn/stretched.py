"""Stretched: chunks as they are drawn, kept, so that a pan computes only what it uncovers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import ref

from napari_astroseg.sky.pyramids.chunks import Floats

if TYPE_CHECKING:
    from napari_astroseg.sky.looks.stretch import Stretch

STRETCHED_BYTES = 96 * 2**20
"""Drawn chunks kept per image: those of a large window, and of those around it."""


class Stretched:
    """The display values of the chunks used last; safe to share between threads.

    A chunk is known by being the same array, so that what is read anew is computed anew.
    """

    def __init__(self, limit: int = STRETCHED_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._made: OrderedDict[int, tuple[ref[Floats], Stretch, Floats]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def of(self, chunk: Floats, stretch: Stretch) -> Floats:
        """A chunk through a stretch."""
        with self._lock:
            found = self._made.get(id(chunk))
            if found is not None and found[0]() is chunk and found[1] == stretch:
                self._made.move_to_end(id(chunk))
                return found[2]
        drawn = stretch(chunk)
        with self._lock:
            self._drop(self._made.pop(id(chunk), None))
            self._made[id(chunk)] = ref(chunk), stretch, drawn
            self._held += drawn.nbytes
            while self._held > self._limit and len(self._made) > 1:
                self._drop(self._made.popitem(last=False)[1])
        return drawn

    def clear(self) -> None:
        """Nobody draws any more."""
        with self._lock:
            self._made.clear()
            self._held = 0

    def _drop(self, old: tuple[ref[Floats], Stretch, Floats] | None) -> None:
        self._held -= 0 if old is None else old[2].nbytes
