"""What the tests of the working docks share."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from gui.make_model import write_model
from qtpy.QtWidgets import QApplication

from napari_astroseg.gui import layers
from napari_astroseg.sky.image import SkyImage


def spin(until: Callable[[], Any], seconds: float = 60.0) -> bool:
    """Let the window live until something holds; False when it does not in time."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)
    return bool(until())


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def job_threads() -> list[threading.Thread]:
    """Our threads that still run."""
    return [thread for thread in threading.enumerate() if thread.name == "astroseg job"]


def sky(size: int = 600) -> SkyImage:
    """A ramp from 0 to 1 along x, with a galactic WCS of 11.5 arcsec a pixel."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval = [size / 2, 0.5], [30.0, 0.0]
    wcs.wcs.cdelt = [-11.5 / 3600, 11.5 / 3600]
    ramp = np.tile(np.linspace(0, 1, size, dtype=np.float32), (size, 1))
    return SkyImage.from_array(ramp, wcs, "cm-2", "ramp")


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's shelf and home are left alone."""
    config = tmp_path / "config" / "astropy"
    config.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    return config.parent


@pytest.fixture
def model(own_settings: Path) -> Path:
    """A model on the user's shelf."""
    path = write_model(own_settings / "fake.safetensors")
    folder = own_settings / "astroseg"
    folder.mkdir()
    (folder / "models.json").write_text(f'["{path}"]')
    return path


@pytest.fixture
def viewer(make_napari_viewer: Any, own_settings: Path) -> Iterator[Any]:
    """A shown viewer with one sky image."""
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky())
    spin(lambda: False, 0.2)
    yield viewer
    assert spin(lambda: not job_threads()), "a job's thread outlived its test"
