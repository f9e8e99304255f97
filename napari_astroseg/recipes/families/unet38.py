"""U-Net of 38 hidden layers (Rey Deutsch+2023): no batch norm, dropout, two softmax outputs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from napari_astroseg.recipes.families.base import UNetSpec


class Spec(UNetSpec):
    """Width and depth of a U-Net whose blocks are 2 × (3×3 convolution, ReLU), with dropout."""

    free: ClassVar[frozenset[str]] = frozenset({"dropout"})

    kind: Literal["unet38"] = "unet38"
    bands: int = Field(3, ge=1, le=64, description="input planes")
    dropout: float = Field(
        0.3, ge=0.0, le=0.9, description="fraction of values left out at each change of level"
    )
