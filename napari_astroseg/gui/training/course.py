"""Course: what a training or a search says, drawn as it comes."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_astroseg.engine.eventlog import read_examples
from napari_astroseg.engine.events import (
    EpochDone,
    Event,
    ExamplesDone,
    MemoryUsed,
    Preparing,
    Started,
    StepDone,
    TrialBegun,
    TrialDone,
    Warned,
)
from napari_astroseg.engine.order import Order
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.training.gauges import Gauges
from napari_astroseg.gui.training.pace import Pace
from napari_astroseg.gui.training.plots import Curves
from napari_astroseg.gui.training.strip import Strip
from napari_astroseg.gui.training.trials import TrialTable
from napari_astroseg.recipes.search import told as in_words


class Course(QWidget):
    """Progress and gauges above; below, in tabs, curves with the strip of examples, and trials."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = ProgressLine("Stop")
        self.progress.button.hide()
        self.gauges, self.curves, self.strip = Gauges(), Curves(), Strip()
        self.trials = TrialTable()
        self._epochs = 0
        self._trial: int | None = None
        self._pace = Pace(0)
        drawn = QWidget()
        below = QVBoxLayout(drawn)
        below.setContentsMargins(0, 4, 0, 0)
        below.addWidget(self.curves, 1)
        below.addWidget(self.strip)
        self.tabs = QTabWidget()
        self.tabs.addTab(drawn, "Curves")
        self.tabs.addTab(self.trials, "Trials")
        self.tabs.setTabToolTip(0, "Losses, figures and examples of what is trained now")
        self.tabs.setTabVisible(1, False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.progress)
        column.addWidget(self.gauges)
        column.addWidget(self.tabs, 1)

    def begin(self, order: Order, words: str) -> None:
        """A training or a search is asked for, or picked up."""
        self._epochs, self._trial = order.epochs, None
        self._pace = Pace(order.epochs)
        self.gauges.clear()
        self.tabs.setTabVisible(1, order.searches)
        if order.searches:
            self.clear()
            self.trials.begin(order.recipe.data.figure)
            self.tabs.setCurrentIndex(1)
        else:
            self.show_run(order.out)
        self.progress.begin(words)

    def show_run(self, out: Path) -> None:
        """Draw what lies in a run's folder."""
        self.curves.show_history(out)
        self.strip.clear()
        for examples in read_examples(out):
            self.strip.show_examples(examples)

    def clear(self) -> None:
        """Draw nothing."""
        self.curves.clear()
        self.strip.clear()

    def end(self, words: str, *, trouble: bool = False) -> None:
        """It is over."""
        self.gauges.clear()
        self.progress.end(words, trouble=trouble)

    def hear(self, event: Event) -> None:
        """Draw one event."""
        match event:
            case Preparing(what=what, done=done, total=total):
                if total is not None:
                    self.progress.advance(done, total, "files")
                self.progress.say(f"{what[:1].upper()}{what[1:]} …")
            case Started(what=what, device=device):
                self.progress.begin(f"{self._of_trial}{what}, on {device}")
            case Warned(message=message):
                self.progress.say(message, trouble=True)
            case StepDone():
                self._step(event)
            case EpochDone():
                self._epoch(event)
            case MemoryUsed():
                self.gauges.show_memory(event)
            case ExamplesDone():
                self.strip.show_examples(event)
            case TrialBegun():
                self._begin_trial(event)
            case TrialDone():
                self.trials.trial_done(event)

    @property
    def _of_trial(self) -> str:
        return "" if self._trial is None else f"trial {self._trial}: "

    def _step(self, event: StepDone) -> None:
        self._pace.step(event)
        self.gauges.show_pace(self._pace)
        self.curves.add_step(event)
        done = (event.epoch - 1) * event.total + event.step
        self.progress.count(done, self._epochs * event.total, "steps")
        self.progress.say(
            f"{self._of_trial}epoch {event.epoch} of {self._epochs}, loss {event.loss:.4g}"
        )

    def _epoch(self, event: EpochDone) -> None:
        self._pace.epoch(event)
        self.gauges.show_pace(self._pace)
        self.curves.add_epoch(event)
        if self._trial is not None:
            self.trials.epoch_done(event, self._trial)

    def _begin_trial(self, event: TrialBegun) -> None:
        self._trial = event.number
        self._pace = Pace(self._epochs)
        self.clear()
        self.trials.trial_begun(event)
        self.progress.say(f"trial {event.number}: {', '.join(in_words(event.changes))}")
