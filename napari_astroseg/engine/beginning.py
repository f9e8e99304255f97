"""Beginning: a network that starts with a trained model's weights, and what is told of that."""

from __future__ import annotations

from typing import NamedTuple

from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.errors import TrainingError
from napari_astroseg.recipes.recipe import Recipe


class Beginning(NamedTuple):
    """A network before its first step, and where its weights come from, for the model's card."""

    net: Network
    told: str


def begun(recipe: Recipe, start_from: str) -> Beginning:
    """The recipe's network, with fresh weights or those of the model that `start_from` names.

    The model may have learnt otherwise (its weight of the divergence, say): the recipe's holds now.

    Raises
    ------
    TrainingError
        When the model's weights do not fit, or it looks at images in another way.
    """
    if not start_from:
        return Beginning(build(recipe.family), "")
    model = load_model(start_from)
    changed = recipe.family.changed_from(model.recipe.family)
    if changed is None or model.recipe.normalisation != recipe.normalisation:
        raise TrainingError(
            f"{model.card.name} has another network or normalisation than this recipe; start from "
            "it with its own recipe: name the model in the recipe's place"
        )
    net = build(recipe.family)
    net.load_state_dict(model.net.state_dict())
    words = ", ".join(f"{name} {was} → {now}" for name, (was, now) in changed.items())
    return Beginning(net, f"; started from {start_from}" + (f" with {words}" if words else ""))
