"""Growing: overviews made of true block means in the background, what is looked at first.

One plane at a time, with low priority, and not while somebody pans or zooms. When its means have
landed, the layers that draw it are drawn again where they are: camera and levels stay.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.early import look_early
from napari_astroseg.gui.drawn.inview import plane_in_view
from napari_astroseg.gui.drawn.layerdata import ROLE, sky_image
from napari_astroseg.gui.look.looks import drawn_levels, give_levels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.pyramids.pyramid import grow, worth_growing

PAUSE_MS = 600
"""The first picture, and a hand on the plane slider, go first."""

REST_MS = 400
"""So long after the camera has moved growth goes on."""
_WAKE_S = 0.1
"""Whoever stops what rests waits no longer than this."""


class Growing(QObject):
    """Grows the pyramids of one viewer's layers.

    Parameters
    ----------
    viewer
        Its layers and the plane in view say what is grown next.
    """

    told = Signal(str)  # what is being done and how far it is; "" when nothing is
    _came = Signal(object, object)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = ref(bare(viewer))
        self._run: _Run | None = None
        self._refused: WeakKeyDictionary[SkyImage, set[int]] = WeakKeyDictionary()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._next)
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._still = threading.Event()
        self._still.set()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._still.set)
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, viewer.dims.events.current_step):
            emitter.connect(self._look)
        viewer.layers.selection.events.active.connect(self._look)
        camera = getattr(viewer, "scene", viewer).camera
        for emitter in (camera.events.zoom, camera.events.center, viewer.dims.events.current_step):
            emitter.connect(self._moved)

    @property
    def viewer(self) -> Any:
        """The viewer, as long as somebody has it."""
        return self._viewer()

    @property
    def busy(self) -> bool:
        """Whether something grows, or is about to."""
        return self._run is not None or self._pause.isActive()

    def _look(self, _event: Any = None) -> None:
        """See soon what to grow; stop growing what is gone."""
        shown = {id(image) for image in self._images()}
        if self._run is not None and id(self._run.image) not in shown:
            self._run.stop.set()
        if shown and self._run is None:
            self._pause.start()

    def _moved(self, _event: Any = None) -> None:
        """Rest until the view does."""
        self._still.clear()
        self._rest.start()

    def _images(self) -> list[SkyImage]:
        viewer = self._viewer()
        found = [sky_image(layer) for layer in viewer.layers] if viewer is not None else []
        return [image for image in found if image is not None]

    def _next(self) -> None:
        if not self._still.is_set():
            self._pause.start()
            return
        wanted = self._wanted()
        if wanted is not None and self._run is None:
            self._run = _Run(*wanted, self._still, self._tell)
            self._run.thread.start()
        elif wanted is None:
            self.told.emit("")

    def _wanted(self) -> tuple[SkyImage, int] | None:
        """The plane to grow: of the selected layer, else of the topmost that is visible."""
        viewer = self._viewer()
        if viewer is None:
            return None
        active = viewer.layers.selection.active
        for layer in [active, *reversed(viewer.layers)]:
            image = sky_image(layer)
            if image is None or not layer.visible or ROLE in layer.metadata:
                continue
            plane = plane_in_view(viewer, layer)
            if plane not in self._refused.get(image, ()) and worth_growing(image, plane):
                return image, plane
        return None

    def _tell(self, run: _Run, word: object) -> None:
        with suppress(RuntimeError):  # this object is gone
            self._came.emit(run, word)

    def _take(self, run: _Run, word: object) -> None:
        if run is not self._run:
            return
        if isinstance(word, int):
            self.told.emit(f"Sharpening the overview of {run.image.name}: {word} %")
            return
        self._run = None
        run.thread.join(1.0)
        if word is None:
            self._renew(run.image)
        self.told.emit("")
        if word is not None:
            self._refused.setdefault(run.image, set()).add(run.plane)
        self._pause.start()

    def _renew(self, image: SkyImage) -> None:
        viewer = self._viewer()
        for layer in list(viewer.layers) if viewer is not None else ():
            if sky_image(layer) is image and layer.visible:
                renew(layer)


def renew(layer: Any) -> None:
    """Draw a layer again from levels that have become better; camera and limits stay.

    napari keeps the coarsest level of a plane as it was: it is given the same levels anew. It
    then turns to the coarsest first, and to the right one before anything is painted.
    """
    layer = bare(layer)
    drawn = drawn_levels(layer)
    if layer.ndim == 2 and len(drawn) > 1:
        give_levels(layer, drawn)
    else:
        layer.refresh(highlight=False, extent=False)


def grow_behind(viewer: Any) -> Growing | None:
    """What grows a viewer's pyramids, made at the first call; None without an application."""
    application = QCoreApplication.instance()
    if application is None:
        return None
    viewer = bare(viewer)
    for child in application.children():
        if isinstance(child, Growing):
            if child.viewer is viewer:
                return child
            if child.viewer is None:
                child.deleteLater()
    look_early(viewer)
    return Growing(viewer, application)


class _Run:
    """One plane that grows while `still`.

    `tell(run, word)` hears percents, and None or a sentence at last.
    """

    def __init__(self, image: SkyImage, plane: int, still: threading.Event, tell: Any) -> None:
        self.image, self.plane, self._still = image, plane, still
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._tell, self._percent = tell, -1

    def _work(self) -> None:
        word: str | None = None
        try:
            grow(self.image, self._progress, self.plane, apart=True)
        except Stopped:
            word = ""
        except AstroSegError as error:
            word = str(error)
        except Exception as error:
            # The thread's border: the sampled overview serves on.
            word = f"{type(error).__name__}: {error}"
        self._tell(self, word)

    def _progress(self, _what: str, done: int, total: int | None) -> None:
        while not self.stop.is_set() and not self._still.wait(_WAKE_S):
            pass
        if self.stop.is_set():
            raise Stopped
        percent = round(100 * done / total) if total else 0
        if percent != self._percent:
            self._percent = percent
            self._tell(self, percent)
