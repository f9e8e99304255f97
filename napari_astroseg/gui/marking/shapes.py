"""ShapeSection: shapes beside what is painted: drawn, moved, named, filled, and out of files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer, Signal

from napari_astroseg.errors import MarkError
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.images import shown_window
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.marking.classes import ClassTable
from napari_astroseg.gui.marking.marks import Marks, Moved
from napari_astroseg.gui.marking.shapecontrols import TOOLS, ShapeControls
from napari_astroseg.gui.marking.shapeforms import (
    Drawn,
    Vertices,
    changed_shape,
    new_shape,
    overlaps,
)
from napari_astroseg.gui.marking.shapelayer import MOST, ShapeLayer, warm_up
from napari_astroseg.gui.marking.shapesteps import (
    adding,
    changing,
    filling,
    read_drawn,
    removing,
    telling,
)
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks.shapes import changed_shapes
from napari_astroseg.sky.shapes.shape import Shape

_SMALLEST_PX = 4.0
"""On the screen: of a click that was no drag napari makes a shape of 2.5."""
_REST_MS = 150
_LACK = "Start drawing first"


class ShapeSection(ShapeControls):
    """The controls of shapes, and the layer that shows those in view.

    Parameters
    ----------
    marks
        What is open.
    classes
        Whose selected class a new shape is of.
    """

    refused = Signal(str)

    def __init__(self, marks: Marks, classes: ClassTable) -> None:
        super().__init__(marks, classes)
        self._marks, self._classes = marks, classes
        self._viewer: Any = None
        self._base: Any = None
        self._image: SkyImage | None = None
        self.shown: ShapeLayer | None = None
        self._all: dict[int, Drawn] = {}
        self._drawn: list[int] = []
        self._circle = False
        self._ready, self._wanted = False, ""
        self._ahead = Latest(self)
        self._ahead.answered.connect(self._get_ready)
        self._ties = Ties(self)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._show)
        for tool, button in self.buttons.items():
            button.clicked.connect(lambda _, tool=tool: self.choose(tool))
        self.name.editingFinished.connect(self._rename)
        self.give_class.clicked.connect(lambda _: self._give_class())
        self.fill.clicked.connect(lambda _: self._fill())
        self.remove.clicked.connect(lambda _: self._remove())
        marks.moved.connect(self._follow)
        marks.refused.connect(lambda _: self._forget_drawn())
        classes.chosen.connect(lambda _: self._show_class())
        self._judge()

    @property
    def busy(self) -> bool:
        """Whether shapes are being read, written or drawn."""
        showing = self.shown is not None and self.shown.busy
        waiting = self._rest.isActive() or bool(self._drawn) or self._ahead.busy
        return showing or waiting or self.files.busy

    @property
    def count(self) -> int:
        """Shapes on the image, as far as it shows them."""
        return len(self._all)

    def work_on(self, viewer: Any, base: Any, image: SkyImage | None) -> None:
        """Show and change the shapes of the open marks; none for None."""
        self._ties.untie()
        self._rest.stop()
        if self.shown is not None:
            self.shown.end()
        self.shown = None
        self._viewer, self._base, self._image = viewer, base, image
        self._all, self._drawn = {}, []
        if image is not None:
            camera = camera_of(viewer)
            for emitter in (camera.events.center, camera.events.zoom):
                self._ties.tie(emitter, self._view_moved)
            self._ties.tie(viewer.layers.events.removed, self._layer_removed)
            self._marks.ask(lambda store: read_drawn(store, image), self._take)
        self.files.work_on(image)
        self._judge()

    def choose(self, tool: str) -> None:
        """Take a tool into the hand, as soon as napari can draw with it."""
        self._wanted = "" if self._ready else tool
        self._prepare()
        shown = self._layer()
        if shown is not None:
            self._circle = tool == "circle"
            self._viewer.layers.selection.active = shown.layer
            shown.choose_tool("add_ellipse" if tool == "circle" else tool)
            self._show_tool()
            self._show()

    def shut_down(self) -> None:
        """End what runs."""
        self.work_on(None, None, None)
        self.files.shut_down()
        self._ahead.wait()

    def _layer(self) -> ShapeLayer | None:
        """The layer, made when it is first wanted."""
        if self.shown is None and self._image is not None and self._ready:
            shown = self.shown = ShapeLayer(self._viewer, self._base, self)
            shown.drawn.connect(self._add)
            shown.changed.connect(self._change)
            shown.removed.connect(self._take_away)
            shown.selected.connect(self._judge)
            self._ties.tie(shown.layer.events.mode, self._show_tool)
            self._show_class()
        return self.shown

    def _layer_removed(self, _event: Any = None) -> None:
        """Without its layer nothing is shown until a tool is chosen; the shapes are kept."""
        if self.shown is not None and self.shown.layer not in self._viewer.layers:
            self.shown.let_go()
            self.shown = None
            self._judge()

    def _prepare(self) -> None:
        """Have napari compile what it draws shapes with, the first time that there are any."""
        if self._image is not None and not self._ready and not self._ahead.busy:
            self.told.setText("napari is getting ready to draw shapes: a moment")
            self._ahead.ask(warm_up)

    def _get_ready(self, _answer: object) -> None:
        self._ready = True
        self._show()
        if self._wanted:
            self.choose(self._wanted)

    def _add(self, kind: str, vertices: Vertices, number: int) -> None:
        image, shown = self._image, self.shown
        if image is None or shown is None:
            return
        extent = np.ptp(vertices, axis=0) * np.asarray(shown.layer.scale)[-2:]
        if extent.max() * camera_of(self._viewer).zoom < _SMALLEST_PX:
            shown.forget(number)
            return
        one = self._classes.current
        try:
            made = new_shape(kind, vertices, circle=self._circle)
        except MarkError as error:
            shown.forget(number)
            self.refused.emit(str(error))
            return
        self._drawn.append(number)
        shape = Shape(
            made.form, made.points, made.sizes, made.angle, class_name=one.name if one else ""
        )
        self._marks.do(adding(f"draw {_spoken(shape)}", [shape], image))

    def _change(self, moved: dict[int, Vertices]) -> None:
        if self._image is None:
            return
        changed, trouble = {}, ""
        for number, vertices in moved.items():
            drawn = self._all.get(number)
            if drawn is None:
                continue
            try:
                changed[number] = drawn, changed_shape(drawn, vertices)
            except MarkError as error:
                trouble = str(error)
        if trouble:
            self.refused.emit(trouble)
            self._show()
        if changed:
            (_, shape), *more = changed.values()
            what = f"{len(changed)} shapes" if more else _spoken(shape)
            self._marks.do(changing(f"change {what}", changed, self._image))

    def _take_away(self, numbers: Sequence[int]) -> None:
        self._marks.do(removing(numbers))

    def _follow(self, moved: Moved) -> None:
        """Read what a step has changed."""
        if self._image is None:
            return
        change = moved.change
        numbers = () if change is None else changed_shapes(change)
        if change is not None and numbers:
            new = moved.act == "do" and change.entry.name.startswith("draw ")
            read = partial(read_drawn, image=self._image, numbers=numbers)
            self._marks.ask(read, partial(self._update, new))
        elif moved.of_classes:
            self._show_class()
            self._show()

    def _take(self, drawn: dict[int, Drawn | None]) -> None:
        self._all = {number: each for number, each in drawn.items() if each is not None}
        if self._all:
            self._prepare()
        self._show()

    def _update(self, new: bool, drawn: dict[int, Drawn | None]) -> None:
        for number, each in drawn.items():
            if each is None:
                self._all.pop(number, None)
            else:
                self._all[number] = each
        if new and self._drawn and self.shown is not None:
            self.shown.forget(self._drawn.pop(0))
        if self._all:
            self._prepare()
        self._show()

    def _forget_drawn(self) -> None:
        """What could not be kept does not stay."""
        if self.shown is not None:
            for number in self._drawn:
                self.shown.forget(number)
            self._drawn.clear()
            self._show()

    def _show(self) -> None:
        """Show the shapes in view."""
        if self._image is None or not self._ready or (not self._all and self.shown is None):
            self._judge()
            return
        seen = shown_window(self._viewer, self._base)
        inside = list(self._all.values())
        if seen is not None and len(inside) > MOST:
            box = (float(seen.x), float(seen.y), float(seen.x_end), float(seen.y_end))
            inside = [each for each in inside if overlaps(each, box)]
        wanted = inside[-MOST:]
        shown = self._layer()
        if shown is not None:
            colours = {each.name.lower(): each.colour for each in self._classes.classes}
            shown.show(wanted, colours)
        words = f"{len(self._all):,} shape{'s' * (len(self._all) != 1)}"
        if len(wanted) < len(inside):
            words += f"; the newest {MOST} of {len(inside):,} in view are drawn: zoom in"
        self.told.setText(words)
        self._judge()

    def _view_moved(self, _event: Any = None) -> None:
        if len(self._all) > MOST:  # fewer are all drawn
            self._rest.start(_REST_MS)

    def _show_tool(self, _event: Any = None) -> None:
        mode = "" if self.shown is None else str(self.shown.layer.mode)
        if mode != "add_ellipse":
            self._circle = False
        tool = "circle" if self._circle else mode
        for each, button in self.buttons.items():
            button.setChecked(each == tool)

    def _show_class(self) -> None:
        one = self._classes.current
        if self.shown is not None and one is not None:
            self.shown.draw_in(one.colour)
        self._judge()

    def _rename(self) -> None:
        chosen, text = self._chosen, self.name.text().strip()
        if len(chosen) == 1 and text != self._all[chosen[0]].shape.name:
            self._marks.do(telling(chosen, name=text))

    def _give_class(self) -> None:
        one = self._classes.current
        if self._chosen and one is not None:
            self._marks.do(telling(self._chosen, class_name=one.name))

    def _fill(self) -> None:
        if self._image is not None:
            self._marks.do(filling(self._chosen, self._image))

    def _remove(self) -> None:
        if self._chosen:
            self._marks.do(removing(self._chosen))

    @property
    def _chosen(self) -> list[int]:
        chosen = [] if self.shown is None else self.shown.chosen
        return [number for number in chosen if number in self._all]

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        lack = "" if self._image is not None else _LACK
        for tool, button in self.buttons.items():
            allow(button, lack, TOOLS[tool][1])
        chosen, one = self._chosen, self._classes.current
        none = "" if chosen else "Select a shape first"
        kind = one.name if one else ""
        allow(self.give_class, lack or none, f"Make the selected shapes {kind}")
        allow(self.remove, lack or none, "Take the selected shapes away; Undo brings them back")
        empty = "" if self._all else "There are no shapes yet"
        which = f"{len(chosen)} selected" if chosen else f"{len(self._all):,}"
        words = f"Label the pixels inside the {which} shapes by their classes, as one step"
        allow(self.fill, lack or empty, words)
        single = none or ("" if len(chosen) == 1 else "Select one shape alone")
        allow(self.name, lack or single, "What the selected shape is called; Enter keeps it")
        if not self.name.hasFocus() or len(chosen) != 1:
            self.name.setText(self._all[chosen[0]].shape.name if len(chosen) == 1 else "")
        self.files.judge(len(self._all))
        if self._image is None:
            self.told.setText("")


def _spoken(shape: Shape) -> str:
    return shape.form.replace("_", " ")
