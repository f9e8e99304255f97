"""ResultsDock: a model measured on data with truth; its figures, its plots, its worst images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from napari_astroseg.engine.events import Event, Preparing
from napari_astroseg.engine.report.files import read_evaluation
from napari_astroseg.engine.report.view import View
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import JobFailed
from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.canvas import canvas_near
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.keys import shortcuts
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.resultsview import dockstate
from napari_astroseg.gui.resultsview.controls import BACKGROUNDS, NONE, OTHER, ResultsControls
from napari_astroseg.gui.resultsview.dockstate import ResultsState
from napari_astroseg.gui.resultsview.kept import exported, fresh_folder, kept, names_of, page_of
from napari_astroseg.gui.resultsview.unitlayers import UnitLayers, compile_ahead
from napari_astroseg.gui.training.simulating import SimulateDialog
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.sky.simulate.kinds import Kind, kinds_of
from napari_astroseg.sky.window import Window

TARGET = "napari_astroseg.engine.evaluation:evaluate_to_folder"
LOOK = "napari_astroseg.engine.unitview:look_at"

_UNSEEN_SEED = 9000
"""Of skies made up here: others than those that the models in the box learnt from."""

_PATIENCE_S = 2.0
_ROOM_PX = (600, 800)
"""What a canvas has where there is none to ask."""


class ResultsDock(ResultsControls):
    """Measures a model in a process of its own, and shows what earlier evaluations found.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in.
    target, look
        The evaluation, and the look at one image, by name, `module:function`.
    """

    State = ResultsState

    def __init__(self, napari_viewer: Any, target: str = TARGET, look: str = LOOK) -> None:
        super().__init__()
        self._viewer = bare(napari_viewer)
        self._target, self._look = target, look
        self._engines = Engines(self)
        self._job: Job | None = None
        self._told: dict[Path, dict[str, Any]] = {}
        self._units = UnitLayers(self._viewer)
        self._steps: Iterator[None] | None = None
        self._reading, self._writing, self._preparing, self._ahead = (
            Latest(self) for _ in range(4)
        )
        layers.settle(self._viewer)
        self._connect()
        self._list_kept()
        self._follow_model()
        if self._folder(self.shown) is None:
            self.progress.say("Name a folder of data with truth, or Simulate… some; then Evaluate.")

    @property
    def busy(self) -> bool:
        """Whether something is measured, simulated, read, written or drawn."""
        others = (self._reading, self._writing, self._preparing)
        drawing = self._steps is not None
        return drawing or self._job is not None or any(each.busy for each in others)

    @property
    def unit_layers(self) -> list[Any]:
        """The layers of the image looked at last: image, truth, prediction."""
        return self._units.shown

    @property
    def chosen(self) -> tuple[Path | None, Path | None]:
        """Folders of the evaluation that is shown, and of the one beside it."""
        return self._folder(self.shown), self._folder(self.beside)

    def choose_folders(self, shown: Path | None, beside: Path | None) -> None:
        """Show these evaluations; None leaves what there is."""
        for box, folder in ((self.shown, shown), (self.beside, beside)):
            if folder is not None:
                self._choose(box, folder)
        if shown is not None or beside is not None:
            self._read()

    def state(self, places: Places) -> ResultsState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: ResultsState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def evaluate(self) -> None:
        """Measure the chosen model on the chosen data."""
        card, data = self.models.card(), self.data.path()
        if card is None or card.path is None or data is None or self._job is not None:
            return
        out = fresh_folder(card.name)
        how = {
            "background": BACKGROUNDS[self.background.currentText()],
            "device": self.device.currentText(),
        }
        self.progress.begin("Starting the engine …")
        self._launch(Call(self._target, (card.path, data, out), how), partial(self._measured, out))

    def stop(self) -> None:
        """Stop what runs; nothing is left of it."""
        if self._job is not None:
            self.progress.say("Stopping …")
            self._job.cancel()

    def simulate(self, call: Call) -> None:
        """Make up data in a process of its own, and choose them."""
        folder: Path = call.args[1]
        self.progress.begin(f"Simulating in {folder} …")
        self._launch(call, partial(self._simulated, folder))

    def show_folder(self, folder: Path) -> None:
        """Show the evaluation in a folder."""
        self._choose(self.shown, folder)
        self._read()

    def open_unit(self, name: str, window: list[int] | None) -> None:
        """Open one of the worst images with its truth and the model's answer."""
        told = self._told.get(self._folder(self.shown) or Path())
        made = told.get("provenance", {}) if told is not None else {}
        if not made.get("model_path") or not made.get("data"):
            self.progress.say("This evaluation does not tell its model and data", trouble=True)
            return
        if self._job is not None:
            self.progress.say("Something runs already: wait, or cancel it", trouble=True)
            return
        place = Window(*map(int, window)) if window else None
        self.progress.begin(f"Predicting {name} …")
        words = (Path(made["model_path"]), Path(made["data"]), name, place)
        self._launch(Call(self._look, (*words, self.device.currentText())), self._seen, own=False)

    def export_to(self, target: Path) -> None:
        """Leave the files of the evaluation that is shown in a folder."""
        folder = self._folder(self.shown)
        if folder is not None and folder in self._told:
            self.progress.say(f"Writing to {target} …")
            self._writing.ask(partial(exported, folder, self._told[folder], target))

    def open_page(self) -> None:
        """Show the page of the evaluation in a browser."""
        folder = self._folder(self.shown)
        page = None if folder is None else page_of(folder)
        if page is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page))):
            self.progress.say(f"No browser could be started; the page is {page}", trouble=True)

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        self._engines.close()
        self._job = self._steps = None
        for each in (self._reading, self._writing, self._preparing, self._ahead):
            each.wait(_PATIENCE_S)

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _connect(self) -> None:
        self.models.changed.connect(self._follow_model)
        self.models.refused.connect(partial(self.progress.say, trouble=True))
        self.data.changed.connect(self._judge)
        self.data.entered.connect(self.evaluate)
        self.make_up.clicked.connect(lambda _: self._ask_simulation())
        self.go.clicked.connect(lambda _: self.evaluate())
        self.progress.stopped.connect(self.stop)
        self.shown.activated.connect(lambda _: self._turn(self.shown))
        self.beside.activated.connect(lambda _: self._turn(self.beside))
        self.worst.picked.connect(self.open_unit)
        self.export.clicked.connect(lambda _: self._ask_where())
        self.page.clicked.connect(lambda _: self.open_page())
        self._reading.answered.connect(self._show)
        self._reading.refused.connect(self._refuse)
        self._writing.answered.connect(self.progress.say)
        self._writing.refused.connect(partial(self.progress.say, trouble=True))
        self._preparing.answered.connect(lambda answer: self._draw(*answer))
        self._preparing.refused.connect(lambda words: self._end(words, trouble=True))
        shortcuts(self, "Results", {"Escape": ("stop measuring", self.stop)}, inside=True)

    def _follow_model(self) -> None:
        card = self.models.card()
        self.offer_background(card is not None and card.recipe.data.layout == "four_maps")
        self._judge()

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        data, shown = self.data.path(), self._folder(self.shown)
        lack = "" if self.models.card() else "There is no model yet: train one, or add one above"
        if not lack and (data is None or not data.exists()):
            lack = "Name a folder of data with truth, or simulate some"
        running = "Something runs already: wait, or cancel it" if self._job is not None else ""
        kind = "" if self._kind else "Nothing in this model's layout can be simulated"
        allow(self.go, running or lack, "Measure the model on these data, in its paper's figures")
        allow(self.make_up, running or kind, "Make up data with known truth that no model has seen")
        told = "" if shown in self._told else "Evaluate a model first, or choose an evaluation"
        allow(self.export, told, "Leave page, JSON and plots (PNG, SVG) in a folder")
        paged = "" if shown is not None and page_of(shown) else "There is no page beside its JSON"
        allow(self.page, told or paged, "Show all of it in a browser, as one page")

    @property
    def _kind(self) -> Kind | None:
        """What can be simulated for the chosen model."""
        card = self.models.card()
        return None if card is None else next(iter(kinds_of(card.recipe.data.layout)), None)

    def _ask_simulation(self) -> None:
        kind = self._kind
        if kind is None:
            return
        folder = Path.home() / "astroseg" / f"unseen-{kind.name}"
        dialog = SimulateDialog(kind, folder, self)
        dialog.seed.setValue(_UNSEEN_SEED)
        if dialog.exec() and self._job is None:
            self.simulate(dialog.call())

    def _launch(self, call: Call, done: Any, own: bool = True) -> None:
        job = self._job = self._engines.start(call, own_process=own)
        job.event.connect(self._hear)
        job.finished.connect(done)
        job.failed.connect(self._failed)
        job.stopped.connect(partial(self._end, "Stopped."))
        self._judge()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preparing):
            if event.total:
                self.progress.advance(event.done, event.total, "steps")
            self.progress.say(f"{event.what[:1].upper()}{event.what[1:]} …")

    def _measured(self, out: Path, _result: dict[str, Any]) -> None:
        self._end(f"Measured; all of it is in {out}")
        self._list_kept()
        self.show_folder(out)

    def _simulated(self, folder: Path, _result: dict[str, Any]) -> None:
        self.data.set_path(folder)
        self._end(f"The data are in {folder}")

    def _seen(self, result: dict[str, Any]) -> None:
        """The answer is there: prepare the image off this thread."""
        view: View = result["view"]
        self.progress.say("Drawing …")
        self._preparing.ask(lambda: (view, layers.all_layer_data(view.image)))

    def _draw(self, view: View, prepared: list[layers.LayerData]) -> None:
        canvas = canvas_near(self)
        room = (canvas.height(), canvas.width()) if canvas is not None else _ROOM_PX
        self._steps = self._units.drawing(view, prepared, room)
        self._step(f"{view.image.name}: truth in amber, prediction in green")

    def _step(self, words: str) -> None:
        """Draw one more layer, then let the window have its turn."""
        if self._steps is None:
            return
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
            self._end(words)
        else:
            QTimer.singleShot(0, partial(self._step, words))

    def _failed(self, error: JobFailed) -> None:
        self._end(str(error), trouble=True)

    def _end(self, words: str, *, trouble: bool = False) -> None:
        self._job = None
        self.progress.end(words, trouble=trouble)
        self._judge()

    def _list_kept(self) -> None:
        """Offer the evaluations that there are, and what was chosen beside them."""
        for box, first in ((self.shown, []), (self.beside, [NONE])):
            before = self._folder(box)
            box.clear()
            box.addItems(first)
            for folder in kept():
                box.addItem(folder.name, folder)
            box.addItem(OTHER, OTHER)
            if before is not None:
                self._choose(box, before)
        if self._folder(self.shown) is not None:
            self._read()

    def _choose(self, box: Any, folder: Path) -> None:
        """Turn a list to a folder; one from elsewhere is put first."""
        at = next((n for n in range(box.count()) if box.itemData(n) == folder), -1)
        if at < 0:
            at = 1 if box is self.beside else 0
            box.insertItem(at, folder.name, folder)
        box.setCurrentIndex(at)

    @staticmethod
    def _folder(box: Any) -> Path | None:
        folder = box.currentData()
        return folder if isinstance(folder, Path) else None

    def _turn(self, box: Any) -> None:
        if box.currentData() == OTHER:
            name = QFileDialog.getExistingDirectory(self, "Choose the folder of an evaluation")
            box.setCurrentIndex(0)
            if name:
                self._choose(box, Path(name))
        self._read()

    def _read(self) -> None:
        """Read what is to be shown, off this thread."""
        chosen = [self._folder(box) for box in (self.shown, self.beside)]
        folders = list(dict.fromkeys(folder for folder in chosen if folder is not None))
        self._reading.ask(lambda: {folder: read_evaluation(folder) for folder in folders})

    def _show(self, told: dict[Path, dict[str, Any]]) -> None:
        self._told = told
        self.show_evaluations(dict(zip(names_of(list(told)), told.values(), strict=True)))
        if not self._ahead.busy:
            self._ahead.ask(compile_ahead)
        self._judge()

    def _refuse(self, words: str) -> None:
        self._told = {}
        self.show_evaluations({})
        self.progress.say(words, trouble=True)
        self._judge()

    def _ask_where(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Choose a folder for the evaluation's files")
        if name:
            self.export_to(Path(name))
