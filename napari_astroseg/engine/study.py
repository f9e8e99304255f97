"""Study: what a search has tried, in a file that several processes share and a later run finds.

Optuna proposes and remembers; its journal is a file of JSON lines.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeAlias

from astropy.table import Table

from napari_astroseg.errors import SetupError, TrainingError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.search import Choice, Range, Search

try:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState
except ImportError as error:
    raise SetupError(
        'searching needs optuna; install it with `pip install "napari-astroseg[sweep]"`'
    ) from error

STUDY_FILE = "study.jsonl"
_RECIPE, _SEARCH, _CUT_OFF = "recipe", "search", "cut off"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
_STARTUP = 5
"""Trials that are drawn at random, and never pruned, before anything is concluded."""

Trial: TypeAlias = "optuna.Trial"
Record: TypeAlias = "optuna.trial.FrozenTrial"

optuna.logging.set_verbosity(optuna.logging.WARNING)  # our events tell what happens


class Study:
    """The trials of one search of one recipe.

    Parameters
    ----------
    out
        Folder that holds the file.
    grid
        Whether every combination is tried, none cut short.
    worker
        Number of the process, which draws differently from the others.

    Raises
    ------
    TrainingError
        When the file holds another search, or is damaged.
    """

    def __init__(
        self, out: Path, recipe: Recipe, search: Search, grid: bool = False, worker: int = 0
    ) -> None:
        self.search, self.grid = search, grid
        self.path = out / STUDY_FILE
        seed = (recipe.schedule.seed + worker) % 2**32
        warm = max(1, recipe.schedule.epochs // 4)
        try:
            storage = JournalStorage(JournalFileBackend(str(self.path)))
            self._study = optuna.create_study(
                study_name=recipe.name,
                storage=storage,
                direction="maximize",
                sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP),
                pruner=optuna.pruners.NopPruner()
                if grid
                else optuna.pruners.MedianPruner(_STARTUP, warm),
                load_if_exists=True,
            )
            attributes = self._study.user_attrs
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(
                f"{self.path} cannot be read ({error}); remove it, or choose another --out"
            ) from error
        for name, value in ((_RECIPE, recipe.to_yaml()), (_SEARCH, repr((search, grid)))):
            if attributes.get(name, value) != value:
                raise TrainingError(
                    f"{out} holds a search of another {name}; go on with the same words, or choose "
                    "another --out"
                )
            if name not in attributes and worker == 0:
                self._study.set_user_attr(name, value)

    def pick_up(self) -> int:
        """Have trials that were cut off tried again; how many trials ended before."""
        cut_off = [record for record in self.records if record.state == TrialState.RUNNING]
        for record in cut_off:
            self._study.tell(record.number, state=TrialState.FAIL)
            if record.params:
                self._study.enqueue_trial(record.params)
        self._study.set_user_attr(_CUT_OFF, self._cut_off + len(cut_off))
        if self.grid:
            for values in self.search.grid():
                self._study.enqueue_trial(values, skip_if_exists=True)
        return self._begun

    def ask(self, most: int) -> Trial | None:
        """The next trial; None where so many have ended or run."""
        if self._begun >= most:
            return None
        return self._study.ask()

    def values(self, trial: Trial) -> dict[str, Any]:
        """What a trial tries."""
        return {path: _proposed(trial, path, how) for path, how in self.search.fields.items()}

    def tell(self, trial: Trial, figure: float, state: str) -> bool:
        """Note how a trial ended; whether it is the best so far."""
        before = self.best
        if state == "complete" and math.isfinite(figure):
            self._study.tell(trial, figure)
            return before is None or figure > float(before.value or -math.inf)
        self._study.tell(trial, state=TrialState.PRUNED if state == "pruned" else TrialState.FAIL)
        return False

    @property
    def _cut_off(self) -> int:
        """Trials that never came to their end, and are tried again."""
        return int(self._study.user_attrs.get(_CUT_OFF, 0))

    @property
    def _begun(self) -> int:
        """Trials that ended or run, but for those."""
        begun = (record.state != TrialState.WAITING for record in self.records)
        return sum(begun) - self._cut_off

    @property
    def records(self) -> list[Record]:
        """Every trial there has been, by number."""
        return self._study.get_trials(deepcopy=False)

    @property
    def ended(self) -> int:
        """Trials that came to an end of their own."""
        return sum(record.state in _ENDED for record in self.records) - self._cut_off

    @property
    def best(self) -> Record | None:
        """The complete trial with the highest figure."""
        done = [r for r in self.records if r.state == TrialState.COMPLETE and r.values]
        return max(done, key=lambda record: float(record.values[0]), default=None)

    def table(self) -> Table:
        """One row per trial that ended: number, state, figure, epochs seen, and what it tried."""
        ended = [record for record in self.records if record.state in _ENDED]
        table = Table()
        table["trial"] = [record.number for record in ended]
        table["state"] = [record.state.name.lower() for record in ended]
        table["figure"] = [_figure(record) for record in ended]
        table["epochs"] = [len(record.intermediate_values) for record in ended]
        for path in self.search.fields:
            table[path] = [record.params.get(path, math.nan) for record in ended]
        return table


def _proposed(trial: Trial, path: str, how: Choice | Range) -> Any:
    if isinstance(how, Choice):
        return trial.suggest_categorical(path, how.values)
    if how.whole:
        return trial.suggest_int(path, int(how.low), int(how.high), log=how.log)
    return trial.suggest_float(path, how.low, how.high, log=how.log)


def _figure(record: Record) -> float:
    seen = [*record.intermediate_values.values(), *(record.values or ())]
    return max(seen, default=math.nan)
