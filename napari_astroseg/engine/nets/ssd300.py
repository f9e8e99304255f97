"""SSD300: the single-shot detector of Liu+2016 on VGG16, as Nishimoto+2025 find bubbles with it.

VGG16 to conv5_3 with a pooling of step 1 at its end, fc6 as a dilated and fc7 as a 1×1
convolution, four pairs of convolutions (1×1, then 3×3) that shrink the map further. Six maps
answer: conv4_3, scaled to a length of its own (L2 norm), fc7, and the four pairs. Each cell gives,
for each of its 4 or 6 priors, an offset and a score for every class.

At full width, with three bands and the 20 kinds of VOC, that is the published network of 26 285 486
weights, less those that the last map's 3×3 answers would have outside their one cell.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.nets.boxes import decoded, strongest
from napari_astroseg.engine.nets.multibox import matched, multibox_loss
from napari_astroseg.engine.nets.priors import MAPS, PER_CELL, priors
from napari_astroseg.recipes.families.ssd300 import Spec
from napari_astroseg.sky.objects import Objects

_LENGTH = 20.0
"""Length that the features of a cell of conv4_3 begin with."""

_MOST = 500
"""Boxes of a crop that are looked at, the strongest."""


def build(spec: Spec) -> SSD300:
    """The untrained network that `spec` describes."""
    return SSD300(spec)


class SSD300(Network):
    """See the module's first lines; `spec` gives its width."""

    priors: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        one, two, three, four, seven, pair, last = (
            max(1, round(spec.width * maps)) for maps in (64, 128, 256, 512, 1024, 256, 128)
        )
        norm = spec.batch_norm
        self.early = nn.Sequential(
            *_block((spec.bands, one, one), norm),
            nn.MaxPool2d(2),
            *_block((one, two, two), norm),
            nn.MaxPool2d(2),
            *_block((two, three, three, three), norm),
            nn.MaxPool2d(2, ceil_mode=True),
            *_block((three, four, four, four), norm),
        )
        self.late = nn.Sequential(
            nn.MaxPool2d(2),
            *_block((four, four, four, four), norm),
            nn.MaxPool2d(3, stride=1, padding=1),
            *_unit(four, seven, norm, 3, padding=6, dilation=6),
            *_unit(seven, seven, norm, 1),
        )
        self.further = nn.ModuleList(
            nn.Sequential(*_unit(inputs, less, False, 1), *_unit(less, more, False, 3, **how))
            for inputs, less, more, how in (
                (seven, pair, four, {"stride": 2, "padding": 1}),
                (four, last, pair, {"stride": 2, "padding": 1}),
                (pair, last, pair, {}),
                (pair, last, pair, {}),
            )
        )
        self.length = nn.Parameter(torch.full((four,), _LENGTH))
        self.places, self.scores = (
            nn.ModuleList(
                # Of a map of one cell only the middle of a 3×3 convolution is ever seen.
                nn.Conv2d(inputs, count * each, min(side, 3), padding=min(side, 3) // 2)
                for inputs, side, count in zip(
                    (four, seven, four, pair, pair, pair), MAPS, PER_CELL, strict=True
                )
            )
            for each in (4, 1 + spec.kinds)
        )
        self.register_buffer("priors", torch.from_numpy(priors()), persistent=False)
        self.apply(_begin)
        # A convolution of few maps takes half the time so, on a CPU, and learns the same.
        self.to(memory_format=torch.channels_last)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (n, 8732, 4) and scores (n, 8732, 1 + kinds) of planes (n, bands, 300, 300)."""
        features = self.early(planes.contiguous(memory_format=torch.channels_last))
        maps = [F.normalize(features, dim=1) * self.length[:, None, None]]
        features = self.late(features)
        maps.append(features)
        for pair in self.further:
            features = pair(features)
            maps.append(features)
        places = [_listed(head(each), 4) for head, each in zip(self.places, maps, strict=True)]
        kinds = 1 + self.spec.kinds
        scores = [_listed(head(each), kinds) for head, each in zip(self.scores, maps, strict=True)]
        return torch.cat(places, 1), torch.cat(scores, 1)

    def learn(self, batch: Any) -> Tensor:
        """The MultiBox loss of a batch of crops with boxes."""
        return self.loss(self(batch.planes), batch)

    def loss(self, answer: tuple[Tensor, Tensor], batch: Any) -> Tensor:
        """The scalar to minimise, of what `forward` gives of a batch of tensors."""
        spec = self.spec
        wanted = [
            matched(boxes, classes, self.priors, spec.match_iou)
            for boxes, classes in zip(batch.boxes, batch.classes, strict=True)
        ]
        classes, offsets = (torch.stack(each) for each in zip(*wanted, strict=True))
        return multibox_loss(
            answer, (classes, offsets), batch.weight, spec.negatives, spec.least_negatives
        )

    def answer(self, planes: Tensor) -> list[Objects]:
        """The objects of each crop, in units of its side, strongest first."""
        return self.found(self(planes))

    def judged(self, batch: Any) -> tuple[list[Objects], Tensor]:
        """Objects as `answer` gives them, and the loss."""
        answer = self(batch.planes)
        return self.found(answer), self.loss(answer, batch)

    def heads(self) -> Iterator[nn.Parameter]:
        """The weights of the answers."""
        yield from self.places.parameters()
        yield from self.scores.parameters()

    def found(self, answer: tuple[Tensor, Tensor]) -> list[Objects]:
        """The objects of each crop, in units of its side, strongest first."""
        boxes = decoded(answer[0].float(), self.priors).clamp(0.0, 1.0).cpu()
        scores = torch.softmax(answer[1].float(), -1)[..., 1:].cpu()
        return [self._of_crop(*each) for each in zip(boxes, scores, strict=True)]

    def _of_crop(self, boxes: Tensor, scores: Tensor) -> Objects:
        above = torch.nonzero(scores >= self.spec.least_score)
        strength = scores[above[:, 0], above[:, 1]]
        order = strength.argsort(descending=True, stable=True)[:_MOST]
        place, kind = above[order].unbind(1)
        found = Objects(
            boxes[place].double().numpy(), strength[order].double().numpy(), kind.numpy() + 1
        )
        return strongest(found, self.spec.crop_overlap)

    def fused(self) -> SSD300:
        """A copy whose batch norms, if it has any, are folded into their convolutions."""
        twin = copy.deepcopy(self).eval()
        twin.early, twin.late = _folded(twin.early), _folded(twin.late)
        return twin


def _listed(answers: Tensor, each: int) -> Tensor:
    """Answers (n, priors × each, h, w) of the cells of a map as (n, h × w × priors, each)."""
    return answers.permute(0, 2, 3, 1).reshape(len(answers), -1, each)


def _block(widths: tuple[int, ...], norm: bool) -> list[nn.Module]:
    return [layer for pair in pairwise(widths) for layer in _unit(*pair, norm, 3, padding=1)]


def _unit(inputs: int, outputs: int, norm: bool, side: int, **how: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, side, bias=not norm, **how)  # type: ignore[arg-type]
    norms = [nn.BatchNorm2d(outputs)] if norm else []
    return [convolution, *norms, nn.ReLU(inplace=True)]


def _folded(layers: nn.Sequential) -> nn.Sequential:
    """Layers with each batch norm inside the convolution before it."""
    folded: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            before = folded.pop()
            assert isinstance(before, nn.Conv2d)
            folded.append(fuse_conv_bn_eval(before, layer))
        else:
            folded.append(layer)
    return nn.Sequential(*folded)


def _begin(layer: nn.Module) -> None:
    """First weights: He-normal, biases 0."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
