"""AppearanceBox: what the selected image is, its stretch, and its black and white points."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QHBoxLayout, QLineEdit

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.readout import described
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.stretch import KINDS, LIMIT_RULES, Kind, Limits

_OWN_LIMITS = "as set below"
_NO_IMAGE = "No image yet: open one, or drop a FITS file on the canvas"


class AppearanceBox(QGroupBox):
    """How one image layer is drawn, following the viewer's selection.

    Parameters
    ----------
    viewer
        The viewer whose layers it follows.
    """

    refused = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: Any = None
        self._ties, self._layer_ties = Ties(self), Ties(self)
        self._build()
        self.stretch.currentIndexChanged.connect(self._stretch)
        self.rule.currentTextChanged.connect(self._rule)
        for edit in (self.low, self.high):
            edit.editingFinished.connect(self._own_limits)
        self._ties.tie(viewer.layers.selection.events.active, self._follow)
        self._ties.tie(viewer.layers.events.inserted, self._follow)
        self._ties.tie(viewer.layers.events.removed, self._follow)
        self._follow()

    @property
    def layer(self) -> Any:
        """The image layer that stretch and limits act on; None without one."""
        return self._layer

    @property
    def kind(self) -> Kind:
        """The stretch that is shown, which the next image will have too."""
        return KINDS[self.stretch.currentIndex()]

    def cycle_stretch(self) -> None:
        """The next kind of stretch."""
        self.stretch.setCurrentIndex((self.stretch.currentIndex() + 1) % len(KINDS))

    def use_zscale(self) -> None:
        """Limits by zscale."""
        self._rule("zscale")

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._layer_ties.untie()

    def _build(self) -> None:
        self.info, self.notes = words(), words()
        self.stretch, self.rule = QComboBox(), QComboBox()
        self.stretch.addItems(KINDS)
        self.stretch.setToolTip(
            "From raw values to brightness (Shift+S: the next one).\n"
            "asinh shows faint and bright structure together"
        )
        self.rule.addItems([*LIMIT_RULES, _OWN_LIMITS])
        self.rule.setToolTip("What is black and what is white, from a sample (Shift+Z: zscale)")
        self.low, self.high = QLineEdit(), QLineEdit()
        self.low.setToolTip("Raw value drawn black")
        self.high.setToolTip("Raw value drawn white")
        pair = QHBoxLayout()
        pair.addWidget(self.low)
        pair.addWidget(self.high)
        rows = QFormLayout(self)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow(self.info)
        rows.addRow(self.notes)
        rows.addRow("Stretch", self.stretch)
        rows.addRow("Limits", self.rule)
        rows.addRow("", pair)

    def _follow(self, _event: Any = None) -> None:
        """Turn to the selected image, or keep to the one before, or take the topmost."""
        present = [layers.bare(each) for each in self._viewer.layers]
        active = layers.bare(self._viewer.layers.selection.active)
        wanted = (each for each in (active, self._layer, *reversed(present)) if each in present)
        layer = next((each for each in wanted if layers.stretch_of(each) is not None), None)
        if layer is not self._layer:
            self._layer_ties.untie()
            self._layer = layer
            if layer is not None:
                self._layer_ties.tie(layer.events.contrast_limits, self._show_limits)
                self._layer_ties.tie(layer.events.name, self._describe)
        self._describe()
        self._show_limits()

    def _describe(self, _event: Any = None) -> None:
        image = layers.sky_image(self._layer)
        self.setTitle("Image" if image is None else self._layer.name)
        self.info.setText(_NO_IMAGE if image is None else described(image))
        notes = "" if image is None else "; ".join(image.notes)
        self.notes.setText(f"Note: {notes}." if notes else "")
        self.notes.setVisible(bool(notes))
        for control in (self.rule, self.low, self.high):
            control.setEnabled(image is not None)

    def _show_limits(self, _event: Any = None) -> None:
        """Follow the layer: napari's own slider moves the same limits."""
        stretch, limits = layers.stretch_of(self._layer), layers.raw_limits(self._layer)
        if stretch is None or limits is None:
            self.low.clear()
            self.high.clear()
            return
        _choose(self.stretch, stretch.kind)
        self.low.setText(f"{limits.low:.6g}")
        self.high.setText(f"{limits.high:.6g}")
        untouched = tuple(self._layer.contrast_limits) == (0.0, 1.0)
        _choose(self.rule, "zscale" if untouched else _OWN_LIMITS)

    def _stretch(self, index: int) -> None:
        rule = self.rule.currentText()
        if self._layer is not None:
            layers.set_stretch(self._layer, KINDS[index])
            _choose(self.rule, rule)

    def _rule(self, rule: str) -> None:
        if self._layer is None or rule == _OWN_LIMITS:
            return
        try:
            layers.set_limits(self._layer, layers.ruled_limits(self._layer, rule))
        except AstroSegError as error:
            self.refused.emit(str(error))
        else:
            _choose(self.rule, rule)

    def _own_limits(self) -> None:
        if self._layer is None or not (self.low.isModified() or self.high.isModified()):
            return
        try:
            limits = Limits(_number(self.low.text()), _number(self.high.text()))
            layers.set_limits(self._layer, limits)
        except AstroSegError as error:
            self.refused.emit(str(error))
        self._show_limits()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ImageError(f"{text!r} is not a number; give one such as 12.5 or 3e21") from error


def _choose(box: QComboBox, text: str) -> None:
    """Show a choice that has been made elsewhere."""
    box.blockSignals(True)
    box.setCurrentText(text)
    box.blockSignals(False)
