"""SourceList: what can be brought onto the reference, found by arrow keys and a few letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.brought import compared
from napari_astroseg.gui.comparing.kinds import is_picture
from napari_astroseg.gui.comparing.written import kept_tip, survey_tip
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.surveys.kept import KeptField, kept_fields
from napari_astroseg.sky.surveys.survey import surveys

OPEN, KEPT = "Open in this window", "Kept on this machine"
_THING = Qt.ItemDataRole.UserRole
_ARROWS = (Qt.Key.Key_Down, Qt.Key.Key_Up)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LEAST_HEIGHT = 190
_FILTER_TIP = (
    "Letters of a name, a wavelength or a telescope; several words must all be there.\n"
    "↓ goes to the list, Enter shows what is selected"
)
_LAYER_TIP = "Show this image on the reference's pixels, in a layer of its own"


class SourceList(QWidget):
    """Images that are open, surveys, and fields that have been fetched before.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    wanted = Signal(object)  # a Survey, a KeptField or a layer
    changed = Signal()  # what is selected
    refused = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._reference: Any = None
        self._kept = Latest(self)
        self._ties, self._names = Ties(self), Ties(self)
        self._build()
        for name in ("inserted", "removed"):
            self._ties.tie(getattr(self._viewer.layers.events, name), self._list_layers)
        self._kept.answered.connect(self._list_kept)
        self._kept.refused.connect(self.refused)
        self._list_layers()
        self.look_for_kept()

    @property
    def chosen(self) -> Any:
        """The Survey, KeptField or layer that is selected; None for none."""
        item = self.tree.currentItem()
        return None if item is None or item.isHidden() else item.data(0, _THING)

    @property
    def kept(self) -> int:
        """How many fields are kept."""
        return int(self._group(KEPT).childCount())

    def want(self) -> None:
        """Ask for what is selected."""
        thing = self.chosen
        if thing is not None:
            self.wanted.emit(thing)

    def set_reference(self, layer: Any) -> None:
        """Offer no longer this layer, which is what others are brought onto."""
        if layer is not self._reference:
            self._reference = layer
            self._list_layers()

    def look_for_kept(self) -> None:
        """List the kept fields anew; the folder is read off this thread."""
        self._kept.ask(kept_fields)

    def show_kept(self) -> None:
        """Bring the kept fields into sight, if there are any."""
        group = self._group(KEPT)
        if group.childCount():
            self.tree.scrollToItem(group, QTreeWidget.ScrollHint.PositionAtTop)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._names.untie()
        self._kept.wait()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Arrow keys go from the filter's line to the list; there Enter asks.

        Qt's own "activated" is a single click on some desktops, which is no question yet.
        """
        pressed = event.key() if event.type() == QEvent.Type.KeyPress else None
        if watched is self.filter and pressed in _ARROWS:
            self.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
        if watched is self.tree and pressed in _ENTER:
            self.want()
            return True
        return bool(super().eventFilter(watched, event))

    def _build(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("filter: 8 µm, 2MASS, Herschel …")
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip(_FILTER_TIP)
        self.filter.textChanged.connect(self._sift)
        self.filter.returnPressed.connect(self.want)
        self.filter.installEventFilter(self)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setMinimumHeight(_LEAST_HEIGHT)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setToolTip("↑ ↓ move, Enter or a double click shows what is selected")
        self.tree.itemDoubleClicked.connect(lambda *_: self.want())
        self.tree.installEventFilter(self)
        self.tree.currentItemChanged.connect(lambda *_: self.changed.emit())
        self._add_group(OPEN)
        for each in surveys():
            group = each.group[:1].upper() + each.group[1:]
            self._add(self._group(group), each.name, survey_tip(each), each)
        self._add_group(KEPT)
        self._show_groups()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.filter)
        column.addWidget(self.tree)

    def _groups(self) -> Iterable[QTreeWidgetItem]:
        return [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]

    def _group(self, name: str) -> QTreeWidgetItem:
        found = (each for each in self._groups() if each.text(0) == name)
        return next(found, None) or self._add_group(name)

    def _add_group(self, name: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self.tree, [name])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setExpanded(True)
        return group

    def _add(self, group: QTreeWidgetItem, title: str, tip: str, thing: Any) -> QTreeWidgetItem:
        item = QTreeWidgetItem(group, [title])
        item.setToolTip(0, tip)
        item.setData(0, _THING, thing)
        return item

    def _list_layers(self, _event: Any = None) -> None:
        self._names.untie()
        found = [bare(each) for each in self._viewer.layers if _comparable(each)]
        found = [each for each in found if each is not self._reference]
        for layer in found:
            self._names.tie(layer.events.name, self._list_layers)
        self._relist(OPEN, [(layer.name, _LAYER_TIP, layer) for layer in found])

    def _list_kept(self, found: Iterable[KeptField]) -> None:
        names = ((each, f"{each.survey.name}: {each.field.words}") for each in found)
        self._relist(KEPT, [(name, kept_tip(each), each) for each, name in names])

    def _relist(self, name: str, rows: Iterable[tuple[str, str, Any]]) -> None:
        """Fill a group anew; what was selected in it stays selected."""
        group, before = self._group(name), self.chosen
        with QSignalBlocker(self.tree):
            if self.tree.currentItem() is not None and self.tree.currentItem().parent() is group:
                self.tree.setCurrentItem(None)  # Qt would turn to a neighbour
            group.takeChildren()
            for title, tip, thing in rows:
                item = self._add(group, title, tip, thing)
                if before is not None and thing == before:
                    self.tree.setCurrentItem(item)
        self._sift()

    def _sift(self, _text: str = "") -> None:
        """Show what all words of the filter fit; select the first of these."""
        words = self.filter.text().casefold().split()
        first: QTreeWidgetItem | None = None
        for group in self._groups():
            for row in range(group.childCount()):
                item = group.child(row)
                told = f"{group.text(0)} {item.text(0)} {item.toolTip(0)}".casefold()
                item.setHidden(not all(word in told for word in words))
                first = first or (None if item.isHidden() else item)
        current = self.tree.currentItem()
        if words and (current is None or current.isHidden()) and first is not None:
            self.tree.setCurrentItem(first)
        self._show_groups()
        self.changed.emit()

    def _show_groups(self) -> None:
        for group in self._groups():
            items = (group.child(row) for row in range(group.childCount()))
            group.setHidden(all(item.isHidden() for item in items))


def _comparable(layer: Any) -> bool:
    """Whether a layer is an image in its own right, and was not brought here."""
    return is_picture(layer) and not layer.rgb and compared(layer) is None
