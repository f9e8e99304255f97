"""Apart: images of different pixels are not drawn over one another.

Layers lie pixel on pixel. What has another grid would show another sky at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_astroseg.gui.drawn.layerdata import sky_image
from napari_astroseg.gui.drawn.whole import show_whole
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.together import one_grid


def keep_apart(viewer: Any, added: Sequence[Any]) -> str:
    """Hide the images that lie on other pixels than a new one; a sentence if there were any.

    Where nothing stays that was looked at, all of the new one is brought into view.
    """
    image = sky_image(added[0]) if added else None
    if image is None:
        return ""
    hidden, stays = [], False
    for layer in viewer.layers:
        other = sky_image(layer)
        if layer in added or not layer.visible or other is None:
            continue
        if fit(image, other):
            stays = True
        else:
            layer.visible = False
            hidden.append(layer.name)
    if not hidden:
        return ""
    if not stays:
        show_whole(viewer, added[0])
    verb = "was" if len(hidden) == 1 else "were"
    return (
        f"{', '.join(hidden)} {verb} hidden: {added[0].name} has other pixels, and layers are "
        "drawn pixel on pixel; lay one over the other in Compare, or open tiles as one mosaic"
    )


def fit(one: SkyImage, other: SkyImage) -> bool:
    """Whether two images can be drawn over one another."""
    if one.wcs is None or other.wcs is None:
        return one.shape == other.shape
    return one_grid((one, other))
