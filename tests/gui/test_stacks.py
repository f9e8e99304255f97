"""Stacks: cubes and bands as one layer with a slider, families, flags; told plane by plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from gui.slow_sky import slow_stack

from napari_astroseg.gui import layers
from napari_astroseg.gui.images import ImagePicker, shown_window
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.readout import described, plane_words, read_out
from napari_astroseg.sky.files.derived import ConstantPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.flags import flagged
from napari_astroseg.sky.opening import open_image


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """Five channels; each pixel holds its plane times 100, plus its column."""
    planes = 100.0 * np.arange(5)[:, None, None] + np.arange(60)[None, None, :]
    hdu = fits.PrimaryHDU(np.broadcast_to(planes, (5, 40, 60)).astype(np.float32))
    hdu.header.update(
        {
            "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CTYPE3": "VRAD", "CUNIT3": "m/s",
            "CRVAL1": 10.0, "CRVAL2": 20.0, "CRVAL3": 1000.0, "CRPIX1": 30.0, "CRPIX2": 20.0,
            "CRPIX3": 1.0, "CDELT1": -0.001, "CDELT2": 0.001, "CDELT3": 500.0, "BUNIT": "K",
        }
    )  # fmt: skip
    hdu.writeto(tmp_path / "cube.fits")
    return tmp_path / "cube.fits"


@pytest.fixture
def family(tmp_path: Path) -> Path:
    values = np.full((30, 40), 7.0, np.float32)
    flags = np.zeros((30, 40), np.int16)
    flags[10:20, 5:15] = 64
    each = {"SCI": values, "ERR": values / 10, "DQ": flags}
    hdus = [fits.ImageHDU(data, name=name) for name, data in each.items()]
    hdus[0].header["BUNIT"] = "MJy/sr"
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "family.fits")
    return tmp_path / "family.fits"


def raw_shown(layer: Any) -> np.ndarray:
    """The raw values of what napari draws now."""
    return layer.data[0].stretch.inverse(np.asarray(layer._slice.image.raw))


def test_a_cube_is_one_layer_that_shows_its_middle_first(viewer: Any, cube: Path) -> None:
    layer = layers.add_image(viewer, open_image(cube))
    assert layer.ndim == 3
    assert layer.data.shapes[0] == (5, 40, 60)
    assert layers.plane_in_view(viewer, layer) == 2
    assert raw_shown(layer)[0, 3] == pytest.approx(203.0, rel=1e-3)
    assert viewer.dims.axis_labels[0] == "VRAD"


def test_the_slider_turns_planes(viewer: Any, cube: Path) -> None:
    layer = layers.add_image(viewer, open_image(cube))
    for plane in (0, 4, 1):
        viewer.dims.set_current_step(0, plane)
        assert layers.plane_in_view(viewer, layer) == plane
        assert raw_shown(layer)[0, 3] == pytest.approx(100 * plane + 3, rel=1e-3, abs=0.2)


def test_bands_show_the_first_one_first(viewer: Any, shared_data: Path, qtbot: Any) -> None:
    dock = MosaicDock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.open_files(sorted((shared_data / "multiband").glob("img_*.fits")))
    qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)
    (layer,) = viewer.layers
    assert layers.sky_image(layer).bands == ("g", "r", "z")
    assert layers.plane_in_view(viewer, layer) == 0
    qtbot.waitUntil(lambda: dock.cursor_box.lines["Plane"].text() == "band g (band 1 of 3)")
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: dock.cursor_box.lines["Plane"].text() == "band z (band 3 of 3)")


def test_layers_of_two_axes_stay_where_they_are(viewer: Any, cube: Path) -> None:
    flat = layers.add_image(viewer, SkyImage.from_array(np.arange(2400.0).reshape(40, 60)))
    viewer.scene.camera.zoom, viewer.scene.camera.center = 20.0, (5.0, 7.0)
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center[-2:]
    stack = layers.add_image(viewer, open_image(cube))
    assert viewer.scene.camera.zoom == zoom
    assert viewer.scene.camera.center[-2:] == centre
    assert layers.plane_in_view(viewer, stack) == 2
    for step in (0, 4):
        viewer.dims.set_current_step(0, step)
        place = (float(step), 12.0, 33.0)
        assert tuple(flat.world_to_data(place)) == (12.0, 33.0)
        assert tuple(stack.world_to_data(place)) == place
    assert [str(unit) for unit in stack.units] == ["pixel"] * 3
    assert stack.axis_labels[1:] == flat.axis_labels


def test_a_second_stack_leaves_the_plane_in_view(viewer: Any, cube: Path) -> None:
    layers.add_image(viewer, open_image(cube))
    viewer.dims.set_current_step(0, 4)
    layers.add_image(viewer, slow_stack(3, 40))
    assert viewer.dims.current_step[0] == 4
    assert layers.plane_in_view(viewer, viewer.layers[1]) == 2  # its last


def test_the_plane_under_the_cursor_is_told(viewer: Any, cube: Path) -> None:
    layers.add_image(viewer, open_image(cube))
    viewer.dims.set_current_step(0, 3)
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (3.0, 12.0, 33.0)
    viewer.update_status_from_cursor()
    told = viewer.status["coordinates"]
    assert "333 K" in told
    assert "VRAD 2.50 km/s (plane 4 of 5)" in told
    assert "pixel x 33, y 12" in told


def test_the_picker_of_images_offers_the_plane_in_view(viewer: Any, cube: Path) -> None:
    layers.add_image(viewer, open_image(cube))
    picker = ImagePicker(viewer)
    viewer.dims.set_current_step(0, 1)
    image = picker.image()
    assert image.count == 1
    assert image.value(33, 12) == 133.0
    assert image.reference.plane == 1
    picker.untie()


def test_the_window_shown_of_a_stack_is_that_of_a_plane(viewer: Any, cube: Path) -> None:
    stack = layers.add_image(viewer, open_image(cube))
    flat = layers.add_image(viewer, SkyImage.from_array(np.ones((40, 60))))
    assert shown_window(viewer, stack) == shown_window(viewer, flat)


def test_only_the_plane_in_view_is_read(viewer: Any) -> None:
    image = slow_stack(6, 600)
    layers.add_image(viewer, image)
    reads = [len(each.reads) for each in image.planes]
    viewer.dims.set_current_step(0, 1)
    after = [len(each.reads) for each in image.planes]
    assert after[4] == reads[4]
    assert np.isfinite(raw_shown(viewer.layers[0])).all()


def test_a_family_is_three_layers_two_of_them_hidden(viewer: Any, family: Path, qtbot: Any) -> None:
    dock = MosaicDock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.open_files([family])
    qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)
    science, spread, flags = viewer.layers
    assert [layer.visible for layer in viewer.layers] == [True, False, False]
    assert viewer.layers.selection.active is science
    assert dock.layer is science
    assert [layer.metadata.get(layers.ROLE) for layer in viewer.layers] == [
        None,
        "uncertainty",
        "flags",
    ]
    drawn = np.asarray(flags.data[0])
    assert drawn[15, 10] == 1.0
    assert drawn[25, 10] == 0.0
    assert layers.sky_image(flags).value(10, 15) == 64.0
    assert raw_shown(spread) is not None
    picker = ImagePicker(viewer)
    assert [picker.itemText(row) for row in range(picker.count())] == ["family"]
    picker.untie()


def test_uncertainty_and_flags_are_told_with_the_value(family: Path) -> None:
    image = open_image(family)
    assert read_out(image, 10.0, 15.0).value == "7 ± 0.7 MJy/sr, flags 64"
    assert read_out(image, 30.0, 25.0).value == "7 ± 0.7 MJy/sr"


def test_a_veil_lies_over_what_is_flagged(viewer: Any, family: Path, qtbot: Any) -> None:
    layers.add_all(viewer, layers.all_layer_data(open_image(family)))
    plain = viewer.screenshot(canvas_only=True, flash=False)
    viewer.layers[2].visible = True
    veiled = viewer.screenshot(canvas_only=True, flash=False)
    differs = (plain != veiled).any(axis=-1)
    assert 0.02 < differs.mean() < 0.2  # 100 of 1200 pixels, in a canvas wider than the image


def test_flags_are_shares_at_coarser_levels() -> None:
    mask = SkyImage.from_array(np.array([[0, 4], [0, 0], [8, 8], [8, 8]]))
    shares = flagged(mask)
    assert shares.value(1, 0) == 1.0
    assert shares.value(0, 1) == 0.0
    assert flagged(SkyImage(ConstantPixels((3, 3), -2.0))).value(1, 1) == 1.0


def test_words_for_planes() -> None:
    stack = slow_stack(3, 8)
    assert plane_words(stack, 1) == "VRAD 1 km/s (plane 2 of 3)"
    assert "8 × 8 px · 3 planes" in described(stack)


@pytest.mark.parametrize(
    ("name", "planes"),
    [
        ("odd/carta__M17_SWex_unittest.fits", 5),
        ("odd/carta__noise_3d_degen.fits", 10),
        ("odd/carta__small_perplanebeam.fits", 11),
        ("odd/reproject_tests__equatorial_3d.fits", 4),
        ("multiband/Cut_HSC.fits", 5),
    ],
)
def test_real_cubes_turn(viewer: Any, shared_data: Path, name: str, planes: int) -> None:
    image = open_image(shared_data / name)
    layer = layers.add_image(viewer, image)
    assert layer.data.shapes[0][0] == planes
    values = fits.getdata(shared_data / name).squeeze()
    for plane in range(planes):
        viewer.dims.set_current_step(0, plane)
        shown, expected = raw_shown(layer), values[plane].astype(np.float32)
        height, width = expected.shape
        assert np.array_equal(np.isnan(shown[:height, :width]), np.isnan(expected))
    viewer.screenshot(flash=False)
