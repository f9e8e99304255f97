"""The U-Net of 38 hidden layers as published: counts, padding, first weights, dropout, loss."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.nets.unet38 import aligned_reach
from napari_astroseg.recipes.families.unet38 import Spec

SMALL = Spec(channels=(4, 6), bottleneck=8)


def layers(net, *kinds):
    return [layer for layer in net.modules() if isinstance(layer, kinds)]


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return build(Spec())


def test_the_published_net_has_34_513_410_weights_and_38_hidden_layers(published):
    assert sum(weight.numel() for weight in published.parameters()) == 34_513_410
    convolutions = layers(published, nn.Conv2d, nn.ConvTranspose2d)
    concatenations = len(published.up)
    hidden = [*convolutions, *layers(published, nn.MaxPool2d, nn.Dropout)]
    hidden.remove(published.head)
    assert len(hidden) + concatenations == 38
    assert not layers(published, nn.BatchNorm2d)
    assert (published.stride, published.reach, aligned_reach(4)) == (16, 128, 126)


def test_first_weights_are_he_normal_in_blocks(published):
    for layer in layers(published, nn.Conv2d)[2:-1]:
        wanted = np.sqrt(2 / (9 * layer.in_channels))
        assert float(layer.weight.detach().std()) == pytest.approx(wanted, rel=0.02)
        assert float(layer.weight.detach().abs().max()) <= 2 * wanted / 0.8796
        assert not layer.bias.any()
    for layer in published.up:
        most = np.sqrt(6 / (9 * (layer.in_channels + layer.out_channels)))
        assert float(layer.weight.detach().abs().max()) == pytest.approx(most, rel=0.01)


def test_a_published_stamp_comes_out_as_large(published):
    published.eval()
    with torch.inference_mode():
        scores = published(torch.rand(1, 3, 128, 128))
    assert scores.shape == (1, 2, 128, 128)


def test_up_is_padded_as_keras_does():
    """One lit pixel lights rows 2i to 2i + 2; at the last one what sticks out is cut."""
    net = build(Spec(channels=(1,), bottleneck=4, bands=1, dropout=0.0)).eval()
    seen = []
    net.merge[0].register_forward_pre_hook(lambda _, given: seen.append(given[0][0, 0]))
    with torch.no_grad():
        for layer in layers(net, nn.Conv2d, nn.ConvTranspose2d):
            layer.weight.zero_()
        net.up[0].weight[0] = torch.arange(1.0, 10.0).reshape(1, 3, 3)

        def lit(y, x):
            seen.clear()
            features = torch.zeros(1, 4, 3, 3)
            features[0, 0, y, x] = 1.0
            hook = net.down[1].register_forward_hook(lambda *_: features)
            net(torch.zeros(1, 1, 6, 6))
            hook.remove()
            return seen[0]

        kernel = torch.arange(1.0, 10.0).reshape(3, 3)
        middle = torch.zeros(6, 6)
        middle[2:5, 2:5] = kernel
        assert torch.equal(lit(1, 1), middle)
        corner = torch.zeros(6, 6)
        corner[4:, 4:] = kernel[:2, :2]
        assert torch.equal(lit(2, 2), corner)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_context_of_the_reach_is_enough_and_less_is_not(depth):
    torch.manual_seed(depth)
    net = build(Spec(channels=(4,) * depth, bottleneck=8, bands=1)).double().eval()
    planes = torch.randn(1, 1, 320, 320, dtype=torch.float64)
    core = slice(128, 192)

    def cropped(margin):
        outer = slice(core.start - margin, core.stop + margin)
        return net(planes[..., outer, outer], Halo(margin, margin, margin, margin))

    with torch.inference_mode():
        whole = net(planes)[..., core, core]
        assert (cropped(net.reach) - whole).abs().max() < 1e-12
        less = (aligned_reach(depth) // net.stride - 1) * net.stride
        assert (cropped(less) - whole).abs().max() > 1e-9


def test_dropout_works_in_training_alone():
    net, planes = build(SMALL), torch.rand(1, 3, 16, 16)
    net.train()
    assert not torch.equal(net(planes), net(planes))
    net.eval()
    assert torch.equal(net(planes), net(planes))


def test_the_loss_is_that_of_each_counted_pixel_s_class():
    net = build(SMALL)
    scores = torch.tensor([[[[0.0, 1.0], [5.0, 2.0]], [[0.0, 3.0], [-5.0, 1.0]]]])
    target = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    weight = torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]]])
    by_hand = np.mean([np.log(2), np.log1p(np.exp(2.0)), np.log1p(np.exp(-1.0))])
    assert float(net.loss(scores, target, weight)) == pytest.approx(by_hand, rel=1e-6)
    assert float(net.loss(scores, target, torch.zeros_like(weight))) == 0.0
    arm = net.probability(scores)
    assert arm.shape == (1, 1, 2, 2)
    assert arm[0, 0, 0].tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-2.0))])
