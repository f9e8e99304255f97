"""Fuzz: broken files of every kind open, or are refused in one sentence; a seeded few of many.

`benchmarks/fuzz_reader.py` makes as many as one has time for.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.opening import open_image

ROOT = Path(__file__).resolve().parents[2]
FILES = 320


@pytest.fixture(scope="module")
def fuzzer() -> Any:
    path = ROOT / "benchmarks" / "fuzz_reader.py"
    spec = importlib.util.spec_from_file_location("fuzz_reader", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_seed_is_a_sound_file(fuzzer: Any, tmp_path: Path) -> None:
    made = fuzzer.seeds()
    outcomes = {}
    for n, (name, data) in enumerate(made.items()):
        path = tmp_path / f"{n}.fits"
        path.write_bytes(data)
        outcomes[name] = fuzzer.look_at(path)
    refused = {name for name, (outcome, _) in outcomes.items() if outcome == "refused"}
    assert refused == {"table", "ascii table", "groups", "header only"}
    assert {outcome for outcome, _ in outcomes.values()} == {"opened", "refused"}
    assert len(made) > 60


def test_mutants_are_the_same_every_time_and_differ_from_their_seed(fuzzer: Any) -> None:
    made = fuzzer.seeds()
    for name in made:
        once, again = (fuzzer.mutated(name, made, random.Random("1 2")) for _ in range(2))
        assert once == again
    many = [fuzzer.mutant(made["f4"], random.Random(n)) for n in range(50)]
    assert sum(each != made["f4"] for each in many) > 45
    assert len(set(many)) > 45


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system tells no peak")
def test_some_hundred_broken_files(fuzzer: Any, tmp_path: Path) -> None:
    report = fuzzer.fuzz(FILES, seed=20, out=tmp_path / "failed")
    kept = [path.read_text() for path in (tmp_path / "failed").glob("*.txt")]
    assert kept == []
    assert set(report["outcomes"]) == {"opened", "refused"}
    assert sum(report["outcomes"].values()) == FILES
    assert min(report["outcomes"].values()) > FILES / 10
    json.dumps(report)


def test_what_goes_wrong_is_noticed(
    fuzzer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stopwatch stops: a crash, a sentence without its file, too much time or memory."""
    path = tmp_path / "a.fits"
    path.write_bytes(fuzzer.seeds()["f4"])
    assert fuzzer.look_at(path) == ("opened", "")

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("once more")

    monkeypatch.setattr(sys.modules[open_image.__module__], "open_image", broken)
    outcome, words = fuzzer.look_at(path)
    assert outcome == "crashed"
    assert "ZeroDivisionError: once more" in words

    told = {"outcome": "opened", "words": "", "cpu": 0.1, "mib": 1.0}
    assert fuzzer.judged(told) == "opened"
    assert fuzzer.judged(told | {"cpu": 6.0}) == "slow"
    assert fuzzer.judged(told | {"mib": 600.0}) == "fat"
    assert fuzzer.judged(told | {"outcome": "crashed", "cpu": 6.0}) == "crashed"


def test_a_child_that_dies_or_hangs_is_replaced(
    fuzzer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "good.fits"
    good.write_bytes(fuzzer.seeds()["f4"])
    child = fuzzer.Child(tmp_path / "cache")
    try:
        assert child.ask(good)["outcome"] == "opened"
        child._process.kill()
        child._process.wait()
        monkeypatch.setattr(fuzzer, "WALL_LIMIT_S", 60)
        assert child.ask(good)["outcome"] == "died"
        monkeypatch.setattr(fuzzer, "WALL_LIMIT_S", 0.0)
        assert child.ask(good)["outcome"] == "hung"
    finally:
        child.close()


def test_hdus_named_like_bands_that_are_of_no_one_sky_still_show_one(
    fuzzer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(fuzzer.seeds()["bands"])
    assert open_image(path).bands == ("G", "R", "I", "Z")

    def apart(*args: object) -> None:
        raise ImageError("they lie apart; open them as layers instead")

    monkeypatch.setattr(sys.modules[open_image.__module__], "stacked", apart)
    image = open_image(path)
    assert image.count == 1
    assert image.notes == (
        "only the first of its bands is shown: they lie apart; open them as layers instead",
    )
