"""U-Net++: U-Net5's encoder with nested skips and deep supervision (Zhou+2018, Zavagno+2023).

Between a level's encoder and its end on the way up lie further blocks, each of which sees all
before it on its level and the one below. Every block of the finest level has a head: all heads
learn, and the answer is their mean.
"""

from __future__ import annotations

import copy
import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_astroseg.engine.nets.base import Halo, Net
from napari_astroseg.engine.nets.blocks import BLOCK_REACH, block, folded
from napari_astroseg.recipes.families.unetpp import Spec


def build(spec: Spec) -> UNetPlusPlus:
    """The untrained network that `spec` describes."""
    return UNetPlusPlus(spec)


class UNetPlusPlus(Net):
    """See the module's first lines; `spec` gives width and depth."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        widths = (*spec.channels, spec.bottleneck)
        depth = len(spec.channels)
        self.down = nn.ModuleList(
            block(i, o) for i, o in zip((spec.bands, *widths[:-1]), widths, strict=True)
        )
        # The block (level, n) is the n-th after the encoder's on its level.
        places = [(level, n) for n in range(1, depth + 1) for level in range(depth + 1 - n)]
        self.up = nn.ModuleDict(
            {_name(*p): nn.ConvTranspose2d(widths[p[0] + 1], widths[p[0]], 2, 2) for p in places}
        )
        self.merge = nn.ModuleDict(
            {_name(level, n): block((n + 1) * widths[level], widths[level]) for level, n in places}
        )
        self.head = nn.Conv2d(depth * widths[0], depth, 1, groups=depth)  # each sees its block
        self.stride = spec.stride
        self.reach = self.stride * math.ceil(aligned_reach(depth) / self.stride)

    def forward(self, planes: Tensor, halo: Halo = Halo()) -> Tensor:
        """Scores (n, heads, h, w), one per block of the finest level, the `halo` taken off."""
        levels: list[list[Tensor]] = []
        features = planes
        for level, encode in enumerate(self.down):
            features = encode(F.max_pool2d(features, 2) if level else features)
            levels.append([features])
        for n in range(1, len(self.down)):
            for level in range(len(self.down) - n):
                place = _name(level, n)
                below = self.up[place](levels[level + 1][n - 1])
                levels[level].append(self.merge[place](torch.cat((*levels[level], below), 1)))
        height, width = planes.shape[-2:]
        rows = slice(halo.top, height - halo.bottom)
        columns = slice(halo.left, width - halo.right)
        finest = [features[..., rows, columns] for features in levels[0][1:]]
        scores: Tensor = self.head(torch.cat(finest, 1))
        return scores

    def loss(self, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Binary cross-entropy of every head, averaged over heads and counted pixels."""
        wanted = target.expand_as(scores)
        each = F.binary_cross_entropy_with_logits(scores, wanted, reduction="none").mean(1)
        counted = weight[:, 0]
        return (each * counted).sum() / counted.sum().clamp(min=1.0)

    def probability(self, scores: Tensor) -> Tensor:
        """Mean over the heads of their sigmoids, (n, 1, h, w)."""
        return torch.sigmoid(scores).mean(1, keepdim=True)

    def fused(self) -> UNetPlusPlus:
        """A copy whose batch norms are folded into their convolutions."""
        twin = copy.deepcopy(self).eval()
        twin.down = nn.ModuleList(folded(each) for each in twin.down)
        twin.merge = nn.ModuleDict({name: folded(each) for name, each in twin.merge.items()})
        return twin


def aligned_reach(depth: int) -> int:
    """How far outside a tile an input pixel can still change it, pixels.

    For tiles whose origin and sides are multiples of `2**depth`: along the path through the blocks
    that looks farthest.
    """

    @cache
    def needed(level: int, n: int, margin: int) -> int:
        """Input pixels beyond a tile for `margin` pixels beyond it after a block."""
        inside = margin + BLOCK_REACH
        if n == 0:
            return inside if level == 0 else needed(level - 1, 0, 2 * inside)
        skips = [needed(level, before, inside) for before in range(n)]
        return max(*skips, needed(level + 1, n - 1, math.ceil(inside / 2)))

    return max(needed(0, n, 0) for n in range(1, depth + 1))


def _name(level: int, n: int) -> str:
    return f"{level}_{n}"
