"""A small list of detections, and a store for their verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_astroseg.review.detections import Detections


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No verdicts in the state of whoever runs the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def detections() -> Detections:
    return some_detections()


def some_detections(count: int = 12, seed: int = 0) -> Detections:
    rng = np.random.default_rng(seed)
    return Detections.of(
        count, names=[f"D{n}" for n in range(count)], lon=rng.uniform(30, 31, count),
        lat=rng.uniform(-0.5, 0.5, count), x=rng.uniform(0, 900, count),
        y=rng.uniform(0, 900, count), radius=rng.uniform(20, 90, count),
        score=rng.uniform(0, 1, count), uncertainty=rng.uniform(0, 0.5, count),
        kinds=["bubble"] * count, frame="galactic", source="found.ecsv",
    )  # fmt: skip
