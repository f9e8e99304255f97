"""U-Net5 (Zavagno+2023): five levels, 23 layers, batch-normalised, one sigmoid output."""

from __future__ import annotations

from typing import Literal

from napari_astroseg.recipes.families.base import UNetSpec


class Spec(UNetSpec):
    """Width and depth of a U-Net whose blocks are 2 × (3×3 convolution, batch norm, ReLU)."""

    kind: Literal["unet5"] = "unet5"
