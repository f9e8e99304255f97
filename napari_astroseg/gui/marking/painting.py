"""Painting: the two layers of open marks: where one draws, and what is drawn elsewhere."""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.images import shown_window
from napari_astroseg.gui.marking.cutout import CutOut
from napari_astroseg.gui.marking.marks import Marks, Moved, Standing
from napari_astroseg.gui.marking.overview import Overview
from napari_astroseg.gui.marking.ownlayers import close_layer
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.window import Window

_REST_MS = 150
"""A view that has rested for so long is followed."""

_AGAIN_MS = 60
TOOLS = ("pan_zoom", "paint", "erase", "fill", "polygon")


class Painting(QObject):
    """Draws what is open, lets draw on it, and hands over what was drawn.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the layer of the image.
    marks
        An open store.
    standing
        How things stand in it.
    """

    moved = Signal()  # the cut-out lies elsewhere, or begins to
    said = Signal(str)

    def __init__(
        self, viewer: Any, base: Any, marks: Marks, standing: Standing, parent: QObject
    ) -> None:
        super().__init__(parent)
        assert marks.levels is not None
        self._viewer, self._base, self._marks = viewer, base, marks
        self.follows = True
        self._colours = standing.colours
        self._wanted: Window | None = None
        levels = marks.levels
        shape = levels.store.shape
        self.overview: Overview | None = None
        self.cut = CutOut(viewer, base, shape, self._colours, self)
        self.cut.stroked.connect(marks.write)
        self._rest, self._later = QTimer(self), QTimer(self)
        self._adding = QTimer(self)
        calls = (self._follow, self._fetch, self._add_overview)
        for timer, call in zip((self._rest, self._later, self._adding), calls, strict=True):
            timer.setSingleShot(True)
            timer.timeout.connect(call)
        marks.moved.connect(self._follow_step)
        marks.grew.connect(self._grown)
        self._ties = Ties(self)
        camera = camera_of(viewer)
        for emitter in (camera.events.center, camera.events.zoom):
            self._ties.tie(emitter, self._view_moved)
        self._ties.tie(self.cut.layer.events.visible, self._hole_changed)
        self.cut.layer.selected_label = standing.classes[0].label
        if len(levels.factors) > 1:
            self._adding.start(0)  # each layer costs napari some time: not all of it at once
        self.draw_here()

    @property
    def busy(self) -> bool:
        """Whether the cut-out is on its way to another place."""
        waiting = self._rest.isActive() or self._adding.isActive()
        return self._wanted is not None or waiting

    @property
    def layers(self) -> tuple[Any, ...]:
        """Its layers."""
        above = (self.cut.layer,)
        return above if self.overview is None else (self.overview.layer, *above)

    def draw_here(self) -> None:
        """Bring the cut-out to the middle of the view."""
        seen = shown_window(self._viewer, self._base)
        if seen is not None:
            self._go(self.cut.around(seen.x + seen.width / 2, seen.y + seen.height / 2))
        else:
            self._go(self.cut.window)

    def choose_tool(self, tool: str) -> None:
        """Take one of napari's tools into the hand."""
        self._viewer.layers.selection.active = self.cut.layer
        self.cut.layer.mode = tool

    def end(self) -> None:
        """Let go of the viewer, and hide the layers."""
        self._ties.untie()
        for timer in (self._rest, self._later, self._adding):
            timer.stop()
        self._marks.moved.disconnect(self._follow_step)
        self._marks.grew.disconnect(self._grown)
        self.cut.end()
        if self.overview is not None:
            close_layer(self.overview.layer)

    def _add_overview(self) -> None:
        """Show all that is drawn, under the layer that is drawn in."""
        if self._marks.levels is not None:
            self.overview = Overview(self._viewer, self._base, self._marks.levels, self._colours)
            layers = self._viewer.layers
            layers.move(layers.index(self.overview.layer), layers.index(self.cut.layer))
            self._hole_changed()

    def _show_colours(self, colours: Any) -> None:
        if colours is not self._colours:
            self._colours = colours
            for layer in self.layers:
                layer.colormap = colours

    def _view_moved(self, _event: Any = None) -> None:
        if self.follows:
            self._rest.start(_REST_MS)

    def _follow(self) -> None:
        """Move along when what is in view, or most of it, is not in the cut-out."""
        seen = shown_window(self._viewer, self._base)
        seen = None if seen is None else seen.overlap(Window.whole(self._marks_shape))
        if seen is None or self.cut.drawing or not self.follows:
            return
        here = self.cut.window if self._wanted is None else self._wanted
        there = self.cut.around(seen.x + seen.width / 2, seen.y + seen.height / 2)
        far = max(abs(there.x - here.x), abs(there.y - here.y))
        large = seen.width > here.width or seen.height > here.height
        if here.overlap(seen) != seen and not (large and far < here.width // 8):
            self._go(there)

    @property
    def _marks_shape(self) -> tuple[int, int]:
        levels = self._marks.levels
        return self.cut.window.shape if levels is None else levels.store.shape

    def _go(self, window: Window) -> None:
        self._wanted = window
        self._fetch()
        self.moved.emit()

    def _fetch(self) -> None:
        if self._wanted is not None:
            told = self._wanted, self.cut.strokes
            self._marks.read(self._wanted, partial(self._show, *told))

    def _show(self, window: Window, strokes: int, labels: NDArray[Any]) -> None:
        """Show labels that were read, unless something was drawn or wanted since."""
        if window != self._wanted:
            return
        if self.cut.drawing or strokes != self.cut.strokes:
            self._later.start(_AGAIN_MS)
            return
        moved = window != self.cut.window
        self._wanted = None
        self.cut.show(window, labels)
        if moved:
            self._hole_changed()
        self.moved.emit()

    def _hole_changed(self, _event: Any = None) -> None:
        if self.overview is not None:
            self.overview.hole = self.cut.window if self.cut.layer.visible else None
            self.overview.refresh()

    def _grown(self, words: str) -> None:
        if not words and self.overview is not None:
            self.overview.refresh()

    def _follow_step(self, moved: Moved) -> None:
        """Show what a step has changed, of one that was taken back or done again also where."""
        self._show_colours(moved.standing.colours)
        here, windows = self.cut.window, moved.windows
        outside = [each for each in windows if here.overlap(each) != each]
        if outside and self.overview is not None:
            self.overview.refresh()
        if moved.stroke or not windows:
            return
        if moved.act != "do" and not self._in_view(windows):
            self._show_place(_around(windows))
        elif self._wanted is None and any(here.overlap(each) for each in windows):
            self._go(here)

    def _in_view(self, windows: tuple[Window, ...]) -> bool:
        seen = shown_window(self._viewer, self._base)
        return seen is None or any(seen.overlap(each) for each in windows)

    def _show_place(self, window: Window) -> None:
        """Centre the view and the cut-out there."""
        x, y = window.x + window.width / 2, window.y + window.height / 2
        self._go(self.cut.around(x, y))
        camera = camera_of(self._viewer)
        leading = [0.0] * (self._base.ndim - 2)
        row, column = self._base.data_to_world([*leading, y, x])[-2:]
        camera.center = (*camera.center[:-2], float(row), float(column))
        self.said.emit(f"That was at x={x:.0f}, y={y:.0f}: the view has gone there")


def _around(windows: tuple[Window, ...]) -> Window:
    x, y = min(each.x for each in windows), min(each.y for each in windows)
    right, bottom = max(each.x_end for each in windows), max(each.y_end for each in windows)
    return Window(x, y, right - x, bottom - y)
