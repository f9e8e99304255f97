"""AidsBox: which aids to draw over the picture, and the picture saved with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QLabel,
    QPushButton,
)

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.aids.canvas import canvas_near
from napari_astroseg.gui.aids.choices import OWN, Choices, remember, remembered
from napari_astroseg.gui.aids.picture import picture_of, save_picture
from napari_astroseg.gui.aids.sheet import Sheet

_TOGGLES = {
    "colour_bar": ("Colour bar", "Raw values of the colours, with their unit"),
    "compass": ("Compass", "Which way north and east are at the middle of the view"),
    "scale_bar": ("Scale bar", "A round angle at the middle of the view"),
    "grid": ("Grid", "Meridians and parallels with their values"),
    "hatch": ("Hatch missing data", "Lines over pixels without data, which are transparent"),
}
_FRAMES = {"As the image": OWN, "ICRS": "icrs", "Galactic": "galactic"}


class AidsBox(QGroupBox):
    """Toggles for the aids over the canvas of the window that it is docked in.

    Parameters
    ----------
    viewer
        Whose picture the aids help to read.
    """

    refused = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__("On the picture")
        self._viewer = viewer
        self._choices = remembered()
        self._sheet: Sheet | None = None
        self._closed = False
        self._build()
        # By then whoever made it has put it into a window.
        QTimer.singleShot(0, self.attach)

    @property
    def choices(self) -> Choices:
        """What is drawn now."""
        return self._choices

    @property
    def sheet(self) -> Sheet | None:
        """What the aids are painted on; None while there is no canvas."""
        return self._sheet

    def choose(self, choices: Choices) -> None:
        """Draw these aids, and remember them for the next time."""
        if choices == self._choices:
            return
        self._choices = choices
        remember(choices)
        self._show_choices()
        if self._sheet is not None:
            self._sheet.choose(choices)

    def attach(self) -> None:
        """Cover the canvas of the window that this box is in, if it is in one yet."""
        canvas = None if self._sheet or self._closed else canvas_near(self)
        if canvas is not None:
            self._sheet = Sheet(self._viewer, canvas, self._choices)
            self._sheet.destroyed.connect(self._forget)

    def ask_for_file(self) -> None:
        """Let the user name a file, and save the picture with its aids there."""
        name, _ = QFileDialog.getSaveFileName(
            self, "Save picture", "picture.png", "Pictures (*.png *.jpg *.tif)"
        )
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> None:
        """Save what the canvas shows, aids included."""
        path = path if path.suffix else path.with_suffix(".png")
        try:
            save_picture(picture_of(self._viewer, self._sheet), path)
        except AstroSegError as error:
            self.refused.emit(str(error))

    def shut_down(self) -> None:
        """Come off the canvas for good: the dock has been closed."""
        self._closed = True
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            sheet.destroyed.disconnect(self._forget)
            sheet.shut_down()

    def event(self, event: QEvent) -> bool:
        """Look for a canvas whenever it may have come into a window."""
        if event.type() in {QEvent.Type.ParentChange, QEvent.Type.Show}:
            self.attach()
        return bool(super().event(event))

    def _build(self) -> None:
        rows = QGridLayout(self)
        self.toggles: dict[str, QCheckBox] = {}
        for n, (name, (title, tip)) in enumerate(_TOGGLES.items()):
            toggle = self.toggles[name] = QCheckBox(title)
            toggle.setToolTip(tip)
            toggle.toggled.connect(self._chosen)
            rows.addWidget(toggle, n // 2, n % 2)
        self.frame = QComboBox()
        self.frame.addItems(list(_FRAMES))
        self.frame.setToolTip("The frame of compass and grid: N and E, or b and l")
        self.frame.currentIndexChanged.connect(self._chosen)
        rows.addWidget(QLabel("Compass and grid in"), 3, 0)
        rows.addWidget(self.frame, 3, 1)
        self.save_button = QPushButton("Save picture …")
        self.save_button.setToolTip("Save what the canvas shows with everything drawn on it")
        self.save_button.clicked.connect(self.ask_for_file)
        rows.addWidget(self.save_button, 4, 0, 1, 2)
        self._show_choices()

    def _show_choices(self) -> None:
        for name, toggle in self.toggles.items():
            toggle.blockSignals(True)
            toggle.setChecked(getattr(self._choices, name))
            toggle.blockSignals(False)
        self.frame.blockSignals(True)
        frames = list(_FRAMES.values())
        known = self._choices.frame in frames
        self.frame.setCurrentIndex(frames.index(self._choices.frame) if known else 0)
        self.frame.blockSignals(False)

    def _chosen(self, _value: Any = None) -> None:
        drawn = {name: toggle.isChecked() for name, toggle in self.toggles.items()}
        self.choose(replace(self._choices, **drawn, frame=_FRAMES[self.frame.currentText()]))

    def _forget(self) -> None:
        """The canvas is gone, and the sheet with it."""
        self._sheet = None
