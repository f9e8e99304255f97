"""Schedule: how a network is trained, epoch by epoch."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Literal

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from napari_astroseg.recipes.base import Frozen

WRITTEN = "written"
"""The context of a record that is written down, and read again by later versions."""

_LATER = (
    "parts", "optimiser", "stage_epochs", "stage_rates", "head_stages", "momentum", "weight_decay",
    "clip",
)  # fmt: skip
"""Fields that the first recipes did not have: written only where they say something."""


class Schedule(Frozen):
    """How a network is trained."""

    epochs: int = Field(20, ge=1, le=100_000, description="passes over the training patches")
    batch_size: int = Field(64, ge=1, le=65_536, description="patches per step")
    parts: int = Field(
        1,
        ge=1,
        le=65_536,
        description="a batch is worked on in so many parts whose gradients add up (batch norms see "
        "each part alone); more parts need less memory",
    )
    optimiser: Literal["adam", "adamw", "sgd"] = Field(
        "adam", description="how weights follow their gradients; sgd has `momentum`"
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="the optimiser's rate at the start")
    decay: float = Field(0.1, gt=0, le=1, description="factor on the rate every `decay_every`")
    decay_every: int = Field(10, ge=1, description="epochs between two decays")
    stage_epochs: tuple[int, ...] = Field(
        (), description="epochs of each stage, in all `epochs`; empty: the rate decays instead"
    )
    stage_rates: tuple[float, ...] = Field((), description="the rate in each stage")
    head_stages: int = Field(
        0, ge=0, description="stages, from the first, in which only the heads learn"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of sgd")
    weight_decay: float = Field(0.0, ge=0, le=1, description="pull of the weights towards zero")
    clip: float | None = Field(
        None, gt=0, description="longest gradient, in its own norm; longer ones are shortened"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after this many epochs without a better figure; empty: never"
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="arithmetic of the forward and backward pass"
    )
    seed: int = Field(0, ge=0, le=2**63, description="the same seed gives the same training")

    @model_validator(mode="after")
    def _stages_fill_the_epochs(self) -> Schedule:
        if len(self.stage_epochs) != len(self.stage_rates):
            raise ValueError("`stage_epochs` and `stage_rates` must be equally many")
        if any(count < 1 for count in self.stage_epochs):
            raise ValueError("every stage in `stage_epochs` needs an epoch")
        if not all(0 < rate <= 1 for rate in self.stage_rates):
            raise ValueError("every rate in `stage_rates` must lie above 0, at most 1")
        if self.stage_epochs and sum(self.stage_epochs) != self.epochs:
            raise ValueError(
                f"`stage_epochs` add up to {sum(self.stage_epochs)} and `epochs` is {self.epochs}"
            )
        if self.head_stages > len(self.stage_epochs):
            raise ValueError("`head_stages` must be at most the number of stages")
        return self

    @model_serializer(mode="wrap")
    def _as_ever(
        self, dump: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Written as it was before it had the later fields, so that digests stay."""
        values: dict[str, Any] = dump(self)
        if info.context == WRITTEN:
            fields = type(self).model_fields
            for name in _LATER:
                if getattr(self, name) == fields[name].default:
                    del values[name]
        return values

    def rate_at(self, epoch: int) -> float:
        """The optimiser's rate in an epoch, counted from 1."""
        if self.stage_epochs:
            return self.stage_rates[self._stage_at(epoch)]
        return self.learning_rate * self.decay ** ((epoch - 1) // self.decay_every)

    def heads_only_at(self, epoch: int) -> bool:
        """Whether all but the heads rest in an epoch, counted from 1."""
        return bool(self.stage_epochs) and self._stage_at(epoch) < self.head_stages

    def _stage_at(self, epoch: int) -> int:
        ends = accumulate(self.stage_epochs)
        return next(number for number, end in enumerate(ends) if epoch <= end)
