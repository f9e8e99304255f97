"""Volunteers: what each of them drew, one after another, over the field."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.sky.votes.drawings import Drawing

_COLOUR = "#ffb454"
_POINT_PX = 3.0
_NOBODY = "nobody"


class Volunteers(QWidget):
    """A number that chooses the volunteer whose drawing is shown; 0 shows nobody's.

    Parameters
    ----------
    viewer
        Where it is shown.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._drawings: tuple[Drawing, ...] = ()
        self._layer: Any = None
        self.number = QSpinBox()
        self.number.setSpecialValueText(_NOBODY)
        self.number.setToolTip("Whose drawing is shown (N for the next)")
        self.words = QLabel()
        self.words.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Volunteer"))
        row.addWidget(self.number, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.words)
        self.number.valueChanged.connect(lambda _: self._show())

    @property
    def layer(self) -> Any:
        """The layer with the drawing; None while nobody's is shown."""
        shown = self._layer is not None and self._layer in self._viewer.layers
        return self._layer if shown else None

    def offer(self, drawings: tuple[Drawing, ...]) -> None:
        """Offer these; nobody's is shown yet."""
        self._drawings = drawings
        self.number.setRange(0, len(drawings))
        self.number.setValue(0)
        self.number.setEnabled(bool(drawings))
        self._show()

    def next(self) -> None:
        """Show the next one's, and after the last nobody's."""
        if self._drawings:
            self.number.setValue((self.number.value() + 1) % (len(self._drawings) + 1))

    def _show(self) -> None:
        self._remove()
        number = self.number.value()
        if not self._drawings:
            self.words.setText("The raw classifications are not in this file")
            return
        drew = sum(not each.empty for each in self._drawings)
        if not number:
            self.words.setText(f"{len(self._drawings)} were asked, {drew} of them drew")
            return
        drawing = self._drawings[number - 1]
        who = f"{drawing.name}, " if drawing.name else ""
        self.words.setText(
            f"{who}classification {drawing.number} of {drawing.time or 'an unknown time'}: "
            f"{len(drawing.lines)} {drawing.marks}"
        )
        if not drawing.empty:
            self._add(drawing)

    def _add(self, drawing: Drawing) -> None:
        """Draw outlines as they are, and points as small circles."""
        if drawing.marks == "points":
            corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * _POINT_PX
            shapes = [corners + place[::-1] for line in drawing.lines for place in line]
            kind = "ellipse"
        else:
            shapes, kind = [np.vstack((line, line[:1]))[:, ::-1] for line in drawing.lines], "path"
        with selection_kept(self._viewer):
            self._layer = bare(
                self._viewer.add_shapes(
                    shapes,
                    shape_type=kind,
                    edge_color=_COLOUR,
                    face_color="transparent",
                    edge_width=1.5,
                    name=f"volunteer {self.number.value()}",
                )
            )

    def _remove(self) -> None:
        layer, self._layer = self.layer, None
        if layer is not None:
            self._viewer.layers.remove(layer)
