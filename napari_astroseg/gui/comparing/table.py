"""Table: a catalogue on the screen, of which a row can be picked and rows copied."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QShortcut, QTableView

from napari_astroseg.gui.comparing.rows import LEFT, CatalogueModel
from napari_astroseg.gui.latest import Latest
from napari_astroseg.sky.catalogue import Catalogue

_ROWS_SEEN = 6
_CELL_ROOM_PX = 12
_WIDEST_PX, _WIDEST_TITLE_PX = 180, 112
_PATIENCE_S = 1.0
_MOST_COPIED_AT_ONCE = 1000
"""More rows than this are written out in a thread of their own."""
_TIP = (
    "Click a row to go to its structure, a heading to sort by it.\n"
    "Arrow keys go from structure to structure; Ctrl+C copies the selected rows with their "
    "headings, Ctrl+A selects all"
)


class CatalogueTable(QTableView):
    """A view of a catalogue; `picked` says which entry the user has come to (None: no one)."""

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = CatalogueModel(self)
        self._quiet = False
        self._copying = Latest(self)
        self._copying.answered.connect(_to_clipboard)
        self.setModel(self.rows)
        self.setToolTip(_TIP)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table, as it does everywhere else
        self.setSortingEnabled(True)
        self._set_sizes()
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copying.setContext(Qt.ShortcutContext.WidgetShortcut)
        copying.activated.connect(self.copy_rows)
        self.selectionModel().currentRowChanged.connect(self._tell)
        self.clicked.connect(self._tell)  # again, after the map has been moved elsewhere

    def show_catalogue(self, catalogue: Catalogue | None) -> None:
        """Show these rows; none of them is selected."""
        self._quiet = True
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.rows.show_catalogue(catalogue)
        self._quiet = False
        self._set_widths()

    @property
    def entry(self) -> int | None:
        """The entry that is selected last."""
        index = self.currentIndex()
        return self.rows.entry(index.row()) if index.isValid() else None

    def show_entry(self, entry: int | None) -> None:
        """Select an entry and scroll to it; `picked` stays silent."""
        self._quiet = True
        if entry is None:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
        else:
            index = self.rows.index(self.rows.row(entry), max(self.currentIndex().column(), 0))
            choose = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, choose.ClearAndSelect | choose.Rows)
            self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        self._quiet = False

    def copy_rows(self) -> None:
        """Copy the selected rows as lines of tab-separated values."""
        runs = self.selectionModel().selection()  # indexes of single rows would take a second
        rows = sorted({row for run in runs for row in range(run.top(), run.bottom() + 1)})
        if len(rows) > _MOST_COPIED_AT_ONCE:
            self._copying.ask(partial(self.rows.text, rows))
        elif rows:
            _to_clipboard(self.rows.text(rows))

    def untie(self) -> None:
        """Wait for nothing more."""
        self._copying.wait(_PATIENCE_S)

    def _set_widths(self) -> None:
        metrics, across = self.fontMetrics(), self.horizontalHeader()
        for column in range(self.rows.columnCount()):
            texts = [*self.rows.widest(column), ""]
            text = max(metrics.horizontalAdvance(each) for each in texts) + _CELL_ROOM_PX
            title = min(across.sectionSizeHint(column), _WIDEST_TITLE_PX)
            self.setColumnWidth(column, min(max(text, title), _WIDEST_PX))

    def _set_sizes(self) -> None:
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setHighlightSections(False)
        across.setDefaultAlignment(LEFT)  # what is too long for its column loses its end
        height = self.fontMetrics().height() + 6
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(height)
        down.hide()
        self.setMinimumHeight(2 * height + 12 + _ROWS_SEEN * height)

    def _tell(self, current: QModelIndex, _previous: QModelIndex | None = None) -> None:
        if not self._quiet:
            self.picked.emit(self.rows.entry(current.row()) if current.isValid() else None)


def _to_clipboard(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
