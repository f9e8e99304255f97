"""FigureChoice: which validation figures are drawn."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QToolButton

from napari_astroseg.gui.buttons import allow
from napari_astroseg.recipes.figurenames import words_of

_MOST_AT_FIRST = 4
"""Figures that are drawn without being asked for."""


class FigureChoice(QToolButton):
    """A menu of the validation figures: which of them are drawn."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setText("Figures")
        self.setToolTip("Which validation figures are drawn")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(QMenu(self))
        self._actions: dict[str, Any] = {}

    @property
    def chosen(self) -> list[str]:
        """Names of those that are drawn."""
        return [name for name, action in self._actions.items() if action.isChecked()]

    def choose(self, name: str, on: bool) -> None:
        """Draw a figure, or do not."""
        self._actions[name].setChecked(on)

    def offer(self, names: list[str]) -> None:
        """Let these be chosen; the first few are, where they are new."""
        if names == [*self._actions]:
            return
        self.menu().clear()
        self._actions = {}
        for number, name in enumerate(names):
            action = self._actions[name] = self.menu().addAction(words_of(name))
            action.setCheckable(True)
            action.setChecked(number < _MOST_AT_FIRST)
            action.toggled.connect(self.changed)
        allow(self, "" if names else "No figures yet: the first epoch brings them",
              "Which validation figures are drawn")  # fmt: skip
