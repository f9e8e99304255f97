"""ClassTable: what is drawn, in which colour, by which key, and how much of it there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.sky.marks.classes import Classes, MarkClass, new_class

_HEADINGS = ("", "class", "key", "pixels")
_COLOUR, _NAME, _KEY, _PIXELS = range(4)
_SWATCH_PX, _KEY_PX = 26, 40
_MOST_ROWS = 8
_SPARE_PX = 4


class ClassTable(QWidget):
    """A row for each class; the selected one is drawn."""

    chosen = Signal(int)  # a label
    changed = Signal(object, str)  # a MarkClass as it should be, and what is done to it
    unwanted = Signal(int)  # a label

    def __init__(self) -> None:
        super().__init__()
        self._classes: Classes = ()
        self._counts: dict[int, int] = {}
        self.rows = QTableWidget(0, len(_HEADINGS))
        self.rows.setHorizontalHeaderLabels(list(_HEADINGS))
        self.rows.verticalHeader().hide()
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.rows.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(_SWATCH_PX)
        self.rows.setColumnWidth(_COLOUR, _SWATCH_PX)
        self.rows.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
        self.rows.setColumnWidth(_KEY, _KEY_PX)
        self.rows.setToolTip(
            "The selected class is drawn; its key chooses it, too.\n"
            "A double click changes a name, a key or a colour"
        )
        self.add, self.remove = QPushButton("Add class"), QPushButton("Remove class")
        buttons = QHBoxLayout()
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.rows)
        column.addLayout(buttons)
        self.rows.itemSelectionChanged.connect(self._choose)
        self.rows.itemChanged.connect(self._edited)
        self.rows.itemDoubleClicked.connect(self._ask_colour)
        self.add.clicked.connect(lambda _: self.changed.emit(new_class(self._classes), "add class"))
        self.remove.clicked.connect(lambda _: self._remove())
        self.show_classes((), {})

    @property
    def classes(self) -> Classes:
        """Those that are shown."""
        return self._classes

    @property
    def current(self) -> MarkClass | None:
        """The class that is drawn."""
        row = self.rows.currentRow()
        return self._classes[row] if 0 <= row < len(self._classes) else None

    def count(self, label: int) -> int:
        """Pixels of a class, as shown."""
        return self._counts.get(label, 0)

    def show_classes(self, classes: Classes, counts: dict[int, int]) -> None:
        """Show classes and their pixels; the selected one stays, if it is there."""
        before = self.current
        self._counts = counts
        with QSignalBlocker(self.rows):
            if classes != self._classes or self.rows.rowCount() != len(classes):
                self._classes = classes
                self.rows.setRowCount(len(classes))
                for row, one in enumerate(classes):
                    self._fill(row, one)
                labels = [each.label for each in classes]
                row = labels.index(before.label) if before and before.label in labels else 0
                self.rows.setCurrentCell(row if classes else -1, _NAME)
            for row, one in enumerate(classes):
                self.rows.item(row, _PIXELS).setText(f"{counts.get(one.label, 0):,}")
        self._fit()
        self._judge()
        now = self.current
        if now is not None and (before is None or before.label != now.label):
            self.chosen.emit(now.label)

    def choose(self, label: int) -> None:
        """Select the class of a label, where there is one."""
        for row, one in enumerate(self._classes):
            if one.label == label and row != self.rows.currentRow():
                self.rows.setCurrentCell(row, _NAME)

    def _fill(self, row: int, one: MarkClass) -> None:
        texts = ("", one.name, one.key, "")
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if column in {_COLOUR, _PIXELS}:
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if column == _PIXELS:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.rows.setItem(row, column, item)
        swatch = self.rows.item(row, _COLOUR)
        pixels = QPixmap(_SWATCH_PX, _SWATCH_PX)
        pixels.fill(QColor(one.colour))
        swatch.setIcon(QIcon(pixels))
        swatch.setToolTip(f"Label {one.label}, {one.colour}; a double click changes the colour")

    def _fit(self) -> None:
        """As high as its rows, up to a few."""
        shown = max(1, min(_MOST_ROWS, self.rows.rowCount()))
        height = self.rows.verticalHeader().defaultSectionSize()
        around = self.rows.horizontalHeader().sizeHint().height() + 2 * self.rows.frameWidth()
        self.rows.setFixedHeight(around + shown * height + _SPARE_PX)

    def _judge(self) -> None:
        one = self.current
        none = "" if self._classes else "Start drawing first"
        allow(self.add, none, "Add a class with a colour and a key of its own")
        last = "" if len(self._classes) > 1 else "This is the only class: rename it"
        pixels = self.count(one.label) if one else 0
        words = "Remove the selected class"
        if pixels:
            words += f" and your {pixels:,} pixels of it; Undo brings them back"
        allow(self.remove, none or last, words)

    def _choose(self) -> None:
        self._judge()
        one = self.current
        if one is not None:
            self.chosen.emit(one.label)

    def _edited(self, item: Any) -> None:
        one = self._classes[item.row()]
        text = item.text().strip()
        if item.column() == _NAME and text != one.name:
            self._ask(replace(one, name=text), "rename class")
        elif item.column() == _KEY and text != one.key:
            if text in {"", *"123456789"}:
                self._ask(replace(one, key=text), "change key")
            else:
                item.setText(one.key)

    def _ask(self, one: MarkClass, what: str) -> None:
        """Ask for a change; until it has come the row shows what is."""
        row = [each.label for each in self._classes].index(one.label)
        with QSignalBlocker(self.rows):
            self._fill(row, self._classes[row])
            self.rows.item(row, _PIXELS).setText(f"{self.count(one.label):,}")
        self.changed.emit(one, what)

    def _ask_colour(self, item: Any) -> None:
        if item.column() == _COLOUR:
            one = self._classes[item.row()]
            colour = QColorDialog.getColor(QColor(one.colour), self, f"Colour of {one.name}")
            if colour.isValid():
                self._ask(replace(one, colour=colour.name()), "change colour")

    def _remove(self) -> None:
        if self.current is not None:
            self.unwanted.emit(self.current.label)
