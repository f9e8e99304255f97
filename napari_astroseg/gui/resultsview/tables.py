"""Tables: the figures of one evaluation or of two, and the images on which a model does worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QShortcut, QTableWidget, QTableWidgetItem

from napari_astroseg.engine.report.figures import Row, rows_of
from napari_astroseg.engine.report.page import cell, named
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.papers import PUBLISHED


class _Table(QTableWidget):
    """A table that is read, whose rows can be copied with their headings (Ctrl+C)."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setStretchLastSection(True)
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copying.setContext(Qt.ShortcutContext.WidgetShortcut)
        copying.activated.connect(self.copy_rows)

    def rows(self) -> list[list[str]]:
        """What is written in it, row by row."""
        return [
            [self.item(row, column).text() for column in range(self.columnCount())]
            for row in range(self.rowCount())
        ]

    def copy_rows(self) -> None:
        """Copy the selected rows as lines of tab-separated words."""
        chosen = sorted({index.row() for index in self.selectedIndexes()})
        heads = [self.horizontalHeaderItem(at).text() for at in range(self.columnCount())]
        lines = [heads, *(self.rows()[row] for row in chosen)]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def fill(self, heads: Sequence[str], rows: Sequence[Sequence[QTableWidgetItem]]) -> None:
        """Show these rows."""
        self.setSortingEnabled(False)
        self.clear()
        self.setColumnCount(len(heads))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(list(heads))
        for at, row in enumerate(rows):
            for column, item in enumerate(row):
                self.setItem(at, column, item)
        self.resizeColumnsToContents()


class FigureTable(_Table):
    """Figures with their errors, the paper's values beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip(
            "± is one standard deviation over draws of independent pieces of the data.\n"
            "Ctrl+C copies the selected rows"
        )

    def show_evaluations(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Show one evaluation, or two, by their names."""
        if not told:
            self.fill(("Figure",), ())
            return
        tables = {name: {row.name: row for row in rows_of(each)} for name, each in told.items()}
        figures = list(dict.fromkeys(name for table in tables.values() for name in table))
        layouts = [str(each.get("layout")) for each in told.values()]
        published = PUBLISHED.get(layouts[0]) if len(set(layouts)) == 1 else None
        rows = []
        for figure in figures:
            found = [table.get(figure) for table in tables.values()]
            known = next(row for row in found if row is not None)
            first = QTableWidgetItem(known.words)
            first.setToolTip(figure)
            paper = QTableWidgetItem(known.paper if published else "")
            rows.append([first, *(_told(row) for row in found), paper])
        heads = ("Figure", *tables, "Paper") if len(tables) > 1 else ("Figure", "Here", "Paper")
        self.fill(heads, rows)
        if published is not None:
            last = self.horizontalHeaderItem(len(heads) - 1)
            last.setToolTip(f"{published.source}; on {published.measured_on}")


class WorstTable(_Table):
    """Images, the worst first; `picked` tells one's name and window."""

    picked = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip(
            "Double-click, or press Enter: the image opens with its truth and the model's answer.\n"
            "Click a heading to sort by it; Ctrl+C copies the selected rows"
        )
        self.itemActivated.connect(self._pick)

    def show_evaluation(self, told: Mapping[str, Any] | None) -> None:
        """Show the worst images of an evaluation."""
        units = told.get("worst", {}).get("units", []) if told is not None else []
        if told is None or not units:
            self.fill(("Image",), ())
            return
        columns = [name for name in units[0] if name not in ("name", "window")]
        rows = []
        for unit in units:
            first = QTableWidgetItem(named(unit))
            window = unit.get("window")
            first.setData(Qt.ItemDataRole.UserRole, (unit["name"], window))
            rows.append([first, *(_Number(unit.get(name)) for name in columns)])
        self.fill(("Image", *(words_of(name, str(told.get("layout"))) for name in columns)), rows)
        self.setSortingEnabled(True)
        self.sortItems(1, Qt.SortOrder.AscendingOrder)

    def _pick(self, item: QTableWidgetItem) -> None:
        name, window = self.item(item.row(), 0).data(Qt.ItemDataRole.UserRole)
        self.picked.emit(name, window)


class _Number(QTableWidgetItem):
    """A figure, sorted by its value; where there is none it comes last."""

    def __init__(self, value: float | None) -> None:
        super().__init__(cell(value))
        self._value = float("inf") if value is None else float(value)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self._value < other._value if isinstance(other, _Number) else False


def _told(row: Row | None) -> QTableWidgetItem:
    return QTableWidgetItem("–" if row is None else row.told)
