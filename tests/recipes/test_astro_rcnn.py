"""The recipe of stars and galaxies: as published, and what does not go together."""

import pytest

from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.data import SetData
from napari_astroseg.recipes.families.maskrcnn import Spec
from napari_astroseg.recipes.normalisation import Linear, Lupton, ZScore
from napari_astroseg.recipes.recipe import Recipe


@pytest.fixture(scope="module")
def published():
    return Recipe.preset("astro_rcnn")


def test_it_is_as_published(published):
    assert published.data == SetData()
    assert (published.data.band_names, published.data.crop_px) == (("z", "r", "g"), 512)
    assert published.normalisation == Lupton(stretch=0.005, q=10, minimum=0, percentile=99.995)
    assert published.family == Spec()
    assert (published.family.proposal_overlap, published.family.image_overlap) == (0.7, 0.3)
    assert published.family.most_objects == 300
    schedule = published.schedule
    assert (schedule.optimiser, schedule.momentum) == ("sgd", 0.9)
    assert (schedule.weight_decay, schedule.clip) == (1e-4, 5)


def test_its_four_stages_are_15_10_10_15_epochs_and_the_first_trains_heads_alone(published):
    rates = [published.schedule.rate_at(epoch) for epoch in range(1, 51)]
    assert rates == [1e-3] * 15 + [1e-4] * 10 + [1e-5] * 10 + [1e-6] * 15
    heads = [published.schedule.heads_only_at(epoch) for epoch in range(1, 51)]
    assert heads == [True] * 15 + [False] * 35


def test_bands_of_any_number_are_as_many_as_have_names(published):
    five = published.replace(**{"data.band_names": ["y", "z", "i", "r", "g"], "family.bands": 5})
    assert five.data.bands == 5
    assert Recipe.from_yaml(five.to_yaml()) == five
    with pytest.raises(RecipeError, match=r"family\.bands"):
        published.replace(**{"data.band_names": ["r"]})


@pytest.mark.parametrize(("kind", "record"), [("zscore", ZScore()), ("linear", Linear())])
def test_other_contrasts(published, kind, record):
    assert published.replace(**{"normalisation.kind": kind}).normalisation == record


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"normalisation.kind": "log"}, "must be lupton, zscore or linear"),
        ({"data.band_names": ["g", "g", "r"]}, "a name of its own"),
        ({"data.crop_px": 100}, "multiple of 32"),
        (
            {"family.kind": "unet5", "family.bands": 3},
            "the one is of objects with masks, the other of pixels",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(published, changes, words):
    with pytest.raises(RecipeError, match=words):
        published.replace(**changes)


def test_pixels_need_a_network_of_pixels():
    with pytest.raises(RecipeError, match="the one is of pixels, the other of objects with masks"):
        Recipe.preset("filaments").replace(**{"family.kind": "maskrcnn", "family.bands": 1})
    with pytest.raises(RecipeError, match="nowhere else"):
        Recipe.preset("filaments").replace(**{"normalisation.kind": "zscore"})
