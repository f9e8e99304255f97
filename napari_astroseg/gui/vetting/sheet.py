"""ContactSheet: many detections as stamps; what is flagged gets one verdict, the rest another.

Every picture of the same sky is shown beside the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QKeySequence, QPainter, QPen
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.datasets.stampgrid import pixmap
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.rings import COLOURS
from napari_astroseg.gui.vetting.stamps import Picture, Source, stamp
from napari_astroseg.review.entry import Verdict

SIDE = 96
"""Of a stamp on the screen, px."""
_CAPTION = 18
_MOST_PICTURES = 4
_COUNTS = (25, 49, 100)
_VERDICTS: dict[str, str] = {"not": "not", "unsure": "unsure", "real": "real", "": "nothing yet"}


class ContactSheet(QWidget):
    """A window of stamps, a page of the queue at a time.

    Parameters
    ----------
    desk
        Whose queue it is.
    layers
        Pictures of the sky, the image that is judged first.
    """

    def __init__(self, desk: Desk, layers: Sequence[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Contact sheet")
        self._desk = desk
        found = [Source.of(layer) for layer in layers[:_MOST_PICTURES]]
        self._sources = [source for source in found if source is not None]
        self._start = 0
        self._rows: list[int] = []
        self._pictures: list[Picture] = []
        self._work = Latest(self)
        self._build()
        self._work.answered.connect(self._came)
        self._work.refused.connect(self.notice.say)
        desk.shown.connect(self._caption)
        self.turn_to(desk.session.place)

    @property
    def busy(self) -> bool:
        """Whether stamps are being made."""
        return self._work.busy

    @property
    def flagged(self) -> set[int]:
        """Which stamps of the page are."""
        items = (self.stamps.item(at) for at in range(self.stamps.count()))
        return {at for at, item in enumerate(items) if item.data(Qt.ItemDataRole.UserRole)}

    def turn_to(self, place: int) -> None:
        """Show the page that begins at a place of the queue."""
        queue = self._desk.session.queue
        self._start = max(0, min(place, len(queue) - 1))
        self._rows = list(queue[self._start : self._start + self._count])
        places = [self._desk.place_of(row) for row in self._rows]
        self.stamps.clear()
        self.told.setText(f"{len(places)} stamps are being made …")
        self._judge()
        self._work.ask(partial(_made, self._sources, self._rows, places))

    def turn(self, pages: int) -> None:
        """Turn the page, on or back."""
        self.turn_to(max(0, self._start + pages * self._count))

    def flip(self, item: QListWidgetItem | None = None) -> None:
        """Flag a stamp, or no more."""
        item = item or self.stamps.currentItem()
        if item is not None:
            item.setData(Qt.ItemDataRole.UserRole, not item.data(Qt.ItemDataRole.UserRole))
            self._caption()

    def judge_page(self) -> None:
        """Write down what the page says, and turn it; only what can be seen is judged."""
        if not self.keep.isEnabled():
            return
        names = self._desk.session.detections.names
        marked, others = self._chosen(self.flag), self._chosen(self.rest)
        flagged = self.flagged
        given = [
            (names[row], marked if at in flagged else others) for at, row in enumerate(self._rows)
        ]
        verdicts = [(name, cast(Verdict, verdict)) for name, verdict in given if verdict]
        if verdicts and not self._desk.judge_many(verdicts):
            self.notice.say("Other verdicts are still being written down; keep this page again")
            return
        self.notice.clear()
        self.turn(1)

    def closeEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """Make no more stamps."""
        self._work.wait()
        super().closeEvent(event)

    @property
    def _count(self) -> int:
        return _COUNTS[self.many.currentIndex()]

    def _chosen(self, box: QComboBox) -> str:
        return list(_VERDICTS)[box.currentIndex()]

    def _build(self) -> None:
        self.many, self.flag, self.rest = QComboBox(), QComboBox(), QComboBox()
        self.many.addItems([f"{count} at once" for count in _COUNTS])
        self.many.setToolTip("Stamps on a page")
        self.many.currentIndexChanged.connect(lambda _: self.turn_to(self._start))
        for box, words, chosen in (
            (self.flag, "What flagged ones are", 0),
            (self.rest, "What all others on the page are", 2),
        ):
            box.addItems(list(_VERDICTS.values()))
            box.setCurrentIndex(chosen)
            box.setToolTip(words)
            box.currentIndexChanged.connect(lambda _: self._caption())
        self.back, self.on = QPushButton("◀"), QPushButton("▶")
        self.keep = QPushButton("Keep page  Enter")
        for button, call in (
            (self.back, partial(self.turn, -1)),
            (self.on, partial(self.turn, 1)),
            (self.keep, self.judge_page),
        ):
            button.clicked.connect(lambda _=False, call=call: call())
        self.told = QLabel()
        self.notice = Notice()
        self.stamps = QListWidget()
        self.stamps.setViewMode(QListView.ViewMode.IconMode)
        self.stamps.setResizeMode(QListView.ResizeMode.Adjust)
        self.stamps.setMovement(QListView.Movement.Static)
        self.stamps.setUniformItemSizes(True)
        width = max(1, len(self._sources)) * (SIDE + 2)
        self.stamps.setIconSize(QSize(width, SIDE))
        self.stamps.setGridSize(QSize(width + 8, SIDE + _CAPTION + 8))
        self.stamps.setToolTip(
            "Click a stamp, or go there by the arrows and press Space, to flag it"
        )
        self.stamps.itemClicked.connect(self.flip)
        for key, call in (("Return", self.judge_page), ("Space", self.flip)):
            QShortcut(QKeySequence(key), self).activated.connect(lambda call=call: call())
        row = QHBoxLayout()
        for part in (
            *(self.many, QLabel("flagged:"), self.flag, QLabel("others:"), self.rest),
            *(self.back, self.on, self.keep),
        ):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.notice)
        column.addWidget(self.stamps, 1)
        column.addWidget(self.told)
        self.resize(1000, 800)

    def _came(self, answer: tuple[list[int], list[Picture]]) -> None:
        rows, pictures = answer
        if rows is not self._rows:
            return  # of a page that was left meanwhile
        self._pictures = pictures
        self.stamps.clear()
        for _ in pictures:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, False)
            self.stamps.addItem(item)
        self._caption()

    def _caption(self) -> None:
        """Show names, frames and verdicts of the page as they are now."""
        session = self._desk.session
        flagged = self.flagged
        for at, row in enumerate(self._rows[: self.stamps.count()]):
            name = session.detections.names[row]
            entry = session.standing.of(name)
            verdict = "" if entry is None else str(entry.verdict)
            if at in flagged:
                verdict = self._chosen(self.flag)
            item = self.stamps.item(at)
            item.setText(name)
            item.setToolTip(f"{name}: {'flagged' if at in flagged else verdict or 'no verdict'}")
            item.setIcon(_framed(self._pictures[at], verdict))
        end = self._start + len(self._rows)
        total = len(session.queue)
        self.told.setText(f"{self._start + 1:,} to {end:,} of {total:,}; {len(flagged)} flagged")
        self._judge()

    def _judge(self) -> None:
        end = self._start + len(self._rows)
        last = end >= len(self._desk.session.queue)
        allow(self.back, "" if self._start else "This is the first page", "The page before")
        allow(self.on, "This is the last page" if last else "", "The next page, without verdicts")
        waiting = "The stamps are being made" if not self.stamps.count() else ""
        allow(self.keep, waiting, "Write down the verdicts of this page, and turn it")


def _made(
    sources: Sequence[Source], rows: list[int], places: Sequence[Any]
) -> tuple[list[int], list[Picture]]:
    return rows, [stamp(sources, place, SIDE) for place in places]


def _framed(picture: Picture, verdict: str) -> QIcon:
    """A stamp with a frame in the colour of its verdict."""
    drawn = pixmap(picture)
    if verdict:
        painter = QPainter(drawn)
        painter.setPen(QPen(QColor(COLOURS[verdict]), 6))
        painter.drawRect(drawn.rect())
        painter.end()
    return QIcon(drawn)
