"""Mask R-CNN (He+2017): a ResNet with a feature pyramid, boxes, classes and masks of objects."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from napari_astroseg.recipes.families.base import FamilySpec


class Spec(FamilySpec):
    """Width and depth of a detector that gives each object a box, a class and a mask."""

    answers: ClassVar[str] = "objects with masks"

    free: ClassVar[frozenset[str]] = frozenset(
        {"proposal_overlap", "image_overlap", "least_score", "most_objects"}
    )

    kind: Literal["maskrcnn"] = "maskrcnn"
    backbone: Literal["resnet18", "resnet34", "resnet50", "resnet101"] = Field(
        "resnet50", description="the residual network that sees the image first"
    )
    width: float = Field(
        1.0, gt=0, le=2, description="factor on the feature maps of the residual network"
    )
    features: int = Field(
        256, ge=8, le=1024, description="feature maps of each level of the pyramid, and of masks"
    )
    hidden: int = Field(1024, ge=8, le=8192, description="width of the layers that judge a box")
    bands: int = Field(3, ge=1, le=64, description="input planes")
    kinds: int = Field(2, ge=1, le=1000, description="kinds of objects, background not counted")
    anchors_px: tuple[float, ...] = Field(
        (8, 16, 32, 64, 128),
        description="side of the boxes that each of the five levels begins with, pixels",
    )
    ratios: tuple[float, ...] = Field(
        (0.5, 1.0, 2.0), min_length=1, description="heights of these boxes over their widths"
    )
    proposal_overlap: float = Field(
        0.7, gt=0, le=1, description="overlap from which the weaker of two proposals is dropped"
    )
    image_overlap: float = Field(
        0.3, gt=0, le=1, description="overlap from which the weaker box of a class is dropped"
    )
    least_score: float = Field(
        0.05, gt=0, lt=1, description="objects of a lower score are never told of"
    )
    most_objects: int = Field(300, ge=1, le=10_000, description="objects of a tile, at most")

    @field_validator("anchors_px")
    @classmethod
    def _one_for_each_level(cls, sides: tuple[float, ...]) -> tuple[float, ...]:
        if len(sides) != 5 or not all(1 <= side <= 4096 for side in sides):
            raise ValueError("the pyramid has five levels: give five sides of 1 to 4096 pixels")
        return sides

    @field_validator("ratios")
    @classmethod
    def _each_ratio_is_a_shape(cls, ratios: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0.05 <= ratio <= 20 for ratio in ratios):
            raise ValueError("every ratio must lie between 0.05 and 20")
        return ratios

    @property
    def stride(self) -> int:
        """Five halvings down to the ResNet's last stage."""
        return 32
