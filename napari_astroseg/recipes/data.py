"""What to learn from: the layout of the files, which patches, and how they are split."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

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


class TrainingData(Frozen):
    """What the data of every layout say of themselves.

    Attributes
    ----------
    bands
        Planes of an image.
    classes
        What pixels are told apart as, but for background; a pixel is of one of them at most.
    kinds
        What objects in boxes are told apart as; none where pixels are told.
    figure
        The validation figure whose highest value tells the best epoch.
    side_field
        The field that holds the side of what a network is shown.
    truth
        What is known of an image: `pixels`, `objects in boxes`, `objects with masks`.
    """

    bands: ClassVar[int]
    classes: ClassVar[tuple[str, ...]] = ("structure",)
    truth: ClassVar[str] = "pixels"
    kinds: ClassVar[tuple[str, ...]] = ()
    figure: ClassVar[str]
    side_field: ClassVar[str]

    @property
    def side_px(self) -> int:
        """Side of what a network is shown, pixels."""
        return int(getattr(self, self.side_field))


class PatchData(TrainingData):
    """Square patches around regions of interest, from aligned maps (Zavagno+2023)."""

    bands: ClassVar[int] = 1
    figure: ClassVar[str] = "dice"
    side_field: ClassVar[str] = "patch_px"

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


class VoteData(TrainingData):
    """Pictures of whole galaxies and what volunteers marked in them (Rey Deutsch+2023)."""

    bands: ClassVar[int] = 3
    figure: ClassVar[str] = "jaccard"
    side_field: ClassVar[str] = "stamp_px"

    layout: Literal["gz3d"] = Field(
        "gz3d", description="files of Galaxy Zoo 3D: a picture and its maps of votes"
    )
    marked: Literal["center", "star", "spiral", "bar"] = Field(
        "spiral", description="what the volunteers marked"
    )
    threshold: int = Field(
        3, ge=1, le=100, description="votes from which a pixel belongs to the mask"
    )
    stamp_px: int = Field(
        128, ge=16, le=1024, multiple_of=16, description="side a picture is resized to, pixels"
    )
    stamp_arcsec: float | None = Field(
        None,
        gt=0,
        description="sky in a stamp: prediction brings images to that scale; empty: an image is "
        "one stamp, however large",
    )
    validation: float = Field(0.25, gt=0, lt=1, description="share of galaxies that validate")
    augmentation: Augmentation = Augmentation(rotations=False)

    @property
    def floor(self) -> float:
        """A picture has no value below it."""
        return 0.0


class BlendedData(TrainingData):
    """Stamps of overlapping galaxies with the class of each pixel (Bretonnière+2021)."""

    bands: ClassVar[int] = 1
    classes: ClassVar[tuple[str, ...]] = ("isolated", "overlap")
    figure: ClassVar[str] = "iou"
    side_field: ClassVar[str] = "stamp_px"

    layout: Literal["blended"] = Field(
        "blended", description="stamps_WithNoise_NAME.npy and stamps_seg_NAME.npy"
    )
    stamp_px: int = Field(
        128, ge=8, le=1024, multiple_of=8, description="side of the stamps, pixels"
    )
    validation: float = Field(0.15, gt=0, lt=1, description="share of stamps that validate")
    augmentation: Augmentation = Augmentation()

    @property
    def floor(self) -> float:
        """Noise goes below any value."""
        return -math.inf


class BubbleData(TrainingData):
    """Spitzer tiles and the bubbles of a catalogue on them (Nishimoto+2025)."""

    bands: ClassVar[int] = 2
    figure: ClassVar[str] = "f2"
    side_field: ClassVar[str] = "crop_px"
    kinds: ClassVar[tuple[str, ...]] = ("bubble",)
    truth: ClassVar[str] = "objects in boxes"

    layout: Literal["bubbles"] = Field(
        "bubbles", description="spitzer_LLLLL+0000_rgb/{r,g,b}.fits and a catalogue of bubbles"
    )
    crop_px: Literal[300] = Field(300, description="side that every crop is resized to, pixels")
    hole_px: int = Field(
        40, ge=0, le=1000, description="missing patches up to this side are filled, pixels"
    )
    negatives: float = Field(0.5, ge=0, lt=1, description="share of crops without a bubble")
    negatives_drawn: int = Field(
        10_000, ge=1, le=10_000_000, description="crops without a bubble that are drawn from"
    )
    windows_px: tuple[int, ...] = Field(
        (150, 300, 600, 900, 1200, 1800, 2400, 3000),
        min_length=1,
        description="sides of the windows that prediction slides over an image, pixels",
    )
    step: float = Field(
        1 / 3, gt=0, le=1, description="from one window to the next, in units of its side"
    )
    validation: float = Field(0.2, gt=0, lt=1, description="share of tiles that validate")

    @field_validator("windows_px")
    @classmethod
    def _each_window_holds_something(cls, sides: tuple[int, ...]) -> tuple[int, ...]:
        if not all(16 <= side <= 100_000 for side in sides):
            raise ValueError("every window needs a side of 16 to 100000 pixels")
        return sides

    @property
    def floor(self) -> float:
        """Brightness less the sky's may be negative: no value is too low."""
        return -math.inf


class SetData(TrainingData):
    """Sets of one image per band and one mask per object (Burke+2019)."""

    figure: ClassVar[str] = "ap50"
    side_field: ClassVar[str] = "crop_px"
    kinds: ClassVar[tuple[str, ...]] = ("star", "galaxy")
    truth: ClassVar[str] = "objects with masks"

    layout: Literal["astro_rcnn"] = Field(
        "astro_rcnn", description="set_N/img_g.fits, img_r.fits, img_z.fits, and masks.fits"
    )
    band_names: tuple[str, ...] = Field(
        ("z", "r", "g"), min_length=1, max_length=64, description="bands shown, in this order"
    )
    crop_px: int = Field(
        512,
        ge=64,
        le=4096,
        multiple_of=32,
        description="side of what is seen at once; larger images are cut, pixels",
    )
    augmentations: int = Field(
        4, ge=0, le=5, description="at most so many of two flips, a quarter turn, blur and noise"
    )
    validation: float = Field(0.2, gt=0, lt=1, description="share of sets that validate")

    @field_validator("band_names")
    @classmethod
    def _each_band_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names) or not all(names):
            raise ValueError("every band needs a name of its own")
        return names

    @property
    def bands(self) -> int:  # type: ignore[override]
        """As many as have names."""
        return len(self.band_names)

    @property
    def floor(self) -> float:
        """Brightness less the sky's may be negative: no value is too low."""
        return -math.inf
