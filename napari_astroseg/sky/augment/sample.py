"""Sample: what a network is shown at once, and the objects that it is to find there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.augment.turns import Boxes, Turn
from napari_astroseg.sky.crops import Planes, resized
from napari_astroseg.sky.resizing import nearest
from napari_astroseg.sky.window import Window

VISIBLE = 3 / 5
"""Least share of an object that must be seen for it to be looked for (Nishimoto+2025)."""

Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """An image with its objects.

    Parameters
    ----------
    planes
        (bands, H, W), float32.
    boxes
        (N, 4), see `Boxes`. Of objects with masks they are those of the masks.
    kinds
        (N,) what each object is, by number.
    masks
        (N, H, W) its pixels; None for what is only boxes.
    """

    planes: Planes
    boxes: Boxes
    kinds: NDArray[np.int64]
    masks: Masks | None = None

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.boxes)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.planes.shape[-2:]
        return height, width

    def turned(self, turn: Turn) -> Sample:
        """All of it mirrored and turned."""
        masks = None if self.masks is None else np.ascontiguousarray(turn.planes(self.masks))
        planes = np.ascontiguousarray(turn.planes(self.planes))
        return replace(self, planes=planes, boxes=turn.boxes(self.boxes, self.shape), masks=masks)

    def cut(self, window: Window, side: int | None = None, visible: float = VISIBLE) -> Sample:
        """A window of it, on (side, side) pixels where a side is given.

        Objects of which less than `visible` is seen are let go, others end at the edge. Beyond the
        edge of the image every plane is NaN.
        """
        if self.masks is None:
            boxes, kept = seen_boxes(self.boxes, window, visible)
            masks = None
        else:
            kept, masks = _seen_masks(self.masks, window, visible)
            boxes = np.zeros((0, 4))
        planes = _windowed(self.planes, window, np.float32(np.nan))
        if side is not None:
            planes = resized(planes, side)
            boxes = scaled_boxes(boxes, window.shape, side)
            if masks is not None:
                rows, columns = (nearest(length, side) for length in window.shape)
                masks = masks[:, rows[:, None], columns]
        if masks is not None:
            still = masks.any((1, 2))  # fewer pixels may have lost a small one
            kept, masks = kept[still], masks[still]
            boxes = mask_boxes(masks)
        return Sample(planes, boxes, self.kinds[kept], masks)

    def blurred(self, sigma_px: float) -> Sample:
        """The image under a Gaussian; its objects stay what they are."""
        planes = ndimage.gaussian_filter(self.planes, (0, sigma_px, sigma_px), mode="nearest")
        return replace(self, planes=planes)

    def noisy(self, share: float, rng: np.random.Generator) -> Sample:
        """The image with normal noise of `share` of each band's standard deviation."""
        noise = rng.standard_normal(self.planes.shape, np.float32)
        spread = self.planes.std((1, 2), keepdims=True)
        return replace(self, planes=self.planes + np.float32(share) * spread * noise)


def mask_boxes(masks: Masks) -> Boxes:
    """The boxes (N, 4) of masks (N, H, W), each with a pixel at least."""
    return np.array([_mask_box(mask) for mask in masks], float).reshape(-1, 4)


def _mask_box(mask: Masks) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5


def seen_boxes(
    boxes: Boxes, window: Window, visible: float = VISIBLE
) -> tuple[Boxes, NDArray[np.intp]]:
    """Which of some boxes (N, 4) a window shows `visible` of at least, and where in it they lie.

    Returns
    -------
    The boxes cut at its edges, with its first pixel's centre at (0, 0), and their numbers.
    """
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    low = np.array([window.x, window.y]) - 0.5
    high = np.array([window.x_end, window.y_end]) - 0.5
    cut = np.concatenate((np.maximum(boxes[:, :2], low), np.minimum(boxes[:, 2:], high)), 1)
    inside = np.prod(np.maximum(cut[:, 2:] - cut[:, :2], 0), 1)
    whole = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    kept = np.flatnonzero((inside > 0) & (inside >= visible * whole * (1 - 1e-12)))
    return cut[kept] - np.tile([window.x, window.y], 2), kept


def scaled_boxes(boxes: Boxes, shape: tuple[int, int], side: int) -> Boxes:
    """Boxes on an image of `shape` (H, W) that becomes (side, side)."""
    scale = np.tile([side / shape[1], side / shape[0]], 2)
    return (boxes + 0.5) * scale - 0.5


def _seen_masks(masks: Masks, window: Window, visible: float) -> tuple[NDArray[np.intp], Masks]:
    """Numbers of the objects that are seen, and their masks in the window."""
    inside = _windowed(masks, window, False)
    left, whole = inside.sum((1, 2)), masks.sum((1, 2))
    kept = np.flatnonzero((left > 0) & (left >= visible * whole))
    return kept, inside[kept]


def _windowed(values: NDArray[Any], window: Window, beyond: object) -> NDArray[Any]:
    """A window of (N, H, W), filled beyond the edges."""
    cut = np.full((len(values), *window.shape), beyond, values.dtype)
    height, width = values.shape[1:]
    inside = window.overlap(Window.whole((height, width)))
    if inside is not None:
        there = inside.moved(-window.x, -window.y).slices
        cut[(slice(None), *there)] = values[(slice(None), *inside.slices)]
    return cut
