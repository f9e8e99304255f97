"""TrainDock: a recipe, data, a run folder; start, watch, stop, resume, and use the result."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent

from napari_astroseg.engine.card import MODEL_FILE
from napari_astroseg.engine.events import EpochDone, Event, Preparing, Started, StepDone, Warned
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import JobFailed, RecipeError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.predicting.commandline import train_command
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.training.simulating import SimulateDialog
from napari_astroseg.gui.training.traincontrols import TrainControls, fresh_folder
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.simulate.kinds import Kind, kinds_of

TARGET = "napari_astroseg.engine.train:train"
_LAST, _RECIPE, _HISTORY = "last.safetensors", "recipe.yaml", "history.jsonl"


class TrainDock(TrainControls):
    """One training at a time, in a process of its own.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in. Training needs none of it.
    target
        The training by name, `module:function`.
    """

    def __init__(self, napari_viewer: Any = None, target: str = TARGET) -> None:
        super().__init__()
        self._target = target
        self._engines = Engines(self)
        self._shelf = Shelf(self)
        self._proposals = Proposals(self)
        self._job: Job | None = None
        self._epochs = 0
        self._connect()
        self._show_preset()
        proposed = self._proposals.latest()
        if proposed is not None:
            self.propose(*proposed)

    @property
    def busy(self) -> bool:
        """Whether a training or a simulation runs."""
        return self._job is not None

    @property
    def pids(self) -> list[int]:
        """Process numbers of what runs."""
        return self._engines.pids

    def start(self, resume: bool = False) -> None:
        """Train what the form says, or go on with what the run's folder holds."""
        data, out = self.data.path(), self.out.path()
        if self._job is not None or data is None or out is None:
            return
        try:
            recipe = self.form.value()
        except RecipeError as error:
            self.progress.say(str(error), trouble=True)
            return
        self._epochs = recipe.schedule.epochs
        command = train_command(recipe, self.preset.currentText(), data, out)
        run = Run(
            data=data,
            out=out,
            device=self.device.currentText(),
            resume=resume,
            command=command,
            name=out.name,
        )
        if resume:
            self.curves.read_history(out / _HISTORY)
        else:
            self.curves.clear()
        self.progress.begin("Starting the training process …")
        self._launch(Call(self._target, (recipe, run)), partial(self._trained, out))

    def stop(self) -> None:
        """Stop at the next step; the epochs that are done are kept."""
        if self._job is not None:
            self.progress.say("Stopping …")
            self._job.cancel()

    def simulate(self, call: Call) -> None:
        """Make up skies in a process of its own, and take them as data."""
        folder: Path = call.args[1]
        self.progress.begin(f"Simulating skies in {folder} …")
        self._launch(call, partial(self._simulated, folder))

    def propose(self, recipe: Recipe, data: Path) -> None:
        """Show a recipe and a folder that another dock proposes; Start is left to the user."""
        if self._job is not None:
            self.progress.say("Another dock proposes a training: stop this one to see it")
            return
        index = self.preset.findText(recipe.name)
        if index >= 0:
            self.preset.setCurrentIndex(index)
        self.data.set_path(data)
        self.out.set_path(fresh_folder(recipe.name))
        self.form.setValue(recipe)
        self.curves.clear()
        self.progress.say(f"Proposed: {recipe.name} on {data.name}; press Start to train it")
        self._judge()

    def offer(self) -> None:
        """Put the run's model on the shelf, where Predict finds it."""
        out = self.out.path()
        if out is not None and (out / MODEL_FILE).exists():
            self._shelf.add(out)
            self.progress.say(f"{out.name} is now in Predict's list of models")

    def shut_down(self) -> None:
        """End what runs: the dock has been closed; whole epochs are kept."""
        self._engines.close()
        self._job = None

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _connect(self) -> None:
        self.preset.currentIndexChanged.connect(lambda _: self._show_preset())
        self.go.clicked.connect(lambda _: self.start())
        self.resume.clicked.connect(lambda: self.start(resume=True))
        self.halt.clicked.connect(self.stop)
        self.use.clicked.connect(self.offer)
        self.make_up.clicked.connect(self._ask_simulation)
        self.form.valueChanged.connect(self._judge)
        self.data.changed.connect(self._judge)
        self.out.changed.connect(self._look_at_run)
        self._proposals.came.connect(self.propose)

    def _show_preset(self) -> None:
        self.form.setValue(Recipe.preset(self.preset.currentText()))
        self._judge()

    def _look_at_run(self) -> None:
        """A folder that holds a run shows its recipe and its curves."""
        out = self.out.path()
        if self._job is None and out is not None and (out / _RECIPE).is_file():
            try:
                self.form.setValue(Recipe.open(out / _RECIPE))
            except RecipeError as error:
                self.progress.say(str(error), trouble=True)
            self.curves.read_history(out / _HISTORY)
        self._judge()

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        data, out = self.data.path(), self.out.path()
        held = out is not None and (out / _LAST).exists()
        lack = self.form.problem()
        if data is None or not data.is_dir():
            lack = "Choose the folder of the training data, or simulate some"
        elif out is None:
            lack = "Choose a folder for the run"
        if self._job is not None:
            lack = "Something runs already: stop it first"
        model = out is not None and (out / MODEL_FILE).exists()
        why_not_start = lack or ("The run's folder holds a run: resume it, or name another folder"
                                 if held else "")  # fmt: skip
        why_not_resume = lack or ("" if held else "The run's folder holds nothing to go on from")
        allow(self.go, why_not_start, "Train from the beginning")
        allow(self.resume, why_not_resume, "Go on after the last whole epoch")
        allow(self.halt, "" if self._job else "Nothing is running", "Stop; whole epochs are kept")
        allow(self.make_up, "" if self._kind else "Nothing in this layout can be simulated: "
               "choose a folder",
               "Make up skies with known truth, to learn from or to try this out")  # fmt: skip
        allow(self.use, "" if model else "No model yet: the first epoch makes one",
               "Put the best model so far into Predict's list")  # fmt: skip

    @property
    def _kind(self) -> Kind | None:
        """What can be simulated for the recipe to learn from."""
        return next(iter(kinds_of(self.form.section["data"].values()["layout"])), None)

    def _ask_simulation(self) -> None:
        kind = self._kind
        if kind is None:
            return
        out = self.out.path() or Path.home() / "astroseg" / "runs" / "1"
        dialog = SimulateDialog(kind, out.parent.parent / f"simulated-{kind.name}", self)
        if dialog.exec() and self._job is None:
            self.simulate(dialog.call())

    def _launch(self, call: Call, done: Any) -> None:
        job = self._job = self._engines.start(call, own_process=True)
        job.event.connect(self._hear)
        job.finished.connect(done)
        job.failed.connect(self._failed)
        job.stopped.connect(self._stopped)
        self._judge()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preparing):
            if event.total is not None:
                self.progress.advance(event.done, event.total, "files")
            self.progress.say(f"{event.what[:1].upper()}{event.what[1:]} …")
        elif isinstance(event, Started):
            self.progress.begin(f"{event.what}, on {event.device}")
        elif isinstance(event, Warned):
            self.progress.say(event.message, trouble=True)
        elif isinstance(event, StepDone):
            self.curves.add_step(event)
            self._advance(event)
        elif isinstance(event, EpochDone):
            self.curves.add_epoch(event)
            self._judge()

    def _advance(self, event: StepDone) -> None:
        done = (event.epoch - 1) * event.total + event.step
        self.progress.advance(done, self._epochs * event.total, "steps")
        self.progress.say(
            f"epoch {event.epoch} of {self._epochs}, loss {event.loss:.4g}, "
            f"{event.patches_per_second:.0f} patches a second"
        )

    def _trained(self, out: Path, result: dict[str, Any]) -> None:
        figures = ", ".join(f"{k} {v:.3f}" for k, v in result.get("figures", {}).items())
        self._end(f"Trained. Best epoch: {figures}" if figures else "Trained.")
        if (out / MODEL_FILE).exists():
            self._shelf.add(out)

    def _simulated(self, folder: Path, _result: dict[str, Any]) -> None:
        self.data.set_path(folder)
        self._end(f"Skies are in {folder}")

    def _failed(self, error: JobFailed) -> None:
        self._end(str(error), trouble=True)

    def _stopped(self) -> None:
        self._end("Stopped; the epochs that are done are kept.")

    def _end(self, words: str, *, trouble: bool = False) -> None:
        self._job = None
        self.progress.end(words, trouble=trouble)
        self._judge()
