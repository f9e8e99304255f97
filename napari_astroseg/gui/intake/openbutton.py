"""OpenButton: open files, a folder, or what was opened before."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QPushButton, QToolButton, QWidget

from napari_astroseg.gui.intake.recent import Places, Recent, called


class OpenButton(QWidget):
    """A button that opens files, and a menu beside it with the other ways."""

    files_wanted = Signal()
    folder_wanted = Signal()
    places_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.recent = Recent()
        self.button = QPushButton("Open FITS images…")
        self.button.setToolTip(
            "Open sky images (Ctrl+Shift+F); only what is shown is read.\n"
            "Or drop files or a folder on the canvas"
        )
        self.more = QToolButton()
        self.more.setToolTip("Folders, addresses, and what was opened before")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.more.setMenu(self.menu)
        self.button.clicked.connect(self.files_wanted)
        self.menu.aboutToShow.connect(self._fill)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 1)
        row.addWidget(self.more)

    def remember(self, places: Places) -> None:
        """Put places first among those opened before."""
        self.recent.add(places)

    def _fill(self) -> None:
        self.menu.clear()
        self.menu.addAction("Open a folder of tiles, or a HiPS …", self.folder_wanted.emit)
        self.menu.addAction("Open an address (https, s3) …", self._ask_for_address)
        self.menu.addSeparator()
        for places in self.recent.groups():
            action = self.menu.addAction(called(places))
            action.setToolTip("\n".join(places))
            action.triggered.connect(partial(self._reopen, places))

    def _reopen(self, places: Places, _checked: bool = False) -> None:
        self.places_wanted.emit(places)

    def _ask_for_address(self) -> None:
        address, given = QInputDialog.getText(self, "Open an address", "https:// or s3://")
        if given and address.strip():
            self.places_wanted.emit((address.strip(),))
