"""Reasons: which buttons of the Train dock can be pressed, and why the others cannot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_astroseg.engine.card import MODEL_FILE
from napari_astroseg.gui.training.queue import Queue
from napari_astroseg.gui.training.searching import lacking

_LAST, _STUDY = "last.safetensors", "study.jsonl"


@dataclass(frozen=True)
class Standing:
    """What the buttons depend on.

    Parameters
    ----------
    problem
        What is wrong with the form; "" when nothing.
    made_up
        Whether what the recipe learns from can be simulated.
    busy
        Whether something runs.
    watched
        The folder of the training that is watched.
    """

    data: Path | None
    out: Path | None
    problem: str
    made_up: bool
    busy: bool
    watched: Path | None
    queue: Queue


class Reasons:
    """Of one standing."""

    def __init__(self, now: Standing) -> None:
        self._now = now
        self._lack = now.problem
        if now.data is None or not now.data.is_dir():
            self._lack = "Choose the folder of the training data, or simulate some"
        elif now.out is None:
            self._lack = "Choose a folder for the run"
        self._held = now.out is not None and any(
            (now.out / name).exists() for name in (_LAST, _STUDY)
        )

    def of(self, dock: Any) -> dict[Any, tuple[str, str]]:
        """Of each button why it cannot be pressed ("": it can), and what it does."""
        now = self._now
        busy = "Something runs already: stop it first" if now.busy else ""
        new = self._lack or (
            "The run's folder holds a run: resume it, or name another folder" if self._held else ""
        )
        waits = "" if now.out is None or not now.queue.holds(now.out) else (
            "The run's folder is that of a training in the queue: name another"
        )  # fmt: skip
        old = "" if self._held else "The run's folder holds nothing to go on from"
        model = now.out is not None and (now.out / MODEL_FILE).exists()
        return {
            dock.go: (busy or new or waits, "Train from the beginning (Ctrl+Return)"),
            dock.resume: (
                busy or self._lack or old,
                "Go on after the last whole epoch, or with the trials of a search",
            ),
            dock.halt: (
                "" if now.busy else "Nothing is running",
                "Stop; whole epochs are kept (Ctrl+.)",
            ),
            dock.detach: (
                "" if now.watched else "Nothing is trained here",
                "Let the training go on by itself, and have the dock for another; its folder "
                "shows it again",
            ),
            dock.enqueue: (
                now.queue.why_not or new or waits or self._same(),
                "Train this when all before it are done (Ctrl+Shift+Return)",
            ),
            dock.search: (
                now.queue.why_not or self._lack or lacking(),
                "Try many settings, such as the six thresholds, as one job of the queue",
            ),
            dock.make_up: (
                "" if now.made_up else "Nothing in this layout can be simulated: choose a folder",
                "Make up skies with known truth, to learn from or to try this out",
            ),
            dock.use: (
                "" if model else "No model yet: the first epoch makes one",
                "Put the best model so far into Predict's list",
            ),
        }

    def _same(self) -> str:
        now = self._now
        same = now.watched is not None and now.out is not None
        if same and now.out is not None and now.out.absolute() == now.watched:
            return "This run is being trained: name another folder for the next"
        return ""
