"""Known objects are put into an image where there is room, and a newer model's scores are taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skies import galactic_wcs

from napari_astroseg.errors import ImageError, VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.fakes import fakes, form_of, hidden_image
from napari_astroseg.review.rescoring import rescored
from napari_astroseg.review.session import VettingSession
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.simulate.hidden import Objects, scatter_around, with_objects


@pytest.fixture
def image():
    values = np.random.default_rng(0).normal(5.0, 2.0, (300, 400)).astype(np.float32)
    values[:, 350:] = np.nan
    return SkyImage.from_array(values, galactic_wcs(), name="noise")


def listed(image):
    x, y = np.array([50.0, 200, 300]), np.array([60.0, 150, 250])
    there = image.sky(x, y).spherical
    scale = image.pixel_scale_arcsec
    found = Detections.of(
        3, lon=there.lon.deg, lat=there.lat.deg, radius=np.array([8.0, 10, 12]) * scale,
        score=[0.5, 0.7, 0.9], kinds=["bubble"] * 3, frame="galactic", source="found",
    )  # fmt: skip
    return found, (x, y, np.array([8.0, 10, 12]))


def test_hidden_objects_lie_apart_from_all_others_and_on_data(image, tmp_path):
    found, places = listed(image)
    real, empty = fakes(found, places, image, (6, 4))
    assert (len(real), len(empty)) == (6, 4)
    again, _ = fakes(found, places, image, (6, 4))
    assert again.digest == real.digest  # whoever hides them
    with VettingSession(tmp_path / "v.sqlite", found, "Ada") as session:
        session.plant(real, empty)
        everything, known = session.detections, session.known
    assert np.isfinite(everything.radius).all()
    assert np.isfinite(everything.score).all()
    x, y = image.pixel(everything.position)
    radius = everything.radius / image.pixel_scale_arcsec
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x))
    assert (apart >= 1.5 * (radius[:, None] + radius) - 1e-6).all()
    assert (x < 350 + 32).all()
    hidden = hidden_image(image, everything, known, (x, y, radius))
    bare, seen = (each.cutout(each_window(image)) for each in (image, hidden))
    added = np.nan_to_num(seen - bare)
    for at, truth in enumerate(known):
        near = added[
            max(0, int(y[at] - radius[at])) : int(y[at] + radius[at]),
            max(0, int(x[at] - radius[at])) : int(x[at] + radius[at]),
        ]
        if truth == "real" and x[at] < 330:
            assert 0.7 * 2.0 <= near.max() <= 6.5 * 2.0  # one to six times the scatter
        elif truth != "real":
            assert not near.any()
    assert hidden.pixels[10:200:7, 3:300:5] == pytest.approx(seen[10:200:7, 3:300:5], nan_ok=True)


def each_window(image):
    from napari_astroseg.sky.window import Window

    return Window.whole(image.shape)


def test_there_may_be_no_room(image):
    found, places = listed(image)
    with pytest.raises(VettingError, match="ask for fewer"):
        fakes(found, places, image, (1000, 0))


def test_what_is_hidden_looks_like_what_the_list_is_of(image):
    found, _ = listed(image)
    assert form_of(found) == "shell"
    assert form_of(Detections.of(1)) == "spot"
    one = {name: np.array([value]) for name, value in (("x", 50.0), ("y", 50.0))}
    for form, middle, edge in (("shell", 0.33, 1.0), ("spot", 1.0, 0.135)):
        told = Objects(**one, radius=np.array([20.0]), peak=np.array([3.0]), form=form)
        light = with_objects(SkyImage.from_array(np.zeros((100, 100))), told).pixels
        assert light[50:51, 50:51] == pytest.approx(3 * middle, rel=0.02)
        assert light[50:51, 70:71] == pytest.approx(3 * edge, rel=0.02)
        assert light[0:100, 0:20].max() < 0.05
        assert (light[0:0, 0:5]).shape == (0, 5)
    assert light.identity is None  # as the array has none
    assert scatter_around(image, 100, 100, 10) == pytest.approx(2.0, rel=0.1)
    assert np.isnan(scatter_around(SkyImage.from_array(np.full((9, 9), np.nan)), 4, 4, 2))
    with pytest.raises(ImageError, match="several planes"):
        with_objects(replace(image, planes=[image.pixels, image.pixels]), told)


def test_a_newer_models_scores_are_those_of_the_same_places(image, tmp_path):
    found, (x, y, _) = listed(image)
    near = found.taken([2, 0])
    near = replace(near, score=np.array([0.2, 0.8]), lon=near.lon + 1e-4)
    ranked, count = rescored(found, near)
    assert count == 2
    assert ranked.score.tolist() == [0.8, 0.0, 0.2]
    assert ranked.digest == found.digest  # it is the same list
    pixels = Detections.of(3, x=x, y=y, radius=[8, 10, 12], unit="px", score=[0.1] * 3)
    moved = replace(pixels, x=x + np.array([3.0, 6.0, 3.0]))
    assert rescored(pixels, moved)[0].score.tolist() == [0.1, 0.0, 0.1]
    with VettingSession(tmp_path / "v.sqlite", found, "Ada") as session:
        session.plant(real=near)
        assert session.rescore(near) == 2 + 2  # those that were planted lie there, too
        assert set(session.detections.score[3:]) <= set(ranked.score)  # and do not stand out
        assert session.queue[-1] in np.flatnonzero(session.detections.score == 0)
    with pytest.raises(VettingError, match="tells no scores"):
        rescored(found, Detections.of(1, lon=[30.0], lat=[0.0], frame="galactic"))
    with pytest.raises(VettingError, match="in common"):
        rescored(found, moved)
