"""U-Net5: the five-level U-Net of Zavagno+2023 for filaments.

Every block is 2 × (3×3 convolution without bias, batch norm, ReLU); 2×2 max pooling on the way
down, 2×2 transposed convolutions of stride 2 on the way up, skips by concatenation, a 1×1
convolution at the end: 18 + 4 + 1 = 23 convolutions at the published depth.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.engine.nets.blocks import BLOCK_REACH, block, folded
from napari_astroseg.recipes.families.unet5 import Spec


def build(spec: Spec) -> UNet5:
    """The untrained network that `spec` describes."""
    return UNet5(spec)


class UNet5(Net):
    """See the module's first lines; `spec` gives width and depth."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        widths = (*spec.channels, spec.bottleneck)
        sources = (spec.bands, *widths[:-1])
        self.down = nn.ModuleList(block(i, o) for i, o in zip(sources, widths, strict=True))
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in steps)
        self.merge = nn.ModuleList(block(2 * o, o) for _, o in steps)
        self.head = nn.Conv2d(widths[0], 1, 1)
        depth = len(spec.channels)
        self.stride = spec.stride
        self.reach = self.stride * math.ceil(aligned_reach(depth) / self.stride)

    def forward(self, planes: Tensor, halo: Halo = Halo()) -> Tensor:
        """Scores (n, 1, h, w); on the way up only what the wanted part needs is computed."""
        skips: list[Tensor] = []
        features = planes
        for level, encode in enumerate(self.down):
            features = encode(F.max_pool2d(features, 2) if level else features)
            skips.append(features)
        depth = len(self.up)
        margins = _margins(depth)
        kept = Halo(*(side // self.stride for side in halo))
        features, kept = _crop(skips[depth], kept, margins[depth])
        for step, (up, merge) in enumerate(zip(self.up, self.merge, strict=True)):
            level = depth - 1 - step
            features, kept = up(features), Halo(*(2 * side for side in kept))
            features, kept = _crop(features, kept, margins[level] + BLOCK_REACH)
            here = Halo(*(side // 2**level for side in halo))
            skip = _trim(skips[level], Halo(*(h - k for h, k in zip(here, kept, strict=True))))
            features = merge(torch.cat((skip, features), 1))
            features, kept = _crop(features, kept, margins[level])
        scores: Tensor = self.head(features)
        return scores

    def loss(self, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Binary cross-entropy averaged over the pixels that `weight` counts."""
        each = F.binary_cross_entropy_with_logits(scores, target, reduction="none")
        return (each * weight).sum() / weight.sum().clamp(min=1.0)

    def probability(self, scores: Tensor) -> Tensor:
        """Sigmoid of the scores."""
        return torch.sigmoid(scores)

    def fused(self) -> UNet5:
        """A copy whose batch norms are folded into their convolutions."""
        twin = copy.deepcopy(self).eval()
        twin.down = nn.ModuleList(folded(each) for each in twin.down)
        twin.merge = nn.ModuleList(folded(each) for each in twin.merge)
        return twin


def aligned_reach(depth: int) -> int:
    """How far outside a tile an input pixel can still change it, pixels.

    For tiles whose origin and sides are multiples of `2**depth`: 94 at the published depth of 4.
    A single pixel inside such a tile may see `2**depth - 1` further.
    """
    need = _margins(depth)[depth] + BLOCK_REACH
    for _ in range(depth):
        need = 2 * need + BLOCK_REACH
    return need


def _margins(depth: int) -> list[int]:
    """Pixels around the wanted part that each level's output must still have, finest first."""
    margins = [0]
    for _ in range(depth):
        margins.append(math.ceil((margins[-1] + BLOCK_REACH) / 2))
    return margins


def _crop(features: Tensor, kept: Halo, margin: int) -> tuple[Tensor, Halo]:
    """Take each side's halo down to `margin`; a side at the image's edge has none to take."""
    wanted = Halo(*(min(side, margin) for side in kept))
    return _trim(features, Halo(*(k - w for k, w in zip(kept, wanted, strict=True)))), wanted


def _trim(features: Tensor, off: Halo) -> Tensor:
    """Cut `off` pixels from the sides."""
    height, width = features.shape[-2:]
    return features[..., off.top : height - off.bottom, off.left : width - off.right]
