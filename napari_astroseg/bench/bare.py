"""Bare: a network's forward pass with nothing around it, the limit of every prediction."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.sky.tiles import Tile


def forward(model: Model, height: int, width: int) -> Callable[[], object]:
    """One forward pass over planes of this size, as prediction runs it.

    The same net (batch norms folded, channels last, float32) on the same number of threads;
    from planes in memory to probabilities in memory.
    """
    return _pass(model, _fast(model), height, width, Halo())


def forwards(model: Model, tiles: list[Tile]) -> Callable[[], object]:
    """A forward pass over each tile with its context, one after the other."""
    net = _fast(model)
    passes = [_pass(model, net, *tile.outer.shape, Halo(*tile.halo)) for tile in tiles]

    def all_of_them() -> object:
        return [once() for once in passes]

    return all_of_them


def _fast(model: Model) -> Net:
    net = model.net.fused().to(memory_format=torch.channels_last)
    assert isinstance(net, Net)
    return net


def _pass(model: Model, net: Net, height: int, width: int, halo: Halo) -> Callable[[], object]:
    bands = int(getattr(model.recipe.family, "bands", 1))
    planes = torch.randn(1, bands, height, width).contiguous(memory_format=torch.channels_last)

    def once() -> object:
        with torch.inference_mode():
            return net.probability(net(planes, halo))

    return once
