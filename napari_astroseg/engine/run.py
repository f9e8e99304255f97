"""Run, Sweep: where trainings read and write, and on what; apart from the recipe, torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_astroseg.errors import SetupError


@dataclass(frozen=True)
class Run:
    """One training of a recipe.

    Parameters
    ----------
    data
        Folder (or one file) in the layout that the recipe names.
    out
        Folder of the run: `model.safetensors` (best so far), `last.safetensors` (to resume),
        `recipe.yaml`, `history.jsonl`.
    device
        `auto`, `cpu`, `cuda` or `mps`.
    start_from
        A model whose weights to begin with (fine-tuning); random ones by default.
    resume
        Go on from `last.safetensors` when it is there.
    command
        The command that started it, for the model's card.
    name
        What the model's card calls it; the recipe's name by default.
    devices
        Devices that share each batch, a process for each; on the CPU so many processes.
    nodes
        Machines with so many devices each; started there by torchrun or SLURM.
    """

    data: Path
    out: Path
    device: str = "auto"
    start_from: str = ""
    resume: bool = False
    command: str = ""
    name: str = ""
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        if self.devices < 1 or self.nodes < 1:
            raise SetupError("a training needs at least one device and one node; give 1 or more")


@dataclass(frozen=True)
class Sweep:
    """Where a search reads and writes, and how long it goes on.

    Parameters
    ----------
    data, out
        Folder to learn from; folder of the search.
    words
        The search as `Search.parse` takes it.
    trials
        Trainings in all; a grid has as many as it has combinations.
    grid
        Whether every combination is tried, and none cut short.
    processes
        Trainings at a time.
    device, command
        As in `Run`.
    resume
        Go on with what `out` holds.
    """

    data: Path
    out: Path
    words: tuple[str, ...]
    trials: int = 20
    grid: bool = False
    processes: int = 1
    device: str = "auto"
    command: str = ""
    resume: bool = False

    def __post_init__(self) -> None:
        if self.trials < 1 or self.processes < 1:
            raise SetupError("a sweep needs at least one trial and one process; give 1 or more")
