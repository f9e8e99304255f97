"""Run: the benchmarks one after the other, each in a scratch folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.errors import SetupError

MODEL = "filaments"

NAMES = (
    "click", "tiles", "first-pixels", "pyramid", "compare", "votes", "pictures", "training",
    "patches", "samples", "vetting", "start", "restart", "workers", "monai",
)  # fmt: skip
"""The benchmarks, in the order they run in."""

ON_REQUEST = ("restart", "workers", "monai")
"""Those of whole maps, several processes, or another package, which are long."""

OF_WINDOWS = ("pictures", "vetting")
"""Those that need a display."""


def measurements(
    plan: Plan, model: str | Path = MODEL, display: bool = False, only: str | None = None
) -> Iterator[Measurement]:
    """Each measurement as it is done.

    Parameters
    ----------
    model
        Whose network is timed: a built-in name, a run's folder or a file.
    display
        Whether a window may be opened.
    only
        One of `NAMES`, to run just that.

    Raises
    ------
    ModelError
        When there is no such model.
    SetupError
        When a benchmark is asked for that cannot run here.
    """
    if only in OF_WINDOWS and not display:
        raise SetupError("there is no display to draw pictures on; run under xvfb-run")
    usual = tuple(name for name in NAMES if name not in ON_REQUEST)
    for name in usual if only is None else (only,):
        if name not in OF_WINDOWS or display:
            with tempfile.TemporaryDirectory(prefix="astroseg-bench-") as folder:
                yield from _measured(name, plan, model, Path(folder), display)


def _measured(
    name: str, plan: Plan, model: str | Path, scratch: Path, display: bool
) -> Iterator[Measurement]:
    """One benchmark; only those of networks load one."""
    if name in ("click", "tiles", "training", "patches", *ON_REQUEST):
        return _of_network(name, plan, model, scratch)
    from napari_astroseg.bench import compare, first_pixels, pictures, pyramid, votes

    if name == "samples":
        from napari_astroseg.bench import samples

        return iter(samples.measure(plan, scratch))
    if name == "vetting":
        from napari_astroseg.bench import vetting

        return iter(vetting.measure(plan, scratch))
    if name == "start":
        from napari_astroseg.bench import starting

        return iter(starting.measure(plan, model, scratch, display))
    of_sky = {
        "first-pixels": first_pixels,
        "pyramid": pyramid,
        "compare": compare,
        "votes": votes,
        "pictures": pictures,
    }
    return iter(of_sky[name].measure(plan, scratch))


def _of_network(name: str, plan: Plan, model: str | Path, scratch: Path) -> Iterator[Measurement]:
    from napari_astroseg.bench import click, monai, patches, restart, tiles, training, workers
    from napari_astroseg.engine.model import load_model

    of_networks = {
        "click": click,
        "tiles": tiles,
        "training": training,
        "patches": patches,
        "restart": restart,
        "workers": workers,
        "monai": monai,
    }
    return iter(of_networks[name].measure(plan, load_model(model), scratch))
