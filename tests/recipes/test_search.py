"""What a search tries, in words."""

import pytest

from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.search import Choice, Range, Search, told


@pytest.fixture(scope="module")
def recipe():
    return Recipe.preset("filaments")


def test_words_become_ranges_and_lists(recipe):
    words = [
        "schedule.learning_rate=1e-5..1e-2:log",
        "schedule.batch_size=16..64",
        "data.min_mask=0.1..0.5",
        "normalisation.kind=[minmax, log]",
        "schedule.decay=[1e-1, 0.5]",
    ]
    assert Search.parse(words, recipe).fields == {
        "schedule.learning_rate": Range(1e-5, 1e-2, log=True),
        "schedule.batch_size": Range(16, 64, whole=True),
        "data.min_mask": Range(0.1, 0.5),
        "normalisation.kind": Choice(("minmax", "log")),
        "schedule.decay": Choice((0.1, 0.5)),
    }


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("schedule.learning_rate", "takes FIELD=VALUES"),
        ("=3..4", "takes FIELD=VALUES"),
        ("schedule.learning_rate=0.1", "neither a range nor a list"),
        ("schedule.learning_rate=[]", "neither a range nor a list"),
        ("schedule.learning_rate=[[1], [2]]", "neither a range nor a list"),
        ("schedule.learning_rate=[1", "are not YAML"),
        ("schedule.learning_rate=1e-2..1e-5", "must rise"),
        ("schedule.learning_rate=0..1:log", "must rise and above 0"),
        ("schedule.learning_rate=1e-3..5", "'schedule.learning_rate' is wrong"),
        ("schedule.speed=1..5", "no field 'schedule.speed'"),
        ("normalisation.kind=[minmax, best]", "normalisation"),
    ],
)
def test_words_that_mean_nothing_are_refused(word, says, recipe):
    with pytest.raises(RecipeError, match=says):
        Search.parse([word], recipe)


def test_nothing_to_search_is_refused(recipe):
    with pytest.raises(RecipeError, match="nothing is searched"):
        Search.parse([], recipe)


def test_a_grid_is_every_combination(recipe):
    words = ["schedule.epochs=[1, 2, 3]", "normalisation.kind=[log, local]"]
    grid = Search.parse(words, recipe).grid()
    assert len(grid) == 6
    assert grid[0] == {"schedule.epochs": 1, "normalisation.kind": "log"}
    with pytest.raises(RecipeError, match="needs a list of values"):
        Search.parse(["schedule.epochs=1..3"], recipe).grid()
    many = [f"schedule.{name}={list(range(1, 60))}" for name in ("epochs", "decay_every", "seed")]
    with pytest.raises(RecipeError, match="never ends"):
        Search.parse(many, recipe).grid()


def test_changes_are_told_briefly():
    assert list(told({"a": 0.000123456, "b": 3})) == ["a=0.0001235", "b=3"]
