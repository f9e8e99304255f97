"""Run: the benchmarks one after the other, each in a scratch folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement

MODEL = "filaments"


def measurements(
    plan: Plan, model: str | Path = MODEL, display: bool = False
) -> Iterator[Measurement]:
    """Each measurement as it is done.

    Parameters
    ----------
    model
        Whose network is timed: a built-in name, a run's folder or a file.
    display
        Whether a window may be opened.

    Raises
    ------
    ModelError
        When there is no such model.
    """
    from napari_astroseg.bench import click, first_pixels, tiles, training
    from napari_astroseg.engine.model import load_model

    loaded = load_model(model)
    with tempfile.TemporaryDirectory(prefix="astroseg-bench-") as folder:
        scratch = Path(folder)
        yield from click.measure(plan, loaded, scratch)
        yield from tiles.measure(plan, loaded, scratch)
        yield from first_pixels.measure(plan, scratch, display)
        yield from training.measure(plan, loaded, scratch)
