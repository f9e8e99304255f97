"""Opening: mosaics, colours, several images in one file, cubes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from screenshots.skies import write_bands, write_chips, write_cube, write_tiles
from screenshots.stage import keep, shoot, wait_for, window


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
    fold.open()
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


def welcome() -> None:
    """What an empty window offers, once something has been open in it."""
    from napari_astroseg.gui.intake.recent import PROJECTS, Recent
    from napari_astroseg.gui.settings import remember

    remember("tour", "offered")
    tiles = write_tiles(Path("tiles"))
    Recent().add([str(tile) for tile in tiles])
    for name in ("perseus.fits", "aquila.fits"):
        Path(name).touch()
        Recent().add([str(Path(name).absolute())])
    for name in ("vela", "w43"):
        project = Path(f"{name}.astroseg.json").absolute()
        project.touch()
        Recent(name=PROJECTS).add([str(project)])
    viewer, _ = window([])
    wait_for(lambda: True)
    shoot(viewer, "welcome")
    viewer.close()


def tour() -> None:
    """The step of the tour in which the threshold is moved."""
    from napari_astroseg.gui.tour.tour import Tour

    viewer, opening = window([])
    taken = opening.window().findChild(Tour)
    taken.start()
    for at in range(2):
        taken.guide.next()
        wait_for(lambda at=at: taken.guide.at > at)
    shoot(viewer, "tour")
    taken.end()
    viewer.close()
