"""Looks: stretch, limits and colours of layers change at once, are remembered, and come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtCore import QObject

from napari_astroseg.gui import layers
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.appearance import AppearanceBox
from napari_astroseg.gui.look.limitcurve import LimitCurve
from napari_astroseg.gui.look.remembered import MOST, Look, Remembered
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.looks.stretch import KINDS
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import PlainPixels


@pytest.fixture
def sky_file(tmp_path: Path) -> Path:
    return written(tmp_path / "sky.fits")


def written(path: Path, seed: int = 0) -> Path:
    values = np.random.default_rng(seed).gamma(2.0, 10.0, (120, 160)).astype(np.float32)
    fits.PrimaryHDU(values).writeto(path)
    return path


@pytest.fixture
def box(viewer: Any, qtbot: Any) -> Iterator[AppearanceBox]:
    widget = AppearanceBox(viewer)
    qtbot.addWidget(widget)
    widget.show()
    yield widget
    widget.untie()


# --- changing ----------------------------------------------------------------------------------


class Reads(PlainPixels):
    """Pixels that count how often they are read."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.count = values, 0
        self.shape, self.dtype, self.identity = values.shape, values.dtype, None

    def __getitem__(self, key: Any) -> np.ndarray:
        self.count += 1
        return self.values[key]


def test_nothing_is_read_again(viewer: Any) -> None:
    pixels = Reads(np.random.default_rng(1).normal(size=(3000, 2600)).astype(np.float32))
    layer = layers.add_image(viewer, SkyImage(pixels, name="counted"))
    viewer.screenshot(flash=False)
    viewer.scene.camera.zoom = 2.0
    viewer.screenshot(flash=False)
    layers_reads = layer.data[0].level.reads
    layers_reads.wait()
    before = pixels.count
    assert before > 0
    looks.set_limits(layer, Limits(-0.5, 2.0))
    looks.set_limits(layer, looks.ruled_limits(layer, "99 %"))
    for kind in KINDS:
        looks.set_stretch(layer, kind)
        viewer.screenshot(flash=False)
    layers_reads.wait()
    assert pixels.count == before


@pytest.mark.parametrize("kind", KINDS)
def test_limits_move_on_the_graphics_card(viewer: Any, kind: str) -> None:
    image = SkyImage.from_array(np.random.default_rng(1).normal(5.0, 1.0, (50, 60)))
    layer = layers.add_image(viewer, image, kind)
    data, stretch = layer.data, looks.stretch_of(layer)
    looks.set_limits(layer, Limits(3.0, 6.5))
    assert layer.data is data
    assert looks.stretch_of(layer) is stretch
    limits = looks.raw_limits(layer)
    assert (limits.low, limits.high) == pytest.approx((3.0, 6.5), rel=1e-3)
    low, high = layer.contrast_limits_range
    assert low < layer.contrast_limits[0] < layer.contrast_limits[1] < high


@pytest.mark.parametrize("kind", KINDS)
def test_a_chosen_stretch_is_bent_between_the_limits(viewer: Any, kind: str) -> None:
    image = SkyImage.from_array(np.random.default_rng(1).normal(5.0, 1.0, (50, 60)))
    layer = layers.add_image(viewer, image, "linear")
    looks.set_limits(layer, Limits(4.0, 8.0))
    looks.set_stretch(layer, kind)
    drawn = np.asarray(layer.data[0].stretch(np.array([4.0, 8.0])))
    low, high = layer.contrast_limits
    assert (drawn - low) / (high - low) == pytest.approx([0.0, 1.0], abs=1e-3)


def test_every_rule_is_recognised(viewer: Any) -> None:
    image = SkyImage.from_array(np.random.default_rng(1).gamma(2.0, 10.0, (150, 160)))
    layer = layers.add_image(viewer, image)
    assert looks.rule_of(layer) == "zscale"
    for rule in ("95 %", "99 %", "99.5 %", "99.9 %", "min–max"):
        looks.set_limits(layer, looks.ruled_limits(layer, rule))
        assert looks.rule_of(layer) == rule
    looks.set_limits(layer, Limits(1.0, 2.0))
    assert looks.rule_of(layer) is None


def test_a_stack_has_one_look(viewer: Any, tmp_path: Path) -> None:
    cube = np.random.default_rng(2).normal(3.0, 1.0, (4, 50, 60)).astype(np.float32)
    fits.PrimaryHDU(cube).writeto(tmp_path / "cube.fits")
    layer = layers.add_image(viewer, open_image(tmp_path / "cube.fits"))
    assert layer.ndim == 3
    for kind in KINDS:
        looks.set_stretch(layer, kind)
        viewer.dims.set_point(0, 2)
        shown = np.asarray(layer.data[0][2])
        assert np.allclose(shown, looks.stretch_of(layer)(cube[2]), atol=1e-5)
    looks.set_limits(layer, Limits(2.0, 4.0))
    limits = looks.raw_limits(layer)
    assert (limits.low, limits.high) == pytest.approx((2.0, 4.0), rel=1e-3)
    viewer.screenshot(flash=False)


@pytest.mark.parametrize(
    "values",
    [
        np.full((40, 50), np.nan),
        np.full((40, 50), 3.0),
        np.eye(50) > 0,
        np.where(np.eye(50) > 0, 1e25, 1.0),
    ],
    ids=["missing", "constant", "mask", "outliers"],
)
def test_awkward_images_can_be_looked_at(
    viewer: Any, box: AppearanceBox, values: np.ndarray
) -> None:
    layers.add_image(viewer, SkyImage.from_array(values))
    for kind in KINDS:
        box.stretch.setCurrentText(kind)
        for number in range(box.rule.count() - 1):
            box.rule.setCurrentIndex(number)
            limits = looks.raw_limits(box.layer)
            assert limits.low < limits.high
    viewer.screenshot(flash=False)


def test_colours_are_turned_round_and_back(viewer: Any, box: AppearanceBox) -> None:
    layer = layers.add_image(viewer, SkyImage.from_array(np.arange(12.0).reshape(3, 4)))
    for name in ("gray", "magma", "I Blue"):
        layer.colormap = name
        plain = layer.colormap.map(np.array([0.0, 0.3, 1.0, np.nan]))
        box.invert()
        assert layer.colormap.name == f"{name}_r"
        turned = layer.colormap.map(np.array([1.0, 0.7, 0.0, np.nan]))
        assert np.allclose(plain, turned, atol=2e-3)
        box.invert()
        assert layer.colormap.name == name


def test_keys_take_the_next_one(viewer: Any, box: AppearanceBox) -> None:
    image = SkyImage.from_array(np.random.default_rng(1).gamma(2.0, 10.0, (150, 160)))
    layers.add_image(viewer, image)
    seen = []
    for _ in KINDS:
        box.keys["Shift+S"][1]()
        seen.append(box.kind)
    assert sorted(seen) == sorted(KINDS)
    rules = []
    for _ in range(5):
        box.keys["Shift+X"][1]()
        rules.append(looks.rule_of(box.layer))
    assert rules == ["95 %", "99 %", "99.5 %", "99.9 %", "95 %"]
    box.keys["Shift+Z"][1]()
    assert looks.rule_of(box.layer) == "zscale"


# --- the histogram -----------------------------------------------------------------------------


def test_limits_are_dragged(viewer: Any, box: AppearanceBox) -> None:
    image = SkyImage.from_array(np.random.default_rng(1).gamma(2.0, 10.0, (150, 160)))
    layer = layers.add_image(viewer, image, "linear")
    heard: list[Limits] = []
    box.spread.moving.connect(heard.append)
    data = layer.data
    box.spread.region.blockSignals(True)
    box.spread.region.setRegion((10.0, 40.0))
    box.spread.region.blockSignals(False)
    box.spread.region.sigRegionChanged.emit(box.spread.region)
    assert heard == [Limits(10.0, 40.0)]
    assert layer.data is data  # while it moves, the graphics card does it
    limits = looks.raw_limits(layer)
    assert (limits.low, limits.high) == pytest.approx((10.0, 40.0), rel=1e-4)
    box.spread.region.sigRegionChangeFinished.emit(box.spread.region)
    assert looks.stretch_of(layer).limits == Limits(10.0, 40.0)
    assert box.spread.region.getRegion() == (10.0, 40.0)
    assert [float(box.low.text()), float(box.high.text())] == [10.0, 40.0]
    assert box.rule.currentText() == "as set below"


def test_the_plot_follows_the_limits(qtbot: Any) -> None:
    plot = LimitCurve()
    qtbot.addWidget(plot)
    values = np.random.default_rng(1).normal(size=5000)
    plot.show_values(values, Limits(-1.0, 2.0))
    assert plot.region.getRegion() == (-1.0, 2.0)
    for limits in (Limits(-50.0, 90.0), Limits(0.0, 1e-3), Limits(7.0, 8.0), Limits(-1e30, 1e30)):
        plot.show_limits(limits)
        assert plot.region.getRegion() == (limits.low, limits.high)
        low, high = plot._plot.getViewBox().viewRange()[0]
        assert low < limits.low < limits.high < high
    plot.show_values(np.empty(0), None)
    assert plot._plot.isHidden()


# --- remembering -------------------------------------------------------------------------------


def test_a_file_opens_as_it_was_left(
    viewer: Any, box: AppearanceBox, sky_file: Path, tmp_path: Path
) -> None:
    layer = layers.add_image(viewer, open_image(sky_file))
    box.stretch.setCurrentText("sqrt")
    box.low.setText("7")
    box.low.setModified(True)
    box.low.editingFinished.emit()
    layer.colormap, layer.gamma = "magma", 0.7
    before = looks.raw_limits(layer)
    assert before.low == 7.0
    box.history.settle()
    viewer.layers.clear()
    again = layers.add_image(viewer, open_image(sky_file))
    assert looks.look_of(again) == Look("sqrt", before, None, "magma", 0.7)
    other = layers.add_image(viewer, open_image(written(tmp_path / "other.fits", 1)))
    assert looks.look_of(other).kind == "sqrt"  # the stretch used last; all else is new
    assert looks.rule_of(other) == "zscale"
    assert (other.colormap.name, other.gamma) == ("gray", 1.0)


def test_a_rule_is_remembered_as_a_rule(viewer: Any, box: AppearanceBox, sky_file: Path) -> None:
    layers.add_image(viewer, open_image(sky_file))
    box.rule.setCurrentText("99.5 %")
    box.history.settle()
    assert Remembered().look(open_image(sky_file)).rule == "99.5 %"
    viewer.layers.clear()
    again = layers.add_image(viewer, open_image(sky_file))
    assert looks.rule_of(again) == "99.5 %"


def test_naparis_own_slider_is_remembered(
    viewer: Any, box: AppearanceBox, sky_file: Path, qtbot: Any
) -> None:
    layer = layers.add_image(viewer, open_image(sky_file))
    layer.contrast_limits = (0.25, 0.75)
    limits = looks.raw_limits(layer)
    image = open_image(sky_file)
    qtbot.waitUntil(lambda: Remembered().look(image) is not None, timeout=20_000)
    found = Remembered().look(image).limits
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))


def test_a_look_that_nobody_changed_is_not_kept(
    viewer: Any, box: AppearanceBox, sky_file: Path
) -> None:
    layers.add_image(viewer, open_image(sky_file))
    box.history.settle()
    assert Remembered().look(open_image(sky_file)) is None


def test_undo_goes_back_step_by_step(viewer: Any, box: AppearanceBox, sky_file: Path) -> None:
    layer = layers.add_image(viewer, open_image(sky_file))
    seen = [looks.look_of(layer)]
    assert not box.undo_button.isEnabled()
    for change in (box.cycle_stretch, box.cycle_percentile, box.invert):
        change()
        box.history.settle()
        seen.append(looks.look_of(layer))
    assert len({repr(look) for look in seen}) == 4
    assert box.undo_button.isEnabled()
    for expected in seen[-2::-1]:
        box.undo_button.click()
        assert looks.look_of(layer) == expected
    assert not box.undo_button.isEnabled()
    assert Remembered().look(open_image(sky_file)) == seen[0]


def test_reset_forgets_and_can_be_undone(viewer: Any, box: AppearanceBox, sky_file: Path) -> None:
    layer = layers.add_image(viewer, open_image(sky_file))
    box.stretch.setCurrentText("log")
    box.rule.setCurrentText("95 %")
    layer.gamma = 2.0
    changed = looks.look_of(layer)
    box.reset_button.click()
    found = looks.look_of(layer)
    assert (found.kind, found.rule, found.colormap, found.gamma) == ("asinh", "zscale", "gray", 1.0)
    assert Remembered().look(open_image(sky_file)) is None
    box.undo_button.click()
    assert looks.look_of(layer) == changed


def test_same_for_all(viewer: Any, box: AppearanceBox, sky_file: Path, tmp_path: Path) -> None:
    first = layers.add_image(viewer, open_image(sky_file))
    assert not box.all_button.isEnabled()
    second = layers.add_image(viewer, open_image(written(tmp_path / "second.fits", 5)))
    viewer.layers.selection.active = first
    assert box.all_button.isEnabled()
    box.stretch.setCurrentText("histogram")
    box.rule.setCurrentText("99 %")
    first.colormap = "viridis"
    box.all_button.click()
    found = looks.look_of(second)
    assert (found.kind, found.rule, found.colormap) == ("histogram", "99 %", "viridis")
    assert found.limits != looks.look_of(first).limits  # the same rule, its own values
    looks.set_limits(first, Limits(5.0, 9.0))
    box.all_button.click()
    limits = looks.raw_limits(second)
    assert (limits.low, limits.high) == pytest.approx((5.0, 9.0), rel=1e-4)
    viewer.layers.selection.active = second
    box.undo_button.click()
    assert looks.look_of(second) == found


# --- the file ----------------------------------------------------------------------------------


class Pixels:
    def __init__(self, identity: str | None) -> None:
        self.identity, self.shape = identity, (2, 2)


def image_called(identity: str | None) -> SkyImage:
    return SkyImage(Pixels(identity))  # type: ignore[arg-type]


def test_looks_are_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    memory = Remembered(tmp_path)
    many = {f"image {n}": {"kind": "log", "rule": "zscale"} for n in range(MOST)}
    (tmp_path / "looks.json").write_text(json.dumps({"looks": many}))
    memory.keep(image_called("image 0"), Look("sqrt"))
    memory.keep(image_called("new"), Look("linear", Limits(1.0, 2.0), None, "magma", 0.5))
    kept = json.loads((tmp_path / "looks.json").read_text())["looks"]
    assert len(kept) == MOST
    assert memory.look(image_called("image 0")).kind == "sqrt"  # touched, so not the oldest
    assert memory.look(image_called("image 1")) is None
    assert memory.look(image_called("new")) == Look("linear", Limits(1.0, 2.0), None, "magma", 0.5)
    assert memory.kind == "linear"


def test_an_image_in_memory_is_not_remembered_but_its_stretch_is(tmp_path: Path) -> None:
    memory = Remembered(tmp_path)
    memory.keep(image_called(None), Look("log"))
    assert memory.look(image_called(None)) is None
    assert memory.kind == "log"


GARBAGE = [
    "", "{", "[]", "3", '"x"', "{}", '{"looks": []}', '{"kind": "cubic", "looks": {"a": 3}}',
    '{"kind": ["log"], "looks": {"a": {"kind": "log", "rule": [], "limits": "no"}}}',
    '{"looks": {"a": {"kind": "log", "rule": "zscale", "gamma": "x", "colormap": 3}}}',
    '{"looks": {"a": {"kind": ["log"], "rule": {"x": 1}, "limits": [1, 2]}}}',
    '{"looks": {"a": {"kind": "log", "limits": [2, 1]}}}',
    '{"looks": {"a": {"kind": "log", "limits": [NaN, 1e999]}}}',
    '{"looks": {"a": {"kind": "log", "limits": [1, 2], "gamma": -1}}}',
    '{"looks": {"a": {"kind": "log", "limits": [1, 2], "gamma": true}}}',
    "[" * 100_000, "\x00\xff",
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_passed_over(tmp_path: Path, garbage: str) -> None:
    (tmp_path / "looks.json").write_bytes(garbage.encode("latin-1"))
    memory = Remembered(tmp_path)
    image = image_called("a")
    found = memory.look(image)
    assert found is None or (found.kind == "log" and 0 < found.gamma <= 10)
    assert memory.kind in KINDS
    memory.forget(image)
    memory.use("sqrt")
    memory.keep(image, Look("linear"))
    assert memory.look(image) == Look("linear")
    assert memory.kind == "linear"


def test_a_home_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    memory = Remembered(blocked)
    memory.keep(image_called("a"), Look("log"))
    assert memory.look(image_called("a")) is None
    assert memory.kind == KINDS[0]


def test_a_colormap_that_is_unknown_is_grey(viewer: Any, sky_file: Path) -> None:
    Remembered().keep(open_image(sky_file), Look("asinh", None, "zscale", "no such map_r"))
    layer = layers.add_image(viewer, open_image(sky_file))
    assert layer.colormap.name == "gray"


def test_nothing_holds_on_to_layers(viewer: Any, box: QObject, sky_file: Path) -> None:
    layers.add_image(viewer, open_image(sky_file))
    viewer.layers.clear()
    assert box.layer is None
    assert box.low.text() == ""
    assert not box.reset_button.isEnabled()
    box.reset()
    box.invert()
    box.same_for_all()
    box.stretch.setCurrentText("log")
    assert Remembered().kind == "log"
