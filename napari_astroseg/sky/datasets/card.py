"""DatasetCard: what a dataset holds, in a few numbers that travel with a trained model."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_astroseg.errors import DataError

LayoutName = Literal["four_maps", "gz3d", "astro_rcnn", "bubbles", "blended"]


class PartCounts(BaseModel):
    """What one part holds.

    Attributes
    ----------
    pixels
        Labelled ones of each class, which may overlap, and of `background`; empty where only
        objects are told apart.
    labelled, unlabelled
        Pixels that teach, and that do not.
    objects
        Of each kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int = Field(0, ge=0)
    pixels: dict[str, int] = {}
    labelled: int = Field(0, ge=0)
    unlabelled: int = Field(0, ge=0)
    objects: dict[str, int] = {}


class DatasetCard(BaseModel):
    """What a dataset holds; two of the same digest give the same stamps.

    Attributes
    ----------
    layout, name
        Whose layout it is in, and the name of its folder.
    parts
        `training`, `validation` and `unlabelled` (images without truth) → what each holds. Where
        one image is parted by sky areas it counts as an item of both.
    settings
        All that truth and split depend on but the files.
    findings, left_out
        How many things are wrong, and because of how many something is left out.
    digest
        Of the files that are used and the settings, 32 hexadecimal digits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: LayoutName
    name: str
    items: int = Field(ge=0)
    parts: dict[str, PartCounts]
    settings: dict[str, float]
    findings: int = Field(ge=0)
    left_out: int = Field(ge=0)
    digest: str = Field(pattern="^[0-9a-f]{32}$")

    def balance(self, part: str = "training") -> dict[str, float]:
        """Share of each class among the labelled pixels, or of each kind among the objects.

        Classes may overlap, so that shares may add up to more than 1; NaN where there are none.
        """
        counts = self.parts[part]
        told, whole = counts.pixels, counts.labelled
        if not told:
            told, whole = counts.objects, sum(counts.objects.values())
        return {name: n / whole if whole else math.nan for name, n in told.items()}

    def to_json(self) -> str:
        """The card as JSON, the same for the same card."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> DatasetCard:
        """The card that `to_json` wrote.

        Raises
        ------
        DataError
            When it is none.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise DataError(
                f"this is no dataset card ({where}: {first['msg']}); write one anew with "
                "`DatasetCard.to_json`"
            ) from error
