"""FolderField: the path of a folder, typed or chosen."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget


class FolderField(QWidget):
    """A folder.

    Parameters
    ----------
    question
        The title of its dialog.
    """

    changed = Signal()
    entered = Signal()

    def __init__(self, question: str, hint: str = "") -> None:
        super().__init__()
        self._question = question
        self._text = QLineEdit()
        self._text.setPlaceholderText(hint)
        self._text.textChanged.connect(lambda _: self.changed.emit())
        self._text.returnPressed.connect(self.entered)
        choose = QToolButton()
        choose.setText("…")
        choose.setToolTip(question)
        choose.clicked.connect(self._ask)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(choose)

    def path(self) -> Path | None:
        """The folder; None while nothing is written."""
        text = self._text.text().strip()
        return Path(text).expanduser() if text else None

    def set_path(self, path: Path) -> None:
        """Show `path`."""
        self._text.setText(str(path))
        self._text.setToolTip(str(path))

    def add(self, widget: QWidget) -> None:
        """Put another control at the end of the row."""
        self._row.addWidget(widget)

    def _ask(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self._question, str(self.path() or ""))
        if name:
            self.set_path(Path(name))
