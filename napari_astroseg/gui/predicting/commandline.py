"""The command line that does what a form says, for a model's card."""

from __future__ import annotations

import shlex
from pathlib import Path

from napari_astroseg.recipes.fields import flat
from napari_astroseg.recipes.recipe import Recipe


def train_command(recipe: Recipe, preset: str, data: Path, out: Path, start_from: str = "") -> str:
    """`astroseg train …` with a `--set` for each field that differs from the preset's."""
    words = ["astroseg", "train", preset, "--data", str(data), "--out", str(out)]
    words += ["--from", start_from] if start_from else []
    standard = flat(Recipe.preset(preset))
    for key, value in flat(recipe).items():
        if standard.get(key, ...) != value:
            words += ["--set", f"{key}={value}"]
    return shlex.join(words)
