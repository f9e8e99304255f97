"""Physical: pixels of the detector that an image was cut or binned from, as its header tells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import AstroSegError, MarkError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.image import SkyImage

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Physical:
    """IRAF's LTV and LTM: image = LTM × physical + LTV, both counted from 1.

    Parameters
    ----------
    shift, steps
        LTV1 and LTV2, LTM1_1 and LTM2_2.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    steps: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(cls, image: SkyImage) -> Physical:
        """What the file of an image says; without one, physical pixels are the image's.

        Raises
        ------
        MarkError
            When it says what cannot be.
        """
        if image.reference is None:
            return cls()
        try:
            with opened(Address(image.reference.place)) as file:
                header = file.hdus[image.reference.hdu].header.copy()
        except AstroSegError as error:
            raise MarkError(f"physical pixels cannot be placed: {error}") from error
        try:
            shift = float(header.get("LTV1", 0.0)), float(header.get("LTV2", 0.0))
            steps = float(header.get("LTM1_1", 1.0)), float(header.get("LTM2_2", 1.0))
            turned = float(header.get("LTM1_2", 0.0)), float(header.get("LTM2_1", 0.0))
        except (TypeError, ValueError):
            shift, steps, turned = (math.nan, math.nan), (math.nan, math.nan), (0.0, 0.0)
        sound = all(map(math.isfinite, (*shift, *steps))) and all(steps) and not any(turned)
        if not sound:
            raise MarkError(
                f"the physical pixels of {image.name} are turned, or none (LTV and LTM in its "
                "header); save the regions in image coordinates"
            )
        return cls(shift, steps)

    @property
    def scale(self) -> float:
        """Image pixels per physical one, the mean of both axes."""
        return math.sqrt(abs(self.steps[0] * self.steps[1]))

    def pixels(self, xy: Doubles) -> Doubles:
        """Places (N, 2) in the image, counted from 1 as well."""
        return xy * np.array(self.steps) + np.array(self.shift)
