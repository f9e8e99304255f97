"""Run: where a training reads and writes, and on what; apart from the recipe, torch-free."""

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
