"""Recipe: what to learn from, which network, how to train, how to predict; with a YAML face."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml
from pydantic import (
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.base import Frozen
from napari_astroseg.recipes.data import (
    BlendedData,
    BubbleData,
    PatchData,
    SetData,
    VoteData,
)
from napari_astroseg.recipes.families import family_spec
from napari_astroseg.recipes.families.base import FamilySpec
from napari_astroseg.recipes.families.unet5 import Spec as UNet5
from napari_astroseg.recipes.normalisation import MinMax, Normalisation, Peaked
from napari_astroseg.recipes.schedule import WRITTEN, Schedule

_LAYOUTS: dict[str, type[PatchData | VoteData | BlendedData | BubbleData | SetData]] = {
    "four_maps": PatchData,
    "gz3d": VoteData,
    "blended": BlendedData,
    "bubbles": BubbleData,
    "astro_rcnn": SetData,
}
_TAGS = ("kind", "layout")
"""Fields that tell which record it is."""

_SINGLY = "each part by itself"
"""The context of a check that leaves out how the parts go together."""

_PRESETS = resources.files("napari_astroseg.recipes") / "presets"


class Expectation(Frozen):
    """The images a recipe is made for; others are refused or warned about."""

    unit: str = Field("", description="unit of the values; empty: any")
    pixel_scale_arcsec: float | None = Field(None, gt=0, description="pixel side; empty: any")
    scale_factor: float = Field(
        2.0, ge=1.0, description="warn when the pixel scale is off by more than this factor"
    )
    typical_low: float | None = Field(None, description="values commonly lie above this")
    typical_high: float | None = Field(None, description="values commonly lie below this")

    @model_validator(mode="after")
    def _ordered(self) -> Expectation:
        low, high = self.typical_low, self.typical_high
        if low is not None and high is not None and low >= high:
            raise ValueError("`typical_low` must lie below `typical_high`")
        return self


class Prediction(Frozen):
    """How a trained network is applied to an image of any size."""

    threshold: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="probability from which a pixel is mask; empty: the best on validation",
    )
    min_area_px: int = Field(15, ge=0, description="smaller structures are dropped, pixels")
    tile_px: int = Field(512, ge=64, le=8192, multiple_of=16, description="tile side, pixels")
    overlap: float = Field(
        0.5, ge=0.0, le=0.9, description="overlap of patches where each is normalised by itself"
    )


class Recipe(Frozen):
    """One system, written down; the five published ones are presets.

    Attributes
    ----------
    name
        Short name, as the command line takes it.
    title, source
        What it finds, in words; the paper it follows.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name")
    title: str = Field("", description="what it finds")
    source: str = Field("", description="the paper it follows")
    expects: Expectation = Expectation()
    data: PatchData | VoteData | BlendedData | BubbleData | SetData = PatchData()
    normalisation: Normalisation = MinMax()
    family: SerializeAsAny[FamilySpec] = UNet5()
    schedule: Schedule = Schedule()
    prediction: Prediction = Prediction()

    @field_validator("family", mode="before")
    @classmethod
    def _family_by_kind(cls, value: object) -> object:
        """Turn a mapping into the spec class that its `kind` names."""
        if isinstance(value, dict):
            return family_spec(str(value.get("kind", "unet5"))).model_validate(value)
        return value

    @field_validator("data", mode="before")
    @classmethod
    def _data_by_layout(cls, value: object) -> object:
        """Turn a mapping into the record that its `layout` names; four maps where it names none."""
        if not isinstance(value, dict):
            return value
        layout = str(value.get("layout", "four_maps"))
        if layout not in _LAYOUTS:
            raise ValueError(f"no layout is called {layout!r}; choose one of {', '.join(_LAYOUTS)}")
        return _LAYOUTS[layout].model_validate(value)

    @model_validator(mode="after")
    def _parts_go_together(self, info: ValidationInfo) -> Recipe:
        if info.context == _SINGLY:
            return self
        data, stride = self.data, self.family.stride
        if self.family.input_px not in {None, data.side_px}:
            raise ValueError(
                f"`family.kind` {self.family.kind} takes {self.family.input_px} × "
                f"{self.family.input_px} pixels and `data.{data.side_field}` is {data.side_px}"
            )
        if data.truth != self.family.answers:
            raise ValueError(
                f"`data.layout` {data.layout} and `family.kind` {self.family.kind} do not go "
                f"together: the one is of {data.truth}, the other of {self.family.answers}"
            )
        if data.side_px % stride or data.side_px < 2 * stride:
            raise ValueError(
                f"`data.{data.side_field}` = {data.side_px} does not suit a network that halves "
                f"its input down to 1/{stride}: it must be a multiple of {stride}, at least "
                f"{2 * stride}, or `family.channels` shorter"
            )
        if getattr(self.family, "bands", data.bands) != data.bands:
            planes = "one plane" if data.bands == 1 else f"{data.bands} planes"
            raise ValueError(
                f"`family.bands` must be {data.bands} where `data.layout` is {data.layout}, of "
                f"{planes}"
            )
        if isinstance(data, VoteData) and self.normalisation.kind != "byte":
            raise ValueError(
                "`normalisation.kind` must be byte where `data.layout` is gz3d, of pictures"
            )
        weights = getattr(
            self.family, "class_weights", data.classes if len(data.classes) > 1 else ()
        )
        if weights and len(weights) != 1 + len(data.classes):
            raise ValueError(
                f"`family.kind` must tell {len(data.classes)} classes and background apart where "
                f"`data.layout` is {data.layout}: probunet does, with {1 + len(data.classes)} "
                "`family.class_weights`"
            )
        if isinstance(data, BubbleData) != (self.normalisation.kind == "clipped"):
            raise ValueError(
                "`normalisation.kind` must be clipped where `data.layout` is bubbles, and nowhere "
                "else"
            )
        if isinstance(data, SetData) != isinstance(self.normalisation, Peaked):
            raise ValueError(
                "`normalisation.kind` must be lupton, zscore or linear where `data.layout` is "
                "astro_rcnn, and nowhere else"
            )
        return self

    @classmethod
    def preset(cls, name: str) -> Recipe:
        """One of the recipes that come with the package.

        Raises
        ------
        RecipeError
            When there is none of that name.
        """
        if name not in preset_names():
            raise RecipeError(
                f"no preset is called {name!r}; choose one of {', '.join(preset_names())}, "
                "or give the path of a YAML file"
            )
        return cls.from_yaml((_PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """A recipe from its YAML text.

        Raises
        ------
        RecipeError
            When a field is unknown or out of bounds; the sentence names it.
        """
        try:
            values = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
            reason = " ".join(str(error).split())
            raise RecipeError(f"the recipe is not YAML ({reason}); correct that line") from error
        if not isinstance(values, dict):
            raise RecipeError(
                "the recipe holds no `field: value` lines; start from a preset's file and change it"
            )
        return cls._validated(values)

    @classmethod
    def open(cls, name_or_path: str | Path) -> Recipe:
        """A preset by name, or a YAML file by path."""
        path = Path(name_or_path)
        if path.suffix in {".yaml", ".yml"}:
            try:
                return cls.from_yaml(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise RecipeError(f"{path} cannot be read as text; check the name") from error
        return cls.preset(str(name_or_path))

    def to_yaml(self) -> str:
        """The recipe as YAML, which `from_yaml` gives back unchanged."""
        values = self.model_dump(mode="json", context=WRITTEN)
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)

    def replace(self, /, **changes: Any) -> Recipe:
        """The same recipe with fields changed and checked; `a__b` or `{"a.b": …}` reach inside.

        Raises
        ------
        RecipeError
            When a field does not exist or does not take the value.
        """
        values = self.model_dump()
        paths = {name.replace("__", "."): value for name, value in changes.items()}
        kinds = {path: kind for path, kind in paths.items() if path.rpartition(".")[2] in _TAGS}
        for path, kind in kinds.items():
            record, tag = _record_with(values, path), path.rpartition(".")[2]
            if record[tag] != kind:  # another kind has other fields: start from its defaults
                record.clear()
                record[tag] = kind
        if kinds:
            values = self._validated(values, _SINGLY).model_dump()
        for path, value in paths.items():
            record = _record_with(values, path)
            record[path.rpartition(".")[2]] = (
                value.model_dump() if isinstance(value, Frozen) else value
            )
        return self._validated(values)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change when any field does."""
        return hashlib.sha256(self.to_yaml().encode()).hexdigest()[:16]

    @classmethod
    def _validated(cls, values: object, context: str = "") -> Recipe:
        try:
            return cls.model_validate(values, context=context)
        except ValidationError as error:
            first = error.errors()[0]
            reason = first["msg"].removeprefix("Value error, ")
            if not first["loc"]:  # two fields that do not go together
                raise RecipeError(f"the recipe is wrong: {reason}; change one of them") from error
            place = ".".join(str(part) for part in first["loc"])
            got = shorten(repr(first["input"]), 60, placeholder=" …")
            raise RecipeError(
                f"recipe field {place!r} is wrong: {reason} (got {got}); correct it"
            ) from error


def _record_with(values: dict[str, Any], path: str) -> dict[str, Any]:
    """The record inside `values` that holds the last field of the dotted `path`."""
    record, place = values, ""
    *way, last = path.split(".")
    for step in way:
        inner = record.get(step)
        if not isinstance(inner, dict):
            break
        record, place = inner, f"{place}{step}."
    if f"{place}{last}" != path or last not in record:
        fields = ", ".join(f"{place}{field}" for field in record)
        raise RecipeError(f"a recipe has no field {path!r}; there is: {fields}")
    return record


def preset_names() -> list[str]:
    """Names of the recipes that come with the package."""
    files = (file.name for file in _PRESETS.iterdir())
    return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))
