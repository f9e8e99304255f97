"""Lying: where in the world the pixels of a layer lie, kept when the layer moves on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_astroseg.gui.aids.view import world_of
from napari_astroseg.sky.window import Window

Floats = NDArray[np.float64]
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Lying:
    """A plane of pixels in the world: world (x, y) = linear @ pixel (x, y) + corner."""

    linear: Floats
    corner: Floats

    @classmethod
    def of(cls, layer: Any) -> Lying:
        """How the plane of a layer lies now."""
        corner, linear = world_of(layer)
        return cls(linear, corner)

    def to_world(self, pixels: ArrayLike) -> Floats:
        """World (x, y) of 0-based pixel positions (x, y), shape (…, 2)."""
        return np.asarray(pixels, float) @ self.linear.T + self.corner

    def to_pixels(self, world: ArrayLike) -> Floats:
        """Pixel positions (x, y) of world positions (x, y)."""
        return (np.asarray(world, float) - self.corner) @ np.linalg.inv(self.linear).T

    def window(self, shape: tuple[int, int]) -> Window | None:
        """Which pixels of the world a layer of that shape covers; None unless pixel on pixel."""
        whole = np.rint(self.corner)
        if not np.allclose(self.linear, np.eye(2), atol=_SAME):
            return None
        if not np.allclose(self.corner, whole, atol=_SAME):
            return None
        return Window(int(whole[0]), int(whole[1]), shape[1], shape[0])
