"""Going on from a trained model's weights: what may change, and what the new model's card says."""

from pathlib import Path

import pytest
import torch
from layouts import write_stamps

from napari_astroseg.engine.beginning import begun
from napari_astroseg.engine.card import ModelCard, read_card
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.errors import TrainingError
from napari_astroseg.recipes.families.probunet import Spec
from napari_astroseg.recipes.recipe import Recipe, preset_names


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.preset("blended_galaxies").replace(
        family__channels=[4, 4],
        family__convolutions=1,
        family__latent=2,
        data__stamp_px=16,
        data__validation=0.3,
        schedule__epochs=1,
        schedule__batch_size=4,
        schedule__learning_rate=1e-12,
    )


@pytest.fixture(scope="module")
def model(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with weights that no other seed gives, some of its warm-up done."""
    torch.manual_seed(987)
    net = build(recipe.family)
    net.learnt += 1000
    path = tmp_path_factory.mktemp("model") / "first.safetensors"
    Model(ModelCard("first", recipe, 1), net.eval()).save(path)
    return path


def test_the_loss_may_change_and_the_weights_stay(recipe: Recipe, model: Path) -> None:
    other = recipe.replace(family__beta=0.5, family__warmup_steps=2000)
    net, told = begun(other, str(model))
    torch.manual_seed(987)
    before = build(recipe.family)
    for name, weight in before.named_parameters():
        assert torch.equal(net.state_dict()[name], weight), name
    assert net.beta == 0.25  # its own, half of the way there: the steps of the first count
    assert told == f"; started from {model} with beta 0.001 → 0.5, warmup_steps 4000 → 2000"


def test_nothing_changed_is_told_so(recipe: Recipe, model: Path) -> None:
    assert begun(recipe, str(model)).told == f"; started from {model}"
    assert begun(recipe, "").told == ""


@pytest.mark.parametrize(
    "changes", [{"family__channels": [4, 8]}, {"normalisation__softening": None}]
)
def test_weights_that_do_not_fit_are_refused(recipe: Recipe, model: Path, changes: dict) -> None:
    for other in (recipe.replace(**changes), Recipe.preset("filaments")):
        with pytest.raises(TrainingError, match="name the model in the recipe's place"):
            begun(other, str(model))


def test_each_class_keeps_its_weight_in_the_loss() -> None:
    assert Spec(class_weights=(1, 2, 3)).changed_from(Spec(class_weights=(3, 2, 1))) is not None
    assert Spec(class_weights=(1, 2)).changed_from(Spec(class_weights=(3, 2, 1))) is None


def test_the_card_says_where_it_began_and_what_changed(
    recipe: Recipe, model: Path, tmp_path: Path
) -> None:
    write_stamps(tmp_path)
    run = Run(data=tmp_path, out=tmp_path / "run", device="cpu", start_from=str(model))
    list(train(recipe.replace(family__beta=0.01), run))
    assert read_card(tmp_path / "run").trained_on.endswith(
        f"; started from {model} with beta 0.001 → 0.01"
    )


@pytest.mark.parametrize("name", preset_names())
def test_free_fields_are_fields(name: str) -> None:
    family = Recipe.preset(name).family
    assert family.free <= set(type(family).model_fields)
