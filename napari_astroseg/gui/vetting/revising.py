"""Revising: the outline of one detection, to be dragged where it belongs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_astroseg.errors import MarkError
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.marking.shapeforms import changed_shape, drawn_shapes
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.vetting.rings import CURRENT, METADATA
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.placing import on_sky
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.window import Window


class Revising:
    """A layer with one outline in it, which napari's own tools move, scale and turn.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the image that it lies on.
    image
        The same image.
    shape
        As it is now, in pixels or on the sky.

    Raises
    ------
    MarkError
        When the projection does not show it whole.
    """

    def __init__(self, viewer: Any, base: Any, image: SkyImage, shape: Shape) -> None:
        drawn = drawn_shapes({0: shape}, image).get(0)
        if drawn is None:
            raise MarkError("its outline cannot be shown on this image; open another of the field")
        self._viewer, self._image, self._drawn = viewer, image, drawn
        self.layer = viewer.add_shapes(
            [drawn.vertices],
            shape_type=drawn.kind,
            name="outline to revise",
            edge_color=CURRENT,
            face_color="transparent",
            edge_width=max(0.5, 2.0 / max(camera_of(viewer).zoom, 1e-6)),
            metadata={METADATA: "revising"},
            **placed_on(base, Window(0, 0, 1, 1)),
        )
        viewer.layers.selection.active = self.layer
        self.layer.mode = "select"
        self.layer.selected_data = {0}

    @property
    def there(self) -> bool:
        """Whether its layer is still in the viewer, with an outline in it."""
        return self.layer in self._viewer.layers and len(self.layer.data) == 1

    def shape(self) -> Shape:
        """What became of it, on the sky where the image knows it.

        Raises
        ------
        MarkError
            When it has no extent, or lies off the sky.
        """
        vertices = np.asarray(self.layer.data[0], np.float32)[:, -2:]
        made = replace(changed_shape(self._drawn, vertices), frame="pixel")
        return on_sky([made], self._image)[0]

    def end(self) -> None:
        """Take the layer away."""
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
