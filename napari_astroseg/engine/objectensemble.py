"""Object ensemble: what several networks say of crops in several turns, grouped into objects.

Answers that mean one object overlap. Each group is one object, whose score is the mean over all
answers, those that do not hold it counting as 0: what one turn of eight sees is hardly there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_astroseg.engine.ensemble import TURNS, Turn, entropy
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.spread import Spread
from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects, overlaps

Found = TypeVar("Found", bound=Objects)


def objects_of(nets: Sequence[Network], turns: int, planes: Tensor, overlap: float) -> list[Any]:
    """The objects of each of n square crops (n, bands, side, side), by all networks and turns.

    Parameters
    ----------
    overlap
        Area shared over the area of either (IoU) from which two boxes mean one object.
    """
    if len(nets) * turns == 1:
        return list(nets[0].answer(planes))
    answers: list[list[Any]] = [[] for _ in planes]  # of each crop
    for turn in TURNS[:turns]:
        given = turn.there(planes).contiguous(memory_format=torch.channels_last)
        for net in nets:
            for here, found in zip(answers, net.answer(given), strict=True):
                here.append(_back(found, turn, planes.shape[-1]))
    return [grouped(each, overlap) for each in answers]


def grouped(answers: Sequence[Found], overlap: float) -> Found:
    """Several answers to one question as one, strongest first, with doubts.

    The strongest box of all answers leads a group, which takes of each other answer the box of its
    class that overlaps it most, by at least `overlap`, and that no other group took before. Boxes
    are means weighted by the scores; a pixel is an object's where half of that weight says so.
    """
    every = _joined(answers)
    owners = np.repeat(np.arange(len(answers)), [len(each) for each in answers])
    groups = _groups(every, owners, overlap)
    rows = [_one(every, group, len(answers)) for group in groups]
    boxes, scores, unsure, edges, seen = (
        np.array([row[n] for row in rows], np.float64) for n in range(5)
    )
    leaders = every[np.array([group[0] for group in groups], int)]
    together = replace(
        leaders,
        boxes=boxes.reshape(-1, 4),
        scores=scores,
        doubts=Doubts(unsure, edges, seen),
    )
    if isinstance(every, Instances):
        masks = tuple(_mask(every, group) for group in groups)
        together = replace(together, masks=masks)
    return together[np.argsort(-scores, kind="stable")]


def doubted(objects: Found, spread: Spread | None) -> Found:
    """Objects with the entropy of their scores, where that is to be told."""
    if spread is None or spread.kind != "entropy":
        return objects
    return replace(objects, doubts=Doubts(entropy(objects.scores)))


def _back(found: Objects, turn: Turn, side: int) -> Objects:
    """What was found on a turned crop as it lies on the crop itself."""
    if not isinstance(found, Instances):
        return replace(found, boxes=turn.boxes_back(found.boxes, 1.0))
    masks = tuple(turn.mask_back(each, side) for each in found.masks)
    return replace(found, boxes=turn.boxes_back(found.boxes, side - 1.0), masks=masks)


def _joined(answers: Sequence[Any]) -> Any:
    if all(isinstance(each, Instances) for each in answers):
        return Instances.gathered(answers)
    return Objects.joined(answers)


def _groups(every: Objects, owners: NDArray[np.int64], overlap: float) -> list[list[int]]:
    """Numbers of the boxes of each group, its leader first."""
    groups: list[list[int]] = []
    leaders = np.empty(len(every), np.int64)
    held = np.zeros((len(every), int(owners.max(initial=0)) + 1), bool)  # groups × answers
    for number in np.argsort(-every.scores, kind="stable").tolist():
        owner, count = owners[number], len(groups)
        led = leaders[:count]
        near = overlaps(every.boxes[number : number + 1], every.boxes[led])[0]
        near[held[:count, owner] | (every.classes[led] != every.classes[number])] = 0.0
        best = int(near.argmax()) if count else 0
        if not count or near[best] < overlap:
            best = count
            groups.append([])
            leaders[best] = number
        groups[best].append(number)
        held[best, owner] = True
    return groups


def _one(every: Objects, group: list[int], answers: int) -> tuple[Any, ...]:
    """Box, score, and how unsure score and edges are, of a group; and who holds it."""
    boxes, scores = every.boxes[group], every.scores[group]
    mean = scores.sum() / answers
    missed = answers - len(group)
    variance = (((scores - mean) ** 2).sum() + missed * mean**2) / answers
    edge = np.sqrt(boxes.var(0).mean()) if len(group) > 1 else np.nan
    box = np.average(boxes, axis=0, weights=scores)
    return box, mean, np.sqrt(variance), edge, len(group) / answers


def _mask(every: Instances, group: list[int]) -> Footprint:
    """The pixels that half of the weight of a group says are its object's."""
    masks, scores = [every.masks[number] for number in group], every.scores[group]
    window = masks[0].window
    for each in masks[1:]:
        window = window.united(each.window)
    weight = np.zeros(window.shape)
    for (own, mask), score in zip(masks, scores, strict=True):
        weight[own.moved(-window.x, -window.y).slices] += score * mask
    pixels = weight >= scores.sum() / 2
    return Footprint(window, pixels) if pixels.any() else masks[0]
