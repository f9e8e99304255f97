"""CutOut: a small labels layer at full resolution that napari's own tools draw in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.gui.marking.ownlayers import close_layer, own_layer
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.window import Window

SIDE = 1280
"""Of the cut-out, px; of a smaller image all of it. napari fills larger ones too slowly."""

_NAMES = {"paint": "brush", "erase": "eraser", "fill": "fill", "polygon": "polygon"}


class CutOut(QObject):
    """The layer, and which part of the image it shows.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the layer of the image under it.
    shape
        (H, W) of the image.
    colours
        Of labels.
    """

    stroked = Signal(object, object, str)  # Window of the image, its labels, name of the stroke

    def __init__(
        self, viewer: Any, base: Any, shape: tuple[int, int], colours: Any, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._base, self._shape = base, shape
        self.window = Window(0, 0, min(SIDE, shape[1]), min(SIDE, shape[0]))
        self.strokes = 0
        """How many there were; who reads labels can tell by it whether they are of today."""
        self._down = False
        self._drawn: list[tuple[Window, str]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.hand_over)
        self.layer = own_layer(
            viewer,
            base,
            self.window,
            "cut-out",
            "drawing",
            np.zeros(self.window.shape, np.uint16),
            colours,
        )
        self.layer.mouse_drag_callbacks.append(self._pressed)
        self._ties = Ties(self)
        self._ties.tie(self.layer.events.paint, self._painted)

    @property
    def drawing(self) -> bool:
        """Whether a stroke or a polygon has been begun and not ended."""
        overlays = getattr(self.layer, "_overlays", {})
        outline, stroke = overlays.get("polygon"), overlays.get("brush_stroke")
        begun = outline is not None and len(outline.points) > 0
        return self._down or begun or bool(self._drawn) or bool(getattr(stroke, "active", False))

    def around(self, x: float, y: float) -> Window:
        """The window that the cut-out would have with an image position in its middle."""
        height, width = self.window.shape
        left = min(max(0, round(x - width / 2)), self._shape[1] - width)
        top = min(max(0, round(y - height / 2)), self._shape[0] - height)
        return Window(left, top, width, height)

    def show(self, window: Window, labels: NDArray[np.uint16]) -> None:
        """Show a window of the same size, and what is drawn there."""
        self.layer.data[...] = labels
        if window == self.window:
            self.layer.refresh(extent=False)
        else:
            self.window = window
            self.layer.translate = placed_on(self._base, window)["translate"]

    def hand_over(self) -> None:
        """Give away what has been drawn; done by itself as soon as the window has a moment."""
        self._soon.stop()
        drawn, self._drawn = self._drawn, []
        for box, name in drawn:
            self.strokes += 1
            labels = self.layer.data[box.slices].copy()
            self.stroked.emit(box.moved(self.window.x, self.window.y), labels, name)

    def end(self) -> None:
        """Listen no more, and let nobody draw what is not kept."""
        self.hand_over()
        self._ties.untie()
        if self._pressed in self.layer.mouse_drag_callbacks:
            self.layer.mouse_drag_callbacks.remove(self._pressed)
        close_layer(self.layer)

    def _pressed(self, _layer: Any, event: Any) -> Iterator[None]:
        self._down = True
        yield
        while event.type == "mouse_move":
            yield
        self._down = False

    def _painted(self, event: Any) -> None:
        """Something is drawn, or about to be: of what is no stroke napari tells beforehand."""
        self.strokes += 1
        name = _NAMES.get(str(self.layer.mode), "stroke")
        self._drawn.append((_touched(event.value, self.window.shape), name))
        self._soon.start(0)


def _touched(atoms: Iterable[Any], shape: tuple[int, int]) -> Window:
    """The window around what napari says it has changed; all, where it says nothing known."""
    ends = []
    for atom in atoms:
        key = getattr(atom, "slice_key", None)  # a rectangle, or else lists of rows and columns
        if key is None and isinstance(atom, tuple) and atom and isinstance(atom[0], tuple):
            key = tuple(slice(int(np.min(n)), int(np.max(n)) + 1) for n in atom[0] if np.size(n))
        if not isinstance(key, tuple) or len(key) != 2:
            return Window.whole(shape)
        ends.append([(each.start, each.stop) for each in key])
    if not ends:
        return Window.whole(shape)
    (top, bottom), (left, right) = (
        (min(each[axis][0] for each in ends), max(each[axis][1] for each in ends))
        for axis in (0, 1)
    )
    return Window(left, top, right - left, bottom - top)
