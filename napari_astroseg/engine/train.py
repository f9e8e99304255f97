"""Train: a recipe and data become a model; a generator of events that can be stopped and resumed.

The loop is ours; Lightning Fabric places it on a device and chooses its arithmetic. After every
epoch the run's folder holds a checkpoint and the best model so far, each written whole.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from napari_astroseg.engine.beginning import begun
from napari_astroseg.engine.card import MODEL_FILE, ModelCard
from napari_astroseg.engine.checkpoint import LAST_FILE, Standing, load_checkpoint, save_checkpoint
from napari_astroseg.engine.events import EpochDone, Event, Finished, Started, StepDone, Warned
from napari_astroseg.engine.examples import Examples
from napari_astroseg.engine.history import History
from napari_astroseg.engine.loader import Loader
from napari_astroseg.engine.loading import loader
from napari_astroseg.engine.memory import MemoryWatch
from napari_astroseg.engine.model import Model, torch_device
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.preparing import heard
from napari_astroseg.engine.provenance import versions
from napari_astroseg.engine.ranks import fabric_for, joined
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.stepping import Stepper, diverged, optimiser_for
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import replacing

RECIPE_FILE = "recipe.yaml"


def train(recipe: Recipe, run: Run) -> Iterator[Event]:
    """Train a network; closing the generator stops it, and `run.resume` goes on.

    Yields
    ------
    `Preparing` while the data are read, `Started`, `StepDone` per optimiser step and now and then
    `MemoryUsed`, `ExamplesDone` and `EpochDone` per epoch, `Finished` with `model` (the file of the
    best epoch), `epoch` and `figures`.

    Raises
    ------
    DataError, TrainingError
        When the data cannot be learnt from, or the loss is no longer a number.
    """
    with joined(recipe, run):
        yield from _trained(recipe, run)


def _trained(recipe: Recipe, run: Run) -> Iterator[Event]:
    begun = time.perf_counter()
    data = yield from heard(partial(loader, recipe, run.data))
    training = Training(recipe, run, data)
    if not training.fabric.is_global_zero:  # another process tells how it goes
        while training.goes_on:
            for _ in training.epoch():
                pass
        return
    yield Started(
        f"training {recipe.name} on {training.data.told}",
        recipe.schedule.epochs - training.progress.epoch,
        "epochs",
        str(training.fabric.device),
    )
    yield from (Warned(sentence) for sentence in training.warnings)
    while training.goes_on:
        yield from training.epoch()
    best = training.best_figures
    yield Finished(
        {
            "model": str(run.out / MODEL_FILE),
            "epoch": training.progress.best_epoch,
            "figures": best,
        },
        time.perf_counter() - begun,
    )


class Training:
    """The state of one training between epochs.

    Parameters
    ----------
    data
        What it learns from; read as the recipe says by default.
    """

    def __init__(self, recipe: Recipe, run: Run, data: Loader | None = None) -> None:
        self.recipe, self.run = recipe, run
        torch.manual_seed(recipe.schedule.seed)
        self.data = loader(recipe, run.data) if data is None else data
        self._digest = self.data.digest
        device = torch_device(run.device)
        self.fabric = fabric_for(recipe, run, device)
        net, self._begun_from = begun(recipe, run.start_from)
        optimiser = optimiser_for(recipe.schedule, net)
        self.progress = Standing(0, -math.inf, 0, recipe.to_yaml(), self._digest)
        self.best_figures: dict[str, float] = {}
        self.bare: Network = net
        self.net, self.optimiser = self.fabric.setup(net, optimiser)
        self.net.mark_forward_method("learn")
        self._stepper = Stepper(self.fabric, self.net, self.optimiser, recipe.schedule, run.out)
        self._history = History(run.out)
        self._memory = MemoryWatch(self.fabric.device)
        self.warnings = list(self.data.notes)
        self._begin_or_go_on()

    def _begin_or_go_on(self) -> None:
        """Read the checkpoint where there is one to resume, else start the folder afresh."""
        last = self.run.out / LAST_FILE
        if self.run.resume and last.exists():
            # After `setup`: an optimiser's state goes to where its weights are by then.
            self.progress = load_checkpoint(
                last, self.bare, self.optimiser, self.recipe.to_yaml(), self._digest
            )
            if self.fabric.is_global_zero:
                rows = self._history.kept(self.progress.epoch)
                self.best_figures = rows[self.progress.best_epoch - 1]["validation"]
            return
        if self.run.resume:
            self.warnings.append(
                f"{self.run.out} holds no {LAST_FILE}: starting from the beginning"
            )
        if self.fabric.is_global_zero:
            self._begin_folder()

    @property
    def goes_on(self) -> bool:
        """Whether another epoch is due."""
        schedule, progress = self.recipe.schedule, self.progress
        waited = progress.epoch - progress.best_epoch
        patient = schedule.patience is None or waited < schedule.patience
        return progress.epoch < schedule.epochs and patient

    def epoch(self) -> Iterator[Event]:
        """Train one epoch, validate, and leave the run's folder up to date."""
        number, begun = self.progress.epoch + 1, time.perf_counter()
        rate = self._set_pace(number)
        losses: list[float] = []
        for event in self._steps(number):
            if isinstance(event, StepDone):
                losses.append(event.loss)
            yield event
        examples = Examples(self.recipe.data.kinds or self.recipe.data.classes)
        figures = self._validated(number, examples) if self.fabric.is_global_zero else {}
        figures = self.fabric.broadcast(figures)
        figure = figures[self.recipe.data.figure]
        better = figure > self.progress.best
        if better:
            self.best_figures = figures
            if self.fabric.is_global_zero:
                self._save_model(figures)
        self.progress = Standing(
            number,
            max(figure, self.progress.best),
            number if better else self.progress.best_epoch,
            self.progress.recipe,
            self._digest,
        )
        seconds = time.perf_counter() - begun
        done = EpochDone(
            number,
            self.recipe.schedule.epochs,
            float(np.mean(losses)),
            figures,
            rate,
            better,
            seconds,
        )
        if self.fabric.is_global_zero:
            # History first: an epoch that the checkpoint counts is always in it.
            self._history.add(done)
            save_checkpoint(self.run.out / LAST_FILE, self.bare, self.optimiser, self.progress)
            yield from examples.after(number)
        yield done

    def _steps(self, number: int) -> Iterator[Event]:
        self.net.train()
        # Dropout draws of seed and epoch alone, so that a resumed training repeats it anywhere.
        torch.manual_seed(_epoch_seed(self.recipe.schedule.seed, number))
        total, batches = self.data.batches(number)
        begun, seen = time.perf_counter(), 0
        for step, batch in enumerate(batches, start=1):
            for sentence in self._stepper.step(batch, f"epoch {number}, step {step}"):
                yield Warned(sentence)
            seen += len(batch)
            rate = seen / (time.perf_counter() - begun)
            yield StepDone(step, total, number, self._stepper.loss, rate)
            yield from self._memory.now()

    def _validated(self, number: int, examples: Examples) -> dict[str, float]:
        """Mean loss and figures of the validation stamps, after epoch `number`."""
        self.net.eval()
        judge, total, worth = self.data.judge(), 0.0, 0.0
        with torch.inference_mode(), self.fabric.autocast():
            for batch in self.data.validation_batches():
                answer, loss = self.bare.judged(batch.on(self.fabric.device))
                if not math.isfinite(float(loss)):  # the epoch's very last step can break it
                    raise diverged(f"the validation of epoch {number}")
                total += float(loss) * batch.worth
                worth += batch.worth
                judge.add(answer, batch)
                examples.add(answer, batch)
        return {"loss": total / max(worth, 1.0), **judge.figures()}

    def _set_pace(self, number: int) -> float:
        """Set rate and resting weights of an epoch, and tell the rate."""
        schedule = self.recipe.schedule
        rate = schedule.rate_at(number)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if schedule.head_stages:
            heads = {id(weight) for weight in self.bare.heads()}
            rest = schedule.heads_only_at(number)
            for weight in self.bare.parameters():
                weight.requires_grad_(not rest or id(weight) in heads)
        return rate

    def _save_model(self, figures: dict[str, float]) -> None:
        chosen = self.recipe.prediction.threshold
        card = ModelCard(
            name=self.run.name or self.recipe.name,
            recipe=self.recipe,
            parameters=sum(weight.numel() for weight in self.bare.parameters()),
            trained_on=self.data.told + self._begun_from,
            data_digest=self._digest,
            command=self.run.command,
            figures={f"validation_{k}": round(v, 4) for k, v in figures.items()},
            threshold=figures["threshold"] if chosen is None else chosen,
            versions=versions(),
        )
        Model(card, self.bare).save(self.run.out / MODEL_FILE)

    def _begin_folder(self) -> None:
        with replacing(self.run.out / RECIPE_FILE) as temporary:
            temporary.write_text(self.recipe.to_yaml(), encoding="utf-8")
        # A checkpoint of earlier work must not be taken for this one's.
        (self.run.out / LAST_FILE).unlink(missing_ok=True)
        self._history.begin()


def _epoch_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)
