"""MultiBox: which prior is to find which object, and the loss of a single-shot detector.

Liu+2016, with the means of Nishimoto+2025: matched priors and hard background priors are averaged
apart, so that crops without any object teach, too.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_iou

from napari_astroseg.engine.nets.boxes import corners, encoded


def matched(
    boxes: Tensor, classes: Tensor, priors: Tensor, least_iou: float
) -> tuple[Tensor, Tensor]:
    """What each of P priors is to answer on a crop with M objects.

    A prior is to find the object that it overlaps most, if by `least_iou` or more. Each object has
    one prior of its own besides, the best one that no other object overlaps better.

    Parameters
    ----------
    boxes, classes
        (M, 4) in units of the side, and (M,) from 1.
    priors
        (P, 4).

    Returns
    -------
    Classes (P,), 0 for background, and offsets (P, 4) to the object; of background they mean
    nothing.
    """
    if not len(boxes):
        return torch.zeros(len(priors), dtype=torch.long, device=priors.device), priors * 0
    iou = box_iou(boxes, corners(priors))
    best, owner = iou.max(0)
    for _ in range(len(boxes)):
        row, column = divmod(int(iou.argmax()), len(priors))
        owner[column], best[column] = row, 1.0
        iou[row], iou[:, column] = -1.0, -1.0
    found = torch.where(best >= least_iou, classes[owner], 0)
    return found, encoded(boxes[owner], priors)


def multibox_loss(
    answer: tuple[Tensor, Tensor],
    wanted: tuple[Tensor, Tensor],
    weight: Tensor,
    negatives: float,
    least_negatives: int,
) -> Tensor:
    """Smooth L1 of the offsets and cross-entropy of the classes, a scalar.

    Parameters
    ----------
    answer
        Offsets (N, P, 4) and scores of the classes (N, P, 1 + kinds), background first.
    wanted
        Classes (N, P) and offsets (N, P, 4), as `matched` gives them.
    weight
        (N,) how much each crop counts.
    negatives, least_negatives
        Of each crop, the so many hardest background priors per matched one count, and at least so
        many.
    """
    offsets, scores = answer
    classes, places = wanted
    on = classes > 0
    each = F.cross_entropy(scores.flatten(0, 1), classes.flatten(), reduction="none")
    each = each.view_as(classes)
    off = hardest(each, on, negatives, least_negatives)
    places = torch.where(on[..., None], places, offsets.detach())  # background is nowhere
    far = F.smooth_l1_loss(offsets, places, reduction="none").mean(-1)
    counts = weight[:, None].expand_as(each)
    return _mean(far, counts * on) + _mean(each, counts * on) + _mean(each, counts * off)


def hardest(each: Tensor, on: Tensor, negatives: float, least_negatives: int) -> Tensor:
    """(N, P) the background priors of greatest loss, so many as count in each crop."""
    count = (negatives * on.sum(1)).clamp(min=least_negatives)
    hard = each.detach().masked_fill(on, -1.0)
    rank = hard.argsort(1, descending=True).argsort(1)
    return (rank < count[:, None]) & ~on


def _mean(each: Tensor, counts: Tensor) -> Tensor:
    """Mean of what counts; 0 where nothing does."""
    return (each * counts).sum() / counts.sum().clamp(min=1e-6)
