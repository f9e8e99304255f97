"""Colour pictures in a real window: made of three bands, tuned live, told in raw values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from napari.layers import Image

from napari_astroseg.errors import ImageError
from napari_astroseg.gui import layers
from napari_astroseg.gui.look.colourdata import colours_of, native_data
from napari_astroseg.gui.look.colourlayers import add_colour, tune
from napari_astroseg.gui.look.colours import ColourBox
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import Lupton, Tuning
from napari_astroseg.sky.opening import open_image


def band(seed: int, name: str, shape: tuple[int, int] = (60, 80)) -> SkyImage:
    values = np.random.default_rng(seed).normal(seed, 0.1, shape).astype(np.float32)
    values[20:40, 20:40] += 5.0
    values[:10, :10] = np.nan
    return SkyImage.from_array(values, name=name)


def bands(*names: str) -> list[SkyImage]:
    return [band(seed, name) for seed, name in enumerate(names)]


@pytest.fixture
def box(viewer: Any, qtbot: Any) -> Iterator[ColourBox]:
    widget = ColourBox(viewer)
    qtbot.addWidget(widget)
    widget.show()
    yield widget
    widget.untie()


def at(viewer: Any, y: float, x: float) -> tuple[int, ...]:
    """The colour on screen at a world position."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    height, width = picture.shape[:2]
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center[1:]
    column = round(width / 2 + (x - centre[1]) * zoom)
    row = round(height / 2 - (y - centre[0]) * zoom)
    return tuple(int(part) for part in picture[row, column, :3])


def made(box: ColourBox, qtbot: Any) -> Image:
    box.make_button.click()
    qtbot.waitUntil(lambda: not box.busy and box.layer is not None, timeout=30_000)
    return box.layer


# --- the layer ---------------------------------------------------------------------------------


def test_three_images_are_one_colour_layer(viewer: Any) -> None:
    red, green, blue = bands("z", "r", "g")
    mapping = Lupton((0.0, 1.0, 2.0), (1.0, 0.4, 0.1), stretch=5.0)
    layer = add_colour(viewer, red, green, blue, mapping)
    assert layer.rgb
    assert layer.multiscale
    assert layer.ndim == 2
    values = [image.pixels[30:31, 30:31] for image in (red, green, blue)]
    expected = mapping(*values)[0, 0, :3]
    assert len(set(expected.tolist())) == 3
    assert at(viewer, 30, 30) == pytest.approx(tuple(expected.tolist()), abs=2)


def test_missing_data_are_transparent(viewer: Any) -> None:
    viewer.add_image(np.ones((60, 80)), colormap="green", contrast_limits=(0, 1))
    add_colour(viewer, *bands("z", "r", "g"))
    assert at(viewer, 5, 5) == (0, 255, 0)
    assert at(viewer, 30, 30) != (0, 255, 0)


def test_the_origin_is_at_the_lower_left(viewer: Any) -> None:
    add_colour(viewer, *bands("z", "r", "g"))
    assert sum(at(viewer, 30, 30)) > 4 * sum(at(viewer, 50, 30))


def test_raw_values_are_told(viewer: Any) -> None:
    images = bands("z", "r", "g")
    layer = add_colour(viewer, *images)
    assert colours_of(layer).images == tuple(images)
    viewer.cursor.position = (30.0, 31.0)
    told = layers.cursor_readout(viewer)
    assert told.pixel == "x 31, y 30"
    for image in images:
        assert f"{image.name} {image.value(31, 30):.6g}" in told.value
    viewer.mouse_over_canvas = True
    viewer.update_status_from_cursor()
    assert told.value in viewer.status["coordinates"]


def test_other_grids_are_refused(viewer: Any) -> None:
    red, green, _ = bands("z", "r", "g")
    with pytest.raises(ImageError, match="not on one grid"):
        add_colour(viewer, red, green, band(3, "small", (30, 30)))
    assert not viewer.layers


def test_a_big_picture_has_levels_and_is_tuned_where_one_has_zoomed_in(viewer: Any) -> None:
    images = [band(seed, f"b{seed}", (4200, 4100)) for seed in range(3)]
    layer = add_colour(viewer, *images)
    viewer.screenshot(flash=False)
    assert layer.data_level > 0
    viewer.scene.camera.zoom, viewer.scene.camera.center = 2.0, (3000.0, 3000.0)
    before = viewer.screenshot(flash=False)
    assert layer.data_level == 0
    tune(layer, Tuning(stretch=0.2))
    after = viewer.screenshot(flash=False)
    assert layer.data_level == 0
    assert after.mean() > before.mean() + 5
    tune(layer, Tuning())
    assert np.array_equal(before, viewer.screenshot(flash=False))


def test_a_picture_keeps_its_own_colours(viewer: Any, shared_data: Path) -> None:
    (path,) = (shared_data / "gz3d").glob("*.fits.gz")
    layer = layers.add_prepared(viewer, native_data(open_image(path, 0)))
    with fits.open(path) as hdus:
        stored = np.asarray(hdus[0].data)
    assert at(viewer, 262, 262) == pytest.approx(tuple(stored[262, 262].tolist()), abs=2)
    tune(layer, Tuning(stretch=0.1))  # they are no mapping's: nothing to tune
    assert at(viewer, 262, 262) == pytest.approx(tuple(stored[262, 262].tolist()), abs=2)


# --- the box -----------------------------------------------------------------------------------


def test_the_reddest_band_is_proposed_for_red(viewer: Any, box: ColourBox) -> None:
    assert not box.make_button.isEnabled()
    for image in bands("img_g", "img_z", "img_r"):
        layers.add_image(viewer, image)
    assert [choice.currentText() for choice in box.choices] == ["img_z", "img_r", "img_g"]
    assert box.make_button.isEnabled()
    layers.add_image(viewer, band(7, "img_i"))
    assert [choice.currentText() for choice in box.choices] == ["img_z", "img_i", "img_g"]


def test_a_choice_by_hand_stays(viewer: Any, box: ColourBox) -> None:
    for image in bands("img_g", "img_z", "img_r"):
        layers.add_image(viewer, image)
    box.choices[0].setCurrentText("img_g")
    layers.add_image(viewer, band(7, "img_i"))
    assert [choice.currentText() for choice in box.choices] == ["img_g", "img_r", "img_g"]
    viewer.layers.remove("img_g")
    assert [choice.currentText() for choice in box.choices] == ["img_z", "img_i", "img_r"]


def test_bands_of_a_stack_are_offered(viewer: Any, box: ColourBox, shared_data: Path) -> None:
    layers.add_image(viewer, open_image(shared_data / "multiband" / "Cut_HSC.fits"))
    assert box.choices[0].count() == 5
    assert len({choice.currentText() for choice in box.choices}) == 3
    assert box.make_button.isEnabled()


def test_real_bands_make_a_picture_that_sliders_tune(
    viewer: Any, box: ColourBox, shared_data: Path, qtbot: Any
) -> None:
    for name in "grz":
        layers.add_image(viewer, open_image(shared_data / f"multiband/img_{name}.fits"))
    layer = made(box, qtbot)
    assert [image.name for image in colours_of(layer).images] == ["img_z", "img_r", "img_g"]
    picture = np.asarray(layer.data[0])[..., :3].astype(float)
    assert 1 < picture.mean() < 30  # dark, not black
    assert np.percentile(picture, 99.9) > 150  # stars are bright
    red, green, blue = (np.percentile(picture[..., n], 99.5) for n in range(3))
    assert max(red, green, blue) < 1.5 * min(red, green, blue)
    box.tuners.stretch.slider.setValue(40)
    qtbot.waitUntil(lambda: colours_of(layer).tuning.stretch < 0.5, timeout=20_000)
    assert np.asarray(layer.data[0])[..., :3].mean() > 1.5 * picture.mean()
    box.tuners.gains[2].slider.setValue(0)
    qtbot.waitUntil(lambda: colours_of(layer).tuning.gains[2] == pytest.approx(0.1), timeout=20_000)
    tuned = np.asarray(layer.data[0]).astype(float)
    assert tuned[..., 2].mean() < 0.5 * tuned[..., 0].mean()
    box.tuners.auto.click()
    assert np.array_equal(np.asarray(layer.data[0])[..., :3], picture.astype(np.uint8))


def test_the_sliders_follow_the_selected_picture(viewer: Any, box: ColourBox, qtbot: Any) -> None:
    assert not box.tuners.isEnabled()
    for image in bands("g", "r", "z"):
        layers.add_image(viewer, image)
    first, second = made(box, qtbot), None
    tune(first, Tuning(stretch=3.0, q=20.0, black=0.1, gains=(2.0, 1.0, 0.5)))
    box.make_button.click()
    qtbot.waitUntil(lambda: not box.busy and box.layer is not first, timeout=30_000)
    second = box.layer
    assert box.tuners.value() == Tuning()
    viewer.layers.selection.active = first
    assert box.layer is first
    found = box.tuners.value()
    assert found == Tuning(stretch=3.0, q=20.0, black=0.1, gains=(2.0, 1.0, 0.5))
    viewer.layers.remove(first)
    assert box.layer is second
    viewer.layers.clear()
    assert box.layer is None
    assert not box.tuners.isEnabled()


def test_a_refusal_is_told_and_the_box_goes_on(viewer: Any, box: ColourBox, qtbot: Any) -> None:
    for image in (*bands("g", "r"), band(2, "z", (30, 30))):
        layers.add_image(viewer, image)
    with qtbot.waitSignal(box.refused, timeout=30_000) as heard:
        box.make_button.click()
    assert "not on one grid" in heard.args[0]
    assert box.make_button.isEnabled()
    assert len(viewer.layers) == 3


def test_everything_has_a_tooltip(box: ColourBox) -> None:
    tuners = box.tuners
    sliders = (tuners.stretch, tuners.q, tuners.black, *tuners.gains)
    for widget in (*box.choices, box.make_button, tuners.auto, *sliders):
        assert widget.toolTip()


def test_bands_of_one_stack_go_by_their_own_names(viewer: Any) -> None:
    layer = add_colour(viewer, *bands("field [z]", "field [r]", "field [g]"))
    assert layer.name == "RGB z, r, g"
    viewer.cursor.position = (30.0, 31.0)
    assert layers.cursor_readout(viewer).value.startswith("z ")
    mixed = add_colour(viewer, *bands("field [z]", "other [r]", "g"))
    assert mixed.name == "RGB field [z], other [r], g"
