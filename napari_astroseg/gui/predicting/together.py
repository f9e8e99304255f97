"""Together: which further models answer along with the chosen one, for a mean and a spread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QPushButton

from napari_astroseg.engine.card import ModelCard, apart
from napari_astroseg.gui.buttons import allow
from napari_astroseg.recipes.data import BlendedData

_WORDS = (
    "Further models of the same recipe, of other seeds or data: the mean of all is the answer,\n"
    "their standard deviation its uncertainty. Each costs as much as the first"
)
_ALONE = "No other model of this recipe is at hand: train one with another seed, or add one"
_SAMPLES = "This model draws samples, whose standard deviation is its uncertainty"


class Together(QPushButton):
    """A button whose menu lists the models that fit the chosen one, to be ticked."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Alone")
        self.listed = QMenu(self)
        self.setMenu(self.listed)
        self._files: list[Path] = []
        self.offer(None, ())

    @property
    def chosen(self) -> list[Path]:
        """Files of the models that are ticked."""
        pairs = zip(self.listed.actions(), self._files, strict=True)
        return [path for action, path in pairs if action.isChecked()]

    def offer(self, card: ModelCard | None, named: Sequence[tuple[str, ModelCard]]) -> None:
        """Offer those of some models that fit `card`; what was ticked and fits stays ticked."""
        before = set(self.chosen)
        samples = card is not None and isinstance(card.recipe.data, BlendedData)
        fitting = [
            (name, other.path)
            for name, other in named
            if card is not None and other.path is not None and other.path != card.path
            if not samples and not apart(card, other)
        ]
        self.listed.clear()
        self._files = [path for _, path in fitting]
        for name, path in fitting:
            action = self.listed.addAction(name)
            action.setCheckable(True)
            action.setChecked(path in before)
            action.setToolTip(str(path))
            action.toggled.connect(self._tell)
        allow(self, "" if fitting else _SAMPLES if samples else _ALONE, _WORDS)
        self._name()

    def _tell(self, _ticked: bool) -> None:
        self._name()
        self.changed.emit()

    def _name(self) -> None:
        count = len(self.chosen)
        self.setText(f"With {count} more" if count else "Alone")
