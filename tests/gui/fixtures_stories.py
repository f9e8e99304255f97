"""What stories share: a window whose settings, data and projects are in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import napari
import pytest
from gui.fixtures_jobs import job_threads, spin
from gui.story import Story


@pytest.fixture
def story(
    make_napari_viewer: Any,
    plugin: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Story]:
    """A user's first morning: nothing was ever opened, kept or remembered.

    Pictures go to a folder of the story's name in $ASTROSEG_STORIES, else among the test's files.
    """
    home = tmp_path / "home"
    (home / "config" / "astropy").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("config", "data", "state"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(home / name))
    monkeypatch.setattr(
        napari, "Viewer", lambda title, show: make_napari_viewer(title=title, show=show)
    )
    kept = os.environ.get("ASTROSEG_STORIES")
    name = request.path.stem.removeprefix("test_stories_")
    told = Story(Path(kept) / name if kept else tmp_path / "pictures")
    yield told
    if told.viewer is not None:
        told.close()
    assert spin(lambda: not job_threads()), "a job's thread outlived its story"
