"""Probabilistic U-Net (Kohl+2018, Bretonnière+2021): many answers to one stamp."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from napari_astroseg.recipes.families.base import FamilySpec


class Spec(FamilySpec):
    """A U-Net, two encoders of the same shape that tell a Gaussian, and a head that takes draws.

    The loss is the Dice of the classes, weighted by `class_weights`, plus `cross_entropy` times the
    mean cross-entropy of the pixels, plus `beta` times the Kullback-Leibler divergence of the
    encoder that knows the truth from the one that does not.
    """

    free: ClassVar[frozenset[str]] = frozenset(
        {"samples", "class_weights", "cross_entropy", "beta", "warmup_steps"}
    )

    kind: Literal["probunet"] = "probunet"
    channels: tuple[int, ...] = Field(
        (32, 64, 128, 192, 192, 192, 256),
        min_length=2,
        max_length=8,
        description="feature maps of each level of U-Net and encoders, finest first",
    )
    convolutions: int = Field(3, ge=1, le=4, description="3×3 convolutions in a row at each level")
    bands: int = Field(1, ge=1, le=64, description="input planes")
    latent: int = Field(10, ge=1, le=256, description="dimensions of the Gaussian")
    head: int = Field(3, ge=2, le=8, description="1×1 convolutions that combine draw and features")
    samples: int = Field(50, ge=2, le=10_000, description="draws behind a prediction")
    class_weights: tuple[float, ...] = Field(
        (0.4, 0.5, 0.9),
        min_length=2,
        max_length=16,
        description="what the Dice of each class weighs, background first",
    )
    cross_entropy: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="what the cross-entropy of the pixels weighs beside the Dice; some of it keeps "
        "rare classes from being given up",
    )
    beta: float = Field(
        1e-3, ge=0, le=1000, description="what the divergence weighs beside the Dice, in the end"
    )
    warmup_steps: int = Field(
        1000, ge=0, description="steps over which that weight rises from 0: lest draws be ignored"
    )

    @field_validator("channels")
    @classmethod
    def _each_level_has_some(cls, channels: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= width <= 4096 for width in channels):
            raise ValueError("every level needs 1 to 4096 feature maps")
        return channels

    @field_validator("class_weights")
    @classmethod
    def _each_class_weighs(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < weight <= 1000 for weight in weights):
            raise ValueError("every class must weigh more than 0, at most 1000")
        return weights

    @property
    def stride(self) -> int:
        """One halving between levels."""
        return int(2 ** (len(self.channels) - 1))

    @property
    def by_stamp(self) -> bool:
        """The Gaussian is of a stamp as a whole."""
        return True
