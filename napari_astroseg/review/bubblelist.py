"""Bubblelist: the Milky Way Project's catalogue of bubbles as detections."""

from __future__ import annotations

from pathlib import Path

from napari_astroseg.errors import CatalogueError, DataError
from napari_astroseg.review.detections import Detections
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles

ENDINGS = (".dat", ".txt")
"""Of its files, which tell no format by themselves."""


def read_bubble_list(path: Path) -> Detections:
    """Its bubbles, each as large as its semi-major axis; rows that are none are told.

    Raises
    ------
    CatalogueError
        When it cannot be read, or no row of it is a bubble.
    """
    try:
        bubbles, findings = read_bubbles(path, path.parent)
    except DataError as error:
        raise CatalogueError(str(error)) from error
    return Detections.of(
        len(bubbles), names=[each.name for each in bubbles], kinds=["bubble"] * len(bubbles),
        lon=[each.lon % 360.0 for each in bubbles], lat=[each.lat for each in bubbles],
        radius=[60.0 * each.major for each in bubbles], frame="galactic", source=path.name,
        notes=tuple(f"{each.what}; {each.remedy}" for each in findings),
    )  # fmt: skip
