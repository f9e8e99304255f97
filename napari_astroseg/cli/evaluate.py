"""Measure a model against truth it has not seen, in the figures of the paper it follows."""

from __future__ import annotations

import argparse
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
        "--out",
        type=Path,
        metavar="D",
        help="also write D/evaluation.json, evaluation.html, and each plot as PNG and SVG",
    )
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    verb.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Predict on the data and print the figures with their errors."""
    from napari_astroseg.cli.predict import numbers
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.engine.evaluate import evaluate
    from napari_astroseg.engine.evaluation import command, with_provenance
    from napari_astroseg.engine.model import load_model
    from napari_astroseg.engine.report.figures import rows_of
    from napari_astroseg.engine.report.files import as_json, write_report
    from napari_astroseg.sky.window import Window

    window = None
    if options.window:
        window = Window(*map(round, numbers(options.window, 4, "--window X,Y,W,H")))
    how: dict[str, Any] = {"background": options.background, "window": window}
    model = load_model(options.model)
    with steps_told(options.quiet) as progress:
        told = evaluate(model, options.data, device=options.device, progress=progress, **how)
        if options.out is not None:
            line = command(options.model, options.data, device=options.device, **how)
            made = with_provenance(told, model, options.data, line)
            write_report(options.out, made, progress)
    if options.json:
        print(as_json(told))
        return 0
    for row in rows_of(told):
        paper = f"   paper: {row.paper}" if row.paper else ""
        print(f"{row.name:22s} {row.told}{paper}")
    return 0
