"""Learning: verdicts become a folder that Train is shown, and a newer model's scores the queue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QMenu,
    QPushButton,
    QWidget,
)

from napari_astroseg.engine.card import ModelCard, builtin_models, read_card
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.settings import remember, remembered
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.fromlayers import holds_detections, making
from napari_astroseg.gui.vetting.queuebox import narrow, row_of
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.review.harvest import Harvest, harvest
from napari_astroseg.review.outcome import Outcome
from napari_astroseg.review.reading import open_detections

_LAYOUT = "bubbles"
"""Of the data that verdicts can be added to."""


class Learning(QObject):
    """The controls, and what they do with the desk that is followed.

    Parameters
    ----------
    viewer
        Whose layers may hold what a newer model has found.
    """

    said = Signal(str)
    refused = Signal(str)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = bare(viewer)
        self._desk: Desk | None = None
        self._shelf, self._proposals = Shelf(self), Proposals(self)
        self._models: list[tuple[str, Recipe]] = []
        self._work = Latest(self)
        self._work.answered.connect(self._harvested)
        self._work.refused.connect(self._refuse)
        self.box = QWidget()
        self._build()
        self._shelf.changed.connect(self._offer)
        self._offer()
        self.follow(None)

    @property
    def busy(self) -> bool:
        """Whether a folder is being made."""
        return self._work.busy

    def follow(self, desk: Desk | None) -> None:
        """Work for this desk from now on; None for none."""
        self._desk = desk
        self._judge()

    def wait(self) -> None:
        """Let what is being written end."""
        self._work.wait()

    def harvest(self, out: Path | None = None) -> None:
        """Write the folder to learn from, and propose it to Train."""
        data = self.data.path()
        if self._desk is None or data is None or self._work.busy:
            return
        remember("vetting data", str(data))
        store, number = self._desk.session.store, self._desk.session.list
        out = out or _fresh(self._desk.session.detections.source)
        self.said.emit(f"Tiles and verdicts are put together in {out} …")

        def work() -> Harvest:
            return harvest(Outcome.of(store, number), data, out)

        self._work.ask(work)
        self._judge()

    def rank_by(self, source: Any) -> None:
        """Take a newer model's scores: from a layer, or a file's or a folder's path."""
        desk = self._desk
        if desk is None:
            return
        read: Callable[[], Any] = partial(open_detections, source, desk.image)
        if not isinstance(source, str | Path):
            read = making(source, desk.image, desk.layer, self._viewer.layers)
        session, told = desk.session, []

        def rescore() -> None:
            told.append(session.rescore(read()))

        def tell() -> None:
            if told:
                total = len(session.detections)
                self.said.emit(
                    f"The newer model finds {told[0]:,} of {total:,}; what teaches it most is first"
                )

        desk.do(rescore, then=tell)

    def _build(self) -> None:
        self.data = FolderField("Choose the folder of the tiles", "Spitzer tiles, their catalogue")
        self.data.setToolTip(
            "The folder that the model learnt from: verdicts on bubbles are added to its catalogue"
        )
        last = remembered("vetting data", "")
        if last:
            self.data.set_path(Path(last))
        self.data.changed.connect(self._judge)
        self.model = QComboBox()
        narrow(self.model)
        self.model.setToolTip("The model that learns more: its training begins with its weights")
        self.reap, self.rank = QPushButton("Harvest"), QPushButton("Re-rank by…")
        self.reap.clicked.connect(lambda _=False: self.harvest())
        self._menu = QMenu(self.rank)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.rank.setMenu(self._menu)
        rows = QFormLayout(self.box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Data", self.data)
        rows.addRow("Model", self.model)
        rows.addRow(row_of(self.reap, self.rank))

    def _judge(self) -> None:
        lack = "" if self._desk is not None else "Nothing is being judged yet"
        allow(self.rank, lack, "Order the queue by what a newer model makes of the same objects")
        data = self.data.path()
        if not lack and self._work.busy:
            lack = "A folder is being made"
        elif not lack and (data is None or not data.is_dir()):
            lack = "Choose the folder of Spitzer tiles that the model learnt from"
        allow(
            self.reap, lack,
            "Real ones as truth, rejected ones as what is none: a folder, which Train is shown",
        )  # fmt: skip

    def _offer(self) -> None:
        """List the models that learn from such data; the choice stays."""
        chosen = self.model.currentText()
        self._models = _bubble_models(self._shelf.paths())
        self.model.clear()
        self.model.addItems([Path(name).name for name, _ in self._models])
        self.model.setCurrentText(chosen)

    def _harvested(self, made: Harvest) -> None:
        self._judge()
        words = (
            f"{made.bubbles:,} bubbles ({made.added:,} added, {made.removed:,} removed) and "
            f"{made.negatives:,} rejected ones in {made.folder}"
        )
        at = self.model.currentIndex()
        if 0 <= at < len(self._models):
            name, recipe = self._models[at]
            try:
                self._proposals.make(_careful(recipe), made.folder, start_from=name)
            except AstroSegError as error:
                self._refuse(str(error))
                return
            words += "; the Train dock shows it"
        self.said.emit(words)

    def _refuse(self, sentence: str) -> None:
        self._judge()
        self.refused.emit(sentence)

    def _fill_menu(self) -> None:
        self._menu.clear()
        for layer in self._viewer.layers:
            if holds_detections(layer):
                self._menu.addAction(layer.name, partial(self.rank_by, bare(layer)))
        self._menu.addAction("A catalogue…", self._ask_file)
        self._menu.addAction("A prediction's folder…", self._ask_folder)

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self.box, "What a newer model has found")
        if name:
            self.rank_by(name)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self.box, "What a newer model has found")
        if name:
            self.rank_by(name)


def _bubble_models(own: list[Path]) -> list[tuple[str, Recipe]]:
    """What to begin from, and its recipe: the user's own models first."""
    cards: list[tuple[str, ModelCard]] = []
    for name in (*map(str, own), *builtin_models()):
        with suppress(AstroSegError):  # it has gone, or is none any more: Predict says so
            cards.append((name, read_card(name)))
    return [(name, card.recipe) for name, card in cards if card.recipe.data.layout == _LAYOUT]


def _careful(recipe: Recipe) -> Recipe:
    """The recipe of a model as it goes on learning: its heads alone, so that it forgets nothing."""
    schedule = recipe.schedule
    rate = schedule.stage_rates[-1] if schedule.stage_rates else schedule.learning_rate
    return recipe.replace(
        schedule__stage_epochs=(schedule.epochs,),
        schedule__stage_rates=(rate,),
        schedule__head_stages=1,
    )


def _fresh(source: str) -> Path:
    """A folder in the user's home that is not there yet."""
    name = "".join(each if each.isalnum() or each in "-_" else "-" for each in Path(source).stem)
    number, folder = 1, Path.home() / "astroseg" / "vetted"
    while (folder / f"{name or 'list'}-{number}").exists():
        number += 1
    return folder / f"{name or 'list'}-{number}"
