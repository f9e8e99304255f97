"""Sweep: one recipe trained with many settings; the best becomes a recipe again.

Each trial is a training like any other, in a folder of its own. Those whose figure stays below the
median of the others are ended early. A sweep that was stopped goes on, and several processes share
one.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_astroseg.engine.checkpoint import LAST_FILE
from napari_astroseg.engine.events import (
    EpochDone,
    Event,
    Finished,
    Preparing,
    Started,
    TrialBegun,
    TrialDone,
    Warned,
)
from napari_astroseg.engine.run import Run, Sweep
from napari_astroseg.engine.study import STUDY_FILE, Study
from napari_astroseg.engine.sweepplot import write_plot
from napari_astroseg.engine.train import train
from napari_astroseg.errors import RecipeError, TrainingError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.search import Search
from napari_astroseg.sky.files.writing import replacing

BEST_FILE, TABLE_FILE, PLOT_FILE = "best.yaml", "trials.ecsv", "sweep.png"
_POLL_S = 0.5


def sweep(recipe: Recipe, how: Sweep) -> Iterator[Event]:
    """Train with many settings; closing the generator stops it, and `how.resume` goes on.

    Yields
    ------
    `Started`, then for each trial of this process `TrialBegun`, the events of its training and
    `TrialDone` (for those of other processes that alone), and `Finished` with `best` (the
    recipe's file), `trial`, `changes`, `figure`, `table` and `plot`.

    Raises
    ------
    RecipeError
        When the words name no field, or a value that it does not take.
    TrainingError
        When `out` holds another search, or not one training came to its end.
    """
    begun = time.perf_counter()
    search = Search.parse(how.words, recipe)
    trials = len(search.grid()) if how.grid else how.trials
    how.out.mkdir(parents=True, exist_ok=True)
    if (how.out / STUDY_FILE).exists() and not how.resume:
        raise TrainingError(
            f"{how.out} holds a search already; add --resume to go on with it, or choose another "
            "--out"
        )
    study = Study(how.out, recipe, search, how.grid)
    before = study.pick_up()
    yield Started(f"sweep of {recipe.name}", max(0, trials - before), "trials", how.device)
    with _others(recipe, how, trials) as others:
        yield from _trained(study, recipe, how, trials)
        while any(other.poll() is None for other in others):
            yield Preparing("waiting for the other processes' trainings", study.ended, trials)
            time.sleep(_POLL_S)
        if any(other.returncode for other in others):
            yield Warned(
                "a process of this sweep ended before its time, and the others did its work; what "
                "it had begun is tried again with --resume"
            )
    best = study.best
    if best is None:
        raise TrainingError(
            f"not one training of the sweep came to its end; {how.out / TABLE_FILE} lists them: "
            "try smaller rates"
        )
    chosen = recipe.replace(**best.params)
    with replacing(how.out / BEST_FILE) as temporary:
        temporary.write_text(chosen.to_yaml(), encoding="utf-8")
    _write_table(study, how.out)
    result = {
        "best": str(how.out / BEST_FILE),
        "trial": best.number,
        "changes": best.params,
        "figure": float(best.values[0]),
        "table": str(how.out / TABLE_FILE),
        "plot": str(write_plot(how.out / PLOT_FILE, study, recipe.data.figure)),
    }
    yield Finished(result, time.perf_counter() - begun)


def take_part(recipe: Recipe, how: Sweep, worker: int, trials: int) -> None:
    """Train in this process, too, until so many trials have been."""
    study = Study(how.out, recipe, Search.parse(how.words, recipe), how.grid, worker)
    for _ in _trained(study, recipe, how, trials):
        pass


def _trained(study: Study, recipe: Recipe, how: Sweep, trials: int) -> Iterator[Event]:
    """Trials of this process, one after the other."""
    while (trial := study.ask(trials)) is not None:
        changes = study.values(trial)
        yield TrialBegun(trial.number, changes)
        out = how.out / f"trial-{trial.number:04d}"
        best, state = -math.inf, "complete"
        try:
            changed = recipe.replace(**changes)
            events = train(changed, Run(how.data, out, how.device, command=how.command))
            for event in events:
                if isinstance(event, Finished):
                    continue
                yield event
                if isinstance(event, EpochDone):
                    figure = event.validation[recipe.data.figure]
                    best = max(best, figure)
                    trial.report(figure, event.epoch)
                    if not how.grid and trial.should_prune():
                        state = "pruned"
                        events.close()  # type: ignore[attr-defined]
                        break
        except (RecipeError, TrainingError) as error:  # of these settings; others may do better
            yield Warned(f"trial {trial.number}: {error}")
            state = "failed"
        (out / LAST_FILE).unlink(missing_ok=True)  # nobody goes on with it
        figure = best if math.isfinite(best) else math.nan
        if state == "complete" and math.isnan(figure):  # no epoch that could be told by its figure
            state = "failed"
        is_best = study.tell(trial, figure, state)
        _write_table(study, how.out)
        yield TrialDone(trial.number, changes, figure, state, is_best)


@contextmanager
def _others(recipe: Recipe, how: Sweep, trials: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Further processes that take part."""
    told = asdict(how) | {"recipe": recipe.to_yaml(), "most": trials}
    with ExitStack() as stack:
        others = []
        for worker in range(1, how.processes):
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "napari_astroseg.engine.sweeper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": str(_threads(how.processes))},
            )
            stack.callback(child.wait)
            stack.callback(child.kill)
            pipe = child.stdin
            assert pipe is not None
            stack.callback(pipe.close)  # until then it knows that somebody waits for it
            pipe.write(json.dumps(told | {"worker": worker}, default=str).encode() + b"\n")
            pipe.flush()
            others.append(child)
        yield others


def unpacked(message: bytes) -> tuple[Recipe, Sweep, int, int]:
    """What a further process is told: recipe, sweep, its number, trials in all."""
    told: dict[str, Any] = json.loads(message)
    recipe = Recipe.from_yaml(told.pop("recipe"))
    worker, most = told.pop("worker"), told.pop("most")
    paths = {"data": Path(told["data"]), "out": Path(told["out"])}
    return recipe, Sweep(**(told | paths | {"words": tuple(told["words"])})), worker, most


def _threads(processes: int) -> int:
    return max(1, (os.cpu_count() or 1) // processes)


def _write_table(study: Study, out: Path) -> None:
    with replacing(out / TABLE_FILE) as temporary:
        study.table().write(temporary, format="ascii.ecsv", overwrite=True)
