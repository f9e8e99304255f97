"""FamilySpec: what every network family says about itself before torch is imported."""

from __future__ import annotations

from typing import Any, ClassVar

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

    free: ClassVar[frozenset[str]] = frozenset()
    """Fields that leave the weights what they are: how the network learns, and what of its answer
    is told. Whoever goes on from trained weights may change them."""

    kind: str

    @classmethod
    def kind_name(cls) -> str:
        """The name by which recipes ask for this family."""
        return str(cls.model_fields["kind"].default)

    def changed_from(self, other: FamilySpec) -> dict[str, tuple[Any, Any]] | None:
        """Free fields that differ from another: its value, mine; None where weights do not fit."""
        if type(self) is not type(other):
            return None
        mine, others = self.model_dump(), other.model_dump()
        changed = {name: (others[name], mine[name]) for name in mine if mine[name] != others[name]}
        fits = all(name in self.free and _alike(*values) for name, values in changed.items())
        return changed if fits else None

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


def _alike(one: Any, other: Any) -> bool:
    """Whether lists are equally long: each class has its value."""
    return not isinstance(one, tuple) or len(one) == len(other)


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
