"""ModelCard: what a trained model says about itself, read without torch.

A model is one safetensors file. Its header carries two texts: the recipe as YAML and the card
as JSON. Nothing in it is ever executed or unpickled.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from napari_astroseg.errors import ModelError, RecipeError
from napari_astroseg.recipes.recipe import Recipe, preset_names

_MAX_HEADER = 100 * 2**20
MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class ModelCard:
    """What a model is, where it came from, and how well it does.

    Attributes
    ----------
    name
        Short name.
    recipe
        The recipe that made it, whole.
    parameters
        Number of trained weights.
    trained_on
        The data in words; `data_digest` tells the very files.
    command
        The command that made it, seed included.
    figures
        Measured figures by name, e.g. `dice` on its validation regions.
    threshold
        Default probability from which a pixel counts as mask.
    temperature
        By which its scores are divided, so that probabilities mean what they say; 1 before that was
        measured.
    versions
        Versions of the packages that trained it.
    """

    name: str
    recipe: Recipe
    parameters: int
    trained_on: str = ""
    data_digest: str = ""
    command: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    threshold: float = 0.5
    temperature: float = 1.0
    versions: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    path: Path | None = None
    bytes: int = 0

    def to_metadata(self) -> dict[str, str]:
        """The texts that go into the safetensors header."""
        values = asdict(self)
        for outside in ("recipe", "path", "bytes"):
            del values[outside]
        return {"recipe": self.recipe.to_yaml(), "card": json.dumps(values)}

    @classmethod
    def from_metadata(cls, texts: dict[str, str], path: Path) -> ModelCard:
        """The card of the model file at `path`, from its header's texts."""
        try:
            recipe = Recipe.from_yaml(texts["recipe"])
            values: dict[str, Any] = json.loads(texts["card"])
            if not 0 < float(values.get("temperature", 1.0)) < math.inf:
                raise ValueError("a temperature that is none")
            return cls(**values, recipe=recipe, path=path, bytes=path.stat().st_size)
        except RecipeError as error:
            raise ModelError(
                f"{path.name} holds a recipe that this version cannot read ({error}); update "
                "napari-astroseg, or train it again"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{path.name} was not made by this package (its header has no readable recipe and "
                "card); train it with `astroseg train`"
            ) from error

    def describe(self) -> dict[str, Any]:
        """The row of `astroseg models --json`."""
        return {
            "name": self.name,
            "recipe": self.recipe.name,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "trained_on": self.trained_on,
            "figures": self.figures,
        }


def apart(mine: ModelCard, theirs: ModelCard) -> str:
    """Why the mean of two models' answers would mean nothing, a sentence; "" where it does."""
    one, other = mine.recipe, theirs.recipe
    pairs = (
        (one.family, other.family),
        (one.normalisation, other.normalisation),
        (type(one.data), type(other.data)),
        (one.data.bands, other.data.bands),
        (one.data.classes, other.data.classes),
        (one.data.kinds, other.data.kinds),
    )
    if not all(first == second for first, second in pairs):
        return (
            f"{theirs.name} has another network, normalisation or classes than {mine.name}; join "
            "models of one recipe, of other seeds or data"
        )
    if theirs.temperature != mine.temperature:
        return (
            f"{theirs.name} is calibrated by the temperature {theirs.temperature:g}, {mine.name} "
            f"by {mine.temperature:g}, and their mean by neither; join the models as they were "
            "before they were calibrated"
        )
    return ""


def read_card(name_or_path: str | Path) -> ModelCard:
    """The card of a built-in model, a run's folder, or a model file.

    Raises
    ------
    ModelError
        When there is no such model or the file is not one.
    """
    path = find_model(name_or_path)
    return ModelCard.from_metadata(_header_texts(path), path)


def find_model(name_or_path: str | Path) -> Path:
    """The safetensors file meant by a built-in name, a run's folder, or a path.

    A built-in name means the same in every folder: a run of that name is `./NAME`.
    """
    built_in = builtin_models()
    if isinstance(name_or_path, str) and name_or_path in built_in:
        return built_in[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        path = path / MODEL_FILE
        if not path.exists():
            raise ModelError(
                f"{path.parent} holds no {MODEL_FILE}; wait for its first epoch to end, "
                "or name another run"
            )
        return path
    if path.is_file():
        return path
    if str(name_or_path) in preset_names():
        raise ModelError(
            f"no model {str(name_or_path)!r}: that is a recipe: train it first (astroseg train "
            f"{name_or_path} --data … --out run), then --model run"
        )
    raise ModelError(
        f"no model {str(name_or_path)!r}; choose a built-in one ({', '.join(built_in) or 'none'}), "
        "a run's folder, or a .safetensors file"
    )


def builtin_models() -> dict[str, Path]:
    """The models that come with the package, by name."""
    with resources.as_file(resources.files("napari_astroseg.engine") / "weights") as folder:
        return {file.stem: file for file in sorted(folder.glob("*.safetensors"))}


def list_models(extra: tuple[str | Path, ...] = ()) -> list[ModelCard]:
    """Cards of the built-in models and of any further ones named."""
    return [read_card(path) for path in (*builtin_models().values(), *extra)]


def _header_texts(path: Path) -> dict[str, str]:
    """The `__metadata__` of a safetensors file: 8 bytes of length, then JSON."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _MAX_HEADER:
                raise ValueError("its header is too long")
            header = json.loads(file.read(length))
            return dict(header["__metadata__"])
    except (OSError, struct.error, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is not a safetensors model of this package; "
            "only safetensors files are loaded: convert it, or train again"
        ) from error
