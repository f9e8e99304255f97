"""Blocks: 2 × (3×3 convolution without bias, batch norm, ReLU), as U-Net5 and U-Net++ have them."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

BLOCK_REACH = 2
"""Two 3×3 convolutions look two pixels far."""


def block(inputs: int, outputs: int) -> nn.Sequential:
    """A block from `inputs` to `outputs` feature maps."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def folded(trained: nn.Module) -> nn.Sequential:
    """A trained block's convolutions with their batch norms inside them."""
    layers = list(trained.children())
    inside: list[nn.Module] = []
    for convolution, norm in zip(layers[0::3], layers[1::3], strict=True):
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        inside += [fuse_conv_bn_eval(convolution, norm), nn.ReLU(inplace=True)]
    return nn.Sequential(*inside)
