"""Measure a model against truth it has not seen, in the figures of the paper it follows."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

HELP = "measure a model against truth"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("model", metavar="MODEL", help="built-in name, run folder or .safetensors")
    verb.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="folder of maps, galaxies, tiles or sets, or one image file",
    )
    verb.add_argument(
        "--background",
        choices=("one_vs_all", "conservative", "auto"),
        default="one_vs_all",
        help="what counts as negative: all that is not target, or the background map alone",
    )
    verb.add_argument("--window", metavar="X,Y,W,H", help="only these pixels of each field")
    verb.add_argument(
        "--out", type=Path, metavar="D", help="also write D/evaluation.json, and curves if any"
    )
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    verb.add_argument("--json", action="store_true", help="print JSON")


def _without_nan(told: dict[str, Any]) -> dict[str, Any]:
    """The same with null for figures that do not exist, as JSON knows no NaN."""
    kept = dict(told)
    for part in ("figures", "errors"):
        kept[part] = {k: v if math.isfinite(v) else None for k, v in told[part].items()}
    return kept


def run(options: argparse.Namespace) -> int:
    """Predict on the data and print the figures with their errors."""
    from napari_astroseg.cli.predict import numbers
    from napari_astroseg.engine.evaluate import evaluate
    from napari_astroseg.sky.files.writing import replacing
    from napari_astroseg.sky.window import Window

    window = None
    if options.window:
        window = Window(*map(round, numbers(options.window, 4, "--window X,Y,W,H")))
    told = evaluate(
        options.model,
        options.data,
        background=options.background,
        window=window,
        device=options.device,
    )
    text = json.dumps(_without_nan(told), indent=2)
    if options.out is not None:
        with replacing(options.out / "evaluation.json") as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        if "curves" in told:
            from napari_astroseg.engine.curveplot import write_curves

            write_curves(options.out / "precision-recall.png", told["curves"])
        if "reliability" in told:
            from napari_astroseg.engine.blendplot import write_plot

            write_plot(options.out / "evaluation.png", told)
    if options.json:
        print(text)
        return 0
    for name, value in told["figures"].items():
        error = told["errors"].get(name)
        print(f"{name:22s} {value:.3f}" + (f" ± {error:.3f}" if error is not None else ""))
    return 0
