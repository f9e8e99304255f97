"""Prediction: tiled equals whole, gaps stay gaps, misfits are refused, cancelling stops."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skies import galactic_wcs

from napari_astroseg.engine.events import Finished, Started, TileDone, Warned
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import MisfitError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window


def with_recipe(model, **changes):
    card = dataclasses.replace(model.card, recipe=model.recipe.replace(**changes))
    return dataclasses.replace(model, card=card)


WHOLE = {"prediction.tile_px": 1024}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tile=st.sampled_from([64, 80, 128, 160]),
    x=st.integers(0, 150),
    y=st.integers(0, 180),
    width=st.integers(1, 170),
    height=st.integers(1, 203),
    normalisation=st.sampled_from(["log", "local"]),
)
def test_tiles_and_windows_equal_the_whole_image(
    random_model, noise_image, tile, x, y, width, height, normalisation
):
    model = with_recipe(random_model, **{"normalisation.kind": normalisation})
    whole = predicted(predict(with_recipe(model, **WHOLE), noise_image))
    window = Window(x, y, width, height).clipped(noise_image.shape)
    if np.isnan(noise_image.cutout(window)).all():
        return
    small = with_recipe(model, **{"prediction.tile_px": tile})
    part = predicted(predict(small, noise_image, window))
    expected = whole[:, *window.slices]
    assert np.array_equal(np.isnan(part), np.isnan(expected))
    assert np.nanmax(np.abs(part - expected)) < 1e-5


def test_patches_normalised_by_themselves_do_not_depend_on_the_tiles(random_model, noise_image):
    model = with_recipe(random_model, **{"normalisation.kind": "minmax"})
    whole = predicted(predict(with_recipe(model, **WHOLE), noise_image))
    tiled = predicted(predict(with_recipe(model, **{"prediction.tile_px": 64}), noise_image))
    assert np.nanmax(np.abs(whole - tiled)) < 1e-5
    window = Window(33, 71, 60, 50)
    part = predicted(predict(model, noise_image, window))
    assert np.nanmax(np.abs(part - whole[:, *window.slices])) < 1e-5


def test_missing_pixels_are_missing_in_the_answer(random_model, noise_image):
    answer = predicted(predict(random_model, noise_image))[0]
    gaps = np.isnan(noise_image.cutout(Window.whole(noise_image.shape)))
    assert np.array_equal(np.isnan(answer), gaps)


def test_events_tell_the_whole_story_in_order(random_model, noise_image):
    window = Window(-20, -20, 120, 110)
    events = list(predict(random_model, noise_image, window))
    tiles = [e for e in events if isinstance(e, TileDone)]
    assert isinstance(events[0], Started) and events[0].total == len(tiles)
    assert [t.done for t in tiles] == list(range(1, len(tiles) + 1))
    assert isinstance(events[-1], Finished)
    assert events[-1].result["window"] == Window(0, 0, 100, 90)
    assert sum(t.window.width * t.window.height for t in tiles) == 100 * 90


def test_tiles_near_a_place_come_first_and_tell_the_same(random_model, noise_image):
    place = 150.0, 190.0
    events = list(predict(random_model, noise_image, device="cpu", near=place))
    tiles = [event.window for event in events if isinstance(event, TileDone)]
    away = [np.hypot(t.x + t.width / 2 - place[0], t.y + t.height / 2 - place[1]) for t in tiles]
    assert tiles[0].x <= place[0] < tiles[0].x_end and tiles[0].y <= place[1] < tiles[0].y_end
    assert away[0] == min(away) and away[-1] == max(away)
    expected = predicted(predict(random_model, noise_image, device="cpu"))
    assert np.array_equal(predicted(iter(events)), expected, equal_nan=True)


def test_closing_the_generator_stops_the_work(random_model, noise_image):
    events = predict(random_model, noise_image)
    assert isinstance(next(events), Started)
    assert isinstance(next(events), TileDone)
    events.close()
    with pytest.raises(StopIteration):
        next(events)


def test_an_image_of_another_kind_is_refused_with_the_remedy(random_model, noise_image):
    jansky = dataclasses.replace(noise_image, unit="MJy/sr")
    with pytest.raises(MisfitError, match=r"MJy/sr .* trained on cm-2; .* or insist with --force"):
        list(predict(random_model, jansky))
    assert any(isinstance(e, Warned) for e in predict(random_model, jansky, force=True))


def test_values_far_off_are_refused_and_an_unknown_unit_is_told(random_model):
    counts = SkyImage.from_array(np.full((64, 64), 100.0, np.float32))
    with pytest.raises(MisfitError, match="values around 100"):
        list(predict(random_model, counts))
    bare = SkyImage.from_array(np.full((64, 64), 1e22, np.float32))
    told = [e.message for e in predict(random_model, bare) if isinstance(e, Warned)]
    assert told == ["image does not say its unit; its values are taken as cm-2"]


def test_units_are_converted_and_said_so(random_model, noise_image):
    metres = SkyImage.from_array(
        noise_image.cutout(Window.whole(noise_image.shape)) * np.float32(1e4), unit="m-2"
    )
    events = list(predict(random_model, metres))
    assert any("converted from m-2 to cm-2" in e.message for e in events if isinstance(e, Warned))
    expected = predicted(predict(random_model, noise_image))
    assert np.nanmax(np.abs(predicted(iter(events)) - expected)) < 1e-4


def test_another_pixel_scale_is_warned_about(random_model):
    image = SkyImage.from_array(np.full((64, 64), 1e22), galactic_wcs(60 / 3600), "cm-2")
    told = [e.message for e in predict(random_model, image) if isinstance(e, Warned)]
    assert len(told) == 1 and "60″ pixels" in told[0]


def test_all_missing_is_said(random_model, noise_image):
    with pytest.raises(MisfitError, match=r"no pixel of this window .* has a value above 0\.1"):
        list(predict(random_model, noise_image, Window(105, 45, 10, 10)))


def test_a_deterministic_net_draws_no_samples(random_model, noise_image):
    with pytest.raises(MisfitError, match="leave out --samples"):
        list(predict(random_model, noise_image, samples=5))


def test_missing_values_do_not_decide_whether_an_image_suits(random_model):
    values = np.zeros((64, 64), np.float32)  # a survey that writes 0 where it has nothing
    values[:20] = 1e22
    assert np.isfinite(predicted(predict(random_model, SkyImage.from_array(values)))[0, :20]).all()
