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
    """log10 of the value less its local mean: contrast against the surroundings.

    It depends on a pixel's surroundings and on nothing else: neither on the absolute level nor
    on where a tile was cut.
    """

    kind: Literal["local"] = "local"
    scale_px: float = Field(32.0, ge=1.0, le=256, description="sigma of the local mean, pixels")
    spread_dex: float = Field(
        0.15, gt=0, le=10, description="contrast that becomes 1, decades of the value"
    )


class Byte(Frozen):
    """A picture's values, 0 to 255, between 0 and 1."""

    kind: Literal["byte"] = "byte"


class Arcsinh(Frozen):
    """arcsinh of the value, then over the stamp's maximum (Bretonnière+2021)."""

    kind: Literal["arcsinh"] = "arcsinh"
    softening: float | None = Field(
        1.0,
        gt=0,
        description="value from which it is logarithmic, image unit; empty: the stamp's own noise",
    )


class Clipped(Frozen):
    """Each band of a crop less its minimum, clipped at mean + 3 sigma, between 0 and 1.

    Stars take no part in mean and sigma.
    """

    kind: Literal["clipped"] = "clipped"


class Peaked(Frozen):
    """Values of all bands together over one of their highest."""

    percentile: float = Field(
        99.995, gt=0, le=100, description="percentile of all bands that becomes 1"
    )


class Lupton(Peaked):
    """Each band times arcsinh(stretch Q (I - m)) / (Q I), I their mean (Lupton+2004)."""

    kind: Literal["lupton"] = "lupton"
    stretch: float = Field(
        0.005, gt=0, description="contrast of what is faint, over the image's unit"
    )
    q: float = Field(10.0, gt=0, le=1e6, description="how soon what is bright is held back")
    minimum: float = Field(0.0, description="mean of the bands that becomes 0, image unit")


class ZScore(Peaked):
    """Each band less its mean, over its standard deviation."""

    kind: Literal["zscore"] = "zscore"


class Linear(Peaked):
    """The values as they are."""

    kind: Literal["linear"] = "linear"


Normalisation = Annotated[
    MinMax | Log | Local | Byte | Arcsinh | Clipped | Lupton | ZScore | Linear,
    Field(discriminator="kind"),
]
