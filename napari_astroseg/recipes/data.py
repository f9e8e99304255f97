"""What to learn from: the layout of the files, which patches, and how they are split."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from napari_astroseg.recipes.base import Frozen


class Split(Frozen):
    """Training and validation, parted by sky region and never by patch (Zavagno+2023)."""

    area_px: int = Field(
        64, ge=16, le=4096, description="side of the sky regions dealt out, pixels"
    )
    folds: int = Field(
        5, ge=2, le=50, description="regions are dealt round-robin to this many folds"
    )
    validation_fold: int = Field(0, ge=0, description="the fold kept for validation")
    hold_out_lon_deg: tuple[float, float] | None = Field(
        None, description="longitudes, from and to (deg), that neither trains nor validates"
    )

    @model_validator(mode="after")
    def _fold_exists(self) -> Split:
        if self.validation_fold >= self.folds:
            raise ValueError("`validation_fold` counts from 0 and must lie below `folds`")
        return self


class Augmentation(Frozen):
    """What a patch may undergo without becoming a different patch of sky."""

    flips: bool = Field(True, description="mirror along either axis")
    rotations: bool = Field(True, description="turn by 90, 180, 270 degrees")


class PatchData(Frozen):
    """Square patches around regions of interest, from aligned maps (Zavagno+2023)."""

    layout: Literal["four_maps"] = Field(
        "four_maps", description="*_image, *_target, and if at hand *_background, *_missing"
    )
    background: Literal["auto", "conservative", "one_vs_all"] = Field(
        "auto",
        description="negatives: the background map (conservative), all that is not target "
        "(one_vs_all), or whichever the files allow (auto)",
    )
    patch_px: int = Field(64, ge=16, le=1024, multiple_of=16, description="patch side, pixels")
    positions: int = Field(3, ge=0, le=100, description="random patch positions per region")
    min_mask: float = Field(0.2, ge=0.0, le=1.0, description="least fraction of mask in a patch")
    anywhere: int = Field(
        0, ge=0, le=100_000, description="patches per map placed anywhere, whatever they hold"
    )
    allow_missing: bool = Field(
        False, description="keep patches with missing pixels, masked out of the loss"
    )
    floor: float = Field(0.1, ge=0.0, description="values below it count as missing, image unit")
    augmentation: Augmentation = Augmentation()
    split: Split = Split()
