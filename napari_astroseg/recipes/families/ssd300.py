"""SSD300 (Liu+2016): VGG16 and six maps that answer boxes; for bubbles with two bands (2025)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from napari_astroseg.recipes.families.base import FamilySpec


class Spec(FamilySpec):
    """Width of a single-shot detector of 8732 priors on 300 × 300 pixels, and how it learns."""

    answers: ClassVar[str] = "objects in boxes"

    free: ClassVar[frozenset[str]] = frozenset(
        {
            "match_iou", "negatives", "least_negatives", "least_score", "crop_overlap",
            "image_overlap",
        }
    )  # fmt: skip

    kind: Literal["ssd300"] = "ssd300"
    width: float = Field(1.0, gt=0, le=2, description="factor on the feature maps of every layer")
    batch_norm: bool = Field(
        False, description="batch norm in the VGG part, which learns faster from nothing"
    )
    bands: int = Field(2, ge=1, le=64, description="input planes")
    kinds: int = Field(1, ge=1, le=1000, description="kinds of objects, background not counted")
    match_iou: float = Field(
        0.5, gt=0, lt=1, description="overlap with an object from which a prior is to find it"
    )
    negatives: float = Field(
        3.0, ge=0, le=100, description="hardest background priors learnt from, per matched one"
    )
    least_negatives: int = Field(
        20, ge=0, le=8732, description="background priors learnt from in any crop"
    )
    least_score: float = Field(
        0.3, gt=0, lt=1, description="boxes of a lower score are never told of"
    )
    crop_overlap: float = Field(
        0.45, gt=0, le=1, description="overlap from which the weaker box of a crop is dropped"
    )
    image_overlap: float = Field(
        0.3, gt=0, le=1, description="overlap from which the weaker box of an image is dropped"
    )

    @property
    def input_px(self) -> int:
        """Side of the only input it takes, pixels."""
        return 300
