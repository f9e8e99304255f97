"""Pasting: masks of a few pixels a side become masks on the pixels of an image."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.instances import Footprint
from napari_astroseg.sky.window import Window

_HALF = 0.5
"""Probability from which a pixel belongs to an object."""

Floats = NDArray[np.floating]


def pasted(masks: Floats, boxes: Floats, shape: tuple[int, int]) -> tuple[Footprint, ...]:
    """Where each of N objects is, on an image of `shape` (H, W).

    Parameters
    ----------
    masks
        (N, side, side) probabilities over the box, bilinear in between and 0 outside.
    boxes
        (N, 4) x_min, y_min, x_max, y_max, px from the corner of the image's first pixel.
    """
    return tuple(
        _one(mask, box, shape) for mask, box in zip(masks, np.asarray(boxes).tolist(), strict=True)
    )


def _one(mask: Floats, box: list[float], shape: tuple[int, int]) -> Footprint:
    left, low, right, top = box
    x, width = _run(left, right, shape[1])
    y, height = _run(low, top, shape[0])
    down = _weights(y, height, low, top, mask.shape[0])
    across = _weights(x, width, left, right, mask.shape[1])
    return Footprint(Window(x, y, width, height), down @ mask @ across.T >= _HALF)


def _run(start: float, end: float, length: int) -> tuple[int, int]:
    """First pixel and number of pixels that a stretch touches; at least one."""
    first = min(max(math.floor(start), 0), length - 1)
    return first, max(1, min(math.ceil(end), length) - first)


def _weights(first: int, count: int, start: float, end: float, side: int) -> Floats:
    """(count, side) how much each mask pixel counts in each image pixel."""
    places = (first + np.arange(count) + 0.5 - start) / (end - start) * side - 0.5
    return np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(side)))
