"""AnchorBox: an image without sky coordinates, matched to the reference by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QShortcut,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.comparing.onlyone import OnlyOne
from napari_astroseg.gui.comparing.pairs import LEAST, Pairs, residuals
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.predicting.click import ClickMode
from napari_astroseg.sky.grids.align import match_pixels
from napari_astroseg.sky.grids.anchors import match_anchors

_COLUMNS = ("", "here", "reference", "off by")
_NONE = (
    "For an image without sky coordinates: open it, select it under “Open in this window”, then "
    "match it here."
)
_WAYS = "{image} onto {reference}: pixel for pixel, or by points that you click on both."
_TURNS = {
    "image": "Click point {n} on {image}: a star or a sharp knot.",
    "reference": "Now click the same point on {reference}.",
}
_PIXELS_TIP = "Both have as many rows and columns: lay the one on the other, pixel for pixel"
_PICK_TIP = (
    "Shows one image at a time: click a point on the one, then the same point on the other.\n"
    "A drag pans, the wheel zooms, Backspace takes the last point back, Esc ends"
)
_LIST_TIP = (
    "The pairs: x, y on the image and on the reference, and how far each is from where the map\n"
    "through all of them puts it, in pixels of the reference"
)
_UNDO_TIP = "Take the last point back (Backspace while picking)"
_REMOVE_TIP = "Take the selected pair away"
_ALIGN_TIP = "Two pairs: shift, turn and scale. Three or more: an affine map by least squares"


class AnchorBox(QWidget):
    """Pixel for pixel, or by pairs of points; `wanted` carries how.

    Parameters
    ----------
    viewer
        Whose layers are matched.
    """

    wanted = Signal(object, object, object)  # reference, layer, and what matches their images

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._image: Any = None
        self._reference: Any = None
        self._alone: OnlyOne | None = None
        self.pairs = Pairs(self._viewer, self)
        self._click = ClickMode(self._viewer, self)
        self._build()
        self._connect()
        self._show()

    @property
    def image(self) -> Any:
        """The layer that is matched to the reference; None without one."""
        return self._image

    def set_pair(self, reference: Any, image: Any) -> None:
        """Match this image's layer to that one from now on; None for none.

        While points are picked nothing changes, unless one of the two has gone.
        """
        present = [bare(each) for each in self._viewer.layers]
        both = self._reference in present and self._image in present
        if (reference, image) == (self._reference, self._image):
            return
        if both and self.pick.isChecked():
            return
        self.pick.setChecked(False)
        self._reference, self._image = reference, image
        if reference is not None and image is not None:
            self.pairs.between(image.name, reference.name)
        else:
            self.pairs.clear()
        self._show()

    def untie(self) -> None:
        """Let go of the viewer."""
        self.pick.setChecked(False)
        self._click.set_on(False)
        self.pairs.untie()

    def _build(self) -> None:
        self.told = words()
        self.same = _button("Pixel for pixel", _PIXELS_TIP)
        self.pick = _button("Pick points", _PICK_TIP)
        self.pick.setCheckable(True)
        self.list = QTreeWidget()
        self.list.setHeaderLabels(list(_COLUMNS))
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.setFixedHeight(110)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setToolTip(_LIST_TIP)
        self.undo = _button("Undo", _UNDO_TIP)
        self.remove = _button("Remove", _REMOVE_TIP)
        self.align = _button("Align by points", _ALIGN_TIP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.told)
        column.addLayout(_row(self.same, self.pick))
        column.addWidget(self.list)
        column.addLayout(_row(self.undo, self.remove, self.align))

    def _connect(self) -> None:
        self.same.clicked.connect(self._match_pixels)
        self.pick.toggled.connect(self._pick)
        self.undo.clicked.connect(self.pairs.undo)
        self.remove.clicked.connect(self._remove)
        self.align.clicked.connect(self._align)
        self.pairs.changed.connect(self._show)
        self.list.itemSelectionChanged.connect(self._allow)
        self._click.clicked.connect(self._add)
        self._keys = [QShortcut(QKeySequence(key), self) for key in ("Backspace", "Esc")]
        for key, method in zip(self._keys, (self.pairs.undo, self.pick.toggle), strict=True):
            key.activated.connect(method)
            key.setEnabled(False)  # while no points are taken, the keys are others'

    def _pick(self, on: bool) -> None:
        """Begin or end to take points."""
        if on:
            self._alone = OnlyOne(self._viewer, self._reference)
        elif self._alone is not None:
            alone, self._alone = self._alone, None
            alone.end()
            self.pairs.show_only(None)
        self._click.set_on(on)
        for key in self._keys:
            key.setEnabled(on)
        self._show()

    def _add(self, position: Any) -> None:
        layer = self._image if self.pairs.turn == "image" else self._reference
        y, x = np.asarray(layer.world_to_data(position))[-2:]
        self.pairs.add(float(y), float(x))

    def _remove(self) -> None:
        row = self.list.indexOfTopLevelItem(self.list.currentItem())
        if 0 <= row < len(self.pairs.value):
            self.pairs.remove(row)

    def _match_pixels(self) -> None:
        self.pick.setChecked(False)
        self.wanted.emit(self._reference, self._image, match_pixels)

    def _align(self) -> None:
        self.pick.setChecked(False)
        how = partial(match_anchors, pairs=self.pairs.value)
        self.wanted.emit(self._reference, self._image, how)

    def _show(self) -> None:
        """Show the pairs, whose turn it is, and what can be done."""
        self.list.clear()
        pairs = self.pairs.value
        off = residuals(pairs) if len(pairs) >= LEAST else [None] * len(pairs)
        for number, (pair, error) in enumerate(zip(pairs, off, strict=True), 1):
            places = [f"{x:.1f}, {y:.1f}" for x, y in pair]
            told = "" if error is None else f"{error:.2f} px"
            QTreeWidgetItem(self.list, [str(number), *places, told])
        if self._alone is not None:
            side = self.pairs.turn
            self._alone.show(self._image if side == "image" else self._reference)
            self.pairs.show_only(side)
        self._tell(len(pairs))
        self._allow()

    def _tell(self, count: int) -> None:
        if self._image is None or self._reference is None:
            self.told.setText(_NONE)
            return
        names = {"image": self._image.name, "reference": self._reference.name}
        sentence = _WAYS if self._alone is None else _TURNS[self.pairs.turn]
        self.told.setText(sentence.format(**names, n=count + 1))

    def _allow(self) -> None:
        """Enable what can be done; the tooltips say why the rest cannot."""
        lack = "" if self._image is not None else "Select an image under “Open in this window”"
        lack = lack if self._reference is not None else "There is no reference yet: open an image"
        one, other = _shape(self._image), _shape(self._reference)
        unlike = "" if one == other else f"{one} and {other} pixels: only the same fit so"
        few = "" if len(self.pairs.value) >= LEAST else "It takes two pairs of points: pick them"
        none = "" if self.pairs.count else "There is no point yet: pick points"
        row = "" if self.list.selectedItems() else "Select a pair first"
        for button, tip, why in (
            (self.same, _PIXELS_TIP, lack or unlike),
            (self.pick, _PICK_TIP, lack),
            (self.undo, _UNDO_TIP, none),
            (self.remove, _REMOVE_TIP, none or row),
            (self.align, _ALIGN_TIP, lack or few),
        ):
            allow(button, why, tip)


def _shape(layer: Any) -> str:
    """Width and height of a layer's image, as people write them."""
    image = layers.sky_image(layer) or layers.adopt(layer)
    return "" if image is None else f"{image.shape[1]} × {image.shape[0]}"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
