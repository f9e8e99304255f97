"""Kept tiles: those unpacked last, of all tile-compressed images of the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray

KEPT_BYTES = 2**26
"""Unpacked tiles that are kept, bytes: neighbouring windows often share them."""


class KeptTiles:
    """Tiles unpacked last, of all images together, up to a size; one larger tile all the same."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.RLock()

    def get(self, key: tuple[int, int]) -> NDArray[Any] | None:
        """A tile that is still kept."""
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
            return self._tiles.get(key)

    def put(self, key: tuple[int, int], tile: NDArray[Any]) -> None:
        """Keep a tile; older ones go."""
        with self._lock:
            self.make_room(tile.nbytes)
            if key not in self._tiles:
                self._tiles[key] = tile
                self._bytes += tile.nbytes

    def make_room(self, size: int) -> None:
        """Let the oldest go until so many more bytes fit, or none is left."""
        with self._lock:
            while self._tiles and self._bytes + size > KEPT_BYTES:
                self._bytes -= self._tiles.popitem(last=False)[1].nbytes

    def forget(self, image: int) -> None:
        """Let all tiles of an image go."""
        with self._lock:
            for key in [key for key in list(self._tiles) if key[0] == image]:
                self._bytes -= self._tiles.pop(key).nbytes


kept = KeptTiles()
"""Keys are an image's `id` and the number of a tile."""
