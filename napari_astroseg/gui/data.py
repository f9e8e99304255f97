"""DataDock: a folder to learn from, looked over before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.events import Event, Preparing
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import AstroSegError, JobFailed, OutputError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.datasets import dockstate
from napari_astroseg.gui.datasets.cardview import CardView
from napari_astroseg.gui.datasets.dockstate import DataState
from napari_astroseg.gui.datasets.nonbubbles import NonBubbles
from napari_astroseg.gui.datasets.stampgrid import StampGrid
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.datasets.card import DatasetCard, LayoutName
from napari_astroseg.sky.files.writing import replacing

TARGET = "napari_astroseg.engine.lookover:look_over"

PRESETS = {
    "four_maps": "filaments_small",
    "gz3d": "spiral_arms_small",
    "blended": "blended_galaxies_small",
    "astro_rcnn": "astro_rcnn_small",
    "bubbles": "bubbles_small",
}
"""The recipe that a laptop can learn from a folder of each layout."""

_ANY = "as it looks"


class DataDock(QWidget):
    """One folder at a time, checked in a process of its own.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in. Nothing is put into it.
    target
        The check by name, `module:function`.
    """

    State = DataState

    def __init__(self, napari_viewer: Any = None, target: str = TARGET) -> None:
        super().__init__()
        self._target = target
        self._engines, self._proposals = Engines(self), Proposals(self)
        self._job: Job | None = None
        self.card: DatasetCard | None = None
        self._folder: Path | None = None
        self._make_controls()
        self._lay_out()
        self._connect()
        self._show(None, [], [])
        self._judge()

    @property
    def busy(self) -> bool:
        """Whether a folder is being looked over."""
        return self._job is not None

    def state(self, places: Places) -> DataState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: DataState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def look_over(self) -> None:
        """Check the folder that is named."""
        folder = self.folder.path()
        if folder is None or self._job is not None:
            return
        layout = (
            None if self.layout_choice.currentIndex() == 0 else self.layout_choice.currentText()
        )
        self._folder = folder
        self._show(None, [], [])
        self.progress.begin(f"Looking over {folder.name} …")
        call = Call(self._target, (folder, layout, self.threshold.value()))
        job = self._job = self._engines.start(call, own_process=True)
        job.event.connect(self._hear)
        job.finished.connect(self._found)
        job.failed.connect(self._failed)
        job.stopped.connect(lambda: self._end("Stopped."))
        self._judge()

    def stop(self) -> None:
        """Look no farther."""
        if self._job is not None:
            self.progress.say("Stopping …")
            self._job.cancel()

    def train(self) -> None:
        """Propose to Train what can be learnt from this folder."""
        if self.card is None or self._folder is None:
            return
        recipe = Recipe.preset(PRESETS[self.card.layout])
        if self.card.layout == "gz3d":
            recipe = recipe.replace(data__threshold=int(self.card.settings["threshold"]))
        try:
            self._proposals.make(recipe, self._folder)
        except OutputError as error:
            self.progress.say(str(error), trouble=True)
            return
        self.progress.say(f"{recipe.name} on {self._folder.name} is in the Train dock now")

    def save_card(self, path: Path) -> None:
        """Write the card as JSON."""
        if self.card is None:
            return
        try:
            with replacing(path) as temporary:
                temporary.write_text(self.card.to_json() + "\n", encoding="utf-8")
        except AstroSegError as error:
            self.progress.say(str(error), trouble=True)
        else:
            self.progress.say(f"The card is in {path}")

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        self._engines.close()
        self._job = None
        self.non_bubbles.untie()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _make_controls(self) -> None:
        self.folder = FolderField("Choose a folder to learn from", "folder of images with truth")
        self.go = QPushButton("Look over")
        self.folder.add(self.go)
        self.layout_choice = QComboBox()
        self.layout_choice.addItems([_ANY, *get_args(LayoutName)])
        self.layout_choice.setToolTip("Whose layout the folder is in; usually it can be told")
        self.threshold = QSpinBox()
        self.threshold.setRange(1, 100)
        self.threshold.setValue(3)
        self.threshold.setSuffix(" votes")
        self.threshold.setToolTip("Votes from which a pixel of Galaxy Zoo 3D belongs to a class")
        self.progress = ProgressLine()
        self.view, self.stamps, self.findings = CardView(), StampGrid(), QListWidget()
        self.findings.setWordWrap(True)
        self.findings.setToolTip("What is wrong, and where; what is left out comes first")
        self.non_bubbles = NonBubbles(self._engines)
        self.save, self.learn = QPushButton("Save card…"), QPushButton("Train on this")

    def _lay_out(self) -> None:
        rows = QFormLayout()
        rows.addRow("Folder", self.folder)
        rows.addRow("Layout", self.layout_choice)
        rows.addRow("Threshold", self.threshold)
        buttons = QHBoxLayout()
        buttons.addWidget(self.learn)
        buttons.addWidget(self.save)
        self.wrong = Fold("What is wrong", self.findings)
        self.beside = Fold("Non-bubbles", self.non_bubbles)
        inside, area = QWidget(), QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        whole, column = QVBoxLayout(self), QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        column.addLayout(rows)
        column.addWidget(self.progress)
        column.addWidget(self.view)
        column.addWidget(self.stamps, 3)
        column.addWidget(self.wrong, 1)
        column.addWidget(self.beside)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.go.clicked.connect(lambda _: self.look_over())
        self.folder.entered.connect(self.look_over)
        self.folder.changed.connect(self._judge)
        self.progress.stopped.connect(self.stop)
        self.learn.clicked.connect(lambda _: self.train())
        self.save.clicked.connect(lambda _: self._ask_where())

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        folder = self.folder.path()
        lack = "" if folder is not None and folder.is_dir() else "Name a folder first"
        if self._job is not None:
            lack = "A folder is being looked over: wait, or cancel that"
        allow(self.go, lack, "Read every image once; tell what there is and what is wrong")
        unknown = "" if self.card is not None else "Look a folder over first"
        allow(self.save, unknown, "Save what is told here as JSON")
        if self.card is not None and not self.card.items:
            unknown = "Nothing in this folder can be learnt from"
        allow(self.learn, unknown, "Show a recipe for this folder in the Train dock")

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preparing):
            if event.total:
                self.progress.advance(event.done, event.total, "images")
            self.progress.say(f"{event.what[:1].upper()}{event.what[1:]} …")

    def _found(self, result: dict[str, Any]) -> None:
        self._show(DatasetCard.from_json(result["card"]), result["findings"], result["stamps"])
        wrong = len(result["findings"])
        self._end(f"{wrong} things are wrong" if wrong > 1 else "One thing is wrong" if wrong else
                  "Nothing is wrong")  # fmt: skip

    def _show(self, card: DatasetCard | None, findings: list[str], stamps: list[Any]) -> None:
        self.card = card
        self.view.show_card(card)
        self.stamps.show_stamps(stamps)
        self.findings.clear()
        self.findings.addItems(findings)
        self.wrong.setVisible(bool(findings))
        of_bubbles = card is not None and card.layout == "bubbles"
        self.beside.setVisible(of_bubbles)
        self.non_bubbles.offer(self._folder if of_bubbles else None)

    def _failed(self, error: JobFailed) -> None:
        self._end(str(error), trouble=True)

    def _end(self, words: str, *, trouble: bool = False) -> None:
        self._job = None
        self.progress.end(words, trouble=trouble)
        self._judge()

    def _ask_where(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the card", "card.json", "JSON (*.json)")
        if name:
            self.save_card(Path(name))
