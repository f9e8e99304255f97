"""Draw how the model of blended galaxies learnt, and how it does by magnitude, for its page.

    python benchmarks/draw_blend_model.py WORK

WORK is that of `make_blend_model.py`; the picture goes to `docs/images/blended-model.png`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from make_blend_model import STAGES
from matplotlib.figure import Figure

OUT = Path(__file__).parents[1] / "docs" / "images" / "blended-model.png"
ISOLATED, OVERLAP, GREY = "#0072b2", "#d55e00", "#707070"
PAPER = {"isolated": 0.8, "blended": 0.55}
FEWEST = 15
"""Galaxies of a bin that is drawn."""


def main() -> None:
    """Read the histories and the evaluation, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    figure = Figure(figsize=(11.0, 3.3), layout="constrained")
    learning, iou, variance = figure.subplots(1, 3)
    _learning(learning, work)
    told = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    _by_magnitude(iou, told["magnitudes"], "iou", "mean IoU")
    _by_magnitude(variance, told["magnitudes"], "variance", "mean variance of the samples")
    iou.set_ylim(0.0, 1.0)
    variance.set_ylim(bottom=0.0)
    for kind, colour in (("isolated", ISOLATED), ("blended", OVERLAP)):
        iou.axhline(PAPER[kind], color=colour, lw=1, ls=":")
    iou.text(18.1, PAPER["isolated"] + 0.01, "paper: above", fontsize=8, color=GREY)
    figure.savefig(OUT, dpi=110)
    print(OUT, OUT.stat().st_size, "bytes")


def _learning(axes: object, work: Path) -> None:
    """IoU of pixels of both classes after each epoch, stage by stage."""
    start = 0
    for stage in STAGES:
        text = (work / stage.name / "history.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        epochs = start + np.arange(1, len(rows) + 1)
        for name, colour, mark in (("isolated", ISOLATED, "o"), ("overlap", OVERLAP, "s")):
            values = [row["validation"][f"iou_{name}"] for row in rows]
            label = name if stage is STAGES[0] else None
            axes.plot(epochs, values, mark + "-", color=colour, ms=4, lw=1.5, label=label)
        axes.text(start + 0.6, 0.93, stage.name, fontsize=8, color=GREY)
        start += len(rows)
        if stage is not STAGES[-1]:
            axes.axvline(start + 0.5, color=GREY, lw=0.8, ls="--")
    axes.set(xlabel="epoch", ylabel="IoU of validation pixels", ylim=(0.0, 1.0))
    axes.legend(loc="center left", frameon=False, fontsize=8)


def _by_magnitude(axes: object, rows: list[dict], name: str, label: str) -> None:
    for kind, colour, mark in (("isolated", ISOLATED, "o"), ("blended", OVERLAP, "s")):
        shown = [row for row in rows if row[kind]["galaxies"] >= FEWEST and row[kind][name]]
        axes.errorbar(
            [(row["from"] + row["to"]) / 2 for row in shown],
            [row[kind][name] for row in shown],
            [row[kind][f"{name}_error"] for row in shown],
            fmt=mark + "-", color=colour, ms=4, lw=1.5, capsize=2, label=kind,
        )  # fmt: skip
    axes.set(xlabel="magnitude", ylabel=label, xlim=(18.0, 25.0))
    axes.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    main()
