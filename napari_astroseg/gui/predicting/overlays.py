"""Overlays: a prediction as layers, the probabilities and the regions above a threshold.

Where there are several classes, or samples that tell an uncertainty, each of these is a map of its
own besides (`ExtraMaps`); the probability is then that of any class.

The probability layer fills as tiles land; what is missing or not yet known is transparent. The
regions are a Labels layer of numbered structures for windows up to 2048 × 2048 pixels. Beyond
that they are the same probabilities drawn as a mask at the threshold, which costs the graphics
card nothing to move; structures are then counted only when they are saved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.engine.events import Event, TileDone
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.cuts import (
    Cut,
    Known,
    Summary,
    found_words,
    labelled,
    write_catalogue,
)
from napari_astroseg.gui.predicting.drawing import mask_colour, one_colour, placed_on, shading
from napari_astroseg.gui.predicting.extramaps import ExtraMaps
from napari_astroseg.gui.predicting.planes import Planes
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.structures import any_class
from napari_astroseg.sky.window import Window

METADATA = "astroseg_prediction"
"""Key in a layer's metadata: `model`, `window`, `threshold`, `min_area_px`, `image`, `role`, and
of objects `objects` and `kinds`."""
LABELS_PX = 2048 * 2048
CONTOUR_PX = 1024 * 1024
"""Above this napari takes longer to draw outlines than a hand to move a slider: filled instead."""
_ROLES = ("probability", "regions")
_NONE_YET = np.zeros((1, 1), np.int32)
"""Regions until the first are known: napari maps every label ten times while it adds a layer."""
_TILE_PAUSE_MS = 400
_SLIDE_PAUSE_MS = 25
_SHOW_PAUSE_S = 0.1


class Overlay(QObject):
    """The layers of one prediction.

    Parameters
    ----------
    viewer, base
        Where to show it, and the layer of the image that was predicted.
    image, window
        What was predicted; the window lies inside the image.
    model
        Name of the model.
    cut
        Threshold and least area to begin with.
    maps
        Names of the maps that there are beside the probability (`ExtraMaps.named`).
    """

    changed = Signal()

    def __init__(
        self,
        viewer: Any,
        base: Any,
        image: SkyImage,
        window: Window,
        model: str,
        cut: Cut,
        maps: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.maps = ExtraMaps(viewer, maps)
        self.image, self.window, self.model, self.cut = image, window, model, cut
        self.summary: Summary | None = None
        self._viewer = viewer
        self._planes = Planes(window.shape)
        self._numbered = window.width * window.height <= LABELS_PX
        self._latest = Latest(self)
        self._latest.answered.connect(self._show_regions)
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._ask_regions)
        self._shown_at = self._cost_s = 0.0
        self._add_layers(base)

    @property
    def probability(self) -> NDArray[np.float32]:
        """(height, width) of the window, NaN where missing or not yet known."""
        return self._planes.finest

    @property
    def scored(self) -> NDArray[np.float32]:
        """The probability of each pixel, for a threshold to be chosen by."""
        return self.probability

    @property
    def labels(self) -> NDArray[np.int32]:
        """Numbered structures at the present cut, whatever is drawn."""
        return labelled(self.probability, self.maps.deviation, self.cut)

    @property
    def numbered(self) -> bool:
        """Whether the window is small enough for its structures to be numbered."""
        return self._numbered

    @property
    def layers(self) -> tuple[Any, ...]:
        """The probability layer, the regions' layer, and those of the other maps."""
        return self._shade, self._regions, *self.maps.layers

    @property
    def settled(self) -> bool:
        """Whether the regions drawn are those of the present probabilities and cut."""
        return not (self._pause.isActive() or self._latest.busy) and self.maps.settled

    def shown(self) -> bool:
        """Whether its layers are still in the viewer."""
        return all(layer in self._viewer.layers for layer in self.layers)

    def put(self, tile: Event) -> None:
        """Show a tile that has just been predicted."""
        assert isinstance(tile, TileDone)
        place = tile.window.moved(-self.window.x, -self.window.y)
        self._planes.put(place, any_class(tile.probability))
        self.maps.put(place, tile)
        now = time.perf_counter()
        if tile.done == tile.total or now - self._shown_at > _SHOW_PAUSE_S:
            self._shown_at = now
            self._shade.refresh()
            self.maps.refresh()
        if not self._pause.isActive():
            self._pause.start(0 if tile.done == tile.total else self._rest(_TILE_PAUSE_MS, 16))

    def complete(self, _result: dict[str, Any]) -> None:
        """All tiles are there: draw what is still waiting to be drawn."""
        self._shade.refresh()
        self.maps.refresh()
        self._pause.start(0)

    def set_cut(self, cut: Cut) -> None:
        """Move the threshold or the least area; the regions follow at once."""
        if cut == self.cut:
            return
        self.cut = cut
        for layer in self.layers:
            layer.metadata[METADATA] |= {
                "threshold": cut.threshold,
                "min_area_px": cut.min_area_px,
            }
        if not self._pause.isActive():
            self._pause.start(self._rest(_SLIDE_PAUSE_MS, 4))

    def set_filled(self, filled: bool) -> None:
        """Draw regions as areas rather than outlines."""
        if self._numbered:
            self._regions.contour = 0 if filled else 1
            self._regions.opacity = 0.45 if filled else 1.0

    def show_map(self, name: str) -> None:
        """Show one of the other maps in the place of the probability, or with "" that."""
        self.maps.show(name)
        self._shade.visible = not name

    def words(self) -> tuple[str, str]:
        """What was found, and what more there is to say of it."""
        return found_words(self.summary, self.window, self.image)

    def writing(self, known: Known | None = None) -> Callable[[Path], str]:
        """What measures the regions of now and writes their catalogue; any thread."""
        maps = self.probability, self.maps.deviation
        told = "" if self.maps.spread is None else self.maps.spread.words
        return partial(write_catalogue, *maps, self.cut, self.image, self.window, told, known)

    def set_visible(self, probability: bool, regions: bool) -> None:
        """Show or hide either layer."""
        self._shade.visible, self._regions.visible = probability, regions

    def take(
        self,
        base: Any,
        image: SkyImage,
        window: Window,
        model: str,
        cut: Cut,
        maps: tuple[str, ...] = (),
    ) -> bool:
        """Become the overlay of another prediction, in the same layers.

        Removing layers costs napari a garbage collection and is not safe on every OpenGL
        driver, so answers that take each other's place share their layers.

        Returns
        -------
        Whether it could: only windows small enough to be numbered share layers, and only where
        both have the same maps.
        """
        if (
            maps != self.maps.names
            or not self.shown()
            or not self._numbered
            or window.width * window.height > LABELS_PX
        ):
            return False
        self.image, self.window, self.model, self.cut = image, window, model, cut
        self.summary = None
        self._planes = Planes(window.shape)
        self._pause.stop()
        self._shade.data = self._planes.data
        self._regions.data = _NONE_YET
        place = placed_on(base, window)
        for layer, role in zip((self._shade, self._regions), _ROLES, strict=True):
            layer.scale, layer.translate = place["scale"], place["translate"]
            layer.name = self._name(role)
            layer.metadata[METADATA] = self._note(role)
        self.maps.take(base, window, self._called, self._planes)
        return True

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        self._pause.stop()
        self._latest.wait()
        self.maps.close()
        for layer in self.layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def restore(self, index: int) -> None:
        """Give the viewer the layers back that were removed, from a place in its list up."""
        for layer in reversed(self.layers):
            if layer not in self._viewer.layers:
                self._viewer.layers.insert(index, layer)
        self._pause.start(0)

    def _add_layers(self, base: Any) -> None:
        active = self._viewer.layers.selection.active
        place = placed_on(base, self.window)
        self._shade = self._viewer.add_image(
            self._planes.data,
            colormap=shading(),
            contrast_limits=(0.0, 1.0),
            blending="translucent",
            multiscale=self._planes.multiscale,
            **self._called("probability"),
            **place,
        )
        common = self._called("regions")
        if self._numbered:
            self._regions = self._viewer.add_labels(
                _NONE_YET, colormap=one_colour(), **common, **place
            )
            self.set_filled(self.window.width * self.window.height > CONTOUR_PX)
        else:
            self._regions = self._viewer.add_image(
                self._planes.data,
                colormap=mask_colour(),
                contrast_limits=self._mask_limits(),
                blending="translucent",
                opacity=0.45,
                multiscale=self._planes.multiscale,
                **common,
                **place,
            )
        self.maps.add(base, self.window, self._called, self._planes)
        self._viewer.layers.selection.active = base if active is None else active

    def _name(self, role: str) -> str:
        return f"{role} · {self.model} ({self.window.x}, {self.window.y})"

    def _called(self, role: str) -> dict[str, Any]:
        return {"name": self._name(role), "metadata": {METADATA: self._note(role)}}

    def _note(self, role: str) -> dict[str, Any]:
        return {
            "role": role,
            "model": self.model,
            "window": self.window,
            "image": self.image,
            "threshold": self.cut.threshold,
            "min_area_px": self.cut.min_area_px,
        }

    def _mask_limits(self) -> tuple[float, float]:
        return self.cut.threshold - 1e-4, self.cut.threshold

    def _rest(self, least_ms: int, share: int) -> int:
        """Pause before drawing regions again, ms: they get one part in `share` of the time."""
        return max(least_ms, round(1e3 * share * self._cost_s))

    def _ask_regions(self) -> None:
        if not self._numbered:
            self._regions.contrast_limits_range = (-1.0, 1.0)
            self._regions.contrast_limits = self._mask_limits()
        if self._numbered:
            self._latest.ask(partial(_labelled, self._planes, self.maps.deviation, self.cut))
        else:
            self._latest.ask(partial(_counted, self._planes, self.cut))

    def _show_regions(self, answer: tuple[Planes, Any, Summary]) -> None:
        planes, labels, summary = answer
        if planes is not self._planes:
            return  # of a prediction that gave up its layers meanwhile
        self.summary = summary
        if labels is not None:
            begun = time.perf_counter()
            self._regions.data = labels
            self._cost_s = time.perf_counter() - begun
        elif self._regions in self._viewer.layers:
            self._regions.refresh()
        self.changed.emit()


def _labelled(
    planes: Planes, deviation: NDArray[np.float32] | None, cut: Cut
) -> tuple[Planes, NDArray[np.int32], Summary]:
    labels = labelled(planes.finest, deviation, cut)
    return planes, labels, Summary(int(labels.max(initial=0)), int(np.count_nonzero(labels)))


def _counted(planes: Planes, cut: Cut) -> tuple[Planes, None, Summary]:
    """Pixels above the threshold, a strip at a time."""
    values = planes.finest
    rows = range(0, len(values), 1024)
    area = sum(int(np.count_nonzero(values[r : r + 1024] >= cut.threshold)) for r in rows)
    return planes, None, Summary(None, area)
