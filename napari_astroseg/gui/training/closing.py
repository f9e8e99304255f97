"""Closing: before the window of a dock closes, ask what is to become of its training."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from enum import Enum
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget


class Choice(Enum):
    """What is to become of a training when its window closes."""

    KEEP = "keep"
    STOP = "stop"
    CANCEL = "cancel"


class Closing(QObject):
    """Asks when the window of a widget is closed.

    Parameters
    ----------
    widget
        The dock; its window is found when it is shown in one.
    ask
        Whether the window may close, having asked whoever has to be.
    """

    def __init__(self, widget: QWidget, ask: Callable[[], bool]) -> None:
        super().__init__(widget)
        self._ask = ask
        self._known: weakref.ref[QWidget] | None = None

    def look_out(self, window: QWidget) -> None:
        """Ask before this window closes."""
        before = self._known() if self._known is not None else None
        if window is before or not isinstance(window, QMainWindow):
            return
        if before is not None:
            before.removeEventFilter(self)
        self._known = weakref.ref(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Hold a closing back where that is wanted; a script's `viewer.close()` asks nobody."""
        if (
            event.type() == QEvent.Type.Close
            and self._known is not None
            and watched is self._known()
            and not _given_up(watched)
            and not self._ask()
        ):
            event.ignore()
            return True
        return False


def question(parent: QWidget, name: str, waiting: int) -> Choice:
    """Ask what is to become of a training.

    Parameters
    ----------
    name
        Of its run.
    waiting
        How many wait in the queue behind it.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("A training is running")
    box.setText(f"{name} is being trained.")
    more = f" The {waiting} that wait in the queue are there, too." if waiting else ""
    box.setInformativeText(
        "It can go on without the window: open the window again, and you see it there." + more
    )
    keep = box.addButton("Keep training", QMessageBox.ButtonRole.AcceptRole)
    stop = box.addButton("Stop, keep epochs", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    keep.setToolTip("It goes on in a process of its own; what it does is written into its folder")
    stop.setToolTip("It stops at its next step; whole epochs are kept and can be resumed")
    box.setDefaultButton(keep)
    box.setEscapeButton(cancel)
    box.exec()
    return {keep: Choice.KEEP, stop: Choice.STOP}.get(box.clickedButton(), Choice.CANCEL)


def _given_up(window: Any) -> bool:
    """Whether the window's content is closed already, so that nothing can be held back."""
    middle = window.centralWidget()
    return middle is not None and any(
        child.isHidden() for child in middle.children() if isinstance(child, QWidget)
    )
