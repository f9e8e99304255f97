"""Models that come with the package: small, told by their cards, and of use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_astroseg.engine.card import builtin_models, read_card
from napari_astroseg.engine.evaluate import evaluate
from napari_astroseg.engine.events import TileDone
from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.simulate import bubbles, galaxies, multiband
from napari_astroseg.sky.simulate.spirals import simulate_spirals, write

ALL_MB = 16.0
"""What they may weigh together."""

SEED = 9000
"""Of skies that no model in the box has seen."""
ARMED, ARMLESS = (1, 3, 12), (0, 2, 5)
"""Numbers of galaxies in which people drew arms, or where they were not asked for any."""


def test_all_of_them_together_are_small() -> None:
    assert sum(path.stat().st_size for path in builtin_models().values()) < ALL_MB * 1e6


@pytest.mark.parametrize("name", list(builtin_models()))
def test_a_card_says_what_it_is_and_how_it_came_to_be(name: str) -> None:
    card = read_card(name)
    assert card.name == name
    assert card.command.startswith("astroseg simulate ") and "--seed " in card.command
    assert card.trained_on and card.notes and card.figures and card.data_digest
    assert 0.0 < card.threshold < 1.0
    assert card.parameters == load_model(name).parameters


@pytest.mark.parametrize("name", list(builtin_models()))
def test_it_warns_of_an_image_as_its_preset_does_today(name: str) -> None:
    recipe = read_card(name).recipe
    assert recipe.expects == Recipe.preset(recipe.name).expects


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unseen")
    for number in (*ARMED, *ARMLESS):
        write(folder, number, 525, SEED)
    return folder


def test_spiral_arms_are_found_in_galaxies_that_have_them(voted: Path) -> None:
    figures = evaluate("spiral_arms_small", voted, device="cpu")["figures"]
    assert figures["galaxies"] == 6 and figures["both"] == 0.5
    assert figures["jaccard"] > 0.3 and figures["accuracy"] > 0.9


def test_the_real_galaxy_without_arms_stays_nearly_empty(shared_data: Path) -> None:
    path = next((shared_data / "gz3d").glob("*.fits.gz"))
    model = load_model("spiral_arms_small")
    beyond = (-50.0, 5000.0)  # where a view may look
    events = predict(model, open_image(path), device="cpu", near=beyond)
    found = predicted(events)[0] >= model.card.threshold
    assert np.mean(found) < 0.005


def test_these_galaxies_are_what_the_tests_take_them_for() -> None:
    numbers = (*ARMED, *ARMLESS)
    asked = [bool(simulate_spirals(128, SEED, n).crowd.drawings["spiral"]) for n in numbers]
    assert asked == [n in ARMED for n in numbers]


def test_a_bubble_is_found_and_no_decoy_for_one(tmp_path: Path) -> None:
    bubbles.write(tmp_path, 0, 448, SEED)
    bubbles.finish(tmp_path, 1, 448, SEED)
    figures = evaluate("bubbles_small", tmp_path, device="cpu")["figures"]
    assert figures["bubbles"] == figures["recall"] == 1.0
    assert figures["new"] == 0.0


def test_stars_and_galaxies_are_found_and_told_apart(tmp_path: Path) -> None:
    pytest.importorskip("galsim")
    multiband.write(tmp_path, 0, 256, SEED)
    figures = evaluate("astro_rcnn_small", tmp_path, device="cpu")["figures"]
    assert figures["ap50_star"] > 0.4 and figures["ap50_galaxy"] > 0.5


def test_galaxies_are_found_and_their_overlaps(tmp_path: Path) -> None:
    pytest.importorskip("galsim")
    galaxies.write(tmp_path, 0, 512, SEED)
    figures = evaluate("blended_galaxies_small", tmp_path, device="cpu")["figures"]
    assert figures["detected_isolated"] > 0.8 and figures["iou_isolated"] > 0.6
    assert figures["completeness_blended"] > 0.5 and figures["null"] > 0.5
    assert figures["completeness_isolated"] > 0.65 and figures["purity_blended"] > 0.65


def test_a_galaxy_where_four_tiles_meet_is_one_region(tmp_path: Path) -> None:
    model = load_model("blended_galaxies_small").drawing(2)
    recipe = model.recipe.replace(prediction__tile_px=128)
    model = replace(model, card=replace(model.card, recipe=recipe))
    row, column = np.mgrid[:256, :256] - 127.5
    values = np.random.default_rng(0).normal(size=(256, 256))
    values += 40 * np.exp(-(row**2 + column**2) / (2 * 6.0**2))
    image = SkyImage.from_array(values.astype(np.float32), name="corner")
    told = list(predict_to_folder(model, image, tmp_path, device="cpu", force=True))
    assert sum(isinstance(event, TileDone) for event in told) == 4
    table = Catalogue.read(tmp_path / "catalogue.ecsv").table
    (galaxy,) = table[np.hypot(table["x"].value - 127.5, table["y"].value - 127.5) < 30]
    assert (galaxy["x"], galaxy["y"]) == pytest.approx((127.5, 127.5), abs=1.0)
    assert galaxy["area"].value > 100 and 0 < galaxy["uncertainty"] < 0.5
