"""How raw values become what a network sees; the same at training and at prediction.

Each is a record tagged by `kind`; the arithmetic lives in `napari_astroseg.sky.normalise`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from napari_astroseg.recipes.base import Frozen


class MinMax(Frozen):
    """Each patch between 0 and 1, over its valid positive pixels."""

    kind: Literal["minmax"] = "minmax"


class Log(Frozen):
    """log10 of the value, `low` at 0 and `high` at 1; the defaults span Hi-GAL's N(H2)."""

    kind: Literal["log"] = "log"
    low: float = Field(4.160104636600882e20, gt=0, description="value that becomes 0, image unit")
    high: float = Field(3.367595174607165e23, gt=0, description="value that becomes 1, image unit")

    @model_validator(mode="after")
    def _ordered(self) -> Log:
        if self.low >= self.high:
            raise ValueError("`low` must lie below `high`")
        return self


class Local(Frozen):
    """log10 of the value less its Gaussian local mean, over its local standard deviation.

    It depends on a pixel's surroundings within `4 × scale_px` and on nothing else: neither
    on the absolute level nor on where a tile was cut.
    """

    kind: Literal["local"] = "local"
    scale_px: float = Field(
        15.0, gt=0.5, le=256, description="Gaussian sigma of the local mean and spread, pixels"
    )


Normalisation = Annotated[MinMax | Log | Local, Field(discriminator="kind")]
