"""The command line that does what a form says, for a model's card."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from napari_astroseg.recipes.recipe import Recipe


def train_command(recipe: Recipe, preset: str, data: Path, out: Path) -> str:
    """`astroseg train …` with a `--set` for each field that differs from the preset's."""
    words = ["astroseg", "train", preset, "--data", str(data), "--out", str(out)]
    standard = _flat(Recipe.preset(preset).model_dump(mode="json"))
    for key, value in _flat(recipe.model_dump(mode="json")).items():
        if standard.get(key, ...) != value:
            words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested fields by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat
