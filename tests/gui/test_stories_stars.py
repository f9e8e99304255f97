"""Stars and galaxies of a real field: three bands, one colour picture, objects, a catalogue."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from gui.fixtures_stories import story
from gui.story import Story, names
from scipy import ndimage

from napari_astroseg.gui.look.colourdata import colours_of
from napari_astroseg.sky.catalogue import Catalogue

MODEL = "astro_rcnn_small"
STARS = (334, 177), (313, 238)
GALAXIES = (170, 439), (452, 148)
"""Some that anyone can tell apart in the colour picture, as x, y."""


def test_stars_and_galaxies(story: Story, shared_data: Path, tmp_path: Path) -> None:
    bands = [shared_data / "multiband" / f"img_{band}.fits" for band in "grz"]
    story.open()
    story.drop(*bands)
    opening = story.dock("Open")
    story.wait(lambda: not opening.busy and names(story.viewer), "the bands")
    story.unfold(opening, "Colour")
    proposed = [each.currentText() for each in opening.colours.choices]
    assert proposed == ["img [z]", "img [r]", "img [g]"]
    story.press(opening.colours.make_button)
    story.wait(lambda: colours_of(story.viewer.layers[-1]) is not None, "the colours")
    story.shot("colours")
    assert story.viewer.layers[-1].name == "RGB z, r, g"

    predict = story.turn_to("Predict")
    story.choose(predict.models, MODEL)
    assert predict.place.images.currentText() == "RGB z, r, g"
    story.press(predict.place.by_whole)
    story.predicted()
    file = tmp_path / "objects.ecsv"
    story.press(predict.found.save, dialog=story.file(file))
    story.wait(file.is_file, "the catalogue")
    story.shot("objects")
    objects = Catalogue.read(file).table
    assert predict.found.summary.text().startswith(f"{len(objects)} objects")

    values = ndimage.gaussian_filter(fits.getdata(bands[1]).astype(float), 1.5)
    y, x = np.nonzero(values == ndimage.maximum_filter(values, 25))
    brightest = np.argsort(-values[y, x])[:20]
    off = [nearest(objects, x[at], y[at])[1] for at in brightest]
    assert max(off) < 3.0
    for kind, places in (("star", STARS), ("galaxy", GALAXIES)):
        assert {objects["kind"][nearest(objects, *place)[0]] for place in places} == {kind}
    there = WCS(fits.getheader(bands[1])).pixel_to_world(objects["x"], objects["y"]).icrs
    told = SkyCoord(objects["lon"], objects["lat"], frame="icrs")
    assert there.separation(told).arcsec.max() < 0.01


def nearest(objects: Any, x: float, y: float) -> tuple[int, float]:
    """The object nearest to a pixel, and how far off it lies, pixels."""
    distances = np.hypot(objects["x"] - x, objects["y"] - y)
    at = int(np.argmin(distances))
    return at, float(distances[at])
