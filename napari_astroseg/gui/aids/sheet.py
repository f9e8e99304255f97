"""Sheet: a pane over the canvas on which all aids are painted, and nothing is clicked.

While the user pans and zooms, only what must move is painted again; what costs more than a
moment (lines, missing data) is worked out in a thread once the view has come to rest.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget
from typing_extensions import override

from napari_astroseg.gui.aids import colourbar, compass, grid, hatch
from napari_astroseg.gui.aids.choices import Choices
from napari_astroseg.gui.aids.view import View, camera_of, grid_of, layer_in_view, view_of
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.layers import plane_in_view, sky_image
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.coords.orientation import Frame, Orientation, orientation

_REST_MS = 120
_LONGEST_REST_MS = 600
"""At rest is what has not moved for this long, or for three of its last steps where those are
slower: a slow machine is not made slower."""
_PATIENCE_S = 1.0
_LOOK_EVENTS = ("contrast_limits", "colormap", "gamma", "data", "affine")


class Sheet(QWidget):
    """The aids over one canvas.

    Parameters
    ----------
    viewer
        Whose picture it helps to read.
    canvas
        The widget that the picture is drawn in; the sheet covers it.
    choices
        Which aids to draw.
    """

    def __init__(self, viewer: Any, canvas: QWidget, choices: Choices) -> None:
        super().__init__(canvas)
        self._viewer, self._choices = viewer, choices
        self._orientation: Orientation | None = None
        self._bar: colourbar.ColourBar | None = None
        self._grid: grid.Grid | None = None
        self._hatch: hatch.Hatch | None = None
        self._frame: Frame = "icrs"
        self._lines_work, self._hatch_work = Latest(self), Latest(self)
        self._lines_work.answered.connect(self._take_lines)
        self._hatch_work.answered.connect(self._take_hatch)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.settle)
        self._moved_at = 0.0
        self._turning = QTimer(self)
        self._turning.setSingleShot(True)
        self._turning.timeout.connect(self.follow)
        self._ties, self._layer_ties = Ties(self), Ties(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setGeometry(canvas.rect())
        canvas.installEventFilter(self)
        self._tie()
        self.follow()
        self.show()
        self.raise_()

    @property
    def busy(self) -> bool:
        """Whether something that is drawn is still being worked out."""
        waiting = self._rest.isActive() or self._turning.isActive()
        return waiting or self._lines_work.busy or self._hatch_work.busy

    @property
    def view(self) -> View | None:
        """What the canvas shows now; None where there is nothing to help with."""
        return view_of(self._viewer, self.width(), self.height())

    def choose(self, choices: Choices) -> None:
        """Draw these aids and no others."""
        self._choices = choices
        self.settle()

    def follow(self, _event: Any = None) -> None:
        """Turn to the layer that is in view now."""
        self._layer_ties.untie()
        for layer in self._viewer.layers:
            if sky_image(layer) is not None:
                self._layer_ties.tie(layer.events.visible, self._turn)
        layer = layer_in_view(self._viewer)
        if layer is not None:
            for name in _LOOK_EVENTS:
                if hasattr(layer.events, name):
                    self._layer_ties.tie(getattr(layer.events, name), self._changed)
        self.settle()

    def settle(self) -> None:
        """Work out all that depends on where the view has come to rest."""
        self._rest.stop()
        view = self.view
        self._bar = self._orientation = None
        if view is None:
            self._grid = self._hatch = None
            self.update()
            return
        wanted, image = self._choices, view.image
        self._frame = wanted.frame_for(image)
        if wanted.colour_bar:
            self._bar = colourbar.ColourBar.of(view)
        if wanted.compass or wanted.scale_bar:
            self._orientation = orientation(image, *view.centre, self._frame)
        if wanted.grid and image.wcs is not None:
            self._lines_work.ask(partial(grid.grid_over, view, self._frame))
        else:
            self._grid = None
        wish = hatch.wish_for(view, plane_in_view(self._viewer, view.layer))
        if wanted.hatch and wish is not None:
            self._hatch_work.ask(partial(hatch.hatch_over, wish))
        else:
            self._hatch = None
        self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the aids for the present view, in the canvas's own positions."""
        view = self.view
        if view is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = self._grid if self._grid and self._grid.image is view.image else None
        if self._hatch is not None and self._hatch.view.image is view.image:
            hatch.draw_hatch(painter, view, self._hatch)
        if lines is not None:
            grid.draw_lines(painter, view, lines)
        taken = []
        if self._bar is not None:
            colourbar.draw_colour_bar(painter, view, self._bar)
            taken.append(colourbar.whole_box(view))
        if self._orientation is not None and self._choices.compass:
            compass.draw_compass(painter, view, self._orientation, self._frame)
            taken.append(compass.compass_box(view, self._orientation))
        if self._orientation is not None and self._choices.scale_bar:
            compass.draw_bar(painter, view, self._orientation)
            taken.append(compass.bar_box(view))
        if lines is not None:
            grid.draw_labels(painter, view, lines, taken)

    def shut_down(self) -> None:
        """Come off the canvas."""
        self._ties.untie()
        self._layer_ties.untie()
        self._rest.stop()
        self._turning.stop()
        canvas = self.parentWidget()
        if canvas is not None:
            canvas.removeEventFilter(self)
        self._lines_work.wait(_PATIENCE_S)
        self._hatch_work.wait(_PATIENCE_S)
        self.hide()
        self.deleteLater()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the aids."""
        painter = QPainter(self)
        try:
            self.draw(painter)
        finally:
            painter.end()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self.setGeometry(self.parentWidget().rect())
            self._rest.start(_REST_MS)
        return bool(super().eventFilter(watched, event))

    def _tie(self) -> None:
        viewer, camera = self._viewer, camera_of(self._viewer)
        self._ties.tie(camera.events.center, self._moved)
        self._ties.tie(camera.events.zoom, self._zoomed)
        for emitter in (
            viewer.layers.selection.events.active,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.events.reordered,
        ):
            self._ties.tie(emitter, self._turn)
        for emitter in (
            camera.events.orientation,
            viewer.dims.events.ndisplay,
            viewer.dims.events.order,
            viewer.dims.events.point,
            grid_of(viewer).events.enabled,
        ):
            self._ties.tie(emitter, self._changed)

    def _moved(self, _event: Any = None) -> None:
        if self._grid is not None or self._hatch is not None:
            self.update()
        now = time.perf_counter()
        step_ms, self._moved_at = 1e3 * (now - self._moved_at), now
        slow = min(3 * step_ms, _LONGEST_REST_MS)
        self._rest.start(round(max(_REST_MS, slow)))

    def _zoomed(self, _event: Any = None) -> None:
        view = self.view
        if view is not None and self._choices.scale_bar:
            self.update(compass.bar_box(view).toAlignedRect())
        self._moved()

    def _changed(self, _event: Any = None) -> None:
        """Something about the picture has changed: look again soon."""
        self._rest.start(0)

    def _turn(self, _event: Any = None) -> None:
        """The layers have changed: turn to the right one, once they have all been told."""
        self._turning.start(0)

    def _take_lines(self, made: grid.Grid) -> None:
        if self._choices.grid:
            self._grid = made
            self.update()

    def _take_hatch(self, made: hatch.Hatch) -> None:
        if self._choices.hatch:
            self._hatch = made
            self.update()
