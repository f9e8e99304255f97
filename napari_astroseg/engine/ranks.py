"""Ranks: the processes that train one network together, each on its share of every batch.

The first of them is whoever calls `train`, in a window's engine, a script or on the command line;
the others are children that run the same training, say nothing and write nothing. A launcher of
its own (torchrun, SLURM) is recognised by the variables it sets, and then nothing is started here.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

from napari_astroseg.engine.run import Run
from napari_astroseg.errors import TrainingError
from napari_astroseg.recipes.recipe import Recipe

_PATIENCE = timedelta(hours=1)
"""How long one process waits for another, which may be validating."""

_LAUNCHED = "LOCAL_RANK"
"""The variable by which every launcher tells a process its place."""


def fabric_for(recipe: Recipe, run: Run, device: torch.device) -> Fabric:
    """The Fabric of a training, its processes joined where there are several."""
    if run.devices * run.nodes == 1:
        return Fabric(accelerator=device.type, devices=1, precision=recipe.schedule.precision)
    rests = recipe.schedule.head_stages > 0
    fabric = Fabric(
        accelerator=device.type,
        devices=run.devices,
        num_nodes=run.nodes,
        strategy=DDPStrategy(find_unused_parameters=rests, timeout=_PATIENCE),
        precision=recipe.schedule.precision,
    )
    fabric.launch()
    return fabric


@contextmanager
def joined(recipe: Recipe, run: Run) -> Iterator[None]:
    """Start the other processes of a training on this machine, and end them with it.

    Raises
    ------
    TrainingError
        When one of them ended before its time; the sentence repeats its last words.
    """
    if run.devices == 1 or _LAUNCHED in os.environ:
        yield
        return
    place = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "NODE_RANK": "0",
        "WORLD_SIZE": str(run.devices),
    }
    with ExitStack() as stack:
        others = [
            stack.enter_context(_Other(recipe, run, place | {_LAUNCHED: str(rank)}))
            for rank in range(1, run.devices)
        ]
        stack.enter_context(_variables(place | {_LAUNCHED: "0"}))
        try:
            yield
        except RuntimeError as error:  # a connection broke
            last_words = [words for other in others if (words := other.last_words())]
            if not last_words:
                raise
            raise TrainingError(
                f"one of the {run.devices} processes ended before its time ({last_words[0]}); "
                "run again with --resume"
            ) from error
        finally:
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()


class _Other:
    """One child that takes part."""

    def __init__(self, recipe: Recipe, run: Run, variables: dict[str, str]) -> None:
        self._heard: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed on leaving)
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "napari_astroseg.engine.rank"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._heard,
            env=os.environ | variables,
        )
        assert self._child.stdin is not None
        with self._child.stdin as pipe:
            pipe.write(packed(recipe, run))

    def __enter__(self) -> _Other:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()
        self._heard.close()

    def last_words(self) -> str:
        """What it said last, if it ended badly; else ''."""
        try:
            status = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return ""
        self._heard.seek(0)
        said = self._heard.read().decode(errors="replace").strip().splitlines()
        return "" if status == 0 else said[-1] if said else f"exit status {status}"


def packed(recipe: Recipe, run: Run) -> bytes:
    """A training as JSON."""
    return json.dumps({"recipe": recipe.to_yaml(), "run": asdict(run)}, default=str).encode()


def unpacked(message: bytes) -> tuple[Recipe, Run]:
    """The training that `packed` made JSON of."""
    told: dict[str, Any] = json.loads(message)
    run = told["run"]
    paths = {"data": Path(run["data"]), "out": Path(run["out"])}
    return Recipe.from_yaml(told["recipe"]), Run(**(run | paths))


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    """The environment with these, and as it was afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
