"""Rows: a catalogue's rows for a table on the screen, sortable; only those in view are written.

Its columns are kept as plain arrays, and sorting moves row numbers only, so that tens of
thousands of structures scroll and sort without a pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from typing_extensions import override

from napari_astroseg.gui.comparing.figures import (
    copied,
    decimals,
    heading,
    on_screen,
    plain,
    unit_words,
    written,
)
from napari_astroseg.sky.catalogue import Catalogue

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SAMPLED_ROWS = 40


class CatalogueModel(QAbstractTableModel):
    """A catalogue's rows in the order of one of its columns.

    A *row* below is a place on the screen; an *entry* is a row of the catalogue, which sorting
    leaves alone.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._names: list[str] = []
        self._columns: list[NDArray[Any]] = []
        self._headings: list[str] = []
        self._units: list[str] = []
        self._tips: list[str] = []
        self._places: list[int | None] = []
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)

    def show_catalogue(self, catalogue: Catalogue | None) -> None:
        """Show these rows, in the catalogue's own order."""
        self.beginResetModel()
        table: Any = QTable() if catalogue is None else catalogue.table
        self._names = on_screen(table.colnames)
        self._columns = [plain(table[name]) for name in self._names]
        self._units = [unit_words(table[name]) for name in self._names]
        self._headings = [
            heading(name, unit) for name, unit in zip(self._names, self._units, strict=True)
        ]
        self._tips = [str(table[name].info.description or name) for name in self._names]
        self._places = [decimals(name) for name in self._names]
        self._set_order(np.arange(len(table)))
        self.endResetModel()

    @property
    def names(self) -> list[str]:
        """The columns' names in the catalogue."""
        return list(self._names)

    def column(self, name: str) -> NDArray[Any]:
        """A column's bare values, entry by entry."""
        return self._columns[self._names.index(name)]

    def entry(self, row: int) -> int:
        """Which entry stands in a row."""
        return int(self._order[row])

    def row(self, entry: int) -> int:
        """In which row an entry stands."""
        return int(self._rows[entry])

    def widest(self, column: int) -> list[str]:
        """Texts of a column, the longest among them: its first rows, and its extremes."""
        values = self._columns[column]
        if not len(values):
            return []
        some = values[:_SAMPLED_ROWS]
        if values.dtype.kind in "fiu" and np.isfinite(values).any():
            some = np.append(some, [np.nanmin(values), np.nanmax(values)]).astype(values.dtype)
        return [written(value, self._places[column]) for value in some]

    def text(self, rows: Sequence[int]) -> str:
        """Rows as lines of tab-separated values under their headings; any thread."""
        titles = [
            f"{name} ({unit})" if unit else name
            for name, unit in zip(self._names, self._units, strict=True)
        ]
        entries = self._order[list(rows)]
        cells = [copied(column[entries]) for column in self._columns]
        lines = [titles, *zip(*cells, strict=True)]
        return "\n".join("\t".join(line) for line in lines) + "\n"

    @override
    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own)
        """How many entries there are."""
        return 0 if parent.isValid() else len(self._order)

    @override
    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own)
        """How many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    @override
    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text, or how it is set."""
        if role == Qt.ItemDataRole.DisplayRole:
            value = self._columns[index.column()][self._order[index.row()]]
            return written(value, self._places[index.column()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            numbers = self._columns[index.column()].dtype.kind in "fiu"
            return _RIGHT if numbers else LEFT
        return None

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """A column's name and unit; as a tip, what it is."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._names):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self._tips[section]}\nClick to sort by it"
        return None

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column, what nobody knows last; by none, as in the catalogue."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        entries = [self.entry(index.row()) for index in before]
        if 0 <= column < len(self._columns):
            descending = order == Qt.SortOrder.DescendingOrder
            self._set_order(sorted_entries(self._columns[column], descending=descending))
        else:
            self._set_order(np.arange(len(self._order)))
        after = [
            self.index(self.row(entry), index.column())
            for entry, index in zip(entries, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _set_order(self, order: NDArray[np.intp]) -> None:
        self._order = order
        self._rows = np.empty_like(order)
        self._rows[order] = np.arange(len(order))


def sorted_entries(values: NDArray[Any], *, descending: bool) -> NDArray[np.intp]:
    """Entries in the order of their values, equal ones as they were, NaN last both ways."""
    if values.dtype.kind not in "fiub":
        _, ranks = np.unique(values.astype(str), return_inverse=True)
        values = ranks
    numbers = values.astype(float)  # numpy puts NaN last, whatever its sign
    return np.argsort(-numbers if descending else numbers, kind="stable")
