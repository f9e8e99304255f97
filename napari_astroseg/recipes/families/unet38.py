"""U-Net of 38 hidden layers (Rey Deutsch+2023): no batch norm, dropout, two softmax outputs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from napari_astroseg.recipes.families.base import FamilySpec


class Spec(FamilySpec):
    """Width and depth of a U-Net whose blocks are 2 × (3×3 convolution, ReLU), with dropout."""

    kind: Literal["unet38"] = "unet38"
    channels: tuple[int, ...] = Field(
        (64, 128, 256, 512),
        min_length=1,
        max_length=6,
        description="feature maps of the encoder's levels, finest first",
    )
    bottleneck: int = Field(1024, ge=4, le=4096, description="feature maps at the coarsest level")
    bands: int = Field(3, ge=1, le=64, description="input planes")
    dropout: float = Field(
        0.3, ge=0.0, le=0.9, description="fraction of values left out at each change of level"
    )

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
