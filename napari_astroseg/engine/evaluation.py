"""Evaluation: a model measured, and all that was found left in a folder; as events."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import Event, Finished
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.preparing import heard
from napari_astroseg.engine.provenance import versions
from napari_astroseg.engine.report.files import write_report
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.window import Window


def evaluate_to_folder(
    model: str | Path,
    data: Path,
    out: Path,
    *,
    background: str = "one_vs_all",
    window: Window | None = None,
    device: str = "auto",
) -> Iterator[Event]:
    """Measure a model as `evaluate` does and write JSON, plots and page into `out`.

    Yields
    ------
    `Preparing` as images are done, then `Finished` with the `evaluation` and the `files`. Nothing
    is written before all is measured.
    """
    begun = time.perf_counter()

    def work(progress: Progress) -> tuple[dict[str, Any], list[Path]]:
        loaded = load_model(model)
        progress("opening the data", 0, None)
        told = evaluate(
            loaded, data, background=background, window=window, device=device, progress=progress
        )
        told = with_provenance(told, loaded, data, command(model, data, background, window, device))
        return told, write_report(out, told, progress)

    told, files = yield from heard(work)
    yield Finished({"evaluation": told, "files": files}, time.perf_counter() - begun)


def with_provenance(told: dict[str, Any], model: Model, data: Path, line: str) -> dict[str, Any]:
    """The same, and what it was made from: model, data, command, versions."""
    made = {
        "model": model.card.name,
        "model_path": str(model.card.path.resolve()) if model.card.path else "",
        "model_digest": told["model"],
        "trained_on": model.card.trained_on,
        "recipe": f"{model.recipe.name}, {model.recipe.digest}",
        "data": str(data.resolve()),
        "data_digest": told["data"],
        "command": line,
        "versions": versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {**told, "provenance": made}


def command(
    model: str | Path,
    data: Path,
    background: str,
    window: Window | None,
    device: str,
    ensemble: int | None = None,
) -> str:
    """The command line that measures the same again."""
    words = ["astroseg", "evaluate", str(model), str(data)]
    if background != "one_vs_all":
        words += ["--background", background]
    if window is not None:
        words += ["--window", f"{window.x},{window.y},{window.width},{window.height}"]
    if device != "auto":
        words += ["--device", device]
    if ensemble is not None:
        words += ["--ensemble", str(ensemble)]
    return shlex.join(words)
