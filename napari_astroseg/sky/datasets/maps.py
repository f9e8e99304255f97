"""Maps: a folder of four maps, as the Hi-GAL filament networks learn from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from napari_astroseg.sky.datasets.truth import Item, Listing, Truth
from napari_astroseg.sky.fourmaps import FourMaps, maps_of, open_four_maps
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image

STRUCTURE = "structure"
FLOOR = 0.1
"""Values below it count as missing, in the unit of the map (Zavagno+2023)."""


def recognised(folder: Path) -> bool:
    """Whether there is a file such as `001_image.fits`."""
    return bool(_images(folder))


def listed(folder: Path) -> Listing:
    """Every image of a folder with its maps."""
    items = [
        Item(
            path.name,
            (path, *maps_of(path).values()),
            partial(open_image, path),
            partial(_truth, path, FLOOR),
        )
        for path in _images(folder)
    ]
    return Listing(items, (STRUCTURE,), settings={"floor": FLOOR})


def field_of(item: Item, settings: Mapping[str, float]) -> FourMaps:
    """The four maps of an item, in memory."""
    return open_four_maps(item.files[0], floor=settings["floor"])[0]


def _truth(path: Path, floor: float, image: SkyImage) -> Truth:
    """Structure, and what is labelled, of one image."""
    field = open_four_maps(path, floor=floor)[0]
    return Truth({STRUCTURE: np.asarray(field.target)}, labelled=field.labelled)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.fits") if "image" in path.stem)
