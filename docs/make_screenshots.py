"""Make the pictures of the documentation from the real window, on generated skies.

    python docs/make_screenshots.py [--only window predict compare train mosaic …]

Needs a display (`xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py` will
do). The user's settings, models and cache are left alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = (1400, 900)
COLOURS = 128
"""Of a picture's palette: a third of the bytes, and nobody sees it where the sky is grey."""
PATIENCE_S = 900.0
CLICK_YX = (300.0, 440.0)
SMALL = {
    "data.split": {"area_px": 96}, "data.anywhere": 150, "schedule.epochs": 24,
    "schedule.decay_every": 12,
}  # fmt: skip

TINY = {
    "family.channels": [8, 16, 24, 32], "family.bottleneck": 48, "data.anywhere": 40,
    "schedule.epochs": 16, "schedule.decay_every": 8,
}  # fmt: skip


def wait_for(done: Callable[[], bool], after_ms: int = 2000) -> None:
    """Let the window live until `done`, then a moment more for it to draw."""
    from qtpy.QtTest import QTest

    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            sys.exit(f"error: nothing came within {PATIENCE_S:.0f} s; run it where less else runs")
        QTest.qWait(20)
    QTest.qWait(after_ms)


def dock(viewer: Any, name: str, kind: type) -> Any:
    """One of our docks, brought to the front."""
    from qtpy.QtWidgets import QDockWidget

    inner = viewer.window.dock_widgets[name]
    frame = inner
    while not isinstance(frame, QDockWidget):
        frame = frame.parent()
    frame.raise_()
    return inner if isinstance(inner, kind) else inner.findChild(kind)


def window(places: Sequence[Path], **aids: bool) -> tuple[Any, Any]:
    """A window with images in it, and its Open dock; `aids` as `Choices` names them."""
    from napari_astroseg.gui.aids.choices import Choices
    from napari_astroseg.gui.mosaic import MosaicDock
    from napari_astroseg.gui.workspace import open_window

    viewer = open_window(places)
    viewer.window.resize(*SIZE)
    opening = dock(viewer, "Open", MosaicDock)
    opening.aids.choose(Choices(**aids))
    wait_for(lambda: not opening.busy)
    viewer.reset_view()
    wait_for(lambda: not opening.growth.isVisibleTo(opening))
    return viewer, opening


def sample_window() -> Any:
    """The window with the demo's sample in it."""
    from napari_astroseg.cli import demo
    from napari_astroseg.sky.simulate import write_filaments

    return window([write_filaments(Path("sample"), 1, demo.SIZE, demo.SEED)[0]])[0]


def shoot(viewer: Any, name: str, colours: int = COLOURS) -> None:
    """The whole window as it is."""
    keep(viewer.screenshot(canvas_only=False, flash=False), name, colours)


def keep(pixels: Any, name: str, colours: int = COLOURS) -> None:
    """Write a picture, in few colours, or in all with 0."""
    from PIL import Image

    whole = Image.fromarray(np.ascontiguousarray(pixels)[..., :3])
    few = whole.quantize(colours, dither=Image.Dither.NONE) if colours else whole
    few.save(IMAGES / f"{name}.png", optimize=True)
    print(IMAGES / f"{name}.png", (IMAGES / f"{name}.png").stat().st_size)


# The pictures


def window_and_predict(only: set[str]) -> None:
    """The sample predicted as a whole; then a click, close up."""
    from napari_astroseg.gui.mosaic import MosaicDock
    from napari_astroseg.gui.predict import PredictDock

    viewer = sample_window()
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    next(each for each in viewer.layers if each.name.startswith("probab")).visible = False
    dock(viewer, "Open", MosaicDock)
    viewer.cursor.position = CLICK_YX
    wait_for(lambda: True)
    if "window" in only:
        shoot(viewer, "window")
    if "predict" in only:
        predicting = dock(viewer, "Predict", PredictDock)
        while len(viewer.layers) > 1:  # an answer's two layers go together
            viewer.layers.pop()
        predicting.place.size.setCurrentIndex(0)
        predicting.predict_around(CLICK_YX)
        wait_for(lambda: not predicting.predictions.busy)
        viewer.scene.camera.center = (0.0, *CLICK_YX)
        viewer.scene.camera.zoom = 2.6
        wait_for(lambda: True)
        shoot(viewer, "predict")
    viewer.close()


def compare() -> None:
    """The sample's regions over its mid-infrared view, which is swiped in and measured."""
    from qtpy.QtWidgets import QScrollArea

    from napari_astroseg.gui.compare import CompareDock
    from napari_astroseg.gui.fold import Fold
    from napari_astroseg.gui.predict import PredictDock

    viewer = sample_window()
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    next(each for each in viewer.layers if each.name.startswith("probab")).visible = False
    comparing = dock(viewer, "Compare", CompareDock)
    comparing.show_file("sample/000_infrared.fits")
    wait_for(lambda: not comparing.busy)
    comparing.seeing.toggle_swipe()
    measuring = comparing.measuring
    next(each for each in comparing.findChildren(Fold) if each.isAncestorOf(measuring)).open()
    measuring.question.ask()
    wait_for(lambda: not measuring.busy and measuring.found is not None)
    measuring.pick(0, go=False)
    comparing.findChild(QScrollArea).ensureWidgetVisible(measuring, 0, 0)
    wait_for(lambda: True)
    shoot(viewer, "compare")
    viewer.close()


def training(only: set[str]) -> None:
    """A small network half-way through its training on simulated skies; then beside another."""
    from PIL import Image

    from napari_astroseg.gui.train import TrainDock
    from napari_astroseg.recipes.recipe import Recipe
    from napari_astroseg.sky.simulate import write_filaments

    viewer = sample_window()
    write_filaments(Path("skies"), 4, 384, seed=100)
    train = dock(viewer, "Train", TrainDock)
    train.data.set_path(Path("skies"))
    train.out.set_path(Path("runs/small"))
    train.preset.setCurrentText("filaments_small")
    recipe = Recipe.preset("filaments_small").replace(**(SMALL | TINY))
    train.form.setValue(recipe)
    train.start()
    train.out.set_path(Path("runs/slower"))
    train.form.setValue(recipe.replace(schedule__learning_rate=3e-4))
    train.add_to_queue()
    train.out.set_path(Path("runs/small"))
    train.course.tabs.setCurrentIndex(0)
    wait_for(lambda: len(train.curves.epochs) >= 12 or not train.busy, 0)
    if "train" in only:
        shoot(viewer, "train", 224)
    if "runs" in only:
        wait_for(lambda: not train.busy and not train.queue.waiting)
        comparison = train.show_comparison()
        wait_for(lambda: len(comparison.runs) == 2)
        comparison.grab().save("runs.png")
        keep(Image.open("runs.png").convert("RGB"), "runs")
        comparison.close()
    train.queue.remove(train.queue.items[-1])
    train.stop()
    wait_for(lambda: not train.busy)
    viewer.close()


def vetting() -> None:
    """Bubbles and decoys of a simulated tile, being judged."""
    from napari_astroseg.gui.vet import VetDock
    from napari_astroseg.sky.simulate import simulate_bubbles

    tile = simulate_bubbles(1024, seed=3, number=1)
    found = [*tile.bubbles, *tile.decoys]
    _write(Path("tile.fits"), tile.bands["g"], tile.wcs.to_header())
    lon, lat = tile.wcs.pixel_to_world_values(
        [each.x for each in found], [each.y for each in found]
    )
    rng = np.random.default_rng(1)
    rows = [
        f"{number},{a % 360:.6f},{b:.6f},{60 * each.major:.1f},{score:.3f},bubble"
        for number, (a, b, each, score) in enumerate(
            zip(lon, lat, found, rng.uniform(0.5, 1, len(found)), strict=True), 1
        )
    ]
    header = "id,l,b,radius_arcsec,score,kind"
    Path("found.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    viewer = window([Path("tile.fits")])[0]
    vet = dock(viewer, "Vet", VetDock)
    vet.open.choose_file(Path("found.csv").absolute())
    vet.open.who.setText("Ada")
    vet.open.store.setText(str(Path("verdicts.sqlite").absolute()))
    vet.open.order.setCurrentIndex(1)
    vet.start()
    wait_for(lambda: vet.desk is not None and not vet.busy)
    vet.judging.zoom.setCurrentIndex(1)
    for verdict in ("real", "real", "not", "real", "unsure"):
        vet.act(verdict)
        wait_for(lambda: not vet.busy, 50)
    vet.judging.tag_line.setText("broken rim")
    wait_for(lambda: not vet.busy)
    shoot(viewer, "vetting", 255)
    viewer.close()


def results() -> None:
    """The model in the box measured on unseen skies, and the one on which it does worst."""
    from napari_astroseg.gui.results import ResultsDock
    from napari_astroseg.gui.workspace import open_window
    from napari_astroseg.sky.simulate import write_filaments

    os.environ["HOME"] = str(Path.cwd())  # where evaluations are kept
    write_filaments(Path("unseen"), 3, 384, seed=9000)
    viewer = open_window()
    viewer.window.resize(*SIZE)
    wait_for(lambda: True)  # until napari has restored its own layout
    measured = dock(viewer, "Results", ResultsDock)
    measured.models.choose_named("filaments")
    measured.data.set_path(Path("unseen"))
    measured.evaluate()
    wait_for(lambda: not measured.busy)
    measured.worst.itemActivated.emit(measured.worst.item(0, 0))
    wait_for(lambda: not measured.busy)
    shoot(viewer, "results")
    viewer.close()


def votes() -> None:
    """What a simulated crowd marked in a generated galaxy, and the mask at a threshold."""
    from napari_astroseg.gui.votes import VotesDock

    viewer = window([])[0]
    voting = dock(viewer, "Votes", VotesDock)
    voting.open_votes(write_votes_of_galaxy(Path("galaxies")))
    wait_for(lambda: not voting.busy)
    viewer.reset_view()
    voting.raise_()
    wait_for(lambda: True)
    shoot(viewer, "votes", 224)
    viewer.close()


def draw() -> None:
    """Filaments of a simulated tile, drawn along their spines."""
    from astropy.io import fits
    from scipy import ndimage
    from skimage.morphology import skeletonize

    from napari_astroseg.gui.draw import DrawDock

    viewer = sample_window()
    drawing = dock(viewer, "Draw", DrawDock)
    drawing.who.setText("Ada")
    drawing.folder.set_path(Path("sample.marks"))
    drawing.start_drawing()
    wait_for(lambda: drawing.painting is not None and not drawing.busy)
    layer = drawing.painting.cut.layer
    layer.brush_size = 8
    parts, count = ndimage.label(fits.getdata("sample/000_target.fits"), np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    for number in np.argsort(sizes[1:])[::-1][:8] + 1:
        with layer.block_history():
            for y, x in np.argwhere(skeletonize(parts == number)):
                layer.paint((y, x), 1, refresh=False)
        wait_for(lambda: not drawing.busy, 200)
    layer.refresh()
    drawing.tools.choose("polygon")
    wait_for(lambda: True)
    shoot(viewer, "draw", 224)
    viewer.close()


def shapes() -> None:
    """Shapes around simulated filaments, out of a region file with lines that are none."""
    from qtpy.QtWidgets import QScrollArea
    from scipy import ndimage
    from skimage.measure import regionprops

    from napari_astroseg.cli import demo
    from napari_astroseg.gui.draw import DrawDock
    from napari_astroseg.sky.simulate import simulate_filaments

    viewer = sample_window()
    drawing = dock(viewer, "Draw", DrawDock)
    drawing.who.setText("Ada")
    drawing.folder.set_path(Path("shapes.marks"))
    drawing.start_drawing()
    wait_for(lambda: drawing.painting is not None and not drawing.busy)
    parts, _ = ndimage.label(simulate_filaments(size=demo.SIZE, seed=demo.SEED).target)
    found = sorted(regionprops(parts), key=lambda each: -each.area)
    lines = ["image"]
    for number, each in enumerate(found[:5], 1):
        y, x = each.centroid
        sizes = f"{each.axis_major_length / 2 + 12:.1f},{each.axis_minor_length / 2 + 12:.1f}"
        angle = 90 - np.degrees(each.orientation)
        text = f"text={{F{number}}} tag={{filament}}"
        lines.append(f"ellipse({x + 1:.1f},{y + 1:.1f},{sizes},{angle:.1f}) # {text}")
    for each in found[5:9]:
        y, x = each.centroid
        lines.append(f"circle({x + 1:.1f},{y + 1:.1f},26) # tag={{bubble}}")
    lines += ["box(300,90,120,60,20) # tag={galaxy}", "annulus(120,420,18,34) # tag={star}"]
    lines += ["circle(40,40,0)", "panda(200,200,0,90,4,10,30,2)", "circle(9000,40,5)"]
    Path("regions.reg").write_text("\n".join(lines), encoding="utf-8")
    drawing.shapes.files.import_file(Path("regions.reg"))
    wait_for(lambda: drawing.shapes.count > 9 and not drawing.busy)
    drawing.shapes.choose("select")
    shown = drawing.shapes.shown
    shown.layer.selected_data = {shown.numbers.index(1)}
    drawing.findChild(QScrollArea).ensureWidgetVisible(drawing.shapes, 0, 0)
    wait_for(lambda: True)
    shoot(viewer, "shapes", 224)
    viewer.close()


def data() -> None:
    """A folder of simulated bubbles looked over; one of its tiles is broken."""
    from napari_astroseg.gui.data import DataDock
    from napari_astroseg.sky.simulate.making import iter_simulated

    folder = Path("simulated-bubbles")
    paths = list(iter_simulated("bubbles", folder, 5, 900, seed=4))
    viewer = window([paths[1]])[0]
    paths[0].write_bytes(paths[0].read_bytes()[:5000])
    looking = dock(viewer, "Data", DataDock)
    looking.folder.set_path(folder)
    looking.look_over()
    wait_for(lambda: not looking.busy)
    shoot(viewer, "data", 255)
    viewer.close()


def non_bubbles() -> None:
    """Classes of crops without bubbles, of which one that looks like bubbles is dropped."""
    from qtpy.QtWidgets import QScrollArea

    from napari_astroseg.gui.data import DataDock
    from napari_astroseg.sky.simulate.making import iter_simulated

    folder = Path("more-bubbles")
    paths = list(iter_simulated("bubbles", folder, 6, 1024, seed=4))
    viewer = window([paths[4]])[0]
    looking = dock(viewer, "Data", DataDock)
    looking.folder.set_path(folder)
    looking.look_over()
    wait_for(lambda: not looking.busy)
    section = looking.non_bubbles
    section.count.setValue(1200)
    section.make()
    wait_for(lambda: not section.busy)
    section.rows[6].drop.click()
    looking.findChild(QScrollArea).ensureWidgetVisible(section.keep, 0, 0)
    wait_for(lambda: True)
    shoot(viewer, "non-bubbles", 255)
    viewer.close()


def mosaic() -> None:
    """Tiles of a simulated sky as one mosaic, with all that helps to read it."""
    tiles = write_tiles(Path("tiles"))
    viewer, opening = window(tiles, grid=True, hatch=True)
    viewer.cursor.position = (400.0, 600.0)
    opening.cursor_box.read()
    wait_for(lambda: opening.aids.sheet is not None and not opening.aids.sheet.busy)
    shoot(viewer, "mosaic")
    viewer.close()


def rgb() -> None:
    """Three bands of a generated galaxy as one colour picture."""
    from qtpy.QtWidgets import QScrollArea

    viewer, opening = window(write_bands(Path("bands")), colour_bar=False)
    opening.colours.make()
    wait_for(lambda: not opening.colours.busy and len(viewer.layers) > 1)
    fold = opening.colours.parentWidget()
    fold._button.setChecked(True)
    wait_for(lambda: True, 200)
    opening.findChild(QScrollArea).ensureWidgetVisible(opening.colours, 0, 0)
    viewer.cursor.position = (0.0, 300.0, 340.0)
    wait_for(lambda: True)
    opening.cursor_box.read()
    shoot(viewer, "rgb", 224)
    viewer.close()


def picker() -> None:
    """The question that a file with several images asks."""
    from qtpy.QtWidgets import QApplication

    from napari_astroseg.gui.intake.picker import Picker

    viewer, _ = window([write_chips(Path("detector.fits"))])
    asked = next(each for each in QApplication.topLevelWidgets() if isinstance(each, Picker))
    asked.resize(700, 430)
    wait_for(lambda: all(not asked.list.topLevelItem(n).icon(0).isNull() for n in range(3)))
    grabbed = asked.grab().toImage()
    grabbed.save("picker.png")
    from PIL import Image

    keep(np.asarray(Image.open("picker.png").convert("RGB")), "picker")
    asked.close()
    viewer.close()


def cube() -> None:
    """A cube of velocities at one of its planes."""
    viewer, opening = window([write_cube(Path("ring.fits"))])
    opening.appearance.stretch.setCurrentText("sqrt")
    opening.appearance.rule.setCurrentText("99.9 %")
    viewer.dims.set_point(0, 13)
    viewer.cursor.position = (13.0, 150.0, 92.0)
    wait_for(lambda: True)
    opening.cursor_box.read()
    wait_for(lambda: True, 500)
    shoot(viewer, "cube")
    viewer.close()


def bubbles() -> None:
    """A simulated tile at 24 and 8 um: boxes of its bubbles, and what its decoys are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from napari_astroseg.sky.simulate import simulate_bubbles

    sky = simulate_bubbles(1024, seed=3, number=1)
    figure = Figure((14, 7.4), dpi=72, layout="constrained")
    for axes, (letter, title) in zip(
        figure.subplots(1, 2), (("r", "24 µm"), ("g", "8 µm")), strict=True
    ):
        values = sky.bands[letter]
        low, high = np.nanpercentile(values, (0.5, 99.8))
        shown = np.arcsinh(np.clip((values - low) / (high - low), 0, 1) / 0.15)
        axes.imshow(shown, origin="lower", cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])
        for each in sky.bubbles:
            half = 1.3 * each.major_px
            corner = (each.x - half, each.y - half)
            axes.add_patch(Rectangle(corner, 2 * half, 2 * half, fill=False, ec="cyan"))
        for each in sky.decoys:
            words = each.kind.replace("_", " ")
            axes.text(each.x, each.y, words, color="orange", fontsize=10, clip_on=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), "bubbles", 255)


def spirals() -> None:
    """Simulated galaxies; of two of them the votes for arms, and where the arms are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from napari_astroseg.sky.simulate import SpiralSettings, SpiralSky, simulate_spirals
    from napari_astroseg.sky.simulate.spiralscene import SHAPES
    from napari_astroseg.sky.votes.drawings import counted

    def shown(axes: Any, shape: str, number: int) -> SpiralSky:
        shares = tuple(float(each == shape) for each in SHAPES)
        sky = simulate_spirals(525, 6, number, SpiralSettings(shares=shares))
        axes.imshow(sky.picture)
        axes.set_title(shape.replace("_", " "))
        return sky

    figure = Figure((14, 7.3), dpi=72, layout="constrained")
    axes = figure.subplots(2, 4, subplot_kw={"xticks": [], "yticks": []})
    alone = (("elliptical", 4), ("edge_on", 3), ("irregular", 5), ("flocculent", 3))
    for place, (shape, number) in zip(axes[0], alone, strict=True):
        shown(place, shape, number)
    pairs = (("grand_design", 3), ("multi_arm", 6))
    for (left, right), (shape, number) in zip(axes[1].reshape(2, 2), pairs, strict=True):
        sky = shown(left, shape, number)
        votes = sum(counted(sky.crowd.drawings["spiral"], (525, 525)), np.zeros((525, 525)))
        right.imshow(votes, cmap="viridis")
        right.contour(sky.arms, [0.5], colors="white", linewidths=0.8)
        right.set_title(f"votes, up to {votes.max():.0f}, and its arms (white)")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), "spirals", 0)


def galaxies() -> None:
    """A simulated field with its truth and grid; a set of bands with the outlines of its masks."""
    from napari_astroseg.sky.simulate import simulate_galaxies, simulate_multiband
    from napari_astroseg.sky.simulate.galaxies import STAMP

    field = simulate_galaxies(768, seed=5)
    grey = np.arcsinh(np.clip(field.image / 0.02 + 0.4, 0, None)) / 4.0
    truth = np.repeat(grey[..., None], 3, axis=2)
    for number, colour in ((1, (0.25, 0.5, 1.0)), (2, (1.0, 0.55, 0.1))):
        where = field.truth == number
        truth[where] = 0.35 * truth[where] + 0.65 * np.array(colour)

    def grid(axes: Any) -> None:
        for line in range(STAMP, len(grey), STAMP):
            axes.axhline(line - 0.5, color="0.4", lw=0.6)
            axes.axvline(line - 0.5, color="0.4", lw=0.6)

    pair("galaxies", grey, "with noise", truth, "one galaxy (blue), overlap (orange)", grid)

    sky = simulate_multiband(512, seed=2)
    z, r, g = (sky.bands[band] * share for band, share in (("z", 0.4), ("r", 1.0), ("g", 1.6)))
    light = np.maximum((z + r + g) / 3.0, 1e-6)
    colours = np.stack([z, r, g], axis=2) * (np.arcsinh(60.0 * light) / (3.0 * light))[..., None]

    def outlines(axes: Any) -> None:
        for each in sky.outlines:
            seen, window = each.drawn.light / each.drawn.light.max(), each.drawn.window
            star = each.kind == "star"
            x, y = np.arange(window.x, window.x_end), np.arange(window.y, window.y_end)
            level, colour = (0.005, "cyan") if star else (0.08, "orange")
            if min(seen.shape) > 1:
                axes.contour(x, y, seen, [level], colors=colour, linewidths=0.8)

    pair("multiband", colours, "g, r, z", colours, "stars (cyan), galaxies (orange)", outlines)


def uncertainty() -> None:
    """Overlapping galaxies found in a simulated field, and how unsure each pixel is."""
    from napari_astroseg.gui.predict import PredictDock
    from napari_astroseg.sky.simulate import simulate_galaxies

    field, path = simulate_galaxies(512, seed=31), Path("field.fits")
    _write(path, field.image, _sky_header(512, 512, 0.1, (187.3, 12.4)))
    viewer, _ = window([path])
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("blended_galaxies_small")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    predicting.found.shown_map.setCurrentText("uncertainty")
    viewer.scene.camera.center = (0.0, 256.0, 256.0)
    viewer.scene.camera.zoom *= 1.25
    wait_for(lambda: predicting.predictions.current.settled)
    shoot(viewer, "uncertainty")
    viewer.close()


def pair(
    name: str, left: Any, title: str, right: Any, other: str, draw: Callable[[Any], None]
) -> None:
    """Two pictures side by side, with something drawn on the right one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((14, 7.4), dpi=72, layout="constrained")
    for axes, values, words in zip(
        figure.subplots(1, 2), (left, right), (title, other), strict=True
    ):
        axes.imshow(np.clip(values, 0, 1), origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.set(title=words, xticks=[], yticks=[])
    draw(axes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), name, 255)


def preview() -> None:
    """The picture that the demo leaves."""
    command = [sys.executable, "-m", "napari_astroseg", "demo", "--headless", "--out", "demo"]
    subprocess.run(command, check=True)
    shutil.copy("demo/preview.png", IMAGES / "preview.png")
    print(IMAGES / "preview.png")


# Skies for them


def write_tiles(folder: Path) -> list[Path]:
    """Overlapping tiles of one simulated sky, staggered, each with a level of its own."""
    from napari_astroseg.sky.simulate import simulate_filaments

    folder.mkdir()
    sky, paths = simulate_filaments(size=900, seed=11), []
    corners = {"a": (0, 40), "b": (250, 0), "c": (480, 60), "d": (30, 420), "e": (340, 400)}
    for name, (x, y) in corners.items():
        header = sky.wcs[y : y + 400, x : x + 400].to_header()
        header["BUNIT"] = "cm-2"
        paths.append(folder / f"tile_{name}.fits")
        _write(paths[-1], sky.image[y : y + 400, x : x + 400], header)
    return paths


def write_votes_of_galaxy(folder: Path) -> Path:
    """Twelve people's arms, traced with more or less care, over the galaxy of the bands."""
    from astropy.io import fits
    from astropy.wcs import WCS

    from napari_astroseg.sky.looks.colour import fitting
    from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like

    blue, green, red = (fits.getdata(path) for path in write_bands(folder / "bands"))
    header = fits.getheader(folder / "bands" / "galaxy_g.fits")
    picture = fitting([red.ravel(), green.ravel(), blue.ravel()])(red, green, blue)[..., :3]
    side, random, people = len(red), np.random.default_rng(8), []
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    x, y = 0.9 * x + 0.43 * y, (0.9 * y - 0.43 * x) / 0.62
    radius, angle = np.hypot(x, y) + 1e-6, np.arctan2(y, x)
    for number in range(12):
        turn, wide, inner, outer = random.normal((0, 0.45, 0.08, 0.27), (0.12, 0.15, 0.02, 0.04))
        phase = 2 * (angle - turn - 4.2 * np.log(radius / 0.05))
        arm = (np.cos(phase) > 1 - max(wide, 0.1)) & (radius > inner) & (radius < outer)
        people.append(Annotator(f"volunteer {number + 1}", {"spiral": arm}))
    return write_gz3d_like(folder / "gz3d_1-1_37_1.fits.gz", picture, people, WCS(header))


def write_bands(folder: Path, side: int = 640) -> list[Path]:
    """A spiral galaxy among stars in g, r and i."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(5)
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    x, y = 0.9 * x + 0.43 * y, (0.9 * y - 0.43 * x) / 0.62
    radius, angle = np.hypot(x, y) + 1e-6, np.arctan2(y, x)
    arms = (0.5 + 0.5 * np.cos(2 * (angle - 4.2 * np.log(radius / 0.05)))) ** 3
    disc, bulge = np.exp(-radius / 0.085), np.exp(-((radius / 0.022) ** 0.8))
    knots = random.random((side, side)) < 0.004 * arms * disc**0.6
    stars = random.random((180, 5))
    paths = []
    for band, of_disc, of_arms, of_bulge, of_knots, slope in (
        ("g", 20, 75, 70, 260, 0.6), ("r", 36, 52, 150, 130, 0.0), ("i", 44, 40, 210, 60, -0.6),
    ):  # fmt: skip
        light = of_disc * disc + of_arms * arms * disc * (radius > 0.03) + of_bulge * bulge
        light += of_knots * knots
        for across, up, bright, colour, _ in stars:
            column, row = int(across * (side - 1)), int(up * (side - 1))
            light[row, column] += 45 * bright**-1.1 * np.exp(slope * (colour - 0.45))
        light = _blurred(light, 1.4) + random.normal(0, 0.55, light.shape)
        header = _sky_header(side, side, 0.4, (187.3, 12.4))
        header["BUNIT"], header["FILTER"] = "nJy", band
        paths.append(folder / f"galaxy_{band}.fits")
        _write(paths[-1], light, header)
    return paths


def write_chips(path: Path) -> Path:
    """Two chips of a detector, each with errors and flags, and a coarse map of exposure."""
    from astropy.io import fits

    from napari_astroseg.sky.simulate import simulate_filaments

    hdus: list[Any] = [fits.PrimaryHDU()]
    for version in (1, 2):
        image = (simulate_filaments(size=320, seed=30 + version).image[:200] / 1e21).astype("f4")
        flags = (image > np.nanpercentile(image, 99.5)).astype("i2")
        errors = np.sqrt(np.abs(image)).astype("f4")
        for name, values in (("SCI", image), ("ERR", errors), ("DQ", flags)):
            hdus.append(fits.ImageHDU(values, _sky_header(320, 200, 0.2, (83.8, -5.4)), name=name))
            hdus[-1].header["EXTVER"] = version
            if name != "DQ":
                hdus[-1].header["BUNIT"] = "electron/s"
    hdus.append(fits.ImageHDU(np.hypot(*np.mgrid[:60, :90]).astype("f4"), name="EXP"))
    hdus[-1].header["BUNIT"] = "s"
    fits.HDUList(hdus).writeto(path)
    return path


def write_cube(path: Path, side: int = 300, planes: int = 41) -> Path:
    """A turning ring of gas, plane by plane of velocity."""
    random = np.random.default_rng(3)
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    up = y / 0.6
    radius, angle = np.hypot(x, up), np.arctan2(up, x)
    clumps = 1 + 0.8 * _blurred(random.normal(0, 14, (side, side)), 6)
    gas = np.exp(-(((radius - 0.24) / 0.09) ** 2)) * np.clip(clumps, 0.05, None)
    turning = 95 * np.cos(angle) * radius / np.hypot(radius, 0.06)
    velocities = np.linspace(-150, 150, planes)
    values = gas * np.exp(-(((velocities[:, None, None] - turning) / 22) ** 2))
    noise = [_blurred(random.normal(0, 0.25, (side, side)), 1.5) for _ in velocities]
    header = _sky_header(side, side, 1.5, (24.2, 15.8))
    header.update(CTYPE3="VRAD", CUNIT3="km/s", CRPIX3=1.0, CRVAL3=-150.0, BUNIT="K")
    header["CDELT3"] = float(velocities[1] - velocities[0])
    _write(path, 4 * values + np.array(noise), header)
    return path


def _sky_header(width: int, height: int, scale_arcsec: float, centre: tuple[float, float]) -> Any:
    from astropy.io import fits

    header = fits.Header()
    header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CUNIT1="deg", CUNIT2="deg")
    header.update(CRPIX1=(width + 1) / 2, CRPIX2=(height + 1) / 2)
    header.update(CRVAL1=centre[0], CRVAL2=centre[1], RADESYS="ICRS")
    header.update(CDELT1=-scale_arcsec / 3600, CDELT2=scale_arcsec / 3600)
    return header


def _blurred(values: Any, sigma_px: float) -> Any:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(values, sigma_px)


def _write(path: Path, values: Any, header: Any) -> None:
    from astropy.io import fits

    fits.PrimaryHDU(np.asarray(values, "f4"), header).writeto(path)


MAKERS: dict[str, Callable[[], None]] = {
    "compare": compare,
    "vetting": vetting,
    "results": results,
    "votes": votes,
    "draw": draw,
    "shapes": shapes,
    "data": data,
    "non-bubbles": non_bubbles,
    "mosaic": mosaic,
    "rgb": rgb,
    "picker": picker,
    "cube": cube,
    "preview": preview,
    "bubbles": bubbles,
    "galaxies": galaxies,
    "uncertainty": uncertainty,
    "spirals": spirals,
}
KINDS = ("window", "predict", "train", "runs", *MAKERS)


def main() -> None:
    """Make what was asked for, in a folder that goes away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    only = set(parser.parse_args().only)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        os.environ["ASTROSEG_CACHE"] = str(Path(folder) / "cache")
        os.chdir(folder)
        from qtpy.QtCore import QStandardPaths

        QStandardPaths.setTestModeEnabled(True)  # what is remembered goes to a test's place
        generic = QStandardPaths.StandardLocation.GenericConfigLocation
        remembered = Path(QStandardPaths.writableLocation(generic)) / "astroseg"
        if "qttest" in str(remembered):  # and what was remembered there is forgotten
            shutil.rmtree(remembered, ignore_errors=True)
        if {"window", "predict"} & only:
            window_and_predict(only)
        if {"train", "runs"} & only:
            training(only)
        for name, make in MAKERS.items():
            if name in only:
                make()


if __name__ == "__main__":
    main()
