"""Measure a model against truth it has not seen, in the figures of the paper it follows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import OutputError, SetupError

if TYPE_CHECKING:
    from napari_astroseg.engine.model import Model

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
    verb.add_argument(
        "--calibrate",
        type=Path,
        metavar="F",
        help="fit the model's temperature on these maps, and write the calibrated model to F",
    )
    verb.add_argument(
        "--ensemble",
        type=int,
        choices=(2, 4, 8),
        metavar="N",
        help="measure its mean answer over N turns and mirrorings, as `predict --ensemble N` gives",
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

    if options.calibrate is not None and options.calibrate.exists():
        raise OutputError(f"{options.calibrate} is there already; name another file")
    if options.calibrate is not None and options.ensemble is not None:
        raise SetupError(
            "a temperature is fitted to single answers; leave out --ensemble or --calibrate"
        )
    window = None
    if options.window:
        window = Window(*map(round, numbers(options.window, 4, "--window X,Y,W,H")))
    how: dict[str, Any] = {"background": options.background, "window": window}
    model = load_model(options.model)
    if options.ensemble is not None:
        model = model.turned(options.ensemble)
    with steps_told(options.quiet) as progress:
        told = evaluate(model, options.data, device=options.device, progress=progress, **how)
        if options.out is not None:
            told_how = {**how, "device": options.device, "ensemble": options.ensemble}
            line = command(options.model, options.data, **told_how)
            made = with_provenance(told, model, options.data, line)
            write_report(options.out, made, progress)
    if options.calibrate is not None:
        _calibrate(options, model, how)
    if options.json:
        print(as_json(told))
        return 0
    rows = rows_of(told)
    width = max(22, *(len(row.name) for row in rows))
    for row in rows:
        paper = f"   paper: {row.paper}" if row.paper else ""
        print(f"{row.name:{width}s} {row.told}{paper}")
    if options.out is not None:
        print(f"see {options.out / 'evaluation.html'}")
    return 0


def _calibrate(options: argparse.Namespace, model: Model, how: dict[str, Any]) -> None:
    """Write the calibrated model, and say how much better it is than it was."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.engine.tempering import calibrate, write_reliability

    with steps_told(options.quiet) as progress:
        told = calibrate(model, options.data, device=options.device, progress=progress, **how)
    told.model.save(options.calibrate)
    if options.out is not None:
        write_reliability(options.out / "reliability.png", told)
    if not options.quiet:
        card = told.model.card
        print(
            f"temperature {card.temperature:g}: calibration error {told.before.error():.4f} → "
            f"{told.after.error():.4f}, threshold {model.card.threshold:g} → {card.threshold:g}; "
            f"written to {options.calibrate}",
            file=sys.stderr,
        )
