"""Overview: a layer of all that is drawn on an image, except under the cut-out that shows it."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_astroseg.gui.marking.ownlayers import own_layer
from napari_astroseg.sky.marks.levels import MarkLevel, MarkLevels
from napari_astroseg.sky.pyramids.chunks import axes
from napari_astroseg.sky.window import Window


class _Holed:
    """A level with nothing in a window of the image, which something else shows.

    As a whole it is what was drawn, for whoever reads it as such.
    """

    ndim = 2

    def __init__(self, level: MarkLevel, overview: Overview) -> None:
        self.level, self._overview = level, overview
        self.shape, self.dtype, self.size = level.shape, level.dtype, level.size
        self.chunks = level.chunks

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        labels = self.level[key]
        rows, columns = axes(key)
        if _is_plain(rows) and _is_plain(columns):
            x, y = range(self.shape[1])[columns].start, range(self.shape[0])[rows].start
            self._overview.punch(labels, self.level.factor, x, y)
        return labels

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.level, dtype=dtype, copy=copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Holed:
        return self


class Overview:
    """The layer; for images larger than a screen, which have several levels.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the layer of the image under it.
    marks
        What is drawn, at all resolutions.
    colours
        Of labels.
    """

    def __init__(self, viewer: Any, base: Any, marks: MarkLevels, colours: Any) -> None:
        self.marks = marks
        self.hole: Window | None = None
        *finer, self._last = marks.levels
        # napari keeps the coarsest level as it was given: it is given one that we can change.
        self._coarsest = np.zeros(self._last.shape, np.uint16)
        levels = [*(_Holed(level, self) for level in finer), self._coarsest]
        whole = Window.whole(marks.store.shape)
        self.layer = own_layer(viewer, base, whole, "overview", "drawn", levels, colours)

    def refresh(self) -> None:
        """Draw again what has changed."""
        height, width = self._coarsest.shape
        self._coarsest[...] = self.marks.read(self._last.number, Window(0, 0, width, height))
        self.punch(self._coarsest, self._last.factor, 0, 0)
        self.layer.refresh(highlight=False, extent=False)

    def punch(self, labels: NDArray[np.uint16], factor: int, x: int, y: int) -> None:
        """Leave the hole out of labels of a level, whose first pixel is (x, y)."""
        if self.hole is None:
            return
        left, top = max(0, -(-self.hole.x // factor) - x), max(0, -(-self.hole.y // factor) - y)
        right, bottom = self.hole.x_end // factor - x, self.hole.y_end // factor - y
        if right > left and bottom > top:
            labels[top:bottom, left:right] = 0


def _is_plain(index: int | slice) -> TypeGuard[slice]:
    return isinstance(index, slice) and index.step in {None, 1}
