"""Instance catalogue: objects with masks as a table, one row for each."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.doubts import add_doubts
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Instances

_COLUMNS = {
    "id": "number of the object in the map of regions",
    "x": "column of the centre of its pixels, from 0",
    "y": "row of the centre of its pixels, from 0",
    "area": "area of its pixels, those shared with others too",
    "width": "side of its box along the rows",
    "height": "side of its box along the columns",
    "score": "how sure the network is, 0 to 1",
    "kind": "what it is",
}


def catalogued(
    objects: Instances, kinds: Sequence[str], image: SkyImage, words: str = ""
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
    coordinates), `x`, `y` (0-based pixels of the whole image), `area` (arcsec2, or pix2), `width`,
    `height` (arcsec, or pix), `score`, `kind`, and what `add_doubts` adds.
    """
    x, y = objects.centres.reshape(-1, 2).T
    table = QTable({"id": np.arange(1, len(objects) + 1)})
    frame, across, along = None, 1.0 * u.pix, 1.0 * u.pix
    if image.wcs is not None:
        position = image.sky(x, y)
        # Others depend on an equinox, which a table would lose.
        position = position if position.frame.name == "galactic" else position.icrs
        frame = str(position.frame.name)
        table["lon"] = position.spherical.lon.to(u.deg)
        table["lat"] = position.spherical.lat.to(u.deg)
        sides = image.pixel_sides_arcsec or (0.0, 0.0)
        across, along = sides[0] * u.arcsec, sides[1] * u.arcsec
    table["x"], table["y"] = x, y
    table["area"] = objects.areas * (across * along)
    table["width"] = (objects.boxes[:, 2] - objects.boxes[:, 0]) * across
    table["height"] = (objects.boxes[:, 3] - objects.boxes[:, 1]) * along
    table["score"] = objects.scores
    table["kind"] = np.array([kinds[number - 1] for number in objects.classes], dtype=str)
    for name, about in _COLUMNS.items():
        table[name].info.description = about
    add_doubts(table, objects.doubts, words, np.sqrt(across * along))
    return Catalogue(table, frame)
