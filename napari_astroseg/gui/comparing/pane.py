"""Pane: a second canvas, whose camera, plane and cursor are those of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPointF, QRect, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.comparing.canvas import napari_canvas
from napari_astroseg.gui.comparing.cross import Cross
from napari_astroseg.gui.comparing.mirror import Mirror
from napari_astroseg.gui.drawn.redraw import redraws_of, watch
from napari_astroseg.gui.ties import Ties

_LEAST_PX = 240


class Pane(QWidget):
    """Another canvas for some layers of a viewer; it ends when its dock is closed.

    Parameters
    ----------
    viewer
        The first one.
    layers
        What is shown here, the lowest first.
    """

    closed = Signal()

    def __init__(self, viewer: Any, layers: Sequence[Any]) -> None:
        from napari.qt import QtViewer

        super().__init__()
        self._viewer, self._ended = viewer, False
        self.model = ViewerModel(title="side by side")
        self.model.layers.events.inserted.connect(watch)
        self._mirrors: list[Mirror] = []
        self._qt: Any = QtViewer(self.model)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._qt)
        self.setMinimumSize(_LEAST_PX, _LEAST_PX)
        for layer in layers:
            self.add(layer)
        here, there = camera_of(self.model), camera_of(viewer)
        here.orientation2d = there.orientation2d
        first = napari_canvas(viewer)
        native = None if first is None else first.native
        self._crosses = Cross(self.canvas), None if native is None else Cross(native)
        self._ties = Ties(self)
        for mine, theirs in ((here, there), (there, here)):
            self._tie_cameras(mine, theirs)
        self._ties.tie(viewer.dims.events.point, self._turn)
        self._ties.tie(viewer.cursor.events.position, self._point_here)
        self._ties.tie(self.model.cursor.events.position, self._point_there)
        self._ties.tie(viewer.layers.events.removed, self._removed)
        self._turn()
        here.zoom, here.center = there.zoom, there.center

    @property
    def canvas(self) -> QWidget:
        """The widget that is drawn in."""
        native: QWidget = self._qt.canvas.native
        return native

    @property
    def cross(self) -> Cross:
        """Where the cursor of the first canvas is here."""
        return self._crosses[0]

    def add(self, layer: Any) -> None:
        """Show one more layer, on top."""
        mirror = Mirror(layer)
        self._mirrors.append(mirror)
        self.model.layers.append(mirror.layer)

    def picture(self) -> Any:
        """What is seen here, (rows, columns, 4)."""
        return self._qt.screenshot(flash=False)

    def shut_down(self) -> None:
        """End this canvas."""
        if self._ended:
            return
        self._ended = True
        self._ties.untie()
        for mirror in self._mirrors:
            self._let_go(mirror)
        for cross in self._crosses:
            if cross is not None:
                cross.deleteLater()
        self._qt.close()
        self._qt.deleteLater()
        self.closed.emit()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _tie_cameras(self, mine: Any, theirs: Any) -> None:
        """Let one camera follow the other."""

        def follow(_event: Any = None) -> None:
            if mine.zoom != theirs.zoom:
                mine.zoom = theirs.zoom
            if mine.center != theirs.center:
                mine.center = theirs.center

        self._ties.tie(theirs.events.center, follow)
        self._ties.tie(theirs.events.zoom, follow)

    def _turn(self, _event: Any = None) -> None:
        """Show the plane that the first viewer shows."""
        mine, theirs = self.model.dims, self._viewer.dims
        for axis in range(max(0, min(mine.ndim, theirs.ndim) - 2)):
            mine.set_point(axis, theirs.point[axis])

    def _point_here(self, _event: Any = None) -> None:
        self._point(self._viewer, self.model, self.canvas, self._crosses[0])

    def _point_there(self, _event: Any = None) -> None:
        cross = self._crosses[1]
        canvas = None if cross is None else cross.parentWidget()
        if cross is not None and canvas is not None:
            self._point(self.model, self._viewer, canvas, cross)

    def _point(self, source: Any, target: Any, canvas: QWidget, cross: Cross) -> None:
        """Mark on a canvas where the cursor of the other viewer is."""
        y, x = source.cursor.position[-2:]
        at = _on_canvas(camera_of(target), canvas, float(x), float(y))
        if canvas.rect().contains(at.toPoint()):
            cross.point_at(at.x(), at.y())
        else:
            cross.hide()
        other = next((each for each in self._crosses if each is not cross), None)
        if other is not None:
            other.hide()  # there the cursor itself can be seen

    def _let_go(self, mirror: Mirror) -> None:
        """Draw a likeness no more: taking it out of its viewer would cost a garbage collection."""
        mirror.end()
        for redraw in redraws_of(mirror.layer):
            redraw.end()

    def _removed(self, event: Any) -> None:
        if self._ended:
            return  # by the same removal
        for mirror in [each for each in self._mirrors if each.original is event.value]:
            self._let_go(mirror)
            self._mirrors.remove(mirror)
            self.model.layers.remove(mirror.layer)
        if not self._mirrors:
            self.closed.emit()


def _on_canvas(camera: Any, canvas: QWidget, x: float, y: float) -> QPointF:
    """Where a position of the world, in the plane, lies on a canvas."""
    up, right = (str(getattr(each, "value", each)) for each in camera.orientation2d)
    area: QRect = canvas.rect()
    dx = (x - camera.center[-1]) * camera.zoom * (1 if right == "right" else -1)
    dy = (y - camera.center[-2]) * camera.zoom * (-1 if up == "up" else 1)
    return QPointF(area.width() / 2 + dx, area.height() / 2 + dy)
