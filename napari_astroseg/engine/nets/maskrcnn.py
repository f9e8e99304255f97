"""Mask R-CNN (He+2017), as Astro R-CNN (Burke+2019) tells stars and galaxies apart with it.

A ResNet with a feature pyramid; a network that proposes boxes from anchors of one size per level;
and heads that give each proposal a class, a better box and a mask of 28 × 28 pixels. The parts are
torchvision's. What they are given is the recipe's own normalised image, of its own size: there is
no mean, no deviation and no resizing of ImageNet in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN as Whole
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.nets.pasting import pasted
from napari_astroseg.engine.nets.resnet import Pyramid, ResNet
from napari_astroseg.recipes.families.maskrcnn import Spec
from napari_astroseg.sky.instances import Instances

_BOX_PX = 7
"""Side on which a box is looked at."""

Levels = dict[str, Tensor]


def build(spec: Spec) -> MaskRCNN:
    """The untrained network that `spec` describes."""
    return MaskRCNN(spec)


class MaskRCNN(Network):
    """See the module's first lines; `spec` gives its width."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        classes, maps = 1 + spec.kinds, spec.features
        whole = Whole(
            Pyramid(ResNet(spec.backbone, spec.bands, spec.width), maps),
            rpn_anchor_generator=AnchorGenerator(
                tuple((side,) for side in spec.anchors_px), (spec.ratios,) * len(spec.anchors_px)
            ),
            rpn_nms_thresh=spec.proposal_overlap,
            box_head=TwoMLPHead(maps * _BOX_PX**2, spec.hidden),
            box_predictor=FastRCNNPredictor(spec.hidden, classes),
            box_score_thresh=spec.least_score,
            box_nms_thresh=spec.image_overlap,
            box_detections_per_img=spec.most_objects,
            mask_head=MaskRCNNHeads(maps, (maps,) * 4, 1),
            mask_predictor=MaskRCNNPredictor(maps, maps, classes),
        )
        self.backbone, self.rpn, self.roi_heads = whole.backbone, whole.rpn, whole.roi_heads

    def learn(self, batch: Any) -> Tensor:
        """The sum of the five losses of a batch of tensors; see `losses`."""
        return _sum(self.losses(batch))

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Loss of proposals and of their boxes, of classes, of boxes and of masks."""
        return self._losses(self.backbone(batch.planes), batch)

    def answer(self, planes: Tensor) -> list[Instances]:
        """The objects of each image, on its pixels, strongest first."""
        return self._found(self.backbone(planes), planes)

    def judged(self, batch: Any) -> tuple[list[Instances], Tensor]:
        """Objects as `answer` gives them, and the loss."""
        levels = self.backbone(batch.planes)
        return self._found(levels, batch.planes), _sum(self._losses(levels, batch))

    def heads(self) -> Iterator[nn.Parameter]:
        """All but the ResNet: pyramid, proposals, boxes, masks."""
        for part in (self.backbone.fpn, self.rpn, self.roi_heads):
            yield from part.parameters()

    def _losses(self, levels: Levels, batch: Any) -> dict[str, Tensor]:
        wanted = [
            {"boxes": boxes, "labels": classes, "masks": masks}
            for boxes, classes, masks in zip(batch.boxes, batch.classes, batch.masks, strict=True)
        ]
        images = _listed(batch.planes)
        with _told(self.rpn, self.roi_heads, learning=True):
            proposals, first = self.rpn(images, levels, wanted)
            _, second = self.roi_heads(levels, proposals, images.image_sizes, wanted)
        return {**first, **second}

    def _found(self, levels: Levels, planes: Tensor) -> list[Instances]:
        images = _listed(planes)
        with _told(self.rpn, self.roi_heads, learning=False):
            proposals, _ = self.rpn(images, levels)
            found, _ = self.roi_heads(levels, proposals, images.image_sizes)
        return [_instances(each, images.image_sizes[0]) for each in found]


@contextmanager
def _told(*parts: nn.Module, learning: bool) -> Iterator[None]:
    """Parts that answer, or tell their losses, whatever the mode; no norm or dropout is in them."""
    before = [part.training for part in parts]
    for part in parts:
        part.training = learning
    try:
        yield
    finally:
        for part, mode in zip(parts, before, strict=True):
            part.training = mode


def _listed(planes: Tensor) -> ImageList:
    """Images of one size as torchvision's parts take them."""
    height, width = planes.shape[-2:]
    return ImageList(planes, [(height, width)] * len(planes))


def _sum(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def _instances(found: dict[str, Tensor], shape: tuple[int, int]) -> Instances:
    """What the heads tell of one image; an object whose mask has no pixel is none."""
    boxes = found["boxes"].double().cpu().numpy()
    masks = pasted(found["masks"][:, 0].float().cpu().numpy(), boxes, shape)
    objects = Instances(
        boxes - 0.5,  # pixel centres at whole numbers
        found["scores"].double().cpu().numpy(),
        found["labels"].cpu().numpy(),
        masks,
    )
    return objects[objects.areas > 0]
