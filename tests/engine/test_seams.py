"""Where stamps that are normalised by themselves meet: no step beyond what the sky itself does."""

from dataclasses import replace

import numpy as np
import pytest

from napari_astroseg.engine.model import load_model
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.simulate import simulate_filaments

SIDE = 480


def excess(probability, step):
    """How much more neighbours differ where stamps end than elsewhere, along x and along y.

    Columns are told apart by where they lie on the stamps' grid; in units of the standard deviation
    of the mean difference over all other such places.
    """
    told = []
    for plane in (probability, probability.T):
        jumps = np.abs(np.diff(plane, axis=1)).mean(0)
        phase = np.arange(1, len(jumps) + 1) % step
        means = np.array([jumps[phase == place].mean() for place in range(step)])
        told.append((means[0] - means[1:].mean()) / means[1:].std())
    return told


def field(name):
    """A sky for the model, and what is changed in its recipe."""
    if name == "filaments":
        sky = simulate_filaments(SIDE, seed=77)
        return SkyImage.from_array(sky.image, unit="cm-2"), {"normalisation__kind": "minmax"}
    return SkyImage.from_array(crowded()), {"family__samples": 2}


def crowded():
    """Round galaxies of all brightnesses, shoulder to shoulder, in noise of 1."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(SIDE, SIDE))
    row, column = np.mgrid[-15:16, -15:16]
    for y, x in rng.integers(15, SIDE - 15, (400, 2)):
        blob = np.exp(-(row**2 + column**2) / (2 * rng.uniform(1.5, 5.0) ** 2))
        values[y - 15 : y + 16, x - 15 : x + 16] += 10 ** rng.uniform(0.5, 2.5) * blob
    return values.astype(np.float32)


@pytest.mark.parametrize("name", ["filaments", "blended_galaxies_small"])
def test_blended_stamps_leave_no_seam_and_butted_ones_do(name):
    model = load_model(name)
    image, changes = field(name)
    step = round(model.recipe.data.side_px * (1 - model.recipe.prediction.overlap))
    worst = {}
    for overlap in (model.recipe.prediction.overlap, 0.0):
        recipe = model.recipe.replace(**changes, prediction__overlap=overlap)
        other = replace(model, card=replace(model.card, recipe=recipe))
        answer = predicted(predict(other, image, device="cpu", force=True)).sum(0)
        worst[overlap] = max(excess(np.nan_to_num(answer), step))
    assert worst.pop(0.0) > 3.5
    assert max(worst.values()) < 2.5
