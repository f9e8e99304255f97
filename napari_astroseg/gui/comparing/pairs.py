"""Pairs: points on an image and the same points on the reference, kept in two Points layers.

The layers are the truth: a point that is dragged with napari's own tools is an anchor moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.grids.affine import affine_through

ANCHORS = "astroseg_anchors"
"""The key in the metadata of the layers that hold anchors: `image` or `reference`."""

LEAST = 2
"""Fewer pairs place nothing."""

Point = tuple[float, float]
Pair = tuple[Point, Point]
_COLOURS = {"image": "#ffb000", "reference": "#4cc9f0"}
_SIZE = 14
_ON_SCREEN = (12, 28)
"""A mark is never smaller or larger than this, screen pixels."""


def residuals(pairs: Sequence[Pair]) -> list[float]:
    """How far each pair is from where the map through all puts it, pixels of the reference.

    Two pairs are met exactly. NaN where the points place nothing.
    """
    if len(pairs) == LEAST:
        return [0.0] * LEAST
    here, there = np.array(pairs, float).reshape(-1, 2, 2).transpose(1, 2, 0)
    through = affine_through((here[0], here[1]), (there[0], there[1]), (1, 1))
    if through is None:
        return [float("nan")] * len(pairs)
    x, y = through.at(here[0], here[1])
    off: list[float] = np.hypot(x - there[0], y - there[1]).tolist()
    return off


class Pairs(QObject):
    """The anchors between two layers; a lone last point waits for its fellow.

    Parameters
    ----------
    viewer
        Where the points are shown.
    """

    changed = Signal()

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = bare(viewer)
        self._names: dict[str, str] = {}
        self._layers: dict[str, Any] = {}
        self._ties, self._data_ties = Ties(self), Ties(self)
        self._ties.tie(self._viewer.layers.events.removed, self._forget)

    @property
    def turn(self) -> str:
        """Where the next point belongs: `image` or `reference`."""
        first, second = self._points("image"), self._points("reference")
        return "image" if len(first) <= len(second) else "reference"

    @property
    def value(self) -> list[Pair]:
        """(x, y) on the image and (x, y) on the reference, 0-based pixels, of whole pairs."""
        both = zip(self._points("image"), self._points("reference"), strict=False)
        return [((one[1], one[0]), (other[1], other[0])) for one, other in both]

    @property
    def count(self) -> int:
        """How many points there are, on both sides together."""
        return sum(len(self._points(side)) for side in _COLOURS)

    def between(self, image: str, reference: str) -> None:
        """Begin anew between layers of these names."""
        self.clear()
        self._names = {"image": image, "reference": reference}

    def add(self, y: float, x: float) -> None:
        """Put a point where it is next one's turn."""
        side = self.turn
        self._set(side, [*self._points(side), (y, x)])

    def undo(self) -> None:
        """Take back the last point."""
        sides = ("image", "reference")
        last = max(sides, key=lambda side: (len(self._points(side)), sides.index(side)))
        self._set(last, self._points(last)[:-1])

    def remove(self, number: int) -> None:
        """Take away a pair, counted from 0."""
        for side in _COLOURS:
            points = self._points(side)
            self._set(side, [*points[:number], *points[number + 1 :]])

    def clear(self) -> None:
        """Take away all points and their layers."""
        self._data_ties.untie()
        for layer in list(self._layers.values()):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers.clear()
        self.changed.emit()

    def show_only(self, side: str | None) -> None:
        """Show one side's points; None hides both."""
        for each, layer in self._layers.items():
            layer.visible = each == side

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._data_ties.untie()

    def _points(self, side: str) -> list[Point]:
        """(y, x) of one side's points."""
        layer = self._layers.get(side)
        return [] if layer is None else [(float(y), float(x)) for y, x in layer.data[:, -2:]]

    def _set(self, side: str, points: list[Point]) -> None:
        layer = self._layers.get(side)
        if layer is None:
            layer = self._layers[side] = self._made(side)
        with layer.events.data.blocker(self._tell):  # it is told when all of it is true
            layer.data = np.array(points, float).reshape(-1, 2)
            layer.selected_data = set()
        self.changed.emit()

    def _made(self, side: str) -> Any:
        with selection_kept(self._viewer):
            layer = self._viewer.add_points(
                np.empty((0, 2)),
                name=f"anchors on {self._names[side]}",
                symbol="cross",
                size=_SIZE,
                canvas_size_limits=_ON_SCREEN,
                face_color=_COLOURS[side],
                metadata={ANCHORS: side},
            )
        layer = bare(layer)
        self._data_ties.tie(layer.events.data, self._tell)
        return layer

    def _tell(self, _event: Any = None) -> None:
        self.changed.emit()

    def _forget(self, event: Any) -> None:
        gone = bare(event.value)
        if any(layer is gone for layer in self._layers.values()):
            self._layers = {k: each for k, each in self._layers.items() if each is not gone}
            self.changed.emit()
