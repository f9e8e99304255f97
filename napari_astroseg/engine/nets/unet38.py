"""U-Net38: the U-Net of Rey Deutsch+2023 for spiral arms.

Every block is 2 × (3×3 convolution, ReLU) without batch norm. On the way down 2×2 max pooling and
dropout, on the way up a 3×3 transposed convolution of stride 2, concatenation with the skip, and
dropout; a 1×1 convolution to two classes and a softmax at the end.

At the published depth these are 18 convolutions, 4 transposed ones, 4 poolings, 4 concatenations
and 8 dropouts: 38 layers between input and output, 34 513 410 weights.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.recipes.families.unet38 import Spec

_BLOCK_REACH = 2
"""Two 3×3 convolutions look two pixels far."""

_CUT = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2."""


def build(spec: Spec) -> UNet38:
    """The untrained network that `spec` describes."""
    return UNet38(spec)


class UNet38(Net):
    """See the module's first lines; `spec` gives width, depth and dropout."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        widths = (*spec.channels, spec.bottleneck)
        sources = (spec.bands, *widths[:-1])
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.down = nn.ModuleList(_block(i, o) for i, o in zip(sources, widths, strict=True))
        self.shrink = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), nn.Dropout(spec.dropout)) for _ in steps
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(i, o, 3, stride=2) for i, o in steps)
        self.drop = nn.ModuleList(nn.Dropout(spec.dropout) for _ in steps)
        self.merge = nn.ModuleList(_block(2 * o, o) for _, o in steps)
        self.head = nn.Conv2d(widths[0], 2, 1)
        self.stride = spec.stride
        self.reach = self.stride * math.ceil(aligned_reach(len(steps)) / self.stride)
        self.apply(_begin)

    def forward(self, planes: Tensor, halo: Halo = Halo()) -> Tensor:
        """Scores (n, 2, h, w) of background and structure, the `halo` taken off."""
        features = self.down[0](planes)
        skips: list[Tensor] = []
        for shrink, block in zip(self.shrink, self.down[1:], strict=True):
            skips.append(features)
            features = block(shrink(features))
        for up, drop, merge in zip(self.up, self.drop, self.merge, strict=True):
            # Keras' `same` padding: the row and column beyond twice the input are cut at the end.
            features = up(features)[..., :-1, :-1]
            features = merge(drop(torch.cat((features, skips.pop()), 1)))
        height, width = features.shape[-2:]
        inner = features[..., halo.top : height - halo.bottom, halo.left : width - halo.right]
        scores: Tensor = self.head(inner)
        return scores

    def loss(self, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Cross-entropy of the class of each pixel, averaged over those that `weight` counts."""
        each = F.cross_entropy(scores, target[:, 0].long(), reduction="none")
        counted = weight[:, 0]
        return (each * counted).sum() / counted.sum().clamp(min=1.0)

    def probability(self, scores: Tensor) -> Tensor:
        """Softmax of the scores, that of the structure alone: (n, 1, h, w)."""
        return torch.softmax(scores, 1)[:, 1:]


def aligned_reach(depth: int) -> int:
    """How far outside a tile an input pixel can still change it, pixels.

    For tiles whose origin and sides are multiples of `2**depth`: 126 at the published depth of 4.
    """
    need = 0
    for _ in range(depth):  # an even pixel of a transposed convolution also sees the one before
        need = math.ceil((need + _BLOCK_REACH) / 2) + 1
    need += _BLOCK_REACH
    for _ in range(depth):
        need = 2 * need + _BLOCK_REACH
    return need


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _begin(layer: nn.Module) -> None:
    """First weights as Keras draws them: He-normal in blocks, else Glorot-uniform; biases 0."""
    if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
        wide = math.sqrt(2 / (9 * layer.in_channels)) / _CUT
        nn.init.trunc_normal_(layer.weight, std=wide, a=-2 * wide, b=2 * wide)
    else:
        nn.init.xavier_uniform_(layer.weight)
