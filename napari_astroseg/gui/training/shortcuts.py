"""Shortcuts: keys that press buttons while the keyboard is in a dock."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QPushButton, QShortcut, QWidget


def bind(widget: QWidget, keys: Mapping[str, QPushButton]) -> None:
    """Let keys, in Qt's spelling, press buttons; one that is disabled stays silent."""
    for key, button in keys.items():
        shortcut = QShortcut(QKeySequence(key), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(button.click)
