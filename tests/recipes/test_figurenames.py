"""Names of figures: one for each, whoever tells it."""

import pytest

from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.papers import PUBLISHED
from napari_astroseg.recipes.recipe import Recipe, preset_names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ap50", "AP at IoU 0.50"),
        ("ap50_star", "AP at IoU 0.50, star"),
        ("validation_ap50_star", "validation AP at IoU 0.50, star"),
        ("unseen_iou_blended", "unseen IoU, blended"),
        ("jaccard_std", "Jaccard, spread from galaxy to galaxy"),
        ("dice_0.6", "Dice at 0.6"),
        ("authors_purity_blended", "purity, blended, by the authors' rule"),
        ("validation_loss", "validation loss"),
        ("validation loss", "validation loss"),
    ],
)
def test_a_figure_has_one_name_wherever_it_is_told(name: str, words: str) -> None:
    assert words_of(name) == words


def test_new_bubbles_are_detections_and_new_filaments_structures() -> None:
    assert words_of("new", "bubbles") == "new detections"
    assert words_of("new", "four_maps") == "new structures"


def test_what_trainings_and_papers_tell_is_told_in_words() -> None:
    told = {Recipe.preset(name).data.figure for name in preset_names()}
    told |= {figure for each in PUBLISHED.values() for figure in each.figures}
    for name in told:
        assert "_" not in words_of(name), name
