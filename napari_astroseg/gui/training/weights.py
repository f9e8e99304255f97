"""Weights: what a training begins with, fresh weights or those of a model."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox

from napari_astroseg.engine.card import builtin_models
from napari_astroseg.gui.shelf import Shelf

_FRESH = "fresh weights"


class Weights(QComboBox):
    """A list of models to go on from, the user's own first."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._shelf = Shelf(self)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setToolTip(
            "A training can go on from a model of the same kind of network (fine-tuning); then a "
            "smaller rate is wise"
        )
        self._shelf.changed.connect(self._offer)
        self._offer()

    def value(self) -> str:
        """A model's name or path; "" for fresh weights."""
        return self._names[self.currentIndex()]

    def setValue(self, start_from: str) -> None:  # noqa: N802 (as Qt's own)
        """Begin with this model."""
        if start_from not in self._names:
            self._add(start_from)
        self.setCurrentIndex(self._names.index(start_from))

    def _offer(self) -> None:
        chosen = self.value() if self._names else ""
        with QSignalBlocker(self):
            self.clear()
            self._names = []
            for name in ("", *map(str, self._shelf.paths()), *builtin_models()):
                self._add(name)
            self.setValue(chosen)

    def _add(self, name: str) -> None:
        self._names.append(name)
        self.addItem(Path(name).name or _FRESH)
