"""Object fills: the pixels of objects with masks, each with the object's number, as a layer.

Which pixels there are is worked out once; which of them are of an object that is shown, and what
its number is, changes with every cut. Both happen off the window's thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.window import Window

_OPACITY = 0.5
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
"""Told apart by every eye (Okabe & Ito 2008); neighbours in score take different ones."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """All pixels of a list of objects in a window, the strongest objects last.

    Parameters
    ----------
    rows, columns
        (P,) counted from the window's corner; a pixel of several objects is there for each.
    owners
        (P,) place in the list of the object of each.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    owners: NDArray[np.int32]

    @classmethod
    def of(cls, objects: Instances, window: Window) -> Pixels:
        """Those of objects whose masks are told in the image's pixels."""
        parts: list[tuple[NDArray[Any], ...]] = []
        for number in np.argsort(objects.scores, kind="stable").tolist():
            own, mask = objects.masks[number]
            shared = own.overlap(window)
            if shared is not None:
                rows, columns = np.nonzero(mask[shared.moved(-own.x, -own.y).slices])
                corner = shared.y - window.y, shared.x - window.x
                parts.append((rows + corner[0], columns + corner[1], np.full(len(rows), number)))
        told = list(zip(*parts, strict=True)) or [(np.zeros(0, np.int32),)] * 3
        return cls(*(np.concatenate(each).astype(np.int32) for each in told))


class ObjectFills:
    """The layer of one prediction.

    Parameters
    ----------
    viewer, base
        Where to show it, and the layer of the image that was predicted.
    window
        What was predicted.
    called
        Name and metadata of the layer.
    """

    def __init__(self, viewer: Any, base: Any, window: Window, called: dict[str, Any]) -> None:
        self._planes = Planes(window.shape, np.int32)
        self._painted: Pixels | None = None
        self.layer = viewer.add_labels(
            self._planes.data,
            multiscale=self._planes.multiscale,
            colormap=CyclicLabelColormap(["transparent", *_COLOURS], name="astroseg objects"),
            opacity=_OPACITY,
            **called,
            **placed_on(base, window),
        )

    @property
    def numbers(self) -> NDArray[np.int32]:
        """(height, width) the number of the object of each pixel, 0 where there is none."""
        return self._planes.finest

    def paint(self, pixels: Pixels, kept: NDArray[np.bool_]) -> None:
        """Write the numbers of those objects of a list that are kept; any one thread.

        They are numbered from 1 in the list's order, as their catalogue numbers them. A pixel of
        several is the strongest's.
        """
        numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)[pixels.owners]
        there = numbers > 0
        rows, columns, numbers = pixels.rows[there], pixels.columns[there], numbers[there]
        before, self._painted = self._painted, pixels
        for step, level in enumerate(self._planes.levels):
            if before is not None:
                level[before.rows >> step, before.columns >> step] = 0
            level[rows >> step, columns >> step] = numbers
