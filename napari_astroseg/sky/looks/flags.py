"""Flags: a mask as a picture, 1 where any flag is set and 0 where a value is good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import Key, MadePixels, PixelSource, Planes


def flagged(mask: SkyImage) -> SkyImage:
    """Where a mask has any flag, as an image of 0 and 1; its means are shares of flagged pixels."""
    planes = None if mask.planes is None else FlaggedPlanes(mask.planes)
    return replace(mask, pixels=FlaggedPixels(mask.pixels), planes=planes, reference=None)


@dataclass(frozen=True)
class FlaggedPixels(MadePixels):
    """1 where a mask is not 0, read where it is looked at; shape (H, W)."""

    source: PixelSource

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    @property
    def identity(self) -> str | None:
        """A digest of the mask's own; None where that has none."""
        return self.made_of("flagged")

    def __getitem__(self, key: Key) -> NDArray[np.float32]:
        return (self.source[key] != 0).astype(np.float32)


@dataclass(frozen=True)
class FlaggedPlanes:
    """The planes of a stack of masks, each as `FlaggedPixels`."""

    masks: Planes

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, index: int) -> FlaggedPixels:
        return FlaggedPixels(self.masks[index])
