"""Train: a recipe and data become a model; a generator of events that can be stopped and resumed.

The loop is ours; Lightning Fabric places it on a device and chooses its arithmetic. After every
epoch the run's folder holds a checkpoint and the best model so far, each written whole.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from napari_astroseg.engine.batches import TrainingSet
from napari_astroseg.engine.card import MODEL_FILE, ModelCard
from napari_astroseg.engine.checkpoint import LAST_FILE, Standing, load_checkpoint, save_checkpoint
from napari_astroseg.engine.events import EpochDone, Event, Finished, Started, StepDone, Warned
from napari_astroseg.engine.galaxies import GalaxySet
from napari_astroseg.engine.loader import Batch, Loader
from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.engine.model import Model, load_model, torch_device
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Net
from napari_astroseg.engine.preparing import heard
from napari_astroseg.engine.provenance import versions
from napari_astroseg.engine.run import Run
from napari_astroseg.errors import OutputError, TrainingError
from napari_astroseg.recipes.data import VoteData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.progress import Progress, silent

HISTORY_FILE = "history.jsonl"
RECIPE_FILE = "recipe.yaml"


def train(recipe: Recipe, run: Run) -> Iterator[Event]:
    """Train a network; closing the generator stops it, and `run.resume` goes on.

    Yields
    ------
    `Preparing` while the data are read, `Started`, `StepDone` per optimiser step, `EpochDone` per
    epoch, `Finished` with `model` (the best epoch's file), `epoch` and `figures`.

    Raises
    ------
    DataError, TrainingError
        When the data cannot be learnt from, or the loss is no longer a number.
    """
    begun = time.perf_counter()
    data = yield from heard(partial(_loader, recipe, run.data))
    training = Training(recipe, run, data)
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
        self.data = _loader(recipe, run.data) if data is None else data
        self._digest = self.data.digest
        device = torch_device(run.device)
        self.fabric = Fabric(
            accelerator=device.type, devices=1, precision=recipe.schedule.precision
        )
        net = _begun_from(recipe, run.start_from) if run.start_from else build(recipe.family)
        optimiser = torch.optim.Adam(net.parameters(), lr=recipe.schedule.learning_rate)
        self.progress = Standing(0, -math.inf, 0, recipe.to_yaml(), self._digest)
        self.best_figures: dict[str, float] = {}
        self.bare: Net = net
        self.net, self.optimiser = self.fabric.setup(net, optimiser)
        self.net.mark_forward_method("loss")
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
            self.best_figures = self._history()[self.progress.best_epoch - 1]["validation"]
            return
        if self.run.resume:
            self.warnings.append(
                f"{self.run.out} holds no {LAST_FILE}: starting from the beginning"
            )
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
        rate = self._set_rate(number)
        losses: list[float] = []
        for event in self._steps(number):
            losses.append(event.loss)
            yield event
        counts, validation = self._validated(number)
        figures = {"loss": validation, **self.data.figures(counts)}
        figure = figures[self.recipe.data.figure]
        better = figure > self.progress.best
        if better:
            self.best_figures = figures
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
        # History first: an epoch that the checkpoint counts is always in it.
        self._remember(done)
        save_checkpoint(self.run.out / LAST_FILE, self.bare, self.optimiser, self.progress)
        yield done

    def _steps(self, number: int) -> Iterator[StepDone]:
        self.net.train()
        # Dropout draws of seed and epoch alone, so that a resumed training repeats it anywhere.
        torch.manual_seed(_epoch_seed(self.recipe.schedule.seed, number))
        total, batches = self.data.batches(number)
        begun, seen = time.perf_counter(), 0
        for step, batch in enumerate(batches, start=1):
            loss = float(self._step(batch))
            if not math.isfinite(loss):
                raise _diverged(f"epoch {number}, step {step}")
            seen += len(batch.planes)
            yield StepDone(step, total, number, loss, seen / (time.perf_counter() - begun))

    def _step(self, batch: Batch) -> torch.Tensor:
        planes, target, weight = self._on_device(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss: torch.Tensor = self.net.loss(self.net(planes), target, weight)
        self.fabric.backward(loss)
        self.optimiser.step()
        return loss.detach()

    def _validated(self, number: int) -> tuple[PixelCounts, float]:
        """Pixel counts and mean loss over the validation patches, after epoch `number`."""
        self.net.eval()
        counts, total, pixels = PixelCounts(), 0.0, 0.0
        with torch.inference_mode():
            for batch in self.data.validation_batches():
                planes, target, weight = self._on_device(batch)
                scores = self.net(planes)
                counted = float(weight.sum())
                loss = float(self.net.loss(scores, target, weight))
                if not math.isfinite(loss):  # the epoch's very last step can break it
                    raise _diverged(f"the validation of epoch {number}")
                total += loss * counted
                pixels += counted
                probability = self.bare.probability(scores).float().cpu().numpy()
                counts.add(probability, batch.target > 0, batch.weight > 0)
        return counts, total / max(pixels, 1.0)

    def _on_device(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        arrays = (batch.planes, batch.target, batch.weight)
        return tuple(torch.from_numpy(array).to(self.fabric.device) for array in arrays)

    def _set_rate(self, number: int) -> float:
        schedule = self.recipe.schedule
        rate = schedule.learning_rate * schedule.decay ** ((number - 1) // schedule.decay_every)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _save_model(self, figures: dict[str, float]) -> None:
        chosen = self.recipe.prediction.threshold
        card = ModelCard(
            name=self.run.name or self.recipe.name,
            recipe=self.recipe,
            parameters=sum(weight.numel() for weight in self.bare.parameters()),
            trained_on=self.data.told
            + (f"; started from {self.run.start_from}" if self.run.start_from else ""),
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
        with replacing(self.run.out / HISTORY_FILE) as temporary:
            temporary.write_text("", encoding="utf-8")

    def _history(self) -> list[dict[str, dict[str, float]]]:
        """The rows of the epochs that the checkpoint counts; a row beyond them is cut off."""
        path = self.run.out / HISTORY_FILE
        try:
            lines = path.read_text(encoding="utf-8").splitlines()[: self.progress.epoch]
            rows = [json.loads(line) for line in lines]
        except (OSError, ValueError) as error:
            raise _history_lost(path) from error
        if len(rows) < self.progress.epoch:
            raise _history_lost(path)
        with replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return rows

    def _remember(self, done: EpochDone) -> None:
        path = self.run.out / HISTORY_FILE
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(done)) + "\n")
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({(error.strerror or str(error)).lower()}); free some "
                "space and run again with --resume"
            ) from error


def _epoch_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)


def _diverged(where: str) -> TrainingError:
    return TrainingError(
        f"the loss is no longer a number at {where}; lower schedule.learning_rate and train "
        "again: the best epoch so far is kept"
    )


def _history_lost(path: Path) -> TrainingError:
    return TrainingError(
        f"{path} does not hold the epochs that the checkpoint counts; put it back, or start again "
        "without --resume"
    )


def _begun_from(recipe: Recipe, name_or_path: str) -> Net:
    """A copy of a trained model's network, to be trained further."""
    model = load_model(name_or_path)
    if model.recipe.family != recipe.family or model.recipe.normalisation != recipe.normalisation:
        raise TrainingError(
            f"{model.card.name} has another network or normalisation than this recipe; start from "
            "it with its own recipe: name the model in the recipe's place"
        )
    return copy.deepcopy(model.net)


def _loader(recipe: Recipe, data: Path, progress: Progress = silent) -> Loader:
    """What the recipe learns from."""
    if isinstance(recipe.data, VoteData):
        return GalaxySet(recipe, data, progress)
    return TrainingSet(recipe, data)
