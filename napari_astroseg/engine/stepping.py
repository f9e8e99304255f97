"""Stepper: one step of the optimiser, whatever memory there is and however many share it.

A batch is worked on in parts whose gradients add up to that of the whole, on one device or by
several processes; where memory does not suffice, in twice as many. Batch norms alone see the part
that they are in, so that with them the sum is not quite the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from safetensors.numpy import save

from napari_astroseg.engine.batch import Batch
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.errors import OutputError, TrainingError
from napari_astroseg.recipes.schedule import Schedule
from napari_astroseg.sky.files.writing import replacing

BROKEN_FILE = "broken-batch.safetensors"


def optimiser_for(schedule: Schedule, net: Network) -> torch.optim.Optimizer:
    """The optimiser that a schedule names, of all weights."""
    weights, rate, pull = net.parameters(), schedule.learning_rate, schedule.weight_decay
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(weights, lr=rate, momentum=schedule.momentum, weight_decay=pull)
    if schedule.optimiser == "adamw":
        return torch.optim.AdamW(weights, lr=rate, weight_decay=pull)
    return torch.optim.Adam(weights, lr=rate, weight_decay=pull)


class Stepper:
    """Steps of one training.

    Parameters
    ----------
    net, optimiser
        As Fabric has set them up.
    out
        Folder that keeps a batch which broke the network.
    """

    def __init__(
        self, fabric: Fabric, net: Any, optimiser: Any, schedule: Schedule, out: Path
    ) -> None:
        self._fabric, self._net, self._optimiser = fabric, net, optimiser
        self._clip, self._out, self.parts = schedule.clip, out, schedule.parts

    def step(self, batch: Batch, where: str) -> Iterator[str]:
        """Learn from one batch; the loss is `loss` afterwards.

        Yields
        ------
        A sentence for each time that memory did not suffice and less is tried at once.

        Raises
        ------
        TrainingError
            When the loss is no longer a number (the batch is kept), or memory does not suffice
            for a single stamp.
        """
        while True:
            try:
                self.loss = self._tried(batch)
                break
            except (RuntimeError, MemoryError) as error:
                if not _of_memory(error):
                    raise
                yield self._with_less(len(batch))
        if not math.isfinite(self.loss):
            raise self._diverged(batch, where)

    def _tried(self, batch: Batch) -> float:
        world, rank = self._fabric.world_size, self._fabric.global_rank
        shares = batch.parts(world)
        # Where there are fewer stamps than processes, some repeat the first and count nothing.
        mine, counts = (shares[rank], 1.0) if rank < len(shares) else (shares[0], 0.0)
        whole = batch.worth or 1.0
        self._optimiser.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self._fabric.device)
        parts = mine.parts(self.parts)
        for number, part in enumerate(parts, start=1):
            share = counts * (part.worth / whole)
            with self._fabric.no_backward_sync(self._net, enabled=number < len(parts)):
                of_part = self._net.learn(part.on(self._fabric.device))
                self._fabric.backward(of_part * (share * world))
            loss += of_part.detach() * share
        if world > 1:
            loss = self._fabric.all_reduce(loss, reduce_op="sum")
        value = float(loss)
        if math.isfinite(value):
            if self._clip is not None:
                self._fabric.clip_gradients(
                    self._net, self._optimiser, max_norm=self._clip, error_if_nonfinite=False
                )
            self._optimiser.step()
        return value

    def _with_less(self, stamps: int) -> str:
        """Twice as many parts, in a sentence."""
        if self._fabric.world_size > 1:
            raise TrainingError(
                f"memory does not suffice for {stamps} patches in {self.parts} parts; raise "
                "schedule.parts"
            )
        if self.parts >= stamps:
            raise TrainingError(
                "memory does not suffice for a single patch; use a smaller network or patch, or "
                "another device"
            )
        self.parts *= 2
        self._optimiser.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = math.ceil(stamps / self.parts)
        return (
            f"memory did not suffice for a batch of {stamps}; from here on it is worked on {size} "
            "at a time, which takes longer (batch norms see so many at once)"
        )

    def _diverged(self, batch: Batch, where: str) -> TrainingError:
        path = self._out / BROKEN_FILE
        with suppress(OutputError), replacing(path) as temporary:
            temporary.write_bytes(save(batch.arrays(), {"where": where}))
        kept = f" (its batch is kept in {path})" if path.exists() else ""
        return diverged(where + kept)


def diverged(where: str) -> TrainingError:
    """The sentence for a loss that is no number."""
    return TrainingError(
        f"the loss is no longer a number at {where}; lower schedule.learning_rate and train "
        "again: the best epoch so far is kept"
    )


def _of_memory(error: BaseException) -> bool:
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        "not enough memory" in str(error) or "out of memory" in str(error)
    )
