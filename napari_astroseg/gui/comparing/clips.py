"""Clips: what is drawn of a layer, cut off at lines on the screen.

The graphics card leaves out what lies beyond, so that neither a pan nor a zoom has to tell it
anything, and a moved line is four numbers.
"""

from __future__ import annotations

from typing import Any

from napari_astroseg.gui.comparing.canvas import node_of

_FAR = 1e6
"""Beyond any screen, in its pixels."""

Box = tuple[float, float, float, float]
"""Left, lower edge, width and height in pixels of the screen, from the lower left corner."""


class Clips:
    """Boxes for some layers of one canvas.

    Parameters
    ----------
    canvas
        napari's.
    layers
        Whose drawing is cut; at first nothing is cut off.
    """

    def __init__(self, canvas: Any, layers: tuple[Any, ...]) -> None:
        from vispy.visuals.filters import Clipper

        self._canvas = canvas
        self._clippers = [(layer, Clipper((-_FAR, -_FAR, 2 * _FAR, 2 * _FAR))) for layer in layers]
        self._nodes: dict[int, Any] = {}
        self._attach()
        # Before anything is painted: napari may have given a layer another node.
        canvas.events.draw.connect(self._attach, position="first")

    def divide(self, place: float, upright: bool) -> None:
        """Cut the first layer off beyond a line, and the second before it.

        `place` is 0 at the left or upper edge of the canvas, 1 at the other.
        """
        native = self._canvas.native
        ratio = native.devicePixelRatioF()
        if upright:
            at = round(place * native.width() * ratio)
            boxes: tuple[Box, Box] = (
                (-_FAR, -_FAR, _FAR + at, 2 * _FAR),
                (at, -_FAR, _FAR, 2 * _FAR),
            )
        else:
            at = round((1.0 - place) * native.height() * ratio)
            boxes = ((-_FAR, at, 2 * _FAR, _FAR), (-_FAR, -_FAR, 2 * _FAR, _FAR + at))
        for (_, clipper), box in zip(self._clippers, boxes, strict=True):
            clipper.bounds = box
        for node in self._nodes.values():
            node.update()

    def end(self) -> None:
        """Cut nothing off any more."""
        self._canvas.events.draw.disconnect(self._attach)
        for n, (_, clipper) in enumerate(self._clippers):
            self._release(n, clipper)
        self._canvas.native.update()

    def _attach(self, _event: Any = None) -> None:
        for n, (layer, clipper) in enumerate(self._clippers):
            node = node_of(self._canvas, layer)
            if node is self._nodes.get(n):
                continue
            self._release(n, clipper)
            if node is not None:
                node.attach(clipper)
                self._nodes[n] = node

    def _release(self, n: int, clipper: Any) -> None:
        node = self._nodes.pop(n, None)
        if node is not None:
            node.detach(clipper)
            node.update()
