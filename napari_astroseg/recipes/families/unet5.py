"""U-Net5 (Zavagno+2023): five levels, 23 layers, batch-normalised, one sigmoid output."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

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

    @field_validator("channels")
    @classmethod
    def _each_level_has_some(cls, channels: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= width <= 4096 for width in channels):
            raise ValueError("every level needs 1 to 4096 feature maps")
        return channels

    @property
    def stride(self) -> int:
        """One halving per level of the encoder."""
        return int(2 ** len(self.channels))
