"""A model file with a real card and no weights, for windows that only read cards."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.recipes.recipe import Recipe


def write_model(path: Path, name: str = "fake", recipe: Recipe | None = None) -> Path:
    recipe = recipe or Recipe.preset("filaments")
    card = ModelCard(name, recipe, 1234, trained_on="nothing", figures={"dice": 0.5})
    header = json.dumps({"__metadata__": card.to_metadata()}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path
