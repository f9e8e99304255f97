"""Hiding: known objects among the others, and what the vetter made of them."""

from __future__ import annotations

import math

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFormLayout, QPushButton, QSpinBox, QWidget

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.queuebox import row_of
from napari_astroseg.review.fakes import fakes
from napari_astroseg.review.planting import Skill

_USUAL, _MOST = 10, 1000


class Hiding(QObject):
    """The controls, and what they do with the desk that is followed.

    `hidden` asks for the list with that number to be opened anew, as its image is another now.
    """

    hidden = Signal(int)
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk: Desk | None = None
        self._planted: list[str] = []
        self.box = QWidget()
        self._build()
        self.follow(None)

    def follow(self, desk: Desk | None) -> None:
        """Work for this desk from now on; None for none."""
        self._desk, self._planted = desk, []
        self.told.setText("")
        if desk is not None:
            session = desk.session
            names, known = session.detections.names, session.known
            if any(known):
                rows = (row for row, truth in enumerate(known) if truth)
                self._planted = [names[row] for row in rows]
            desk.shown.connect(self._judge)
        self._judge()

    def hide(self) -> None:
        """Hide so many in the list and in the image, in the background."""
        desk = self._desk
        if desk is None:
            return
        session, counts = desk.session, (self.real.value(), self.empty.value())
        if not sum(counts):
            return
        placed, image = desk.placed, desk.image

        def plant() -> None:
            real, empty = fakes(
                session.detections, (placed.x, placed.y, placed.radius), image, counts
            )
            session.plant(real, empty)

        # Their places are not on the image that is shown: it is opened anew before any is.
        desk.do(plant, then=lambda: self.hidden.emit(session.list), shows=False)

    def tell(self) -> None:
        """Say what the vetter made of those that were hidden."""
        if self._desk is not None:
            self.told.setText(_spoken(self._desk.session.skill))

    @property
    def left(self) -> int:
        """Hidden ones of the queue without a verdict."""
        if self._desk is None:
            return 0
        session = self._desk.session
        wanted = (name for name in self._planted if session.place_of(name) is not None)
        return sum(name not in session.standing for name in wanted)

    def _build(self) -> None:
        self.real, self.empty = QSpinBox(), QSpinBox()
        for box, prefix, tip in (
            (self.real, "simulated: ", "Simulated objects: how many of them you accept"),
            (self.empty, "empty: ", "Places where nothing is: how many of them you accept"),
        ):
            box.setRange(0, _MOST)
            box.setValue(_USUAL)
            box.setPrefix(prefix)
            box.setToolTip(tip)
        self.go, self.how = QPushButton("Hide"), QPushButton("How I did")
        self.go.clicked.connect(lambda _=False: self.hide())
        self.how.clicked.connect(lambda _=False: self.tell())
        self.told = words()
        rows = QFormLayout(self.box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow(row_of(self.real, self.empty))
        rows.addRow(row_of(self.go, self.how))
        rows.addRow(self.told)

    def _judge(self) -> None:
        desk = self._desk
        lack = "" if desk is not None else "Nothing is being judged yet"
        again = "This list has hidden objects already" if self._planted else ""
        allow(
            self.go, lack or again,
            "Put simulated objects into a copy of the image, and both kinds into the list",
        )  # fmt: skip
        if not lack and not self._planted:
            lack = "Nothing is hidden in this list"
        left = self.left if not lack else 0
        if left:
            lack = "Some of the hidden ones are still to be judged"
        allow(self.how, lack, "Completeness and false alarms, by the objects that were hidden")


def _spoken(skill: Skill) -> str:
    def share(value: float) -> str:
        return f"{value:.0%}" if math.isfinite(value) else "unknown"

    return (
        f"Completeness {share(skill.completeness)} ({skill.accepted} of {skill.real} simulated "
        f"ones accepted); false alarms {share(skill.false_alarms)} ({skill.fooled} of "
        f"{skill.false} empty places)"
    )
