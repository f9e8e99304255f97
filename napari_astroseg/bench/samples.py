"""Samples: mean and spread of fifty answers of a probabilistic network, over one answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, words
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.sampling import SamplingNet
from napari_astroseg.recipes.recipe import Recipe

_TARGET = 1.5
_DRAWS = 50


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """The published network in fp32, a window's worth of stamps at once."""
    recipe = Recipe.preset("blended_galaxies")
    net = build(recipe.family).eval()
    assert isinstance(net, SamplingNet)
    side = recipe.data.side_px
    count = max(1, (plan.window_px // side) ** 2 // 4)
    planes = torch.randn(count, 1, side, side)
    noise = torch.randn(_DRAWS, count, net.latent)

    def all_draws() -> object:
        with torch.inference_mode():
            return net.moments(planes, noise)

    def one() -> object:
        with torch.inference_mode():
            return net.probability(net(planes))

    pair = Pair(*in_turn(plan, all_draws, one))
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: {count} stamps of {side}² px, fp32"
    yield Measurement.at_most("50 samples", pair.ratio, "× one answer", _TARGET, how)
