"""U-Net5 (Zavagno+2023): five levels, 23 layers, batch-normalised, one sigmoid output."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_astroseg.recipes.families.base import FamilySpec


class Spec(FamilySpec):
    """Width and depth of a U-Net whose blocks are 2 × (3×3 convolution, batch norm, ReLU)."""

    kind: Literal["unet5"] = "unet5"
    channels: tuple[int, ...] = Field(
        (64, 128, 256, 512),
        min_length=1,
        max_length=6,
        description="feature maps of the encoder's levels, finest first",
    )
    bottleneck: int = Field(1024, ge=4, le=4096, description="feature maps at the coarsest level")
    bands: int = Field(1, ge=1, le=64, description="input planes")
