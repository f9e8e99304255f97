"""SeeingControls: what there is to click for seeing two pictures, and how it is laid out."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.comparing.blink import FASTEST_HZ, SLOWEST_HZ
from napari_astroseg.gui.comparing.contourrow import ContourRow
from napari_astroseg.gui.comparing.contours import Contours
from napari_astroseg.gui.comparing.pairrow import PairRow
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.fold import Fold


class SeeingControls(QWidget):
    """Buttons, sliders and choices; they do nothing by themselves.

    Parameters
    ----------
    viewer
        Whose layers can be chosen.
    contours
        What the contours' own controls speak to.
    keys
        The keys and what they do, a line for each.
    """

    def __init__(self, viewer: Any, contours: Contours, keys: str) -> None:
        super().__init__()
        self.pair = PairRow(viewer)
        self.contour_row = ContourRow(viewer, contours)
        self.blink = _switch("Blink", "One picture after the other (K)")
        self.swipe = _switch("Swipe", "One picture on either side of a divider (W)")
        self.fade = _switch("Fade", "The second picture over the first (G)")
        self.beside = _switch(
            "Side by side", "The other picture on a second canvas, which moves along (Shift+J)"
        )
        self.contours = _switch("Contours", "Lines of equal value over everything (Shift+K)")
        self.overlays = _switch("Hide overlays", "Hide all that is no picture (H)")
        self.rate = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.rate.setRange(SLOWEST_HZ, FASTEST_HZ)
        self.rate.setDecimals(1)
        self.rate.setValue(2.0)
        self.rate.setToolTip("Pictures a second")
        self.amount = QSlider(Qt.Orientation.Horizontal)
        self.amount.setRange(0, 100)
        self.amount.setValue(50)
        self.amount.setToolTip("How much of the second picture, % (comma and full stop)")
        self.next = _small("Next", "Show the next picture, and wait (N)")
        self.turn = _small("Turn", "Divide left from right, or above from below (Shift+W)")
        self.told = words()
        self.told.hide()
        self._lay(keys)

    def say(self, sentence: str) -> None:
        """Tell something in words; "" for nothing."""
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def untie(self) -> None:
        """Follow the viewer no more."""
        self.pair.untie()
        self.contour_row.untie()

    def _lay(self, keys: str) -> None:
        listed = words()
        listed.setText(keys)
        listed.setToolTip("Keys work wherever the keyboard is, except where text is typed")
        rows = QGridLayout()
        rows.setColumnStretch(1, 1)
        parts: tuple[tuple[QWidget | None, ...], ...] = (
            (self.blink, self.rate, self.next),
            (self.swipe, None, self.turn),
            (self.fade, self.amount),
            (self.beside,),
            (self.overlays,),
            (self.contours, self.contour_row.choice),
        )
        for n, row in enumerate(parts):
            for m, part in enumerate(row):
                if part is not None:
                    rows.addWidget(part, n, m, 1, 2 if m == 1 and len(row) == 2 else 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pair)
        column.addLayout(rows)
        for below in (self.contour_row, self.told, Fold("Keys", listed, opened=False)):
            column.addWidget(below)


def show_state(button: QAbstractButton, on: bool, why: str) -> None:
    """Show whether a button's work is on, or why it cannot be done."""
    button.setChecked(on)
    allow(button, why, str(button.property("tip")))


def _switch(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setProperty("tip", tip)
    return button


def _small(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setProperty("tip", tip)
    return button
