"""ObjectOverlay: objects that a model found, as the outlines of their boxes.

All that was found is kept; those whose score reaches the threshold are drawn. While a prediction
runs, neighbouring windows may find an object twice; in the end the strongest of each remains.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.engine.events import Event, ObjectsDone
from napari_astroseg.gui.predicting.cuts import Cut, Summary
from napari_astroseg.gui.predicting.drawing import REGION, placed_on
from napari_astroseg.gui.predicting.extramaps import ExtraMaps
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.sky import instancecatalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

_COLOURS = (REGION, "#ffd23f", "#ff6ad5", "#4fb3ff")
"""Of the classes, from class 1 up."""

_SHOW_PAUSE_S = 0.3
_SLIDE_PAUSE_MS = 25
_SCREEN_PX = 1.5
"""Width of an outline on the screen."""


class ObjectOverlay(QObject):
    """The layer of one prediction of objects.

    Parameters
    ----------
    viewer, base
        Where to show it, and the layer of the image that was predicted.
    image, window
        What was predicted; the window lies inside the image.
    model
        Name of the model.
    cut
        Score to begin with.
    kinds
        What the classes are called, from class 1 up.
    """

    changed = Signal()
    numbered = True

    def __init__(
        self,
        viewer: Any,
        base: Any,
        image: SkyImage,
        window: Window,
        model: str,
        cut: Cut,
        kinds: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.maps = ExtraMaps(viewer, ())
        self.image, self.window, self.model, self.cut, self.kinds = image, window, model, cut, kinds
        self.summary: Summary | None = None
        self.found = Objects.none()
        self._parts: list[Objects] = []
        self._viewer = viewer
        self._shown_at = 0.0
        self._pause = QTimer(self, singleShot=True, interval=_SLIDE_PAUSE_MS)
        self._pause.timeout.connect(self._draw)
        self._add_layer(base)
        viewer.scene.camera.events.zoom.connect(self._keep_width)

    @property
    def objects(self) -> Objects:
        """Those whose score reaches the threshold."""
        return self.found[self.found.scores >= self.cut.threshold]

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layer of the outlines."""
        return (self._outlines,)

    @property
    def settled(self) -> bool:
        """Whether what is drawn is what was found at the present threshold."""
        return not self._pause.isActive()

    def shown(self) -> bool:
        """Whether its layer is still in the viewer."""
        return self._outlines in self._viewer.layers

    def put(self, event: Event) -> None:
        """Take in what was found in a window."""
        assert isinstance(event, ObjectsDone)
        self._parts.append(event.objects)
        now = time.perf_counter()
        if now - self._shown_at > _SHOW_PAUSE_S:
            self._shown_at = now
            self.found = Objects.joined(self._parts)
            self._pause.start()

    def complete(self, result: dict[str, Any]) -> None:
        """All windows were looked at: of what was found twice one remains."""
        self.found = result["objects"]
        self._pause.start()

    def set_cut(self, cut: Cut) -> None:
        """Move the threshold; the outlines follow at once."""
        if cut != self.cut:
            self.cut = cut
            self._outlines.metadata[METADATA]["threshold"] = cut.threshold
            if not self._pause.isActive():
                self._pause.start()

    def set_filled(self, filled: bool) -> None:
        """Boxes are outlines, whatever is wished for regions."""

    def show_map(self, name: str) -> None:
        """There are no maps beside the outlines."""

    def take(self, *_: Any) -> bool:
        """Whether it became the overlay of another prediction: never, one layer is soon made."""
        return False

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        self._pause.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._keep_width)
        if self.shown():
            self._viewer.layers.remove(self._outlines)

    def words(self) -> tuple[str, str]:
        """What was found, by kind and colour where there are several; and what more to say."""
        count = len(self.objects)
        each = [
            f"{int(np.count_nonzero(self.objects.classes == number))} × {kind}"
            for number, kind in enumerate(self.kinds, start=1)
        ]
        told = f"{count} object{'' if count == 1 else 's'}"
        if len(each) > 1:
            coloured = zip(cycle(_COLOURS), each)
            told += ": " + ", ".join(f'<font color="{c}">■</font> {words}' for c, words in coloured)
        return told, f"{', '.join(each)}; {len(self.found)} of any score"

    def writing(self) -> Callable[[Path], str]:
        """What writes the catalogue of the objects shown now; any thread."""
        return partial(_written, self.objects, self.kinds, self.image)

    def _add_layer(self, base: Any) -> None:
        active = self._viewer.layers.selection.active
        about = {
            "role": "objects",
            "model": self.model,
            "window": self.window,
            "image": self.image,
            "threshold": self.cut.threshold,
        }
        self._outlines = self._viewer.add_vectors(
            np.zeros((0, 2, 2)),
            name=f"objects · {self.model} ({self.window.x}, {self.window.y})",
            vector_style="line",
            edge_width=self._width(),
            metadata={METADATA: about},
            **placed_on(base, Window(0, 0, 1, 1)),
        )
        self._viewer.layers.selection.active = base if active is None else active

    def _draw(self) -> None:
        if not self.shown():
            return
        objects = self.objects
        self._outlines.metadata[METADATA] |= {"objects": objects, "kinds": self.kinds}
        self._outlines.data = sides(objects.boxes)
        colours = np.array(_COLOURS)[(objects.classes - 1) % len(_COLOURS)]
        if len(objects):
            self._outlines.edge_color = np.repeat(colours, 4)
        self.summary = Summary(len(objects), 0)
        self.changed.emit()

    def _width(self) -> float:
        """Width of a line in the image's pixels, for one that the screen shows as ever."""
        return float(np.clip(_SCREEN_PX / max(self._viewer.scene.camera.zoom, 1e-6), 0.5, 50.0))

    def _keep_width(self, _event: Any = None) -> None:
        if self.shown() and abs(self._width() / self._outlines.edge_width - 1) > 0.25:
            self._outlines.edge_width = self._width()


def sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The four sides of each box (N, 4) as vectors (4 N, 2, 2): where it begins, where it goes."""
    x0, y0, x1, y1 = boxes.T
    corners = np.stack([[y0, x0], [y0, x1], [y1, x1], [y1, x0]]).transpose(2, 0, 1)
    return np.stack([corners, np.roll(corners, -1, 1) - corners], 2).reshape(-1, 2, 2)


def _written(objects: Objects, kinds: tuple[str, ...], image: SkyImage, path: Path) -> str:
    if isinstance(objects, Instances):
        catalogue = instancecatalogue.catalogued(objects, kinds, image)
    else:
        catalogue = catalogued(objects, kinds, image)
    catalogue.write(path)
    return f"{len(objects)} objects written to {path}"
