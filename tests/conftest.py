"""Fixtures for every floor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# The same examples on every run and machine, however slow: a red run is a broken feature.
settings.register_profile(
    "astroseg",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("astroseg")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files; tests that need it are skipped where it is absent."""
    named = os.environ.get("ASTROSEG_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real files at {folder}; set ASTROSEG_TEST_DATA to their folder")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests cache in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASTROSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
