"""Picture: the canvas as it is, with the aids over it, as an image file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtGui import QImage, QPainter

from napari_astroseg.errors import OutputError
from napari_astroseg.gui.aids.sheet import Sheet


def picture_of(viewer: Any, sheet: Sheet | None) -> QImage:
    """What the canvas shows, as sharp as the screen shows it, with the aids painted over it."""
    shot = np.ascontiguousarray(viewer.screenshot(canvas_only=True, flash=False))
    height, width = shot.shape[:2]
    image = QImage(shot.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    if sheet is not None and sheet.width() > 0:
        painter = QPainter(image)
        painter.scale(width / sheet.width(), height / sheet.height())
        try:
            sheet.draw(painter)
        finally:
            painter.end()
    return image


def save_picture(image: QImage, path: Path) -> None:
    """Write a picture; the ending of its name says how (.png, .jpg, .tif).

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    if not image.save(str(path)):
        raise OutputError(
            f"{path} cannot be written; choose a folder that can be written to, and a name "
            "that ends in .png"
        )
