"""Crops that look alike fall into one class; what is chosen of them is kept and checked."""

from __future__ import annotations

import json
import pickle
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import bubble_row, write_tile

from napari_astroseg.engine.events import Finished, Preparing
from napari_astroseg.engine.nonbubbles import kept_non_bubbles, part_non_bubbles
from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.sky.clusters.choice import FILE, Choice, CropClass
from napari_astroseg.sky.clusters.features import SIDE, feature_names, features, standardised
from napari_astroseg.sky.clusters.kmeans import Classes, clustered
from napari_astroseg.sky.clusters.nonbubbles import Described, find_non_bubbles, strip
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.simulate.making import iter_simulated

Y, X = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5


def looks(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A crop (2, SIDE, SIDE) of a kind of sky, 0 to 1."""
    x, y = rng.normal(0, 0.02, 2)
    away = np.hypot(X - x, Y - y)
    angle = rng.uniform(0, np.pi)
    planes = {
        "ring": (np.exp(-((away / 0.1) ** 2)), np.exp(-(((away - 0.28) / 0.05) ** 2))),
        "blob": (np.exp(-((away / 0.1) ** 2)),) * 2,
        "slope": (0.5 + np.cos(angle) * X + np.sin(angle) * Y,) * 2,
        "grain": tuple(rng.random((2, SIDE, SIDE))),
    }[kind]
    return np.clip(np.stack(planes) + rng.normal(0, 0.03, (2, SIDE, SIDE)), 0, 1)


KINDS = ("ring", "blob", "slope", "grain")


@pytest.fixture(scope="module")
def crops() -> tuple[np.ndarray, np.ndarray]:
    """200 crops and the kind of each: 80 of the first, then fewer and fewer."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat(range(4), (80, 60, 40, 20)))
    return np.stack([looks(KINDS[kind], rng) for kind in kinds]).astype(np.float32), kinds


def test_features_are_named_and_tell_what_they_say(crops) -> None:
    values, kinds = crops
    names = feature_names(2)
    found = dict(zip(names, features(values).T, strict=True))
    assert len(set(names)) == len(names) and all(np.isfinite(each).all() for each in found.values())
    mean = {kind: {n: each[kinds == k].mean() for n, each in found.items()} for k, kind in
            enumerate(KINDS)}  # fmt: skip
    rings = [mean["ring"][f"band 1: ring {n}"] for n in range(8)]
    assert np.argmax(rings) == 4
    assert np.argmax([mean["blob"][f"band 1: ring {n}"] for n in range(8)]) == 0
    assert mean["ring"]["bands 0 and 1"] < 0.3 < mean["blob"]["bands 0 and 1"]
    assert (
        mean["slope"]["band 0: half-turn asymmetry"]
        > 2 * (mean["blob"]["band 0: half-turn asymmetry"]) * 0.5
    )
    assert mean["grain"]["band 0: power 1 px"] > mean["slope"]["band 0: power 1 px"] + 0.3
    assert mean["ring"]["band 0: peak off middle"] < 0.2 < mean["ring"]["band 1: peak off middle"]


def test_a_flat_crop_has_features_too() -> None:
    found = features(np.zeros((3, 2, 32, 32), np.float32))
    assert np.isfinite(found).all() and found.shape == (3, len(feature_names(2)))
    assert not standardised(found).any()


def test_crops_that_look_alike_fall_into_one_class_the_largest_first(crops) -> None:
    values, kinds = crops
    found = clustered(features(values), 4, seed=1)
    assert found.sizes.tolist() == [80, 60, 40, 20]
    assert np.array_equal(found.labels, kinds)
    assert len(found) == 4


def test_members_come_nearest_first(crops) -> None:
    found = clustered(features(crops[0]), 5)
    points = standardised(features(crops[0]))
    for number in range(5):
        own = found.members(number)
        away = np.linalg.norm(points[own] - found.centres[number], axis=1)
        assert (np.diff(away) >= 0).all()
        assert away == pytest.approx(found.distances[own])
        middle = points[found.labels == number].mean(0)
        assert found.centres[number] == pytest.approx(middle, abs=1e-6)
    assert sorted(np.concatenate([found.members(n) for n in range(5)])) == list(range(200))


@given(st.integers(2, 9), st.integers(9, 60), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_every_parting_is_whole_and_the_same_under_its_seed(classes, count, width, seed) -> None:
    values = np.random.default_rng(seed).normal(size=(count, width))
    found, again = (clustered(values, classes, seed, starts=4) for _ in range(2))
    assert np.array_equal(found.labels, again.labels)
    assert found.sizes.min() > 0 and found.sizes.sum() == count
    assert (np.diff(found.sizes) <= 0).all()
    points = standardised(values)
    away = np.linalg.norm(points[:, None] - found.centres, axis=2)
    assert away[np.arange(count), found.labels] == pytest.approx(away.min(1), abs=1e-6)


def test_a_networks_features_serve_as_well(crops) -> None:
    _, kinds = crops
    rng = np.random.default_rng(2)
    learnt = np.eye(4)[kinds] @ rng.normal(size=(4, 300)) * 1e-3 + rng.normal(0, 1e-5, (200, 300))
    assert np.array_equal(clustered(learnt, 4).labels, kinds)


@pytest.mark.parametrize(
    ("values", "classes", "reason"),
    [
        (np.zeros((5, 2)), 9, "5 crops cannot fill 9 classes"),
        (np.tile([[1.0, 2.0], [3.0, 4.0]], (9, 1)), 3, "only 2 of 18 crops differ"),
        (np.zeros((5, 2)), 1, "1 classes part nothing"),
        (np.zeros(5), 2, "tell nothing of crops"),
        (np.zeros((5, 0)), 2, "tell nothing of crops"),
        (np.array([[1.0], [np.nan], [2.0]]), 2, "a feature of crop 1 is no number"),
    ],
)
def test_what_cannot_be_parted_costs_a_sentence(values, classes, reason) -> None:
    with pytest.raises(DataError, match=reason):
        clustered(values, classes)


def test_a_class_that_stays_empty_costs_a_sentence(monkeypatch) -> None:
    from scipy.cluster.vq import ClusterError

    def empties(*_: object, **__: object) -> None:
        raise ClusterError

    monkeypatch.setattr("napari_astroseg.sky.clusters.kmeans.kmeans2", empties)
    with pytest.raises(DataError, match="a class stays empty when 30 crops are parted into 4"):
        clustered(np.arange(30.0)[:, None], 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated tiles."""
    folder = tmp_path_factory.mktemp("tiles")
    list(iter_simulated("bubbles", folder, 3, 360, seed=3))
    return folder


@pytest.fixture(scope="module")
def choice(folder: Path) -> Choice:
    return find_non_bubbles(open_dataset(folder), 160, 5, seed=2)[0]


def test_crops_are_found_parted_and_the_same_again(folder: Path, choice: Choice) -> None:
    assert len(choice.classes) == 5
    assert sum(len(each.crops) for each in choice.classes) > 150
    assert choice.kept == (0, 1, 2, 3, 4)
    sizes = [len(each.crops) for each in choice.classes]
    assert sizes == sorted(sizes, reverse=True)
    data = open_dataset(folder)
    again, notes = find_non_bubbles(data, 160, 5, seed=2)
    assert again == choice and again.digest == choice.digest
    assert notes == ()
    other, _ = find_non_bubbles(data, 30, 5, seed=3)
    assert other.digest != choice.digest
    stamps, chances = choice.stamps(data)
    assert {stamp.item for stamp in stamps} <= set(data.of("training").tolist())
    assert chances.sum() == pytest.approx(1)


def test_a_network_may_tell_them_apart(folder: Path) -> None:
    seen = []

    def of(crops: np.ndarray) -> np.ndarray:
        seen.append(crops.shape)
        return crops.reshape(len(crops), -1)

    found, _ = find_non_bubbles(open_dataset(folder), 20, 3, described=Described("ssd", 12, of))
    assert found.features == "ssd"
    assert seen == [(20, 2, 12, 12)]


def test_a_strip_shows_the_nearest_and_black_where_there_are_none(folder, choice) -> None:
    data = open_dataset(folder)
    few = choice.model_copy(update={"classes": (CropClass(crops=choice.classes[0].crops[:2]),)})
    picture = strip(data, few, 0, 4, 24)
    assert picture.shape == (24, 102, 3) and picture.dtype == np.uint8
    assert picture[:, :24].any() and picture[:, 26:50].any() and not picture[:, 50:].any()
    assert np.array_equal(picture[..., 1], picture[..., 2])
    whole = strip(data, choice, 0, 4, 24)
    assert np.array_equal(whole[:, :50], picture[:, :50])


def test_a_choice_travels_as_json_beside_the_data(folder, choice, tmp_path) -> None:
    chosen = choice.changed(dropped=[1, 3], weights={0: 2.5})
    assert chosen.kept == (0, 2, 4) and choice.kept == (0, 1, 2, 3, 4)
    path = chosen.write(tmp_path)
    assert path == tmp_path / FILE
    assert Choice.read(tmp_path) == Choice.read(path) == chosen
    assert Choice.read(path).digest == chosen.digest != choice.digest
    before = open_dataset(folder).digest
    chosen.write(folder)
    try:
        data = open_dataset(folder)
        assert data.digest == before and data.findings == ()
    finally:
        (folder / FILE).unlink()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        chosen.write(tmp_path / "file" / "choice.json")


def test_classes_are_drawn_by_their_weights(folder, choice) -> None:
    data = open_dataset(folder)
    chosen = choice.changed(dropped=[1], weights={0: 3.0, 2: 1.0})
    stamps, chances = chosen.stamps(data)
    sizes = [len(chosen.classes[n].crops) for n in chosen.kept]
    ends = np.cumsum([0, *sizes])
    shares = [chances[a:b].sum() for a, b in pairwise(ends)]
    assert shares == pytest.approx(np.array([3, 1, 1, 1]) / 6)
    assert len(stamps) == len(chances) == sum(sizes)
    first = chosen.classes[0].crops[0]
    assert (data.items[stamps[0].item].name, stamps[0].window.x) == first[:2]


def test_choices_that_make_no_sense_are_refused(folder, choice, tmp_path) -> None:
    data = open_dataset(folder)
    with pytest.raises(DataError, match="every class of non-bubbles is dropped"):
        choice.changed(dropped=range(5)).stamps(data)
    with pytest.raises(DataError, match="there is no class 6; name one from 1 to 5"):
        choice.changed(dropped=[5])
    for weight in (0, -1, 1e9, float("nan")):
        with pytest.raises(DataError, match="is no weight"):
            choice.changed(weights={0: weight})
    write_tile(tmp_path, 0.0)
    (tmp_path / "bubbles.dat").write_text(bubble_row(1, 0.1, 0.1, 1.0))
    with pytest.raises(DataError, match="held other files"):
        choice.stamps(open_dataset(tmp_path))
    with pytest.raises(DataError, match="cannot be read"):
        Choice.read(tmp_path)
    path = choice.write(tmp_path)
    told = json.loads(path.read_text())
    broken = [
        "{",
        json.dumps({**told, "data": "x"}),
        json.dumps({**told, "classes": []}),
        json.dumps({**told, "classes": [told["classes"][0]] * 2}),
        json.dumps({**told, "more": 1}),
    ]
    for text in broken:
        path.write_text(text)
        with pytest.raises(DataError, match="is no choice of non-bubbles"):
            Choice.read(tmp_path)


@pytest.mark.parametrize("place", [(0, 0, 10**9), (-1, 0, 30), (0, 10**12, 30)])
def test_crops_of_a_stranger_lie_inside_their_tiles(folder, choice, place) -> None:
    data = open_dataset(folder)
    name = choice.classes[0].crops[0][0]
    wild = choice.classes[0].model_copy(update={"crops": ((name, *place),)})
    with pytest.raises(DataError, match=r"does not lie inside .* draw and choose them anew"):
        choice.model_copy(update={"classes": (wild, *choice.classes[1:])}).stamps(data)


def test_crops_of_a_stranger_are_of_tiles_that_are_trained_on(folder, choice) -> None:
    data = open_dataset(folder)
    name = data.items[data.of("validation")[0]].name
    wild = choice.classes[0].model_copy(update={"crops": ((name, 0, 0, 30),)})
    with pytest.raises(DataError, match=re.escape(f"inside {name} as a tile that is")):
        choice.model_copy(update={"classes": (wild, *choice.classes[1:])}).require(data)


def test_it_is_told_as_events_that_go_through_a_pipe(folder: Path) -> None:
    *before, last = part_non_bubbles(folder, 40, 3, shown=2, picture_px=16)
    assert any(isinstance(event, Preparing) for event in before)
    assert isinstance(last, Finished)
    result = pickle.loads(pickle.dumps(last.result))
    found = Choice.model_validate_json(result["choice"])
    assert [each.shape for each in result["strips"]] == [(16, 34, 3)] * 3
    assert result["notes"] == []
    with pytest.raises(DataError, match="draw and choose non-bubbles first"):
        list(kept_non_bubbles(folder))
    found.changed(dropped=[2]).write(folder)
    try:
        *_, again = kept_non_bubbles(folder, 2, 16)
        assert Choice.model_validate_json(again.result["choice"]).kept == (0, 1)
        assert np.array_equal(again.result["strips"], result["strips"])
    finally:
        (folder / FILE).unlink()


def test_it_can_be_stopped_at_the_crops(folder: Path) -> None:
    def progress(what: str, done: int, total: int | None) -> None:
        if what == "looking at crops":
            raise Stopped

    with pytest.raises(Stopped):
        find_non_bubbles(open_dataset(folder), 40, 3, progress=progress)


def test_classes_know_their_number() -> None:
    found = Classes(np.array([0, 1, 0]), np.zeros((2, 1)), np.array([2.0, 0.0, 1.0]))
    assert len(found) == 2 and found.sizes.tolist() == [2, 1]
    assert found.members(0).tolist() == [2, 0]
