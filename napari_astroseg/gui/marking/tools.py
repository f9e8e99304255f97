"""Tools: napari's tools for labels as buttons, the width of the brush, undo and redo."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.marking.painting import TOOLS, Painting
from napari_astroseg.gui.ties import Ties

_WORDS = {
    "pan_zoom": ("Move", "Move the picture (Z, or hold the space bar)"),
    "paint": ("Brush", "Paint with the selected class (P); [ and ] change its width"),
    "erase": ("Eraser", "Take labels away (E)"),
    "fill": ("Fill", "Fill an area of one label with the selected class (F)"),
    "polygon": (
        "Polygon",
        "Outline a region (O): a click for each corner, a double click or Enter fills it, the "
        "right button takes a corner back, Esc all",
    ),
}
_WIDEST = 400
_LACK = "Start drawing first"


class Tools(QWidget):
    """The controls of what is drawn with and where."""

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._painting: Painting | None = None
        self._ties = Ties(self)
        self.buttons = {tool: QPushButton(_WORDS[tool][0]) for tool in TOOLS}
        self._group = QButtonGroup(self)
        for tool, button in self.buttons.items():
            button.setCheckable(True)
            self._group.addButton(button)
            button.clicked.connect(lambda _, tool=tool: self.choose(tool))
        self.width_px = QSpinBox()
        self.width_px.setRange(1, _WIDEST)
        self.width_px.setValue(10)
        self.width_px.setSuffix(" px")
        self.here, self.follow = QPushButton("Draw here"), QCheckBox("Follow the view")
        self.follow.setChecked(True)
        self.undo, self.redo = QPushButton("Undo"), QPushButton("Redo")
        self.where = QLabel()
        self.where.setEnabled(False)
        self._lay_out()
        self.width_px.valueChanged.connect(self._set_width)
        self.here.clicked.connect(lambda _: self.draw_here())
        self.follow.toggled.connect(self._set_follow)
        self.undo.clicked.connect(self.undo_wanted)
        self.redo.clicked.connect(self.redo_wanted)
        self.work_on(None)

    def work_on(self, painting: Painting | None) -> None:
        """Draw with these tools from now on; with none, for None."""
        self._ties.untie()
        self._painting = painting
        lack = "" if painting is not None else _LACK
        for tool, button in self.buttons.items():
            allow(button, lack, _WORDS[tool][1])
        allow(self.width_px, lack, "Width of brush and eraser ([ and ])")
        allow(self.here, lack, "Bring the part that is drawn on to the middle of the view (D)")
        allow(self.follow, lack, "Bring it along whenever the view has come to rest")
        if painting is not None:
            layer = painting.cut.layer
            layer.brush_size = self.width_px.value()
            painting.follows = self.follow.isChecked()
            self._ties.tie(layer.events.mode, self._show_tool)
            self._ties.tie(layer.events.brush_size, self._show_width)
            painting.moved.connect(self._show_place)
        self._show_tool()
        self._show_place()

    def choose(self, tool: str) -> None:
        """Take a tool into the hand."""
        if self._painting is not None:
            self._painting.choose_tool(tool)

    def draw_here(self) -> None:
        """Bring the cut-out to the view, and the brush into the hand."""
        if self._painting is not None:
            self._painting.draw_here()
            if str(self._painting.cut.layer.mode) == "pan_zoom":
                self.choose("paint")

    def show_history(self, undo: str | None, redo: str | None) -> None:
        """Say what would be taken back, or done again."""
        none = "Nothing has been drawn yet" if self._painting is not None else _LACK
        allow(self.undo, "" if undo is not None else none, f"Take back: {undo} (Ctrl+Z)")
        nothing = "Nothing has been taken back" if self._painting is not None else _LACK
        allow(self.redo, "" if redo is not None else nothing, f"Do again: {redo} (Ctrl+Shift+Z)")

    def _show_tool(self, _event: Any = None) -> None:
        mode = "" if self._painting is None else str(self._painting.cut.layer.mode)
        self._group.setExclusive(False)  # napari has tools that are none of these
        for tool, button in self.buttons.items():
            button.setChecked(tool == mode)
        self._group.setExclusive(mode in self.buttons)

    def _show_width(self, _event: Any = None) -> None:
        if self._painting is not None:
            with QSignalBlocker(self.width_px):
                self.width_px.setValue(round(self._painting.cut.layer.brush_size))

    def _set_width(self, width: int) -> None:
        if self._painting is not None:
            self._painting.cut.layer.brush_size = width

    def _set_follow(self, on: bool) -> None:
        if self._painting is not None:
            self._painting.follows = on

    def _show_place(self) -> None:
        if self._painting is None:
            self.where.setText("")
            return
        window = self._painting.cut.window
        self.where.setText(
            f"Drawn on: x {window.x}–{window.x_end - 1}, y {window.y}–{window.y_end - 1}"
        )

    def _lay_out(self) -> None:
        tools, brush, steps = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        tools.setSpacing(2)
        for button in self.buttons.values():
            tools.addWidget(button)
        brush.addWidget(QLabel("Width"))
        brush.addWidget(self.width_px)
        brush.addStretch(1)
        brush.addWidget(self.follow)
        brush.addWidget(self.here)
        for button in (self.undo, self.redo):
            steps.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for row in (tools, brush, steps):
            column.addLayout(row)
        column.addWidget(self.where)
