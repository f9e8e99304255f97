"""Outcome: how a training or a search ended, in words, and what of it goes to Predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_astroseg.engine.card import MODEL_FILE
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.service import Ended, Failure
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.search import told as in_words


def told_end(order: Order, outcome: Ended | Failure, result: dict[str, Any]) -> tuple[str, str]:
    """`done`, `stopped` or `failed`, and a sentence."""
    if isinstance(outcome, Failure):
        return "failed", outcome.message
    if outcome.stopped:
        return "stopped", "Stopped; the epochs that are done are kept."
    if order.searches and "best" in result:
        changes = ", ".join(in_words(result["changes"]))
        figure = f"{words_of(order.recipe.data.figure)} = {result['figure']:.3f}"
        where = f"its recipe is {Path(result['best']).name}"
        return "done", f"Best: trial {result['trial']} ({changes}), {figure}; {where}"
    told = result.get("figures", {}).items()
    figures = "; ".join(f"{words_of(name)} = {value:.3f}" for name, value in told)
    return "done", f"Trained. Best epoch: {figures}" if figures else "Trained."


def put_on_shelf(shelf: Shelf, order: Order, result: dict[str, Any]) -> None:
    """Let Predict find the model: the run's, or that of the best trial."""
    out = order.out
    if order.searches and "trial" in result:
        out = out / f"trial-{result['trial']:04d}"
    if (out / MODEL_FILE).exists():
        shelf.add(out)
