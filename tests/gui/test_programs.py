"""A layer that is hidden and removed does not end the process, whatever draws."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import time
import numpy as np
import napari
from qtpy.QtWidgets import QApplication
from napari_astroseg.gui import layers

viewer = napari.Viewer()
layers.settle(viewer)

def paint():
    viewer.camera.zoom *= 1.05
    end = time.monotonic() + 0.15
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)

viewer.add_image(np.eye(64))
paint()
for _ in range(1):
    layer = viewer.add_labels(np.ones((64, 64), int))
    paint()
    layer.visible = False
    paint()
    viewer.layers.remove(layer)
    paint()
    viewer.layers.append(layer)
    paint()
    layer.visible = True
    paint()
    viewer.layers.remove(layer)
    paint()
viewer.close()
"""


@pytest.mark.once
def test_what_is_hidden_can_be_removed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
