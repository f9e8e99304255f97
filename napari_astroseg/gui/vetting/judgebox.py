"""JudgeBox: what is looked at, the verdicts, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.progress import CalmBar
from napari_astroseg.gui.vetting.actions import ACTIONS
from napari_astroseg.gui.vetting.queuebox import narrow
from napari_astroseg.review.detections import Detection
from napari_astroseg.review.entry import MOST_STARS, VERDICTS, Entry
from napari_astroseg.review.queue import Done

_TITLES = {
    "real": "Real", "not": "Not", "unsure": "Unsure", "reclassify": "Other kind",
    "duplicate": "Duplicate", "revise": "Revise", "again": "Same again", "previous": "◀",
    "next": "▶", "unjudged": "▶ open", "undo": "Undo", "redo": "Redo",
}  # fmt: skip
_MEANT = {action.name: action.meaning for action in ACTIONS}


class JudgeBox(QWidget):
    """Buttons for all that can be said of a detection.

    `wanted` carries the name of an action.
    """

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons = {name: QPushButton() for name in _TITLES}
        for name, button in self.buttons.items():
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the picture
            button.clicked.connect(lambda _=False, name=name: self.wanted.emit(name))
        self._build()
        self.show_keys({})
        self.show_none("Nothing is being judged yet")

    @property
    def kind(self) -> str:
        """What it is instead."""
        return str(self.kinds.currentText()).strip()

    @property
    def same_as(self) -> str:
        """Which it is a duplicate of."""
        return str(self.others.currentText())

    @property
    def tags(self) -> tuple[str, ...]:
        """Words, separated by commas."""
        return tuple(filter(None, (word.strip() for word in self.tag_line.text().split(","))))

    @property
    def note(self) -> str:
        """Free words."""
        return str(self.note_line.text()).strip()

    @property
    def rating(self) -> int | None:
        """Stars; None for none."""
        return self.stars.currentIndex() or None

    @property
    def fitted(self) -> bool:
        """Whether each is zoomed to."""
        return bool(self.zoom.currentIndex() == 1)

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Show the keys of the actions on their buttons."""
        for name, button in self.buttons.items():
            key = keys.get(name, "").replace("Control-", "Ctrl+").replace("-", "+")
            button.setText(f"{_TITLES[name]}  {key}" if key else _TITLES[name])

    def show_none(self, why: str) -> None:
        """There is nothing to judge, and why."""
        self.title.setText(why)
        self.told.setText("")
        self.bar.show_state(0, 1, "")
        for button in self.buttons.values():
            allow(button, why, "")

    def show_one(
        self,
        detection: Detection,
        place: str,
        given: Entry | None,
        neighbours: Sequence[str],
        on_image: bool,
    ) -> None:
        """Show what is looked at, and what was said of it before."""
        self.title.setText(f"{detection.name}   {place}")
        told = [] if on_image else ["it lies off the image"]
        told += _known(detection)
        if detection.kind:
            told.append(detection.kind)
        if given is not None:
            told.append(f"you said: {given.verdict}{f' {given.kind}' if given.kind else ''}")
        self.told.setText(" · ".join(told))
        with QSignalBlocker(self.others):
            self.others.clear()
            self.others.addItems(list(neighbours))
        self.tag_line.setText("" if given is None else ", ".join(given.tags))
        self.note_line.setText("" if given is None else given.note)
        self.stars.setCurrentIndex(0 if given is None else given.rating or 0)
        for name in (*VERDICTS, "previous", "next", "unjudged"):
            allow(self.buttons[name], "", _MEANT[name])
        lack = "" if neighbours else "There is no other near"
        allow(self.buttons["duplicate"], lack, _MEANT["duplicate"])
        if not on_image:
            allow(self.buttons["revise"], "It lies off the image", "")

    def show_others(self, given: Mapping[str, Entry]) -> None:
        """Show what others said of the one that is shown."""
        said = ", ".join(f"{who}: {entry.verdict}" for who, entry in given.items())
        self.others_say.setText(said)
        self.others_say.setVisible(bool(said))

    def show_history(self, last: Entry | None, undone: Entry | None) -> None:
        """Offer to take back and to repeat what there is."""
        lacks = {"undo": "No verdict to take back", "redo": "Nothing was taken back"}
        for name, entry in (("undo", last), ("redo", undone)):
            allow(self.buttons[name], "" if entry else lacks[name], _spoken(name, entry))
        once = last is not None and last.verdict in ("duplicate", "revise")
        lack = "" if last is not None and not once else "No verdict that can be repeated"
        allow(self.buttons["again"], lack, _spoken("again", last))

    def show_done(self, done: Done) -> None:
        """Show how far the queue is."""
        counts = ", ".join(f"{count:,} {word}" for word, count in done.counts.items() if count)
        text = f"{done.judged:,} of {done.total:,}"
        self.bar.show_state(done.judged, max(1, done.total), text)
        self.counts.setText(counts)

    def show_kinds(self, kinds: Sequence[str]) -> None:
        """Offer kinds to call something else by."""
        chosen = self.kinds.currentText()
        with QSignalBlocker(self.kinds):
            self.kinds.clear()
            self.kinds.addItems(list(kinds))
            self.kinds.setCurrentText(chosen)

    def _build(self) -> None:
        self.title, self.told, self.counts = QLabel(), words(), words()
        self.others_say = words()
        self.others_say.hide()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setStyleSheet("font-weight: bold;")
        self.bar = CalmBar()
        self.bar.setToolTip("Verdicts of yours in this queue")
        self.kinds, self.others = QComboBox(), QComboBox()
        self.kinds.setEditable(True)
        self.kinds.lineEdit().setPlaceholderText("what it is instead")
        self.kinds.setToolTip("The kind that “Other kind” writes down")
        self.others.setToolTip("The one that “Duplicate” names; the nearest first")
        self.tag_line, self.note_line = QLineEdit(), QLineEdit()
        self.tag_line.setPlaceholderText("tags, separated by commas")
        self.tag_line.setToolTip("Short words that go with the verdict, to be searched for later")
        self.note_line.setPlaceholderText("a note")
        self.note_line.setToolTip("Why: goes with the verdict")
        self.stars = QComboBox()
        self.stars.addItems(["no rating", *("★" * n for n in range(1, MOST_STARS + 1))])
        self.stars.setToolTip("How good an example it is")
        self.zoom = QComboBox()
        self.zoom.addItems(["keep the zoom", "fit each"])
        self.zoom.setToolTip("How near the next one is looked at")
        grid = QGridLayout()
        places = {
            "real": (0, 0), "not": (0, 1), "unsure": (0, 2), "reclassify": (1, 0),
            "duplicate": (2, 0), "revise": (3, 0), "again": (3, 1), "undo": (4, 0), "redo": (4, 1),
            "previous": (5, 0), "next": (5, 1), "unjudged": (5, 2),
        }  # fmt: skip
        for name, (row, column) in places.items():
            grid.addWidget(self.buttons[name], row, column)
        grid.addWidget(self.kinds, 1, 1, 1, 2)
        grid.addWidget(self.others, 2, 1, 1, 2)
        grid.addWidget(self.zoom, 3, 2)
        grid.addWidget(self.stars, 4, 2)
        for box in (self.kinds, self.others, self.stars, self.zoom):
            narrow(box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.title, self.told, self.others_say):
            column.addWidget(part)
        column.addLayout(grid)
        for part in (self.tag_line, self.note_line, self.bar, self.counts):
            column.addWidget(part)


def _known(detection: Detection) -> list[str]:
    """Its numbers in words, as far as there are any."""
    unit = "″" if detection.unit == "arcsec" else " px"
    told = {"score {:.3g}": detection.score, "± {:.3g}": detection.uncertainty}
    told["radius {:.3g}" + unit] = detection.radius
    return [words.format(value) for words, value in told.items() if math.isfinite(value)]


def _spoken(name: str, entry: Any) -> str:
    said = f" ({entry.verdict} of {entry.detection})" if entry is not None else ""
    return f"{_MEANT[name]}{said}"
