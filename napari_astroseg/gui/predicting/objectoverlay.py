"""ObjectOverlay: objects that a model found, as outlines of their boxes, and filled if with masks.

All that was found is kept; what the cut leaves is drawn. While a prediction runs, neighbouring
windows may find an object twice; in the end the strongest of each remains. What is shown has the
numbers that its catalogue gives it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.engine.events import Event, ObjectsDone
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.cuts import Cut, Known, Summary, written
from napari_astroseg.gui.predicting.extramaps import ExtraMaps
from napari_astroseg.gui.predicting.objectfills import ObjectFills
from napari_astroseg.gui.predicting.objectsfound import Found
from napari_astroseg.gui.predicting.outlines import COLOURS, Outlines
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.sky import instancecatalogue
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window

_SHOW_PAUSE_S = 0.3
_SLIDE_PAUSE_MS = 25


class ObjectOverlay(QObject):
    """The layers of one prediction of objects.

    Parameters
    ----------
    viewer, base
        Where to show it, and the layer of the image that was predicted.
    image, window
        What was predicted; the window lies inside the image.
    model
        Name of the model.
    cut
        Score, least area and largest uncertainty to begin with.
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
        self.filled = True
        self._found = Found(Objects.none(), np.zeros(0))
        self._parts: list[Objects] = []
        self._viewer, self._base = viewer, base
        self._shown_at = 0.0
        self._pause = QTimer(self, singleShot=True, interval=_SLIDE_PAUSE_MS)
        self._pause.timeout.connect(self._draw)
        self._taking, self._painting = Latest(self), Latest(self)
        self._taking.answered.connect(self._take_in)
        self._painting.answered.connect(self._show_fills)
        self._fills: ObjectFills | None = None
        active = viewer.layers.selection.active
        self._outlines = Outlines(viewer, base, self._called("objects"))
        viewer.layers.selection.active = base if active is None else active

    @property
    def objects(self) -> Objects:
        """Those that the cut leaves."""
        return self.found[self._found.kept(self.cut)]

    @property
    def found(self) -> Objects:
        """All of them, of any score."""
        return self._found.objects

    @property
    def scored(self) -> NDArray[np.float64]:
        """Scores of those that would be left by no threshold."""
        every = replace(self.cut, threshold=0.0)
        return self.found.scores[self._found.kept(every)]

    @property
    def fillable(self) -> bool:
        """Whether they have masks."""
        return self._fills is not None

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layer of the outlines, and that of the masks where there are any."""
        fills = () if self._fills is None else (self._fills.layer,)
        return self._outlines.layer, *fills

    @property
    def settled(self) -> bool:
        """Whether what is drawn is what was found at the present cut."""
        return not (self._pause.isActive() or self._taking.busy or self._painting.busy)

    def shown(self) -> bool:
        """Whether its layers are still in the viewer."""
        return all(layer in self._viewer.layers for layer in self.layers)

    def expect(self, objects: Objects) -> None:
        """Make room for masks, where the first objects have some."""
        if isinstance(objects, Instances) and self._fills is None:
            active = self._viewer.layers.selection.active
            called = self._called("regions")
            self._fills = ObjectFills(self._viewer, self._base, self.window, called)
            self._viewer.layers.selection.active = active

    def put(self, event: Event) -> None:
        """Take in what was found in a window."""
        assert isinstance(event, ObjectsDone)
        self._parts.append(event.objects)
        pause = max(_SHOW_PAUSE_S, 4 * self._found.cost_s)
        if time.perf_counter() - self._shown_at > pause and not self._taking.busy:
            self._shown_at = time.perf_counter()
            self._taking.ask(partial(_joined, list(self._parts), self.window))

    def complete(self, result: dict[str, Any]) -> None:
        """All windows were looked at: of what was found twice one remains."""
        self._parts.clear()
        self._taking.ask(partial(Found.of, result["objects"], self.window))

    def set_cut(self, cut: Cut) -> None:
        """Move the cut; outlines and fills follow at once."""
        if cut == self.cut:
            return
        self.cut = cut
        for layer in self.layers:
            layer.metadata[METADATA] |= {
                "threshold": cut.threshold,
                "min_area_px": cut.min_area_px,
            }
        if not self._pause.isActive():
            self._pause.start()

    def set_filled(self, filled: bool) -> None:
        """Show or hide the pixels of objects with masks; boxes are outlines."""
        self.filled = filled
        if self._fills is not None:
            self._fills.layer.visible = filled

    def show_map(self, name: str) -> None:
        """There are no maps beside the objects."""

    def take(self, *_: Any) -> bool:
        """Whether it became the overlay of another prediction: never, layers are soon made."""
        return False

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        self._pause.stop()
        for work in (self._taking, self._painting):
            work.wait()
        self._outlines.remove()
        if self._fills is not None and self._fills.layer in self._viewer.layers:
            self._viewer.layers.remove(self._fills.layer)

    def restore(self, index: int) -> None:
        """Give the viewer the layers back that were removed, from a place in its list up."""
        for layer in reversed(self.layers):
            if layer not in self._viewer.layers:
                self._viewer.layers.insert(index, layer)
        self._outlines.restored()
        self._pause.start(0)

    def words(self) -> tuple[str, str]:
        """What was found, by kind and colour where there are several; and what more to say."""
        classes = self.found.classes[self._found.kept(self.cut)]
        count = len(classes)
        each = [
            f"{int(np.count_nonzero(classes == number))} × {kind}"
            for number, kind in enumerate(self.kinds, start=1)
        ]
        told = f"{count} object{'' if count == 1 else 's'}"
        if len(each) > 1:
            coloured = zip(cycle(COLOURS), each)
            told += ": " + ", ".join(f'<font color="{c}">■</font> {words}' for c, words in coloured)
        more = f"{', '.join(each)}; {len(self.found)} of any score"
        if count:
            pure = float(self.found.scores[self._found.kept(self.cut)].mean())
            more += f"; expected to be real, by their scores: {pure:.0%}"
        return told, more

    def writing(self, known: Known | None = None) -> Callable[[Path], str]:
        """What writes the catalogue of the objects shown now; any thread."""
        return partial(_written, self.cataloguing(self.objects), self.image, known)

    def cataloguing(self, objects: Objects) -> partial[Catalogue]:
        """What makes a catalogue of some of them; any thread."""
        told = "" if self.maps.spread is None else self.maps.spread.words_of("score")
        return partial(_catalogued, objects, self.kinds, self.image, told)

    def set_known(self, known: NDArray[np.bool_] | None) -> None:
        """Learn which of all that was found was known before."""
        if known is not self._found.known:
            self._found = replace(self._found, known=known)
            self._pause.start()

    def show_known(self, which: str) -> None:
        """Keep what is `NEW`, or `OLD`, only; all with ""."""
        if which != self._found.shown:
            self._found = replace(self._found, shown=which)
            self._pause.start()

    def known_words(self) -> str:
        """How many of those that the cut leaves were known before; "" where nobody says."""
        found = self._found
        if found.known is None:
            return ""
        kept = replace(found, shown="").kept(self.cut)
        old = int(np.count_nonzero(kept & found.known))
        return f"{old} known, {int(np.count_nonzero(kept)) - old} new"

    def _called(self, role: str) -> dict[str, Any]:
        about = {
            "role": role,
            "model": self.model,
            "window": self.window,
            "image": self.image,
            "threshold": self.cut.threshold,
            "min_area_px": self.cut.min_area_px,
        }
        name = f"{role} · {self.model} ({self.window.x}, {self.window.y})"
        return {"name": name, "metadata": {METADATA: about}}

    def _take_in(self, found: Found) -> None:
        self._found = replace(found, shown=self._found.shown)
        self._pause.start()

    def _draw(self) -> None:
        if not self.shown():
            return
        found, kept = self._found, self._found.kept(self.cut)
        objects = found.objects[kept]
        for layer in self.layers:
            layer.metadata[METADATA] |= {"objects": objects, "kinds": self.kinds}
        self._outlines.show(objects.boxes, objects.classes)
        if self._fills is not None and found.pixels is not None:
            self._painting.ask(partial(self._fills.paint, found.pixels, kept))
        self.summary = Summary(len(objects), 0)
        self.changed.emit()

    def _show_fills(self, _painted: None) -> None:
        if self._fills is not None and self._fills.layer in self._viewer.layers:
            self._fills.layer.refresh()


def _joined(parts: list[Objects], window: Window) -> Found:
    """What several windows hold together."""
    if all(isinstance(part, Instances) for part in parts):
        return Found.of(Instances.gathered(parts), window)  # type: ignore[arg-type]
    return Found.of(Objects.joined(parts), window)


def _catalogued(objects: Objects, kinds: tuple[str, ...], image: SkyImage, told: str) -> Catalogue:
    if isinstance(objects, Instances):
        return instancecatalogue.catalogued(objects, kinds, image, told)
    return catalogued(objects, kinds, image, told)


def _written(made: partial[Catalogue], image: SkyImage, known: Known | None, path: Path) -> str:
    return written(made(), "object", image, known, path)
