"""U-Net5 as published: counts, shapes, reach, exact crops, and a loss computed by hand."""

import numpy as np
import pytest
import torch
from skies import lively

from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.nets.unet5 import aligned_reach
from napari_astroseg.recipes.families.unet5 import Spec


def test_the_published_net_has_23_convolutions_and_five_levels():
    net = build(Spec())
    convolutions = [
        m for m in net.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))
    ]
    assert len(convolutions) == 23
    assert sum(w.numel() for w in net.parameters()) == 31_036_481
    assert (net.stride, net.reach, aligned_reach(4)) == (16, 96, 94)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_output_has_the_input_s_size_and_probabilities(depth):
    net = build(Spec(channels=(4,) * depth, bottleneck=8, bands=2)).eval()
    planes = torch.randn(2, 2, 64, 48)
    answer = net.probability(net(planes))
    assert answer.shape == (2, 1, 64, 48)
    assert answer.min() >= 0 and answer.max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_context_of_the_reach_is_enough_and_less_is_not(depth):
    net = lively(build(Spec(channels=(4,) * depth, bottleneck=8))).double().fused()
    planes = torch.randn(1, 1, 384, 384, dtype=torch.float64)
    core = slice(160, 224)

    def cropped(margin):
        outer = slice(core.start - margin, core.stop + margin)
        return net(planes[..., outer, outer], Halo(margin, margin, margin, margin))

    with torch.inference_mode():
        whole = net(planes)[..., core, core]
        assert (cropped(net.reach) - whole).abs().max() < 1e-12
        if net.reach > net.stride:
            assert (cropped(net.reach - 2 * net.stride) - whole).abs().max() > 1e-9


def test_a_corner_tile_has_context_on_two_sides_only():
    net = build(Spec(channels=(4, 4), bottleneck=8)).double().eval()
    planes = torch.randn(1, 1, 128, 128, dtype=torch.float64)
    with torch.inference_mode():
        whole = net(planes)
        side = 64 + net.reach
        part = net(planes[..., :side, -side:], Halo(0, net.reach, net.reach, 0))
    assert (part - whole[..., :64, -64:]).abs().max() < 1e-12


def test_folding_batch_norm_changes_nothing():
    net = build(Spec(channels=(4, 8), bottleneck=8)).double()
    planes = torch.randn(4, 1, 32, 32, dtype=torch.float64)
    for _ in range(3):
        net(planes)  # let the running statistics move
    net.eval()
    with torch.inference_mode():
        assert (net.fused()(planes) - net(planes)).abs().max() < 1e-12
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())


def test_the_loss_is_cross_entropy_over_counted_pixels_only():
    net = build(Spec(channels=(4,), bottleneck=8))
    scores = torch.tensor([[[[0.0, 2.0], [-1.0, 30.0]]]])
    target = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    weight = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
    by_hand = np.mean([np.log(2), np.log1p(np.exp(2.0)), np.log1p(np.exp(-1.0))])
    assert float(net.loss(scores, target, weight)) == pytest.approx(by_hand, rel=1e-6)
    assert float(net.loss(scores, target, torch.zeros_like(weight))) == 0.0
