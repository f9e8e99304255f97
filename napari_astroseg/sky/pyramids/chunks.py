"""Chunks: the face of a lazy array, the parts of it that are kept, the reading of an index."""

from __future__ import annotations

import math
import operator
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:
    from napari_astroseg.sky.looks.stretch import Stretch

CHUNK = 512
"""Side of a chunk, level pixels: a view rounded up to chunks stays close to the view."""

Floats = NDArray[np.float32]
_Address = tuple[int, ...]


class ArrayFace:
    """What viewers ask of an array besides its values: float32, square chunks of the last axes."""

    shape: tuple[int, ...]
    dtype = np.dtype(np.float32)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Lengths of a chunk: one plane, 512 × 512."""
        return (1,) * (self.ndim - 2) + (CHUNK, CHUNK)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError

    def plane(self, index: int) -> ArrayFace:
        """One plane, of what has three axes."""
        raise NotImplementedError

    def drawn(self, key: Any, stretch: Stretch) -> NDArray[np.float32]:
        """Values as they are drawn: those that `key` asks for, through a stretch."""
        return stretch(self[key])

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it: for the coarsest level, which thumbnails are made of."""
        return np.asarray(self[...], dtype=dtype, copy=copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self  # it never changes: a duplicated layer may share it


class ChunkCache:
    """The chunks used last, up to a number of bytes; safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._chunks: OrderedDict[_Address, Floats] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def get(self, address: _Address) -> Floats | None:
        """The chunk at an address, if it is still here."""
        with self._lock:
            chunk = self._chunks.get(address)
            if chunk is not None:
                self._chunks.move_to_end(address)
            return chunk

    def put(self, address: _Address, chunk: Floats) -> None:
        """Keep a chunk, and let go of those unused for longest where there are too many."""
        with self._lock:
            replaced = self._chunks.pop(address, None)
            self._chunks[address] = chunk
            self._held += chunk.nbytes - (0 if replaced is None else replaced.nbytes)
            while self._held > self._limit and len(self._chunks) > 1:
                self._held -= self._chunks.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let go of all; what is wanted again is read again."""
        with self._lock:
            self._chunks.clear()
            self._held = 0


def axes(key: Any, count: int = 2) -> tuple[int | slice, ...]:
    """One index per axis, of `count`, out of whatever stands between the brackets."""
    parts = key if isinstance(key, tuple) else (key,)
    if any(part is Ellipsis for part in parts):
        at = parts.index(Ellipsis)
        parts = parts[:at] + (slice(None),) * (count + 1 - len(parts)) + parts[at + 1 :]
    parts += (slice(None),) * (count - len(parts))
    if len(parts) != count:
        raise IndexError(f"a level has {count} axes; {len(parts)} indices were given")
    return parts


def extent(index: int | slice, length: int) -> tuple[int, int, int | slice]:
    """First place and number of places that cover an index, and the index within them."""
    if not isinstance(index, slice):
        return range(length)[operator.index(index)], 1, 0
    places = range(length)[index]
    if not places:
        return 0, 0, slice(None)
    first = min(places[0], places[-1])
    return first, abs(places[-1] - places[0]) + 1, slice(None, None, places.step)


def as_slice(places: range) -> slice:
    """The slice that picks these places out of a sequence."""
    stop = places.stop if places.stop >= 0 else None
    return slice(places.start, stop, places.step)


def runs(numbers: list[int]) -> Iterator[range]:
    """Runs of consecutive numbers of an ascending list."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield range(numbers[start], numbers[place - 1] + 1)
            start = place
