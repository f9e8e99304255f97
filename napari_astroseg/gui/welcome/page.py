"""WelcomePage: over the empty canvas: open something, go on where you were, or try a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.intake.drops import places_of
from napari_astroseg.gui.intake.recent import PROJECTS, Recent, called
from napari_astroseg.gui.sessions.slots import left_behind
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.welcome.offer import Offer
from napari_astroseg.gui.welcome.row import Row
from napari_astroseg.gui.welcome.samples import SAMPLES, SampleMaker
from napari_astroseg.projects.projectfile import ENDING

_MOST = 5


class WelcomePage(QScrollArea):
    """What there is to begin with; it covers a widget until a layer comes.

    Parameters
    ----------
    viewer
        Whose canvas is empty.
    covered
        The widget that it covers.
    """

    files_wanted = Signal()
    folder_wanted = Signal()
    project_wanted = Signal()
    places_wanted = Signal(object)
    keys_wanted = Signal()
    tour_wanted = Signal()

    def __init__(self, viewer: Any, covered: QWidget) -> None:
        super().__init__(covered)
        self._viewer = viewer
        self._waits: Callable[[], bool] = bool
        self._ties = Ties(self)
        self.samples = SampleMaker(self)
        self.samples.made.connect(self._open_sample)
        self.samples.refused.connect(self._say)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.offer = Offer()
        self.offer.taken.connect(self.tour_wanted)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(True)
        self.setAutoFillBackground(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        for name in ("inserted", "removed"):
            self._ties.tie(getattr(viewer.layers.events, name), self.judge)
        covered.installEventFilter(self)
        self.hide()

    def wait_for(self, busy: Callable[[], bool]) -> None:
        """Stay away while this says that something is being opened."""
        self._waits = busy

    def judge(self, _event: Any = None) -> None:
        """Show while nothing is open, hide as soon as something is."""
        wanted = not len(self._viewer.layers) and not self._waits()
        if wanted and self.isHidden():
            self._fill()
            self._cover()
            self.show()
            self.raise_()
        elif not wanted and not self.isHidden():
            self.hide()

    def shut_down(self) -> None:
        """The window goes."""
        self._ties.untie()
        self.samples.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Cover all of what is covered, whatever its size."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._cover()
        return bool(super().eventFilter(watched, event))

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """Take what a window of ours opens."""
        if places_of(event):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """Open what was dropped."""
        places = places_of(event)
        if places:
            event.acceptProposedAction()
            self.places_wanted.emit(places)

    def _cover(self) -> None:
        self.setGeometry(self.parentWidget().rect())

    def _fill(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(32, 24, 32, 24)
        title = QLabel("<h1>AstroSeg</h1>")
        hint = QLabel(
            "Drop FITS files, a folder of tiles, or a project here. Only what is shown is read."
        )
        hint.setWordWrap(True)
        self.told.setText("")
        self.told.setParent(None)
        self.offer.setParent(None)
        column.addWidget(title)
        column.addWidget(hint)
        column.addWidget(self.offer)
        self.offer.make()
        column.addWidget(self.told)
        grid = QGridLayout()
        grid.setHorizontalSpacing(32)
        grid.setVerticalSpacing(16)
        for at in (0, 1):
            grid.setColumnStretch(at, 1)
        parts = [("Begin", self._begin()), ("Samples", self._samples())]
        going_on, recent = self._going_on(), self._recent()
        if going_on:
            parts.insert(1, ("Go on where you were", going_on))
        if recent:
            parts.insert(2 if going_on else 1, ("Opened before", recent))
        for at, (heading, rows) in enumerate(parts):
            grid.addWidget(_group(heading, rows), at // 2, at % 2, Qt.AlignmentFlag.AlignTop)
        column.addLayout(grid)
        column.addStretch(1)
        self.setWidget(inside)

    def _begin(self) -> list[Row]:
        return [
            Row(
                "Open FITS images…", "Files on this machine (Ctrl+Shift+F)", self.files_wanted.emit
            ),
            Row("Open a folder…", "Tiles of a mosaic, or a HiPS", self.folder_wanted.emit),
            Row("Open a project…", "What was saved before", self.project_wanted.emit),
            Row("Take the tour", "A few steps on a simulated sky", self.tour_wanted.emit),
            Row("Keys", "All keys and what they do (?)", self.keys_wanted.emit),
        ]

    def _going_on(self) -> list[Row]:
        rows = []
        for left in left_behind()[:_MOST]:
            ended = "Closed without being saved" if left.closed else "It ended unexpectedly"
            words = f"{left.words}  ({left.when:%d %b, %H:%M})"
            call = partial(self._open, (str(left.path),))
            rows.append(Row(words, f"{left.words}\n{ended}", call))
        for places in Recent(name=PROJECTS).groups()[:_MOST]:
            name = called(places).removesuffix(ENDING)
            rows.append(Row(name, places[0], partial(self._open, places)))
        return rows

    def _recent(self) -> list[Row]:
        groups = Recent().groups()[:_MOST]
        return [
            Row(called(each), "\n".join(each[:8]), partial(self._open, each)) for each in groups
        ]

    def _samples(self) -> list[Row]:
        rows = []
        for sample in SAMPLES:
            row = Row(sample.name, sample.shows, partial(self._make, sample))
            allow(row, sample.lack, f"{sample.shows}. Simulated, with known truth")
            rows.append(row)
        return rows

    def _open(self, places: Sequence[str]) -> None:
        self._say("Opening …")
        self.places_wanted.emit(list(places))

    def _make(self, sample: Any) -> None:
        self._say(f"Making up a sky: {sample.name.lower()} …")
        self.samples.make(sample)

    def _open_sample(self, paths: list[Path]) -> None:
        self._open([str(path) for path in paths])

    def _say(self, sentence: str) -> None:
        self.told.setText(sentence)


def _group(heading: str, rows: Sequence[QWidget]) -> QWidget:
    group = QWidget()
    column = QVBoxLayout(group)
    column.setContentsMargins(0, 0, 0, 0)
    title = QLabel(heading)
    font = title.font()
    font.setBold(True)
    title.setFont(font)
    column.addWidget(title)
    for row in rows:
        column.addWidget(row)
    return group
