"""Early: layers turn to what a moved camera sees before it is painted, not after.

napari paints a moved view with what its layers have, asks them for the right part only then, and
paints again. Asked as soon as the camera has come to rest in this turn of the event loop, they
are painted once.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from qtpy.QtCore import QObject, Qt, Signal


class Early(QObject):
    """Lets the layers of one canvas look where its camera has moved.

    Parameters
    ----------
    camera
        Of the viewer.
    canvas
        napari's, which asks the layers in `on_draw`.
    """

    _moved = Signal()

    def __init__(self, camera: Any, canvas: Any) -> None:
        super().__init__(canvas.native)
        self._canvas = ref(canvas)
        self._waits = False
        self._moved.connect(self._look, Qt.ConnectionType.QueuedConnection)
        for emitter in (camera.events.zoom, camera.events.center):
            emitter.connect(self._soon)

    def _soon(self, _event: Any = None) -> None:
        """Look once for all that moves now; painting has less priority than that."""
        if not self._waits:
            self._waits = True
            self._moved.emit()

    def _look(self) -> None:
        canvas = self._canvas()
        try:
            if canvas is not None and canvas.native.isVisible():
                canvas.on_draw()
        finally:
            self._waits = False  # not before: what looking itself has moved needs no second look


def look_early(viewer: Any) -> None:
    """Have a viewer's layers look early, where it has a window; once for each viewer."""
    window = getattr(viewer, "window", None)
    canvas = getattr(getattr(window, "_qt_viewer", None), "canvas", None)
    if hasattr(canvas, "on_draw") and isinstance(getattr(canvas, "native", None), QObject):
        Early(getattr(viewer, "scene", viewer).camera, canvas)
