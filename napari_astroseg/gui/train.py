"""TrainDock: a recipe, data, a run folder; start, watch, stop, resume, and use the result."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, Qt

from napari_astroseg.engine.card import MODEL_FILE
from napari_astroseg.engine.events import EpochDone, Event
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import AstroSegError, RecipeError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.predicting.commandline import train_command
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.training import dockstate
from napari_astroseg.gui.training.closing import Choice, Closing, question
from napari_astroseg.gui.training.comparison import Comparison
from napari_astroseg.gui.training.dockstate import TrainState
from napari_astroseg.gui.training.reasons import Reasons, Standing
from napari_astroseg.gui.training.searching import SearchDialog
from napari_astroseg.gui.training.simulating import SimulateDialog
from napari_astroseg.gui.training.traincontrols import TrainControls, fresh_folder
from napari_astroseg.gui.training.trainer import Trainer
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.simulate.kinds import Kind, kinds_of

TARGET, SEARCH = "napari_astroseg.engine.train:train", "napari_astroseg.engine.sweep:sweep"
_RECIPE = "recipe.yaml"


class TrainDock(TrainControls):
    """One training at a time, in a process of its own; others wait in the queue.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in. Training needs none of it.
    target, search
        A training and a search by name, `module:function`.
    """

    State = TrainState

    def __init__(
        self, napari_viewer: Any = None, target: str = TARGET, search: str = SEARCH
    ) -> None:
        super().__init__()
        self._engines = Engines(self)
        self._proposals = Proposals(self)
        self._closing = Closing(self, self._may_close)
        self._job: Job | None = None
        targets = {False: target, True: search}
        self.trainer = Trainer(self, self.queue, targets, self.by_itself.isChecked)
        self._connect()
        self._show_preset()
        proposed = self._proposals.latest()
        if self.trainer.pick_up() is None and proposed is not None:
            self.propose(*proposed, start_from=self._proposals.start_from)

    @property
    def busy(self) -> bool:
        """Whether a training or a simulation runs."""
        return self._job is not None or self.trainer.watch is not None

    @property
    def pids(self) -> list[int]:
        """Process numbers of what this window began."""
        return self._engines.pids + self.trainer.pids

    def state(self, places: Places) -> TrainState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: TrainState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def start(self, resume: bool = False) -> None:
        """Train what the form says, or go on with what the run's folder holds."""
        search = self.trainer.search_in(self.out.path()) if resume else None
        order = search or self._ordered(resume)
        if order is not None and not self.busy:
            self.trainer.begin(order)

    def add_to_queue(self, order: Order | None = None) -> None:
        """Let a training wait for its turn: what the form says, or another."""
        order = order or self._ordered()
        if order is None:
            return
        self.queue.add(order)
        self.course.tabs.setCurrentWidget(self.line)
        if order.out == self.out.path():
            self.out.set_path(fresh_folder(order.recipe.name, self.queue.holds))
        if self._job is None:
            self.trainer.begin_next()

    def stop(self) -> None:
        """Stop at the next step; the epochs that are done are kept."""
        try:
            self.trainer.stop()
            if self._job is not None:
                self._job.cancel()
        except AstroSegError as error:
            self.progress.say(str(error), trouble=True)
        else:
            self.progress.say("Stopping …")

    def simulate(self, call: Call) -> None:
        """Make up skies in a process of its own, and take them as data."""
        folder: Path = call.args[1]
        self.progress.begin(f"Simulating skies in {folder} …")
        job = self._job = self._engines.start(call, own_process=True)
        job.event.connect(self.course.hear)
        job.finished.connect(partial(self._simulated, folder))
        job.failed.connect(lambda error: self._end(str(error), True))
        job.stopped.connect(partial(self._simulated, None))
        self._judge()

    def propose(self, recipe: Recipe, data: Path, start_from: str = "") -> None:
        """Show a recipe and a folder that another dock proposes; Start is left to the user."""
        if self.busy:
            self.progress.say("Another dock proposes a training: stop this one to see it")
            return
        index = self.preset.findText(recipe.name)
        if index >= 0:
            self.preset.setCurrentIndex(index)
        self.data.set_path(data)
        self.weights.setValue(start_from)
        self.out.set_path(fresh_folder(recipe.name, self.queue.holds))
        self.form.setValue(recipe)
        self.course.clear()
        self.progress.say(f"Proposed: {recipe.name} on {data.name}; press Start to train it")
        self._judge()

    def offer(self) -> None:
        """Put the run's model on the shelf, where Predict finds it."""
        out = self.out.path()
        if out is not None and (out / MODEL_FILE).exists():
            self.trainer.offer(out)
            self.progress.say(f"{out.name} is now in Predict's list of models")

    def show_comparison(self) -> Comparison:
        """Set runs beside each other, in a window of its own."""
        comparison = Comparison(self.trainer.known(self.out.path()), self)
        comparison.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        comparison.show()
        return comparison

    def ask_closing(self) -> Choice:
        """Ask the user what is to become of the training when the window closes."""
        assert self.trainer.out is not None
        return question(self, self.trainer.out.name, len(self.queue.waiting))

    def shut_down(self) -> None:
        """The dock has been closed: what ends with it stops, whole epochs are kept."""
        self._engines.close()
        self._job = None
        self.trainer.look_away("stopped")
        self.queue.release()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window; ask before that closes."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        if event.type() == QEvent.Type.Show:
            self._closing.look_out(self.window())
        return bool(super().event(event))

    def _connect(self) -> None:
        self.preset.currentIndexChanged.connect(lambda _: self._show_preset())
        self.go.clicked.connect(lambda _: self.start())
        self.resume.clicked.connect(lambda: self.start(resume=True))
        self.halt.clicked.connect(self.stop)
        self.detach.clicked.connect(self.trainer.let_go)
        self.enqueue.clicked.connect(lambda _: self.add_to_queue())
        self.search.clicked.connect(self._ask_search)
        self.compare.clicked.connect(self.show_comparison)
        self.use.clicked.connect(self.offer)
        self.make_up.clicked.connect(self._ask_simulation)
        self.line.begin.connect(self.trainer.begin_next)
        self.line.picked.connect(self.out.set_path)
        self.queue.changed.connect(self._judge)
        self.by_itself.toggled.connect(self.trainer.leash)
        self.form.valueChanged.connect(self._judge)
        self.data.changed.connect(self._judge)
        self.out.changed.connect(self._look_at_run)
        self._proposals.came.connect(self._hear_proposal)
        self.trainer.begun.connect(self._begun)
        self.trainer.heard.connect(self._hear)
        self.trainer.ended.connect(self._end)

    # What is to be trained

    def _ordered(self, resume: bool = False) -> Order | None:
        """What the form says; None, and a sentence, where it says nothing that can be trained."""
        data, out = self.data.path(), self.out.path()
        if data is None or out is None:
            return None
        try:
            recipe = self.form.value()
        except RecipeError as error:
            self.progress.say(str(error), trouble=True)
            return None
        begin = self.weights.value()
        command = train_command(recipe, self.preset.currentText(), data, out, begin)
        device = self.device.currentText()
        run = Run(data, out, device, begin, resume=resume, command=command, name=out.name)
        return Order(recipe, run)

    def _begun(self, order: Order, words: str) -> None:
        """Show a training that was begun or picked up."""
        if self.trainer.pids == []:
            self.form.setValue(order.recipe)
            self.data.set_path(order.how.data)
            self.weights.setValue(getattr(order.how, "start_from", ""))
            self.out.set_path(order.out)
        self.course.begin(order, words)
        self._judge()

    def _may_close(self) -> bool:
        """Whether the window may close; a training that ends with it is asked about."""
        watch = self.trainer.watch
        if watch is None or not watch.own:
            return True
        choice = self.ask_closing()
        if choice is Choice.KEEP:
            self.trainer.leash(True)
        elif choice is Choice.STOP:
            self.stop()
        return choice is not Choice.CANCEL

    # What is heard of it

    def _hear_proposal(self, recipe: Recipe, data: Path) -> None:
        self.propose(recipe, data, self._proposals.start_from)

    def _hear(self, event: Event) -> None:
        self.course.hear(event)
        if isinstance(event, EpochDone):
            self._judge()

    def _simulated(self, folder: Path | None, _result: Any = None) -> None:
        if folder is not None:
            self.data.set_path(folder)
        self._end("Stopped" if folder is None else f"Skies are in {folder}")

    def _end(self, words: str, trouble: bool = False) -> None:
        self._job = None
        self.course.end(words, trouble=trouble)
        self._judge()

    # What is shown

    def _show_preset(self) -> None:
        self.form.setValue(Recipe.preset(self.preset.currentText()))
        self._judge()

    def _look_at_run(self) -> None:
        """A folder that holds a run shows its recipe and its curves, live if it is trained now."""
        out = self.out.path()
        if out is None or self.busy or self.trainer.pick_up(out) is not None:
            self._judge()
            return
        if (out / _RECIPE).is_file():
            try:
                self.form.setValue(Recipe.open(out / _RECIPE))
            except RecipeError as error:
                self.progress.say(str(error), trouble=True)
            self.course.show_run(out)
        self._judge()

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        now = Standing(
            data=self.data.path(),
            out=self.out.path(),
            problem=self.form.problem(),
            made_up=self._kind is not None,
            busy=self.busy,
            watched=self.trainer.out,
            queue=self.queue,
        )
        for button, (why_not, words) in Reasons(now).of(self).items():
            allow(button, why_not, words)
        self.line.show_busy(self.busy)

    @property
    def _kind(self) -> Kind | None:
        """What can be simulated for the recipe to learn from."""
        return next(iter(kinds_of(self.form.section["data"].values()["layout"])), None)

    # What is asked

    def _ask_simulation(self) -> None:
        kind = self._kind
        if kind is None:
            return
        out = self.out.path() or Path.home() / "astroseg" / "runs" / "1"
        dialog = SimulateDialog(kind, out.parent.parent / f"simulated-{kind.name}", self)
        if dialog.exec() and not self.busy:
            self.simulate(dialog.call())

    def _ask_search(self) -> None:
        order = self._ordered()
        if order is None:
            return
        recipe, device = order.recipe, self.device.currentText()
        out = fresh_folder(f"{recipe.name}-search", self.queue.holds)
        dialog = SearchDialog(recipe, order.how.data, out, device, self)
        if dialog.exec():
            self.add_to_queue(dialog.order())
