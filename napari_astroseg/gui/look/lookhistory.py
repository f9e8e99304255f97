"""LookHistory: what the user has done to the looks of layers, remembered and undone."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.gui import layers
from napari_astroseg.gui.history.history import Gone, History, Step
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.remembered import Look, Remembered
from napari_astroseg.gui.ties import Ties

_PAUSE_MS = 400
"""So long nothing must change before a look counts as chosen: a drag is one change."""
_STEPS = 50


class LookHistory(QObject):
    """Watches the looks of one layer at a time, whoever changes them.

    A look that stays is remembered for its image, across sessions; the one before can be had
    back.

    Parameters
    ----------
    history
        Of the viewer, in which each look is a step.
    """

    changed = Signal()
    """Whether there is something to undo may have changed."""

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._layer: Any = None
        self._settled: WeakKeyDictionary[Any, Look] = WeakKeyDictionary()
        self._earlier: WeakKeyDictionary[Any, list[Look]] = WeakKeyDictionary()
        self._later: WeakKeyDictionary[Any, list[Look]] = WeakKeyDictionary()
        self._ties = Ties(self)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.settle)
        history.settling.connect(self.settle)

    @property
    def can_undo(self) -> bool:
        """Whether the layer had another look before."""
        return bool(self._layer is not None and self._earlier.get(self._layer))

    def follow(self, layer: Any) -> None:
        """Watch another layer; None for no layer."""
        self.settle()
        self._ties.untie()
        self._layer = layer
        if layer is not None:
            look = looks.look_of(layer)
            if look is not None:
                self._settled.setdefault(layer, look)
            for event in (layer.events.contrast_limits, layer.events.colormap, layer.events.gamma):
                self._ties.tie(event, self._soon)
            self._ties.tie(layer.events.data, self._soon)
        self.changed.emit()

    def settle(self) -> None:
        """Take the layer's look for chosen, now."""
        self._pause.stop()
        if self._layer is not None:
            self.note(self._layer)

    def note(self, layer: Any) -> None:
        """Remember how a layer looks now, if that is news; any layer, watched or not."""
        look, image = looks.look_of(layer), layers.sky_image(layer)
        before = self._settled.get(layer)
        if look is None or image is None or look == before:
            return
        self._settled[layer] = look
        if before is not None:
            earlier = self._earlier.setdefault(layer, [])
            earlier.append(before)
            del earlier[:-_STEPS]
            self._later.pop(layer, None)
            Remembered().keep(image, look)
            back, again = partial(self._turn, layer, "undo"), partial(self._turn, layer, "redo")
            self._history.done(Step(f"Look of “{layer.name}”", back, again, owner=layer))
        self.changed.emit()

    def undo(self) -> None:
        """Give the layer the look that it had before its last change."""
        self.settle()
        if self.can_undo:
            self._turn(self._layer, "undo")

    def _turn(self, layer: Any, act: Literal["undo", "redo"]) -> None:
        """Give a layer the look before, or the one after."""
        logs = self._earlier, self._later
        source, target = logs if act == "undo" else reversed(logs)
        if not source.get(layer):
            raise Gone("it has no other look any more")
        look, now = source[layer].pop(), self._settled[layer]
        target.setdefault(layer, []).append(now)
        looks.wear(layer, look)
        self._pause.stop()
        self._settled[layer] = looks.look_of(layer) or look
        image = layers.sky_image(layer)
        if image is not None:
            Remembered().keep(image, look)
        self._history.went(layer, act)
        self.changed.emit()

    def untie(self) -> None:
        """Watch no more."""
        self.follow(None)

    def _soon(self, _event: Any = None) -> None:
        self._pause.start()
