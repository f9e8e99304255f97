"""LayerSteps: layers that come, go, move or are renamed, as steps.

What a layer list goes through in one moment is one step. Layers of docks are theirs. Whether a
layer is shown is no step: one click takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, QTimer

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.history.history import Gone, History, Step
from napari_astroseg.gui.sessions.layersource import owned
from napari_astroseg.gui.ties import Ties

_Change = tuple[Literal["came", "went"], int, Any]


class LayerSteps(QObject):
    """Watches the layers of a viewer."""

    def __init__(self, viewer: Any, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._history = bare(viewer), history
        self._changes: list[_Change] = []
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._order: list[Any] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.settle)
        self._ties = Ties(self)
        events = self._viewer.layers.events
        self._ties.tie(events.inserted, self._came)
        self._ties.tie(events.removed, self._went)
        self._ties.tie(events.reordered, self._reordered)
        for layer in self._viewer.layers:
            self._watch(layer)
        self._order = list(self._viewer.layers)
        history.settling.connect(self.settle)

    def settle(self) -> None:
        """Make a step of what has come and gone."""
        self._soon.stop()
        changes, self._changes = self._changes, []
        if changes:
            step = Step(_told(changes), partial(self._back, changes), partial(self._again, changes))
            self._history.done(step)

    def shut_down(self) -> None:
        """Watch no more, and hold no layer."""
        self._soon.stop()
        self._ties.untie()
        self._changes.clear()
        self._order.clear()

    def _came(self, event: Any) -> None:
        layer = bare(event.value)
        self._watch(layer)
        self._note("came", event.index, layer)

    def _went(self, event: Any) -> None:
        self._note("went", event.index, bare(event.value))

    def _note(self, what: Literal["came", "went"], index: int, layer: Any) -> None:
        self._order = list(self._viewer.layers)
        if not self._history.busy and not owned(layer):
            self._changes.append((what, index, layer))
            self._soon.start(0)

    def _watch(self, layer: Any) -> None:
        if layer not in self._names:
            self._ties.tie(layer.events.name, self._renamed)
        self._names[layer] = layer.name

    def _renamed(self, event: Any) -> None:
        layer = bare(event.source)
        before, now = self._names.get(layer, layer.name), layer.name
        self._names[layer] = now
        if before != now and not owned(layer) and layer in self._viewer.layers:
            step = Step(
                f"Layer “{before}” renamed to “{now}”",
                partial(self._rename, layer, before),
                partial(self._rename, layer, now),
                one=("name", id(layer)),
            )
            self._history.done(step)

    def _reordered(self, _event: Any = None) -> None:
        before, now = self._order, list(self._viewer.layers)
        self._order = now
        if before != now and set(before) == set(now):
            step = Step(
                "Order of layers", partial(self._arrange, before), partial(self._arrange, now),
                one="order",
            )  # fmt: skip
            self._history.done(step)

    def _back(self, changes: Sequence[_Change]) -> None:
        for what, index, layer in reversed(changes):
            (self._take if what == "came" else self._put)(index, layer)

    def _again(self, changes: Sequence[_Change]) -> None:
        for what, index, layer in changes:
            (self._put if what == "came" else self._take)(index, layer)

    def _put(self, index: int, layer: Any) -> None:
        put(self._viewer, index, layer)

    def _take(self, _index: int, layer: Any) -> None:
        self._require(layer)
        self._viewer.layers.remove(layer)

    def _rename(self, layer: Any, name: str) -> None:
        self._require(layer)
        layer.name = name

    def _arrange(self, order: Sequence[Any]) -> None:
        layers = self._viewer.layers
        wanted = [layer for layer in order if layer in layers]
        for target, layer in enumerate(wanted):
            at = layers.index(layer)
            if at > target:
                layers.move(at, target)

    def _require(self, layer: Any) -> None:
        if layer not in self._viewer.layers:
            raise Gone(f"the layer “{layer.name}” is not in the list")


def put(viewer: Any, index: int, layer: Any) -> None:
    """Give a viewer a layer back, where it was."""
    if layer not in viewer.layers:
        viewer.layers.insert(min(index, len(viewer.layers)), layer)


def _told(changes: Sequence[_Change]) -> str:
    names = {
        verb: [layer.name for what, _, layer in changes if what == way]
        for verb, way in (("Added", "came"), ("Removed", "went"))
    }
    return ", ".join(_named(verb, told) for verb, told in names.items() if told)


def _named(verb: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{verb} “{names[0]}”{more}"
