"""Checkpoint: everything a killed training needs to go on as if nothing had happened.

One safetensors file: the network's and the optimiser's tensors, and as text where it was.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from napari_astroseg.engine.tensorfile import write_tensors
from napari_astroseg.errors import TrainingError

LAST_FILE = "last.safetensors"


@dataclass(frozen=True)
class Standing:
    """Where a training stands after an epoch."""

    epoch: int
    best: float
    best_epoch: int
    recipe: str
    data_digest: str


def save_checkpoint(
    path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer, progress: Standing
) -> None:
    """Write a checkpoint, whole or not at all."""
    tensors = {f"net.{name}": t for name, t in net.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": torch.as_tensor(t) for name, t in state.items()}
    write_tensors(path, tensors, {"progress": json.dumps(vars(progress))})


def load_checkpoint(
    path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer, recipe: str, digest: str
) -> Standing:
    """Put a training back to where its checkpoint left it.

    Raises
    ------
    TrainingError
        When the checkpoint is of another recipe or other data, or is damaged.
    """
    try:
        progress = _read_progress(path)
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}); start again without --resume"
        ) from error
    if progress.recipe != recipe:
        raise TrainingError(
            f"{path.parent} was trained with another recipe; resume with its own recipe.yaml, "
            "or choose another --out"
        )
    if progress.data_digest != digest:
        raise TrainingError(
            f"the data have changed since {path.parent} was started; put them back, "
            "or choose another --out"
        )
    net.load_state_dict(_below(tensors, "net."))
    state = optimiser.state_dict()
    state["state"] = _optimiser_state(_below(tensors, "optimiser."))
    optimiser.load_state_dict(state)
    return progress


def _read_progress(path: Path) -> Standing:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    return Standing(**json.loads(header["__metadata__"]["progress"]))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def _optimiser_state(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    return state
