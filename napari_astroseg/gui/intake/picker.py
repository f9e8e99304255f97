"""Picker: which of a file's images to open, by thumbnail, name and size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QFontMetrics, QIcon
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.intake.thumbnails import SIDE, Thumbnails, pixmap
from napari_astroseg.sky.files.address import Address, HduKey
from napari_astroseg.sky.files.contents import Contents, Entry

_COLUMNS = ("Image", "Size", "Unit", "Kind")
_HDU = Qt.ItemDataRole.UserRole
_SIZE = (640, 480)
_MARGIN = 24
"""Around the words of a row, px."""


class Picker(QDialog):
    """A list of images to open from; the window behind it stays alive.

    Arrow keys move, Shift and Ctrl choose several, Enter opens, Esc leaves.

    Parameters
    ----------
    place
        The file or URL.
    entries
        Its images; those that are another's uncertainty or mask come with that one.
    parent
        The widget over which it opens.
    """

    chosen = Signal(object)  # what names the HDUs, in the file's order

    def __init__(self, place: str, entries: Sequence[Entry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Images in {Address.of(place).name}")
        self.resize(*_SIZE)
        self._families = families(entries)
        self._build()
        self._thumbnails = Thumbnails(place, [entry.hdu for entry, _ in self._families])
        self._thumbnails.made.connect(self._show_thumbnail)
        self.finished.connect(self._thumbnails.stop)
        self._thumbnails.start()

    @property
    def hdus(self) -> tuple[int, ...]:
        """HDU numbers of the images that are selected."""
        return tuple(entry.hdu for entry in self._selected())

    @property
    def keys(self) -> tuple[HduKey, ...]:
        """What names them: by EXTNAME and EXTVER where these tell them apart."""
        entries = [entry for entry, _ in self._families]
        return tuple(_key(entry, entries) for entry in self._selected())

    def _selected(self) -> list[Entry]:
        rows = range(self.list.topLevelItemCount())
        chosen = {row for row in rows if self.list.topLevelItem(row).isSelected()}
        return [entry for row, (entry, _) in enumerate(self._families) if row in chosen]

    def _build(self) -> None:
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        for entry, companions in self._families:
            self.list.addTopLevelItem(_item(entry, companions))
        for number in range(len(_COLUMNS)):
            self.list.resizeColumnToContents(number)
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Open | buttons.Cancel)
        self.open_button = self.buttons.button(buttons.Open)
        self.open_button.setDefault(True)
        self.buttons.accepted.connect(self._open)
        self.buttons.rejected.connect(self.reject)
        self.list.itemDoubleClicked.connect(self._open)
        self.list.itemSelectionChanged.connect(self._judge)
        words = QLabel("Several images are in this file. Choose what to open.")
        words.setWordWrap(True)
        column = QVBoxLayout(self)
        for part in (words, self.list, self.buttons):
            column.addWidget(part)
        likeliest = next(
            (row for row, (entry, _) in enumerate(self._families) if entry.role == "science"), 0
        )
        self.list.setCurrentItem(self.list.topLevelItem(likeliest))
        self.list.setFocus()

    def _judge(self) -> None:
        count = len(self.hdus)
        self.open_button.setEnabled(count > 0)
        self.open_button.setText(f"Open {count} images" if count > 1 else "Open")

    def _open(self, *_: Any) -> None:
        keys = self.keys
        if keys:
            self.chosen.emit(keys)
            self.accept()

    def _show_thumbnail(self, hdu: int, picture: Any) -> None:
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item.data(0, _HDU) == hdu:
                item.setIcon(0, QIcon(pixmap(picture)))


def families(entries: Sequence[Entry]) -> list[tuple[Entry, tuple[Entry, ...]]]:
    """Each image with its uncertainty and mask, which have no row of their own."""
    told = Contents("image", tuple(entries))
    pairs = {
        entry.hdu: tuple(each for each in told.family(entry) if each is not None)
        for entry in entries
        if entry.role == "science"
    }
    companions = {each.hdu for pair in pairs.values() for each in pair}
    return [(entry, pairs.get(entry.hdu, ())) for entry in entries if entry.hdu not in companions]


def _key(entry: Entry, entries: Sequence[Entry]) -> HduKey:
    alike = [each for each in entries if each.name.upper() == entry.name.upper()]
    if entry.name and len(alike) == 1:
        return entry.name
    versions = [each.version for each in alike]
    return (entry.name, entry.version) if entry.name and _all_differ(versions) else entry.hdu


def _all_differ(numbers: Sequence[int]) -> bool:
    return len(set(numbers)) == len(numbers)


def _item(entry: Entry, companions: Sequence[Entry]) -> QTreeWidgetItem:
    name = entry.name or f"HDU {entry.hdu}"
    if entry.version != 1:
        name += f",{entry.version}"
    if companions:
        name += f"\nwith {' and '.join(f'{each.role} {each.name}' for each in companions)}"
    kind = entry.kind if entry.role in ("science", "other") else f"{entry.role}, {entry.kind}"
    item = QTreeWidgetItem([name, _size(entry), entry.unit or "–", kind])
    item.setData(0, _HDU, entry.hdu)
    lines = QFontMetrics(item.font(0))  # a hint of a size stands for words and thumbnail
    widest = max(lines.horizontalAdvance(line) for line in name.splitlines())
    item.setSizeHint(0, QSize(SIDE + widest + _MARGIN, max(SIDE, 2 * lines.height()) + 6))
    item.setToolTip(0, f"HDU {entry.hdu}")
    return item


def _size(entry: Entry) -> str:
    """Width × height, and how many planes: as people say it."""
    if entry.layout is None:
        return f"{entry.shape[0]} cells"
    height, width = entry.layout.size
    planes = f", {entry.count} planes" if entry.count > 1 else ""
    return f"{width} × {height} px{planes}"
