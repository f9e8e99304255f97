"""Grown: which planes' block means have been made, and where they are, for any thread.

What has been grown is known by the identity of the pixels, so images of the same file share it,
and a later session finds it in the cache.
"""

from __future__ import annotations

import threading
import weakref

from napari_astroseg.sky.cache import GIB, Cache
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramids.pyramidfile import FileStore, Layout, Store

COARSEST = 1024
"""The coarsest level's longer side is at least this and less than twice this, so that it still
fills a canvas: a viewer would otherwise read the next finer level at once."""

CACHE = Cache("pyramids", 20 * GIB)


class Means:
    """Where the block means of one plane are, once they have landed.

    Parameters
    ----------
    layout
        All levels that the plane could have.
    identity
        Of its pixels; None for those whose means cannot be kept beyond this process.
    """

    def __init__(self, layout: Layout, identity: str | None) -> None:
        self.layout = layout
        self.identity = identity
        self.growing = threading.Lock()
        self._lock = threading.Lock()
        self._sought = not layout.factors or identity is None
        self._store: Store | None = None

    @property
    def name(self) -> str:
        """Of the entry in the cache."""
        return f"{self.identity}.pyramid"

    @property
    def store(self) -> Store | None:
        """Where they are; None until they have landed. Looks into the cache once."""
        with self._lock:
            if not self._sought:
                self._sought = True
                self._store = self._found()
            return self._store

    def land(self, store: Store) -> None:
        """From now on they are here."""
        with self._lock:
            self._sought, self._store = True, store

    def land_from_cache(self) -> bool:
        """Take them from the cache; whether they are there."""
        store = self._found()
        if store is not None:
            self.land(store)
        return store is not None

    def lose(self, store: Store) -> None:
        """They are not here any more."""
        with self._lock:
            if self._store is store:
                self._store = None

    def _found(self) -> FileStore | None:
        path = None if self.identity is None else CACHE.find(self.name)
        if path is None or self.identity is None:
            return None
        return FileStore.find(path, self.layout, self.identity)


_of_images: weakref.WeakKeyDictionary[SkyImage, dict[int, Means]] = weakref.WeakKeyDictionary()
_of_identities: weakref.WeakValueDictionary[str, Means] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def means_of(image: SkyImage, plane: int = 0) -> Means:
    """The place of the block means of an image's plane; nothing is read yet."""
    with _lock:
        planes = _of_images.setdefault(image, {})
        if plane not in planes:
            pixels = image.pixels if image.planes is None else image.planes[plane]
            identity = pixels.identity
            shared = None if identity is None else _of_identities.get(identity)
            planes[plane] = shared or Means(layout_of(image.shape), identity)
            if identity is not None:
                _of_identities[identity] = planes[plane]
        return planes[plane]


def layout_of(shape: tuple[int, int]) -> Layout:
    """The levels of an image of `shape`."""
    return Layout(shape, 2 ** max(0, (max(shape) // COARSEST).bit_length() - 1))
