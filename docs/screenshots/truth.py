"""Truth: votes, drawing, and folders to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from screenshots.skies import write_votes_of_galaxy
from screenshots.stage import dock, sample_window, shoot, wait_for, window


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
