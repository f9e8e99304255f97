"""Object catalogue: boxes found on an image as a table, as DS9 outlines, and as a picture."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.datasets.bubblecatalogue import BOX
from napari_astroseg.sky.doubts import add_doubts
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.outlinefile import write_polygons
from napari_astroseg.sky.preview import sampled, sky_axes, step_over, stretch_of, value_label
from napari_astroseg.sky.window import Window

_COLUMNS = {
    "x": "0-based column of the middle of the box, in the whole image",
    "y": "0-based row of the middle of the box, in the whole image",
    "width": "side of the box along the rows",
    "height": "side of the box along the columns",
    "radius": f"half the mean side of the box over {BOX:g}: the semi-major axis of a bubble",
    "score": "how sure the network is, 0 to 1",
    "kind": "what it is",
}

_BOX_COLOUR = "#00d5ff"


def catalogued(
    objects: Objects, kinds: Sequence[str], image: SkyImage, words: str = ""
) -> Catalogue:
    """One row per object, in their order.

    Parameters
    ----------
    kinds
        What the classes are called, from class 1 up.
    words
        What their uncertainty is, where they tell one.

    Returns
    -------
    Columns `id`, `lon`, `lat` (deg, Galactic where the image is, else ICRS; left out without sky
    coordinates), `x`, `y` (0-based pixels of the whole image), `width`, `height`, `radius`
    (arcmin, or pix), `score`, `kind`, and what `add_doubts` adds.
    """
    x, y = objects.middles.T
    table = QTable({"id": np.arange(1, len(objects) + 1)})
    frame, scales = None, (1.0 * u.pix, 1.0 * u.pix)
    if image.wcs is not None:
        position = image.sky(x, y)
        # Others depend on an equinox, which a table would lose.
        position = position if position.frame.name == "galactic" else position.icrs
        frame = str(position.frame.name)
        table["lon"] = position.spherical.lon.to(u.deg)
        table["lat"] = position.spherical.lat.to(u.deg)
        across, along = image.pixel_sides_arcsec or (0.0, 0.0)
        scales = across / 60.0 * u.arcmin, along / 60.0 * u.arcmin
    table["x"], table["y"] = x, y
    sides = objects.boxes[:, 2:] - objects.boxes[:, :2]
    table["width"], table["height"] = sides[:, 0] * scales[0], sides[:, 1] * scales[1]
    table["radius"] = (table["width"] + table["height"]) / (4 * BOX)
    table["score"] = objects.scores
    table["kind"] = [kinds[number - 1] for number in objects.classes]
    for name, about in _COLUMNS.items():
        table[name].info.description = about
    add_doubts(table, objects.doubts, words, np.sqrt(scales[0] * scales[1]))
    return Catalogue(table, frame)


def write_boxes(path: Path, objects: Objects, image: SkyImage) -> Path:
    """The boxes as DS9 polygons, each with its number in the catalogue."""
    outlines = (
        (str(number), np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        for number, (x0, y0, x1, y1) in enumerate(objects.boxes.tolist(), start=1)
    )
    return write_polygons(path, outlines, image)


def write_box_picture(
    path: Path, image: SkyImage, window: Window, objects: Objects, title: str
) -> Path:
    """Draw each band of a window with the boxes on it."""
    step = step_over(window)
    count = image.count
    aspect = window.height / window.width
    size = 6.5 * count, float(np.clip(5.6 * aspect + 0.6, 3.6, 13.0))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    wcs = None
    if image.wcs is not None:
        wcs = image.wcs[window.y : window.y_end : step, window.x : window.x_end : step]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # missing corners are no news
        for number in range(count):
            plane = image.plane(number)
            values = sampled(plane, window)
            axes = sky_axes(figure, 101 + 10 * count + number, wcs)
            drawn = axes.imshow(values, origin="lower", cmap="inferno", norm=stretch_of(values),
                                interpolation="nearest")  # fmt: skip
            for x0, y0, x1, y1 in objects.boxes.tolist():
                corner = (x0 - window.x) / step, (y0 - window.y) / step
                axes.add_patch(Rectangle(corner, (x1 - x0) / step, (y1 - y0) / step, fill=False,
                                         edgecolor=_BOX_COLOUR, linewidth=0.8))  # fmt: skip
            axes.set_title(plane.name, fontsize=9)
            figure.colorbar(drawn, ax=axes, shrink=0.85, pad=0.02, label=value_label(plane))
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png")
    return path
