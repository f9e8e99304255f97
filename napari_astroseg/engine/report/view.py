"""View: one image with its truth and what a model says of it, on its way to a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Labels = NDArray[np.integer[Any]]
Boxes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """What is to be seen.

    Parameters
    ----------
    image, window
        The image, and the part of it that truth and answer are of.
    truth, found
        Labels (height, width) of the window, by class or by object, 0 where there is nothing; or
        boxes (N, 4) of objects, px of the image.
    """

    image: SkyImage
    window: Window
    truth: Labels | Boxes
    found: Labels | Boxes

    @property
    def boxed(self) -> bool:
        """Whether objects are told by boxes."""
        return self.truth.dtype.kind == "f"
