"""FamilySpec: what every network family says about itself before torch is imported."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from napari_astroseg.recipes.base import Frozen


class FamilySpec(Frozen):
    """The shape of a network, without the network.

    A subclass gives `kind` (a Literal with its own name as default) and whatever numbers its
    builder needs. `net` names the module that holds `build(spec)`; a family from another
    package overrides it.
    """

    answers: ClassVar[str] = "pixels"
    """What it tells of an image: `pixels`, `objects in boxes`, `objects with masks`."""

    kind: str

    @classmethod
    def kind_name(cls) -> str:
        """The name by which recipes ask for this family."""
        return str(cls.model_fields["kind"].default)

    @property
    def stride(self) -> int:
        """Factor by which the network halves its input again and again, at its coarsest."""
        return 1

    @property
    def by_stamp(self) -> bool:
        """Whether an answer depends on the stamp as a whole, so that tiles cannot be exact."""
        return False

    @property
    def input_px(self) -> int | None:
        """Side of the only input that the network takes, pixels; None: any."""
        return None

    @property
    def net(self) -> str:
        """Dotted name of the module whose `build(spec)` makes the network."""
        return f"napari_astroseg.engine.nets.{self.kind}"


class UNetSpec(FamilySpec):
    """Width and depth of a U-Net: an encoder that halves its input level by level, and back."""

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
