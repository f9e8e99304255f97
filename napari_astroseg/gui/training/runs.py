"""RunRecord: what lies in a run's folder, to be set beside others; without Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_astroseg.engine.events import EpochDone
from napari_astroseg.engine.history import HISTORY_FILE, read_history
from napari_astroseg.engine.runlock import is_held
from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.fields import LACKING, differing
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.recipe import Recipe

TRAINING_LOSS, VALIDATION_LOSS = "training loss", "validation loss"
_RECIPE = "recipe.yaml"
_MOST = 200
"""Runs beyond which nobody compares them by eye."""


@dataclass(frozen=True)
class RunRecord:
    """A run as far as it has come.

    Parameters
    ----------
    recipe
        None where it cannot be read.
    running
        Whether it is trained now.
    """

    out: Path
    recipe: Recipe | None
    epochs: tuple[EpochDone, ...]
    running: bool

    @classmethod
    def read(cls, out: Path) -> RunRecord:
        """What lies in a folder."""
        try:
            recipe = Recipe.open(out / _RECIPE)
        except RecipeError:  # another version's: its curves can be seen all the same
            recipe = None
        return cls(out, recipe, tuple(read_history(out)), is_held(out))

    @property
    def name(self) -> str:
        """The folder's name; a trial's with that of its search."""
        trial = self.out.name.startswith("trial-")
        return f"{self.out.parent.name}/{self.out.name}" if trial else self.out.name

    @property
    def best(self) -> EpochDone | None:
        """The epoch whose model is kept."""
        return next((event for event in reversed(self.epochs) if event.best), None)

    @property
    def state(self) -> str:
        """Whether it runs, has ended, or was left before its last epoch."""
        if self.running:
            return "running"
        last = self.epochs[-1] if self.epochs else None
        return "ended" if last is not None and last.epoch == last.epochs else "left off"

    def curve(self, name: str) -> tuple[list[int], list[float]]:
        """Epochs, and the value of a figure or a loss after each."""
        return [e.epoch for e in self.epochs], [_value(event, name) for event in self.epochs]


def runs_in(folders: Iterable[Path]) -> list[Path]:
    """The folders that are runs, or the runs in them, such as a search's trials; each once."""
    found: dict[Path, None] = {}
    for folder in folders:
        if (folder / HISTORY_FILE).is_file():
            found[folder] = None
        elif folder.is_dir():
            found |= dict.fromkeys(sorted(file.parent for file in folder.glob(f"*/{HISTORY_FILE}")))
    return list(found)[:_MOST]


def curves_of(runs: Sequence[RunRecord]) -> list[str]:
    """What can be drawn of runs: figures first, then losses."""
    names = dict.fromkeys(n for run in runs for event in run.epochs[:1] for n in event.validation)
    figures = [name for name in names if name not in {"loss", "threshold"}]
    return [*figures, VALIDATION_LOSS, TRAINING_LOSS]


def table_of(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Rows by their headings, a cell for each run: figures of the best epoch, differing fields."""
    rows = {
        "state": [run.state for run in runs],
        "epochs": [_told(run.epochs[-1].epoch) if run.epochs else "0" for run in runs],
        "best epoch": [LACKING if run.best is None else str(run.best.epoch) for run in runs],
        "seconds an epoch": [_told(_mean([e.seconds for e in run.epochs])) for run in runs],
    }
    for name in [*curves_of(runs)[:-1], "threshold"]:
        rows[words_of(name)] = [
            _told(math.nan if run.best is None else _value(run.best, name)) for run in runs
        ]
    rows = {name: cells for name, cells in rows.items() if set(cells) != {LACKING}}
    read = [run.recipe for run in runs if run.recipe is not None]
    if len(read) == len(runs):
        rows |= {path: [_told(v) for v in values] for path, values in differing(read).items()}
    return rows


def _value(event: EpochDone, name: str) -> float:
    if name == TRAINING_LOSS:
        return event.loss
    return event.validation.get("loss" if name == VALIDATION_LOSS else name, math.nan)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _told(value: Any) -> str:
    if isinstance(value, float):
        return LACKING if math.isnan(value) else f"{value:.4g}"
    return str(value)
