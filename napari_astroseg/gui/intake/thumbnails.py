"""Thumbnails: small pictures of a file's images, made off the window's thread as they come."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QImage, QPixmap

from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import sample, zscale
from napari_astroseg.sky.looks.stretch import Stretch
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.pyramid import levels

SIDE = 96
"""Longer side of a thumbnail, screen pixels."""

_AT_WORK: set[Thumbnails] = set()
"""Those whose thread still tells something: one that ended meanwhile would end the process."""


class Thumbnails(QObject):
    """Makes thumbnails of the images of one place, in a thread.

    Parameters
    ----------
    place
        A file or URL.
    hdus
        The HDUs of its images.
    """

    made = Signal(int, object)  # HDU, uint8 (height, width), row 0 on top
    _came = Signal(int, object)
    _ended = Signal()

    def __init__(self, place: str, hdus: Sequence[int]) -> None:
        super().__init__()
        self._place, self._hdus = place, tuple(hdus)
        self._stop = threading.Event()
        self._came.connect(self.made, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._rest, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin to make them; it stays until the last is made, whoever looks."""
        _AT_WORK.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Make no more than the one being made."""
        self._stop.set()

    def _work(self) -> None:
        try:
            for hdu in self._hdus:
                if self._stop.is_set():
                    return
                try:
                    picture = thumbnail(open_image(self._place, hdu))
                except AstroSegError:
                    continue  # choosing it will say why
                self._came.emit(hdu, picture)
        finally:
            self._ended.emit()

    def _rest(self) -> None:
        self._thread.join()
        _AT_WORK.discard(self)


def thumbnail(image: SkyImage) -> NDArray[np.uint8]:
    """A small picture of an image, or of a stack's first plane, north as it comes.

    uint8, (height, width), row 0 on top, missing data black.
    """
    coarsest = levels(image.plane(0))[-1]
    step = max(1, -(-max(coarsest.shape) // SIDE))
    values = np.asarray(coarsest)[step // 2 :: step, step // 2 :: step]
    if not values.size:
        values = np.asarray(coarsest)[::step, ::step]
    shown = Stretch("asinh", zscale(sample(coarsest)))(values)
    grey = np.clip(np.nan_to_num(shown, nan=0.0), 0.0, 1.0) * 255.0
    return np.ascontiguousarray(grey[::-1].astype(np.uint8))


def pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    """A thumbnail as Qt draws it; main thread only."""
    height, width = picture.shape
    image = QImage(picture.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
