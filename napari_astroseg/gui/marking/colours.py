"""Colours: those of classes, in napari's words, made ready before anything is drawn in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils import DirectLabelColormap

from napari_astroseg.sky.marks.classes import Classes

_UNKNOWN = "#ffffff"


def colours(classes: Classes) -> DirectLabelColormap:
    """Colours of labels, white for those of no class; slow, for any thread.

    napari works them out for all 65 536 labels, and compiles what does so at the first time: a
    second or two that would otherwise be the window's.
    """
    told: dict[int | None, Any] = {None: _UNKNOWN, 0: "transparent"}
    told |= {each.label: each.colour for each in classes}
    made = DirectLabelColormap(color_dict=told, name="astroseg classes")
    made.map(np.zeros((1, 1), np.uint16))
    return made
