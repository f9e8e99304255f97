"""ShapeLayer: a napari layer of the shapes in view, which tells what its user does to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from napari.layers import Shapes
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.marking.ownlayers import METADATA
from napari_astroseg.gui.marking.shapeforms import Drawn, Vertices
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.window import Window

MOST = 200
"""Shapes that are drawn at once: napari takes each change of more than these too slowly."""

_BATCH = 10
"""Added before the window gets its turn."""
_AGAIN_MS = 100
_WIDTH_PX = 2.0
_ROLE = "shapes"
_NUMBER = "number"
_UNKNOWN = "#ffffff"


class ShapeLayer(QObject):
    """The layer; shapes that it does not know yet have numbers below 1.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the layer of the image under it.
    """

    drawn = Signal(str, object, int)  # kind, vertices, the number that it has for now
    changed = Signal(object)  # number → vertices
    removed = Signal(object)  # numbers
    selected = Signal()

    def __init__(self, viewer: Any, base: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._known: dict[int, Vertices] = {}
        self._wanted: dict[int, Drawn] = {}
        self._colours: dict[str, str] = {}
        self._temporary = 0
        self._quiet = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._reconcile)
        self.layer = _own(viewer, base)
        self._clear()
        self._ties = Ties(self)
        self._ties.tie(self.layer.events.data, self._told)
        self._ties.tie(self.layer.selected_data.events.items_changed, self._select)

    @property
    def numbers(self) -> list[int]:
        """Of the shapes that are drawn, in the layer's order."""
        features = self.layer.features
        return [] if _NUMBER not in features else [int(each) for each in features[_NUMBER]]

    @property
    def chosen(self) -> list[int]:
        """Numbers of the selected shapes, but for those that are not kept yet."""
        numbers = self.numbers
        found = (
            numbers[index] for index in sorted(self.layer.selected_data) if index < len(numbers)
        )
        return [number for number in found if number > 0]

    @property
    def in_hand(self) -> bool:
        """Whether a shape is being drawn or dragged."""
        layer = self.layer
        return bool(getattr(layer, "_is_creating", False) or getattr(layer, "_is_moving", False))

    @property
    def busy(self) -> bool:
        """Whether some are still to be drawn."""
        return self._later.isActive()

    def show(self, wanted: Iterable[Drawn], colours: dict[str, str]) -> None:
        """Draw these, in the colours of their classes, and no others."""
        self._wanted = {each.number: each for each in wanted}
        if colours != self._colours:
            self._colours = colours
            self._recolour()
        self._later.start(0)

    def forget(self, number: int) -> None:
        """What was drawn under a number for now is kept, or was refused: it is not to stay."""
        self._known.pop(number, None)
        self._later.start(0)

    def choose_tool(self, mode: str) -> None:
        """Take one of napari's tools into the hand."""
        self.layer.mode = mode

    def colour_of(self, class_name: str) -> str:
        """In which a class is drawn."""
        return self._colours.get(class_name.lower(), _UNKNOWN)

    def draw_in(self, colour: str) -> None:
        """The colour of what is drawn next."""
        with self._unheard():
            selected = set(self.layer.selected_data)
            self.layer.selected_data = set()
            self.layer.current_edge_color = colour
            self.layer.current_face_color = "transparent"
            self.layer.current_edge_width = _WIDTH_PX
            self.layer.selected_data = selected

    def let_go(self) -> None:
        """Listen no more."""
        self._later.stop()
        self._ties.untie()

    def end(self) -> None:
        """Listen no more, and hide the layer."""
        self.let_go()
        self._clear()
        self.layer.mode = "pan_zoom"
        self.layer.metadata[METADATA] = f"closed {_ROLE}"
        self.layer.visible = False
        self.layer.name = f"{_ROLE} (closed)"

    def _told(self, event: Any) -> None:
        """Find out what has changed: napari says little of it that can be relied on."""
        if self._quiet or str(getattr(event.action, "value", event.action)).endswith("ing"):
            return
        data = self.layer.data
        if len(self.numbers) > len(data):  # napari drops an unfinished polygon, not its features
            with self._unheard():
                self.layer.features = self.layer.features.iloc[: len(data)]
        numbers = self.numbers
        changed: dict[int, Vertices] = {}
        fresh, seen = [], set()
        for index, (vertices, number) in enumerate(zip(data, numbers, strict=True)):
            # napari gives a new shape the number of one that was selected, or of the last.
            if number not in self._known or number in seen:
                fresh.append(index)
                continue
            seen.add(number)
            if not _same(self._known[number], vertices):
                changed[number] = np.array(vertices)
        gone = [number for number in self._known if number > 0 and number not in numbers]
        kinds = self.layer.shape_type
        for index in fresh:
            self._temporary -= 1
            self._number(index, self._temporary)
            self._known[self._temporary] = np.array(data[index])
            self.drawn.emit(str(kinds[index]), np.array(data[index]), self._temporary)
        for number, vertices in changed.items():
            self._known[number] = vertices
        for number in gone:
            del self._known[number]
        if changed:
            self.changed.emit({n: each for n, each in changed.items() if n > 0})
        if gone:
            self.removed.emit(gone)

    def _number(self, index: int, number: int) -> None:
        numbers = self.numbers
        numbers[index] = number
        with self._unheard():
            self.layer.features = {_NUMBER: np.array(numbers)}

    def _reconcile(self) -> None:
        """Bring the layer nearer to what is wanted, a few shapes at a time."""
        if self.in_hand:
            self._later.start(_AGAIN_MS)
            return
        layer, numbers = self.layer, self.numbers
        stale = [
            index
            for index, (number, vertices) in enumerate(zip(numbers, layer.data, strict=True))
            if not self._is_right(number, vertices)
        ]
        # Its thumbnail is drawn anew for every shape, which costs more than the shape.
        with self._unheard(), layer.block_thumbnail_update():
            if stale:
                layer.remove(stale)
                for index in stale:
                    self._known.pop(numbers[index], None)
            lacking = [each for number, each in self._wanted.items() if number not in self._known]
            batch = lacking[:_BATCH]
            if batch:
                self._add(batch)
        if len(lacking) > len(batch):
            self._later.start(0)

    def _is_right(self, number: int, vertices: Vertices) -> bool:
        """Whether a shape is to stay as it is drawn."""
        if number <= 0:
            return number in self._known
        wanted = self._wanted.get(number)
        return wanted is not None and wanted.lies_at(np.asarray(vertices))

    def _add(self, batch: list[Drawn]) -> None:
        layer, numbers = self.layer, [*self.numbers, *(each.number for each in batch)]
        layer.add(
            [(each.vertices, each.kind) for each in batch],
            edge_color=[self.colour_of(each.shape.class_name) for each in batch],
            edge_width=_WIDTH_PX,
            face_color="transparent",
        )
        layer.features = {_NUMBER: np.array(numbers)}
        self._known |= {each.number: np.array(each.vertices) for each in batch}

    def _recolour(self) -> None:
        names = [
            self._wanted[number].shape.class_name if number in self._wanted else ""
            for number in self.numbers
        ]
        if names:
            with self._unheard():
                self.layer.edge_color = [self.colour_of(name) for name in names]

    def _clear(self) -> None:
        with self._unheard():
            if len(self.layer.data):
                self.layer.remove(list(range(len(self.layer.data))))
            self.layer.features = {_NUMBER: np.zeros(0, int)}
            self.layer.feature_defaults = {_NUMBER: 0}
        self._known.clear()

    def _select(self, _event: Any = None) -> None:
        if not self._quiet:
            self.selected.emit()

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """Change the layer without taking it for the user's doing."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


@cache
def warm_up() -> None:
    """Have napari compile what draws shapes; any thread, once, before anyone waits for it."""
    turn = np.linspace(0, 6, 12)
    ring = np.column_stack((np.sin(turn), np.cos(turn))) * 9
    made = Shapes(
        [ring, ring[:4], ring[:2]], shape_type=["polygon", "ellipse", "line"], edge_color="red"
    )
    made.add([(ring, "path")])
    made.remove([0])


def _own(viewer: Any, base: Any) -> Any:
    """A layer of shapes over an image's: one that was closed, or a new one."""
    place = placed_on(base, Window(0, 0, 1, 1))
    name = f"{_ROLE} · {base.name}"
    for layer in viewer.layers:
        if layer.metadata.get(METADATA) == f"closed {_ROLE}":
            spare = bare(layer)
            spare.scale, spare.translate = place["scale"], place["translate"]
            spare.affine = place.get("affine", np.eye(3))
            spare.metadata[METADATA] = _ROLE
            spare.name, spare.visible = name, True
            viewer.layers.move(viewer.layers.index(spare), len(viewer.layers))
            return spare
    with selection_kept(viewer):
        return bare(
            viewer.add_shapes(
                None, ndim=2, name=name, metadata={METADATA: _ROLE}, opacity=1.0, **place
            )
        )


def _same(one: Vertices, other: Any) -> bool:
    told = np.asarray(other)
    return one.shape == told.shape and bool(np.array_equal(one, told))
