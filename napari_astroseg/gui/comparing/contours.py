"""Contours: lines of equal value of one layer, drawn over everything else.

They lie in napari's own scene, and so follow each pan and zoom at once; when the view has come to
rest they are traced again, off the window's thread, as fine as it shows them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.canvas import napari_canvas
from napari_astroseg.gui.comparing.contourlines import Lines, lines_for, wish_for
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.ties import Ties

NO_CANVAS = "This napari keeps its canvas where contours cannot be drawn on it"
_REST_MS = 150
_ABOVE_ALL = 10_000
_WIDTH, _RIM = 1.4, 3.0
_RIM_COLOUR = (0.0, 0.0, 0.0, 0.5)
_PATIENCE_S = 1.0


class Contours(QObject):
    """Contours of one layer at a time.

    Parameters
    ----------
    viewer
        Whose layers they are of.
    parent
        Its owner.
    """

    drawn = Signal(object)  # the lines, each time when there are new ones
    changed = Signal()
    refused = Signal(str)

    def __init__(self, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Any = None
        self._visuals: list[Any] = []
        self._levels: tuple[float, ...] | None = None
        self._count, self._colour, self._seen = 5, "#ffd43b", True
        self._work = Latest(self)
        self._work.answered.connect(self._take)
        self._work.refused.connect(self.refused)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._ask)
        self._ties, self._layer_ties = Ties(self), Ties(self)

    @property
    def layer(self) -> Any:
        """Whose contours are drawn; None when it is off."""
        return self._layer

    @property
    def lack(self) -> str:
        """Why it cannot be done; "" when it can."""
        return "" if napari_canvas(self._viewer) is not None else NO_CANVAS

    @property
    def busy(self) -> bool:
        """Whether lines are still to come."""
        return self._rest.isActive() or self._work.busy

    def start(self, layer: Any) -> None:
        """Draw a layer's contours."""
        self.stop()
        self._layer = bare(layer)
        self._tie()
        self._ask()
        self.changed.emit()

    def stop(self) -> None:
        """Draw none any more."""
        if self._layer is None:
            return
        self._layer = None
        self._rest.stop()
        self._ties.untie()
        self._layer_ties.untie()
        self._clear()
        self.changed.emit()

    def choose(self, levels: tuple[float, ...] | None, count: int, colour: str) -> None:
        """At which values, or else at how many; and in which colour."""
        self._levels, self._count, self._colour = levels, count, colour
        self._soon()

    def set_seen(self, seen: bool) -> None:
        """Hide the lines, or show them again."""
        self._seen = seen
        for visual in self._visuals:
            visual.visible = seen

    def shut_down(self) -> None:
        """Off for good; what is being traced ends first."""
        self.stop()
        self._work.wait(_PATIENCE_S)

    def _tie(self) -> None:
        viewer = self._viewer
        camera = camera_of(viewer)
        for emitter in (camera.events.center, camera.events.zoom, viewer.dims.events.point):
            self._ties.tie(emitter, self._soon)
        self._ties.tie(viewer.layers.events.removed, self._removed)
        events = self._layer.events
        for name in ("data", "scale", "translate", "affine"):
            self._layer_ties.tie(getattr(events, name), self._soon)

    def _soon(self, _event: Any = None) -> None:
        if self._layer is not None:
            self._rest.start(_REST_MS)

    def _removed(self, event: Any) -> None:
        if bare(event.value) is self._layer:
            self.stop()

    def _ask(self) -> None:
        canvas = napari_canvas(self._viewer)
        if canvas is None or self._layer is None or self._viewer.dims.ndisplay != 2:
            return
        size = (canvas.native.width(), canvas.native.height())
        wish = wish_for(self._viewer, self._layer, size, self._levels, self._count)
        if wish is None:
            self._clear()
        else:
            self._work.ask(partial(_traced, self._layer, wish))

    def _take(self, answer: tuple[Any, Lines]) -> None:
        layer, lines = answer
        canvas = napari_canvas(self._viewer)
        if layer is not self._layer or canvas is None:
            return  # switched off meanwhile
        if len(lines.points):
            self._draw(canvas, lines)
        else:
            self._clear()
        self.drawn.emit(lines)

    def _draw(self, canvas: Any, lines: Lines) -> None:
        from vispy.scene.visuals import Line
        from vispy.visuals.transforms import STTransform

        if not self._visuals:
            scene, ratio = canvas.view.scene, canvas.native.devicePixelRatioF()
            for n, width in enumerate((_RIM, _WIDTH)):
                visual = Line(method="gl", width=width * ratio, parent=scene)
                visual.set_gl_state("translucent", depth_test=False)
                visual.order = _ABOVE_ALL + n
                visual.visible = self._seen
                self._visuals.append(visual)
        colours = _RIM_COLOUR, self._colour
        for visual, colour in zip(self._visuals, colours, strict=True):
            visual.set_data(pos=lines.points, connect=lines.joined, color=colour)
            visual.transform = STTransform(translate=lines.origin)

    def _clear(self) -> None:
        for visual in self._visuals:
            visual.parent = None
        self._visuals.clear()


def _traced(layer: Any, wish: Any) -> tuple[Any, Lines]:
    return layer, lines_for(wish)
