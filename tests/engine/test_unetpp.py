"""U-Net++: its blocks and heads, reach, exact crops, and a loss computed by hand."""

import numpy as np
import pytest
import torch
from skies import lively

from napari_astroseg.engine.events import Finished
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.nets.unetpp import aligned_reach
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.recipes.families.unetpp import Spec
from napari_astroseg.recipes.recipe import Recipe


def test_the_published_depth_has_fifteen_blocks_and_four_heads():
    net = build(Spec())
    assert len(net.down) + len(net.merge) == 15
    assert net.head.out_channels == 4
    # By hand: 9·i·o + 9·o² + 4·o for a block, 4·i·o + o for an up-convolution, i + 1 for a head.
    wide = (64, 128, 256, 512, 1024)

    def block(i, o):
        return 9 * i * o + 9 * o * o + 4 * o

    count = sum(block(i, o) for i, o in zip((1, *wide[:-1]), wide, strict=True))
    for level in range(4):
        for n in range(1, 5 - level):
            count += block((n + 1) * wide[level], wide[level])
            count += 4 * wide[level + 1] * wide[level] + wide[level]
    assert sum(w.numel() for w in net.parameters()) == count + 4 * 65


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_context_of_the_reach_is_enough_and_less_is_not(depth):
    net = lively(build(Spec(channels=(4,) * depth, bottleneck=8))).double().fused()
    planes = torch.randn(1, 1, 256, 256, dtype=torch.float64)
    core = slice(96, 160)

    def cropped(margin):
        outer = slice(core.start - margin, core.stop + margin)
        return net(planes[..., outer, outer], Halo(margin, margin, margin, margin))

    with torch.inference_mode():
        whole = net(planes)[..., core, core]
        assert (cropped(net.reach) - whole).abs().max() < 1e-12
        if net.reach > net.stride:
            assert (cropped(net.reach - 2 * net.stride) - whole).abs().max() > 1e-9


def test_its_reach_is_no_less_than_the_plain_net_s():
    from napari_astroseg.engine.nets import unet5

    assert all(aligned_reach(depth) >= unet5.aligned_reach(depth) for depth in range(1, 6))


def test_the_answer_is_the_mean_of_the_heads_and_the_loss_that_of_their_losses():
    net = build(Spec(channels=(4, 4), bottleneck=4))
    scores = torch.tensor([0.0, 2.0]).reshape(1, 2, 1, 1)
    one = torch.ones(1, 1, 1, 1)
    assert float(net.probability(scores)) == pytest.approx((0.5 + 1 / (1 + np.exp(-2.0))) / 2)
    by_hand = (np.log(2) + np.log1p(np.exp(-2.0))) / 2
    assert float(net.loss(scores, one, one)) == pytest.approx(by_hand, rel=1e-6)
    assert float(net.loss(scores, one, 0 * one)) == 0.0


def test_it_is_a_choice_of_the_filament_recipe(small_recipe, maps, tmp_path):
    recipe = small_recipe.replace(
        **{
            "family.kind": "unet++",
            "family.channels": [4, 6],
            "family.bottleneck": 8,
            "schedule.epochs": 1,
        }
    )
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    *_, last = train(recipe, Run(data=maps, out=tmp_path, device="cpu"))
    assert isinstance(last, Finished)
    assert 0 <= last.result["figures"]["dice"] <= 1
