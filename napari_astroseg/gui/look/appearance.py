"""AppearanceBox: what the selected image is, its stretch, and its black and white points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
)

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.history.history import history_of
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.colourdata import colours_of
from napari_astroseg.gui.look.limitplot import LimitPlot
from napari_astroseg.gui.look.lookhistory import LookHistory
from napari_astroseg.gui.look.remembered import Look, Remembered
from napari_astroseg.gui.readout import described
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.looks.limits import LIMIT_RULES, PERCENTILES, Limits
from napari_astroseg.sky.looks.stretch import KINDS, Kind

_OWN_LIMITS = "as set below"
_NO_IMAGE = "No image yet: open one, or drop a FITS file on the canvas"
_COLOURED = "A colour picture: what tunes it is under Colour"
_STRETCH_TIP = (
    "From raw values to brightness (Shift+S: the next one).\n"
    "asinh: faint and bright structure together\n"
    "log: the faintest structure\n"
    "sqrt: a little more of what is faint\n"
    "linear: brightness in proportion to the value\n"
    "histogram: as many pixels in every shade"
)
_RULE_TIP = (
    "What is black and what is white, from a sample of the whole image\n"
    "(Shift+Z: zscale; Shift+X: the next percentile).\n"
    "95 %: the middle 95 % of the values lie between; and so on\n"
    "min–max: the extremes of the coarsest level. In an image beyond 2000 px that is of means\n"
    "over small squares, so that single pixels may lie outside"
)


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
        self.history = LookHistory(history_of(self._viewer), self)
        self._build()
        self._connect()
        self._follow()

    @property
    def layer(self) -> Any:
        """The image layer that stretch and limits act on; None without one."""
        return self._layer

    @property
    def kind(self) -> Kind:
        """The stretch that is shown."""
        return KINDS[self.stretch.currentIndex()]

    @property
    def keys(self) -> dict[str, tuple[str, Callable[[], None]]]:
        """Keys, for the window to bind, and what each does, in words and as a function."""
        return {
            "Shift+S": ("the next stretch", self.cycle_stretch),
            "Shift+Z": ("limits by zscale", self.use_zscale),
            "Shift+X": ("limits by the next percentile", self.cycle_percentile),
            "Shift+I": ("turn the colours round", self.invert),
        }

    def cycle_stretch(self) -> None:
        """The next kind of stretch."""
        self.stretch.setCurrentIndex((self.stretch.currentIndex() + 1) % len(KINDS))

    def use_zscale(self) -> None:
        """Limits by zscale."""
        self._rule("zscale")

    def cycle_percentile(self) -> None:
        """Limits by the next percentile; by the first one from anything else."""
        rule = self.rule.currentText()
        at = PERCENTILES.index(rule) + 1 if rule in PERCENTILES else 0
        self._rule(PERCENTILES[at % len(PERCENTILES)])

    def invert(self) -> None:
        """Turn the colours round: dark on white, or back."""
        if self._layer is not None:
            looks.invert_colormap(self._layer)

    def reset(self) -> None:
        """Draw the image as one never seen before: asinh, zscale, grey; forget what was."""
        image = layers.sky_image(self._layer)
        if self._layer is not None and image is not None:
            self.history.settle()
            looks.wear(self._layer, Look())
            self.history.settle()
            Remembered().forget(image)

    def same_for_all(self) -> None:
        """Draw every image so: limits by the same rule, or between the same raw values."""
        look = looks.look_of(self._layer)
        if look is None:
            return
        for layer in [bare(each) for each in self._viewer.layers]:
            if layer is not self._layer and looks.stretch_of(layer) is not None:
                self.history.note(layer)
                looks.wear(layer, look)
                self.history.note(layer)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self.history.untie()
        self._ties.untie()
        self._layer_ties.untie()

    def _build(self) -> None:
        self.info, self.notes = words(), words()
        self.stretch, self.rule = QComboBox(), QComboBox()
        self.stretch.addItems(KINDS)
        self.stretch.setToolTip(_STRETCH_TIP)
        self.stretch.setCurrentText(Remembered().kind)
        self.rule.addItems([*LIMIT_RULES, _OWN_LIMITS])
        self.rule.setToolTip(_RULE_TIP)
        self.low, self.high = QLineEdit(), QLineEdit()
        self.low.setToolTip("Raw value drawn darkest")
        self.high.setToolTip("Raw value drawn brightest")
        pair = _row(self.low, self.high)
        self.spread = LimitPlot()
        self.undo_button = _button("Undo", "Back to the look before the last change")
        self.reset_button = _button("Reset", "asinh, zscale, grey; forget what was set here")
        self.invert_button = _button("Invert", "Turn the colours round (Shift+I)")
        self.all_button = _button(
            "Same for all",
            "Draw every image with this stretch, colormap and gamma, its limits by the same rule\n"
            "(or between the same raw values, where they were set by hand)",
        )
        rows = QFormLayout(self)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow(self.info)
        rows.addRow(self.notes)
        rows.addRow("Stretch", self.stretch)
        rows.addRow("Limits", self.rule)
        rows.addRow("", pair)
        rows.addRow(self.spread)
        rows.addRow(_row(self.undo_button, self.reset_button, self.invert_button, self.all_button))

    def _connect(self) -> None:
        self.stretch.currentIndexChanged.connect(self._stretch)
        self.rule.currentTextChanged.connect(self._rule)
        for edit in (self.low, self.high):
            edit.editingFinished.connect(self._own_limits)
        self.spread.moving.connect(self._slide)
        self.spread.moved.connect(self._draw_between)
        self.undo_button.clicked.connect(self.history.undo)
        self.reset_button.clicked.connect(self.reset)
        self.invert_button.clicked.connect(self.invert)
        self.all_button.clicked.connect(self.same_for_all)
        self.history.changed.connect(self._allow)
        self._ties.tie(self._viewer.layers.selection.events.active, self._follow)
        self._ties.tie(self._viewer.layers.events.inserted, self._follow)
        self._ties.tie(self._viewer.layers.events.removed, self._follow)

    def _follow(self, _event: Any = None) -> None:
        """Turn to the selected image, or keep to the one before, or take the topmost."""
        present = [bare(each) for each in self._viewer.layers]
        active = bare(self._viewer.layers.selection.active)
        wanted = (each for each in (active, self._layer, *reversed(present)) if each in present)
        layer = next((each for each in wanted if looks.stretch_of(each) is not None), None)
        if layer is not self._layer:
            self._layer_ties.untie()
            self._layer = layer
            self.history.follow(layer)
            if layer is not None:
                self._layer_ties.tie(layer.events.contrast_limits, self._show_limits)
                self._layer_ties.tie(layer.events.data, self._show_limits)
                self._layer_ties.tie(layer.events.name, self._describe)
            self.spread.show_values(looks.sampled_values(layer), looks.raw_limits(layer))
        self._describe()
        self._allow()
        self._show_limits()

    def _describe(self, _event: Any = None) -> None:
        image = layers.sky_image(self._layer)
        self.setTitle("Image" if image is None else self._layer.name)
        coloured = any(colours_of(each) is not None for each in self._viewer.layers)
        self.info.setText(
            (_COLOURED if coloured else _NO_IMAGE) if image is None else described(image)
        )
        notes = "" if image is None else "; ".join(image.notes)
        self.notes.setText(f"Note: {notes}." if notes else "")
        self.notes.setVisible(bool(notes))

    def _allow(self) -> None:
        """Offer what can be done."""
        there = self._layer is not None
        controls = (self.rule, self.low, self.high, self.reset_button, self.invert_button)
        for control in (*controls, self.spread):
            control.setEnabled(there)
        ours = [each for each in self._viewer.layers if looks.stretch_of(each) is not None]
        self.all_button.setEnabled(there and len(ours) > 1)
        self.undo_button.setEnabled(self.history.can_undo)

    def _show_limits(self, _event: Any = None) -> None:
        """Follow the layer: napari's own slider moves the same limits."""
        stretch, limits = looks.stretch_of(self._layer), looks.raw_limits(self._layer)
        if stretch is None or limits is None:
            self.low.clear()
            self.high.clear()
            return
        _choose(self.stretch, stretch.kind)
        self.low.setText(f"{limits.low:.6g}")
        self.high.setText(f"{limits.high:.6g}")
        _choose(self.rule, looks.rule_of(self._layer) or _OWN_LIMITS)
        self.spread.show_limits(limits)

    def _stretch(self, index: int) -> None:
        if self._layer is not None:
            looks.set_stretch(self._layer, KINDS[index])
        else:
            Remembered().use(KINDS[index])

    def _rule(self, rule: str) -> None:
        if self._layer is None or rule == _OWN_LIMITS:
            return
        try:
            limits = looks.ruled_limits(self._layer, rule)
        except AstroSegError as error:
            self.refused.emit(str(error))
        else:
            self._draw_between(limits)
            _choose(self.rule, rule)

    def _own_limits(self) -> None:
        if self._layer is None or not (self.low.isModified() or self.high.isModified()):
            return
        try:
            self._draw_between(Limits(_number(self.low.text()), _number(self.high.text())))
        except AstroSegError as error:
            self.refused.emit(str(error))
        self._show_limits()

    def _slide(self, limits: Limits) -> None:
        """While dragging: on the graphics card alone."""
        if self._layer is not None:
            looks.set_limits(self._layer, limits)

    def _draw_between(self, limits: Limits | None) -> None:
        """Limits that were chosen: the stretch is bent between them, for what is in view."""
        if self._layer is not None and limits is not None:
            looks.draw_between(self._layer, self.kind, limits)


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


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: Any) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
