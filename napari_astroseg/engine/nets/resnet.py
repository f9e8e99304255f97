"""ResNet (He+2016) of any width and number of bands, with a feature pyramid (Lin+2017) upon it."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

_KINDS: dict[str, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}
"""Block, and how many of them each stage has."""

_STAGES = (64, 128, 256, 512)

LEVELS = ("0", "1", "2", "3")
"""Names of the pyramid's levels that objects are looked at in, of strides 4 to 32; `pool` is the
fifth, of 64."""


class ResNet(nn.Module):
    """The four stages without a classifier, batch norm after every convolution.

    Parameters
    ----------
    kind
        `resnet18` … `resnet101`.
    width
        Factor on the feature maps; 1 is the published network.
    """

    def __init__(self, kind: str, bands: int, width: float = 1.0) -> None:
        super().__init__()
        block, counts = _KINDS[kind]
        inputs = _maps(_STAGES[0], width)
        self.first = nn.Sequential(
            nn.Conv2d(bands, inputs, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        self.widths: list[int] = []
        for number, (maps, count) in enumerate(zip(_STAGES, counts, strict=True)):
            inner = _maps(maps, width)
            blocks = []
            for first in (True, *[False] * (count - 1)):
                stride = 2 if first and number else 1
                blocks.append(_block(block, inputs, inner, stride))
                inputs = inner * block.expansion
            self.stages.append(nn.Sequential(*blocks))
            self.widths.append(inputs)
        self.apply(_begin)

    def forward(self, planes: Tensor) -> list[Tensor]:
        """Features of strides 4, 8, 16, 32."""
        features = F.max_pool2d(self.first(planes), 3, stride=2, padding=1)
        every = []
        for stage in self.stages:
            features = stage(features)
            every.append(features)
        return every


class Pyramid(nn.Module):
    """A ResNet and its feature pyramid: five levels of `out_channels` maps each."""

    def __init__(self, trunk: ResNet, features: int) -> None:
        super().__init__()
        self.trunk, self.out_channels = trunk, features
        self.fpn = FeaturePyramidNetwork(trunk.widths, features, LastLevelMaxPool())

    def forward(self, planes: Tensor) -> dict[str, Tensor]:
        """Level → features, finest first."""
        given = OrderedDict(zip(LEVELS, self.trunk(planes), strict=True))
        levels: dict[str, Tensor] = self.fpn(given)
        return levels


def _maps(published: int, width: float) -> int:
    """Feature maps at a width, a multiple of 8."""
    return max(8, 8 * round(published * width / 8))


def _block(
    kind: type[BasicBlock | Bottleneck], inputs: int, inner: int, stride: int
) -> BasicBlock | Bottleneck:
    outputs = inner * kind.expansion
    shortcut = None
    if stride > 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
        )
    return kind(inputs, inner, stride, shortcut)


def _begin(layer: nn.Module) -> None:
    """First weights: He-normal."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
