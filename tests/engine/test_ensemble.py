"""Uncertainty of any network of pixels: turns, models, entropy; exact in tiles, and labelled."""

import dataclasses
from copy import deepcopy

import numpy as np
import pytest
import torch
from astropy.io import fits
from skies import lively

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.ensemble import TURNS, entropy
from napari_astroseg.engine.events import Finished, TileDone
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.outputs import predict_to_folder
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import MisfitError, SetupError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.tiles import Canvas
from napari_astroseg.sky.window import Window


def answered(events, shape):
    """Mean and spread (2, H, W) that tiles add up to, and what the spread is."""
    canvas, kinds = Canvas(Window.whole(shape), 2), set()
    for event in events:
        if isinstance(event, TileDone):
            canvas.put(event.window, np.concatenate([event.probability, event.deviation]))
            kinds.add(event.spread.kind)
    (kind,) = kinds
    return canvas.values, kind


def with_recipe(model, **changes):
    card = dataclasses.replace(model.card, recipe=model.recipe.replace(**changes))
    return dataclasses.replace(model, card=card)


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_can_be_taken_back_and_its_halo_goes_along(turn):
    planes = torch.arange(6 * 8).reshape(1, 1, 6, 8)
    assert torch.equal(turn.back(turn.there(planes)), planes)
    top, bottom, left, right = turn.halo(Halo(1, 2, 3, 1))
    there = turn.there(planes)
    inner = there[..., top : there.shape[-2] - bottom, left : there.shape[-1] - right]
    assert torch.equal(turn.back(inner), planes[..., 1:4, 3:7])


def test_the_turns_are_all_and_each_another():
    corner = torch.arange(4).reshape(2, 2)
    assert len({tuple(turn.there(corner).flatten().tolist()) for turn in TURNS}) == 8


@pytest.mark.parametrize("normalisation", ["log", "minmax"])
def test_turns_give_mean_and_spread_that_no_tile_changes(random_model, noise_image, normalisation):
    model = with_recipe(random_model, **{"normalisation.kind": normalisation}).turned(8)
    shape = noise_image.shape
    whole = with_recipe(model, **{"prediction.tile_px": 1024})
    once, kind = answered(predict(whole, noise_image, device="cpu"), shape)
    cut, _ = answered(predict(model, noise_image, device="cpu"), shape)
    assert kind == "turns"
    assert np.nanmax(np.abs(cut - once)) < 1e-4
    assert np.nanmean(once[1]) > 0.01
    # A square whose sides are on the stride, seen mirrored, gives the mirrored answer.
    side = 128
    values = noise_image.cutout(Window(0, 60, side, side))
    straight, mirrored = (
        answered(predict(whole, SkyImage.from_array(each, unit="cm-2"), device="cpu"), (side, side))
        for each in (values, np.ascontiguousarray(values[:, ::-1]))
    )
    if normalisation == "log":
        assert np.nanmax(np.abs(mirrored[0][..., ::-1] - straight[0])) < 1e-4


def test_turns_of_a_window_are_those_that_were_averaged(random_model, noise_image):
    side = 128
    values = noise_image.cutout(Window(0, 60, side, side))
    each = []
    for turn in TURNS:
        seen = turn.there(torch.from_numpy(values)).numpy().copy()
        image = SkyImage.from_array(seen, unit="cm-2")
        answer = predicted(predict(random_model, image, device="cpu"))[0]
        each.append(turn.back(torch.from_numpy(answer)).numpy())
    image = SkyImage.from_array(values, unit="cm-2")
    events = predict(random_model, image, device="cpu", uncertainty="turns")
    told, _ = answered(events, (side, side))
    assert np.nanmax(np.abs(told[0] - np.mean(each, 0))) < 1e-5
    assert np.nanmax(np.abs(told[1] - np.std(each, 0))) < 1e-4


def test_several_models_count_alike(random_model, noise_image):
    torch.manual_seed(1)
    recipe = random_model.recipe
    other = Model(ModelCard("other", recipe, 1), lively(build(recipe.family)))
    one, two = (predicted(predict(m, noise_image, device="cpu"))[0] for m in (random_model, other))
    both = random_model.joined([other])
    told, kind = answered(predict(both, noise_image, device="cpu"), noise_image.shape)
    assert kind == "models"
    assert np.nanmax(np.abs(told[0] - (one + two) / 2)) < 1e-5
    assert np.nanmax(np.abs(told[1] - np.abs(one - two) / 2)) < 1e-4
    assert len({random_model.digest, both.digest, both.turned(2).digest}) == 3
    odd = with_recipe(other, **{"normalisation.kind": "minmax"})
    with pytest.raises(MisfitError, match="join models of one recipe"):
        random_model.joined([odd])
    warm = dataclasses.replace(other, card=dataclasses.replace(other.card, temperature=2.0))
    with pytest.raises(MisfitError, match="temperature 2"):
        random_model.joined([warm])


def test_a_network_given_twice_is_refused(random_model):
    copied = dataclasses.replace(random_model.card, name="copy")
    copy = Model(copied, deepcopy(random_model.net))
    told = rf"random and copy are the same network \(weights {copy.digest}\).* give each .* once"
    with pytest.raises(MisfitError, match=told):
        random_model.joined([copy])


def test_entropy_is_one_bit_of_doubt_at_a_half(random_model, noise_image):
    events = predict(random_model, noise_image, device="cpu", uncertainty="entropy")
    told, kind = answered(events, noise_image.shape)
    plain = predicted(predict(random_model, noise_image, device="cpu"))[0]
    assert kind == "entropy" and np.array_equal(told[0], plain, equal_nan=True)
    bits = entropy(np.array([0.5, 0.11, 0, 1, np.nan], np.float32))
    assert bits == pytest.approx([1, 0.4999, 0, 0, np.nan], abs=1e-4, nan_ok=True)
    assert np.array_equal(told[1], entropy(plain), equal_nan=True)
    with pytest.raises(SetupError, match="choose turns or entropy"):
        next(predict(random_model, noise_image, uncertainty="vibes"))
    with pytest.raises(SetupError, match="choose 2, 4 or 8"):
        random_model.turned(3)


def test_files_say_what_the_uncertainty_is_and_how_large_it_is_in_each_region(
    random_model, field_image, tmp_path
):
    *_, last = predict_to_folder(random_model.turned(4), field_image, tmp_path, threshold=0.5)
    assert isinstance(last, Finished) and "uncertainty.fits" in {
        p.name for p in last.result["files"]
    }
    with fits.open(tmp_path / "uncertainty.fits") as hdus:
        header, spread = hdus[-1].header, hdus[-1].data
        assert (header["UNCKIND"], header["UNCN"]) == ("turns", 4)
        assert "4 turns and mirrorings" in header["UNCIS"]
    catalogue = Catalogue.read(tmp_path / "catalogue.ecsv")
    labels = fits.getdata(tmp_path / "regions.fits")
    assert "4 turns" in catalogue.table["uncertainty"].info.description
    for row in catalogue:
        assert row["uncertainty"] == pytest.approx(
            np.nanmean(spread[labels == row["id"]]), rel=1e-4
        )
