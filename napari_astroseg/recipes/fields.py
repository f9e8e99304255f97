"""Fields: a recipe by its dotted paths, and where several differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_astroseg.recipes.recipe import Recipe

LACKING = "–"
"""In the place of a field that a recipe does not have."""


def flat(recipe: Recipe) -> dict[str, Any]:
    """Every field by its dotted path, with plain values."""
    return _flat(recipe.model_dump(mode="json"), "")


def differing(recipes: Sequence[Recipe]) -> dict[str, list[Any]]:
    """The fields in which recipes differ, with the value of each; `LACKING` where it has none."""
    every = [flat(recipe) for recipe in recipes]
    paths = dict.fromkeys(path for fields in every for path in fields)
    values = {path: [fields.get(path, LACKING) for fields in every] for path in paths}
    return {path: each for path, each in values.items() if any(one != each[0] for one in each)}


def _flat(values: dict[str, Any], before: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{before}{key}"
        fields |= _flat(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return fields
