"""The stopwatches run and tell what scripts rely on; never how fast this machine is."""

from __future__ import annotations

import json
import os
import shutil
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_astroseg.bench import (
    child,
    click,
    first_pixels,
    monai,
    pictures,
    restart,
    run,
    timing,
    vetting,
    votes,
    workers,
)
from napari_astroseg.bench.fields import write_sparse, write_survey
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement, machine, markdown_table, text_table
from napari_astroseg.bench.ways import OURS
from napari_astroseg.cli import bench as verb
from napari_astroseg.cli.display import has_display
from napari_astroseg.cli.main import main
from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.events import TileDone
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.nets import build
from napari_astroseg.errors import SetupError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.pyramid import levels
from napari_astroseg.sky.window import Window

TINY = Plan(
    window_px=64,
    mosaic_px=128,
    image_px=2048,
    large_px=(4100,),
    openings=1,
    pyramid_px=128,
    compare_px=256,
    vote_maps=3,
    vote_files=5,
    steps=1,
    checkpoint_of="filaments_small",
    budget_s=0.0,
    rounds=2,
)
FIELDS = {"name", "value", "unit", "limit", "target", "holds"}
NAMES = {
    "click", "click, same extent", "click, through the engine process",
    "tiles", "first pixels", "training",
    "pyramid level 1", "pyramid to disk", "pyramid memory",
    "votes", "votes, a folder", "votes, any threshold", "votes, a folder again", "patches",
    "50 samples", "compare view", "compare whole", "compare values", "compare positions",
    "engine start", "checkpoint",
}  # fmt: skip


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network small enough for any machine."""
    recipe = Recipe.preset("filaments").replace(
        normalisation__kind="log",
        family__channels=(2, 2),
        family__bottleneck=4,
        prediction__tile_px=64,
        schedule__batch_size=2,
    )
    net = build(recipe.family).eval()
    card = ModelCard("tiny", recipe, sum(weight.numel() for weight in net.parameters()))
    return Model(card, net).save(tmp_path_factory.mktemp("model") / "tiny.safetensors")


def test_every_benchmark_gives_what_the_contract_names(
    model_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "quick", classmethod(lambda _: TINY))
    monkeypatch.setattr("napari_astroseg.cli.display.has_display", lambda: False)

    assert main(["bench", "--quick", "--json", "--quiet", "--model", str(model_file)]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in told} == NAMES
    for each in told:
        assert set(each) == FIELDS
        assert each["value"] > 0
        assert each["target"] > 0
        assert each["limit"] >= 0.0
        assert isinstance(each["holds"], bool)


def test_the_bare_passes_leave_the_number_of_threads_alone(
    model_file: Path, tmp_path: Path
) -> None:
    before = torch.get_num_threads()
    list(click.measure(TINY, load_model(model_file), tmp_path))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("only", ["first-pixels", "pyramid", "votes"])
def test_one_benchmark_can_be_asked_for_and_loads_no_model(
    only: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "quick", classmethod(lambda _: TINY))
    words = ["bench", "--quick", "--json", "--quiet", "--model", "nonesuch", "--only", only]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told
    assert all(each["name"].startswith(only.replace("-", " ")) for each in told)


def test_the_number_of_maps_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--only", "votes", "--maps", "0"]) == 1
    assert "ask for one at least" in capsys.readouterr().err


def test_votes_leave_the_cache_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "mine"))
    assert len(list(votes.measure(TINY, tmp_path))) == 4
    assert not (tmp_path / "mine").exists()
    assert os.environ["ASTROSEG_CACHE"] == str(tmp_path / "mine")
    monkeypatch.delenv("ASTROSEG_CACHE")
    shutil.rmtree(tmp_path / "many")
    list(votes.measure(TINY, tmp_path))
    assert "ASTROSEG_CACHE" not in os.environ


def test_six_thresholds_are_those_of_the_maps() -> None:
    maps = np.stack([votes._votes(number, 40) for number in range(8)])
    steps = np.arange(1, 7)[:, None, None]
    expected = (maps[:, None] >= steps).sum((2, 3))
    assert np.array_equal(votes._areas(maps), expected)
    assert expected[:, -1].any()


def test_pictures_need_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for only in ("pictures", "vetting"):
        with pytest.raises(SetupError, match="display"):
            next(run.measurements(TINY, display=False, only=only))


def drawn_like(module: str, *words: str, **where: Path) -> dict[str, object]:
    """What a child would print; a cold file takes twice as long, and a walk is walked."""
    if module.endswith("growing"):
        (where["cache"] / "pyramids").mkdir(parents=True)
        (where["cache"] / "pyramids" / "one").touch()
        return {}
    order = json.loads(words[0])
    walked = order["walk"] is not None
    seconds = 0.4 if order["cold"] else 0.2
    return {
        "seconds": seconds * (3 if order["way"] == OURS.name else 1),
        "peak_mib": 40.0,
        "worst_s": 0.05 if walked else None,
        "draws": 1.25 if walked else None,
        "right": True,
    }


def test_pictures_are_held_against_an_array_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_astroseg.bench.child.run", drawn_like)
    measured = list(pictures.measure(TINY, tmp_path))
    assert [(each.name.partition(" 4100²")[0], each.value) for each in measured] == [
        ("first picture", 3.0),
        ("first picture", 40.0),
        ("pan and zoom", 50.0),
        ("pan and zoom", 1.25),
        ("first picture", 6.0),
        ("first picture", 6.0),
    ]
    assert [each.holds for each in measured] == [False, True, True, True, False, False]


@pytest.mark.skipif(not has_display(), reason="there is no display")
def test_verdicts_are_timed_in_a_window_of_its_own(tmp_path: Path) -> None:
    tiny = replace(TINY, large_px=(1500,), detections=(8,), keys=2, regions=20)
    measured = list(vetting.measure(tiny, tmp_path))
    assert [each.name for each in measured] == [
        "vetting 8, next object", "vetting 8, stored", "vetting 8, opened", "vetting 8, memory",
        "vetting 8, 6 stamps", "vetting, 20 regions",
    ]  # fmt: skip
    assert all(each.value > 0 for each in measured)


@pytest.mark.skipif(not has_display(), reason="there is no display")
def test_a_picture_is_drawn_and_walked_in_by_a_process_of_its_own(tmp_path: Path) -> None:
    path = write_survey(tmp_path / "survey.fits", 1500)
    order = {"way": OURS.name, "path": str(path), "cold": [str(path)], "walk": [str(path)]}
    module = "napari_astroseg.bench.first_draw"
    told = child.run(module, json.dumps(order), scratch=tmp_path, cache=tmp_path / "kept")
    assert told["right"]
    assert told["seconds"] > 0 and told["worst_s"] > 0 and told["draws"] > 0


def test_the_verb_and_the_stopwatches_agree_on_their_names() -> None:
    assert verb.NAMES == run.NAMES


def test_a_survey_is_written_in_full_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = open_image(write_survey(tmp_path / "survey.fits", 1100))
    values = image.pixels[0:1100, 0:1100]
    assert np.isnan(values[:55]).all()
    assert np.isnan(values[:, -55:]).all()
    assert not np.isnan(values[55:-55, 55:-55]).any()
    assert np.median(values[55:-55, 55:-55]) == pytest.approx(10.0, abs=0.1)
    assert image.wcs is not None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    assert write_survey(tmp_path / "survey.fits", 1100).name == "sparse-survey.fits"


def test_a_sparse_map_holds_values_in_its_rows_alone(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "sparse.fits", 2048, [])
    rows = first_pixels.coarsest_rows(path)
    image = open_image(write_sparse(path, 2048, rows))
    assert levels(image)[-1].factor == 2
    assert rows == list(range(2048))
    path = write_sparse(path, 4096, [])
    rows = first_pixels.coarsest_rows(path)
    assert rows[:4] == [1, 2, 5, 6]
    image = open_image(write_sparse(path, 4096, rows))
    assert (levels(image)[-1][:4, :4] > 1e20).all()
    assert (image.pixels[0:1, :] == 0).all()
    assert image.wcs is not None


def test_ways_are_timed_in_turn_after_a_round_that_does_not_count() -> None:
    done: list[str] = []
    first, second = timing.in_turn(TINY, lambda: done.append("a"), lambda: done.append("b"))
    assert done == ["a", "b"] * (TINY.rounds + 1)
    assert len(first) == len(second) == TINY.rounds


def test_a_ratio_is_that_of_the_medians() -> None:
    pair = timing.Pair(ours=(2.0, 30.0, 6.0), bare=(1.0, 10.0, 2.0))
    assert (pair.ours_s, pair.bare_s) == (6.0, 2.0)
    assert pair.ratio == 3.0


@pytest.mark.parametrize(
    ("measurement", "holds", "bound"),
    [
        (Measurement.at_most("a", 1.1, "× bare", 1.15, "1 s / 1 s"), True, "≤ 1.15"),
        (Measurement.at_most("a", 1.2, "× bare", 1.15, "1 s / 1 s"), False, "≤ 1.15"),
        (Measurement.at_least("a", 0.9, "× bare", 0.88, "1 / 1"), True, "≥ 0.88"),
        (Measurement.at_least("a", 0.8, "× bare", 0.88, "1 / 1"), False, "≥ 0.88"),
    ],
)
def test_a_target_is_judged_from_its_own_side(
    measurement: Measurement, holds: bool, bound: str
) -> None:
    assert measurement.holds is holds
    assert bound in text_table([measurement])
    row = markdown_table([measurement]).splitlines()[-1]
    assert f"| {bound} | {'yes' if holds else '**no**'} |" in row


def test_the_machine_is_told_with_its_versions() -> None:
    assert "logical cores" in machine()
    assert f"torch {torch.__version__.split('+')[0]}" in machine()


def test_measurements_need_a_model_that_is_there() -> None:
    from napari_astroseg.errors import ModelError

    with pytest.raises(ModelError, match="no model"):
        next(run.measurements(TINY, "nonesuch"))


def test_a_rerun_is_held_against_the_tiles_that_were_left(model_file: Path, tmp_path: Path) -> None:
    (told,) = restart.measure(TINY, load_model(model_file), tmp_path)
    assert told.name == "restart" and told.value > 0
    assert "for 2 of 4 tiles" in told.how


def test_workers_are_timed_once_they_have_started(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = [0.0]
    now = 0.0

    def tick() -> float:
        nonlocal now
        now += pace[-1]
        return now

    monkeypatch.setattr(workers, "time", types.SimpleNamespace(perf_counter=tick))

    def predict(model: Model, _: Path, device: Cluster) -> Iterator[TileDone]:
        assert device.threads == 1 and model.recipe.prediction.tile_px == 64
        pace.append(1 / device.workers)
        for number in range(16):
            yield TileDone(Window(0, 0, 1, 1), np.zeros((1, 1, 1), np.float32), number, 16)

    monkeypatch.setattr(workers, "predict", predict)
    (told,) = workers.measure(TINY, load_model(model_file), tmp_path)
    assert told.value == pytest.approx(2.0)


def slid_over(
    planes: torch.Tensor, side: int, _: int, answer: Any, overlap: float, mode: str
) -> torch.Tensor:
    """What stands in for MONAI's: the whole at once, with an error that falls with the overlap."""
    assert mode == "gaussian" and side > 0
    told: torch.Tensor = answer(planes) + 0.01 * (1 - overlap)
    return told


def test_tiles_are_held_against_monai(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = types.ModuleType("monai.inferers")
    stand_in.sliding_window_inference = slid_over  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "monai.inferers", stand_in)
    monkeypatch.setattr(monai, "installed", lambda: True)
    monkeypatch.setattr(
        child, "run", lambda module, way, *_, **__: {"peak_mib": 1.0 + (way == "monai")}
    )
    told = {each.name: each for each in monai.measure(TINY, load_model(model_file), tmp_path)}
    assert set(told) == {
        "monai, overlap 0.25", "monai, overlap 0.5", "monai, error at overlap 0.25",
        "monai, error at overlap 0.5", "monai, memory",
    }  # fmt: skip
    assert told["monai, memory"].value == 0.5
    errors = [told[f"monai, error at overlap {overlap}"] for overlap in (0.25, 0.5)]
    assert all(each.value < 1e-3 for each in errors)  # ours is exact
    theirs = [float(each.how.split(" / ")[1].split()[0]) for each in errors]
    assert theirs[0] > theirs[1] > 0


def test_without_monai_the_benchmark_says_so(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monai, "installed", lambda: False)
    with pytest.raises(SetupError, match="MONAI is not installed, so nothing"):
        next(monai.measure(TINY, load_model(model_file), tmp_path))
