"""ModelPicker: the models at hand, the card of the one chosen, and a way to add others."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.card import ModelCard, builtin_models, read_card
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.figurenames import words_of

_FIRST = "filaments"
"""The model of the sample that comes with the package: there is something to try it on."""


class ModelPicker(QWidget):
    """A list of models: those that come with the package, then the user's own.

    Parameters
    ----------
    shelf
        The user's own models.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._cards: list[ModelCard] = []
        self._list = QComboBox()
        self._list.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._add = QPushButton("Add")
        self._add.setToolTip("Add a model: a file, or the folder of a training run")
        menu = QMenu(self._add)
        menu.addAction("Model file…", self._ask_file)
        menu.addAction("Folder of a training run…", self._ask_folder)
        self._add.setMenu(menu)
        self._card = QLabel()
        self._card.setWordWrap(True)
        self._card.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(self._list, 1)
        row.addWidget(self._add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._card)
        self.refresh()
        self._list.currentIndexChanged.connect(self._turn)
        self.choose_named(_FIRST)
        shelf.changed.connect(self.refresh)

    def card(self) -> ModelCard | None:
        """The card of the chosen model, None when there is no model at all."""
        here = self._list.currentIndex()
        return self._cards[here] if 0 <= here < len(self._cards) else None

    @property
    def named(self) -> list[tuple[str, ModelCard]]:
        """All models, under the names that they have in the list."""
        names = [self._list.itemText(number) for number in range(self._list.count())]
        return list(zip(names, self._cards, strict=True))

    def choose(self, path: Path) -> None:
        """Choose the model of this file or run folder, if it is in the list."""
        for number, card in enumerate(self._cards):
            if card.path is not None and path.resolve() in (card.path, card.path.parent):
                self._list.setCurrentIndex(number)

    def choose_named(self, name: str) -> None:
        """Choose the first model of this name, if there is one."""
        names = [card.name for card in self._cards]
        if name in names:
            self._list.setCurrentIndex(names.index(name))

    def add(self, path: Path) -> None:
        """Add a model of the user's and choose it; one that cannot be read is refused."""
        try:
            read_card(path)
        except AstroSegError as error:
            self.refused.emit(str(error))
            return
        self._shelf.add(path)
        self.choose(path)

    def refresh(self) -> None:
        """Read the models at hand again."""
        before = self.card()
        own = [(card, path) for path in self._shelf.paths() if (card := _readable(path))]
        built_in = [card for path in builtin_models().values() if (card := _readable(path))]
        self._cards = [*built_in, *(card for card, _ in own)]
        self._list.blockSignals(True)
        self._list.clear()
        self._list.addItems([card.name for card in built_in])
        self._list.addItems([_own_name(card, path) for card, path in own])
        self._list.blockSignals(False)
        if before is not None and before.path is not None:
            self.choose(before.path)
        self._turn()

    def _turn(self, *_: object) -> None:
        card = self.card()
        for widget in (self._list, self._card):
            widget.setToolTip(full_text(card) if card else "")
        self._card.setText(short_text(card) if card else "No model yet: train one, or add one.")
        self.changed.emit()

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Add a model", "", "Models (*.safetensors)")
        if name:
            self.add(Path(name))

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a training run's model")
        if name:
            self.add(Path(name))


def short_text(card: ModelCard) -> str:
    """A card in three short lines."""
    telling = {k: v for k, v in card.figures.items() if not k.endswith(("loss", "threshold"))}
    figures = [f"{words_of(k)} = {v:.2f}" for k, v in list(telling.items())[:3]]
    lines = [card.recipe.title or card.name]
    lines.append("  ·  ".join([f"{count(card.parameters)} parameters", *figures]))
    if card.recipe.expects.unit:
        lines.append(f"for images in {card.recipe.expects.unit}" + _scale(card))
    return "\n".join(lines)


def full_text(card: ModelCard) -> str:
    """All that a card says, as a tooltip."""
    lines = [
        f"{card.name}: {card.recipe.title}",
        f"after {card.recipe.source}" if card.recipe.source else "",
        f"{card.parameters:,} parameters, {card.bytes / 2**20:.1f} MiB, {card.recipe.family.kind}",
        f"trained on {card.trained_on}" if card.trained_on else "",
        *(f"{words_of(name)}: {value:.3f}" for name, value in card.figures.items()),
        f"default threshold {card.threshold:g}",
        f"calibrated by a temperature of {card.temperature:g}" if card.temperature != 1 else "",
        card.notes,
        str(card.path or ""),
    ]
    return "\n".join(line for line in lines if line)


def count(number: int) -> str:
    """A count as people say it: 640, 7.8 k, 34.5 M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _scale(card: ModelCard) -> str:
    scale = card.recipe.expects.pixel_scale_arcsec
    return f", near {scale:g}″ a pixel" if scale else ""


def _own_name(card: ModelCard, path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    return card.name if card.name == folder.name else f"{card.name}  ({folder.name})"


def _readable(path: Path) -> ModelCard | None:
    """Its card; None for what is no model yet, no more, or of another version."""
    try:
        return read_card(path)
    except AstroSegError:
        return None
