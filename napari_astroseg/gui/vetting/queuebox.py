"""QueueBox: which of the detections come, in which order, and how a team shares them."""

from __future__ import annotations

import math
from typing import Any, Literal, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.settings import remember, remembered
from napari_astroseg.gui.vetting.queuewish import QueueWish
from napari_astroseg.review.orders import ORDERS, Order
from napari_astroseg.review.wanted import UNJUDGED

_ORDERS = {
    "list": "as in the file",
    "score": "score, the highest first",
    "uncertainty": "the most unsure first",
    "novelty": "the least known first",
    "sky": "along the sky",
    "random": "at random",
    "useful": "the most useful to learn from",
}
_SHOWN = {
    "": "all",
    UNJUDGED: "without a verdict",
    "unsure": "those I was unsure of",
    "real": "those I called real",
    "not": "those I called nothing",
    "reclassify": "those I called something else",
    "duplicate": "those I called duplicates",
    "revise": "those that I revised",
}
_NOVELTY = {"": "known and new", "new": "new ones", "known": "known ones"}


class QueueBox(QWidget):
    """Controls; `arranged` says that the queue is to be dealt anew, `here` asks for the view."""

    arranged = Signal()
    here = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._build()
        self.judge(False)

    def wish(self) -> QueueWish:
        """What the controls say.

        Raises
        ------
        VettingError
            When one of them should hold a number, and does not.
        """
        shown = list(_SHOWN)[self.shown.currentIndex()]
        team = tuple(dict.fromkeys(map(_name, filter(_name, self.team.text().split(",")))))
        remember("vetting team", ", ".join(team))
        low, high = _number(self.lowest, "lowest score"), _number(self.highest, "highest score")
        least, most = _number(self.least, "least size"), _number(self.most, "largest size")
        return QueueWish(
            order=cast(Order, ORDERS[self.order.currentIndex()]),
            verdicts=(shown,) if shown else (),
            tags=tuple(filter(None, (word.strip() for word in self.tags.text().split(",")))),
            scores=(float("-inf") if low is None else low, float("inf") if high is None else high),
            radii=(0.0 if least is None else least, float("inf") if most is None else most),
            novelty=cast(Literal["", "known", "new"], list(_NOVELTY)[self.novelty.currentIndex()]),
            within_arcsec=float(self.within.value()),
            reference=self.reference.text().strip(),
            region=self.region.text().strip(),
            team=team,
            overlap=self.overlap.value(),
        )

    def judge(self, opened: bool) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        closed = "" if opened else "Nothing is being judged yet"
        allow(self.arrange, closed, "Deal the queue anew, in this order and with these")
        allow(self.in_view, closed, "The part of the sky that is in view now")

    def show_unit(self, unit: str) -> None:
        """Say what sizes are in."""
        word = "″" if unit == "arcsec" else "pixels"
        for line in (self.least, self.most):
            line.setToolTip(f"Radius in {word}; those of unknown size come in any case")

    def _build(self) -> None:
        self.order, self.shown, self.novelty = QComboBox(), QComboBox(), QComboBox()
        for box, words, tip in (
            (self.order, [_ORDERS[name] for name in ORDERS], "Which come first"),
            (self.shown, [*_SHOWN.values()], "Which come at all, by your own verdicts"),
            (self.novelty, [*_NOVELTY.values()], "Held against the catalogue of what is known"),
        ):
            box.addItems(words)
            box.setToolTip(tip)
            narrow(box)
        self.shown.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.lowest, self.highest = _line("from"), _line("to")
        for line in (self.lowest, self.highest):
            line.setToolTip("Score; those without one come in any case")
        self.least, self.most = _line("from"), _line("to")
        self.show_unit("arcsec")
        self.tags = _line("any of these tags", "Only those to which you gave one of these tags")
        self.reference = _line(
            "catalogue of what is known",
            "For the least known first, and for known and new ones: ECSV, CSV, FITS, VOTable, DS9",
        )
        self.within = QDoubleSpinBox()
        self.within.setRange(0.1, 36_000.0)
        self.within.setValue(60.0)
        self.within.setSuffix(" ″")
        self.within.setToolTip("As near as this to a known one it is the same")
        self.region = _line(
            "a place and a radius", "Only this part of the sky, such as: 30.2 0.1 20'"
        )
        self.in_view = QPushButton("In view")
        self.in_view.clicked.connect(lambda _=False: self.here.emit())
        self.team = _line(
            "names, separated by commas",
            "Who shares the list, you among them: each judges a part; empty: everyone judges all",
        )
        self.team.setText(remembered("vetting team", ""))
        self.overlap = QSpinBox()
        self.overlap.setRange(1, 20)
        self.overlap.setPrefix("each by ")
        self.overlap.setToolTip("How many of the team judge each detection")
        self.arrange = QPushButton("Arrange")
        self.arrange.clicked.connect(lambda _=False: self.arranged.emit())
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Order", row_of(self.order, self.arrange))
        rows.addRow("Show", row_of(self.shown, self.tags))
        rows.addRow("Score", row_of(self.lowest, self.highest))
        rows.addRow("Size", row_of(self.least, self.most))
        rows.addRow("Known", row_of(self.novelty, self.within))
        rows.addRow("", self.reference)
        rows.addRow("Region", row_of(self.region, self.in_view))
        rows.addRow("Team", row_of(self.team, self.overlap))


def narrow(box: QComboBox) -> None:
    """Let a list be narrower than its longest word."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)


def row_of(*widgets: QWidget) -> QWidget:
    """Controls beside each other, the first as wide as there is room."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        line.addWidget(widget)
    return row


def _line(hint: str, tip: str = "") -> QLineEdit:
    line = QLineEdit()
    line.setPlaceholderText(hint)
    line.setToolTip(tip)
    return line


def _name(told: str) -> str:
    return " ".join(told.split())


def _number(line: Any, what: str) -> float | None:
    """What a line says; None where it says nothing."""
    text = line.text().strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if math.isnan(value):
        raise VettingError(f"{text!r} is no {what}; write a number, or nothing")
    return value
