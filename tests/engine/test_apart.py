"""Trainings apart: what they say lies in a file; they stop when told, or when left."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_astroseg.engine import eventlog
from napari_astroseg.engine.apart import STOP_FILE, Apart, ask_to_stop, last_words
from napari_astroseg.engine.eventlog import EventLog, LogReader, read_examples
from napari_astroseg.engine.events import (
    EpochDone,
    ExamplesDone,
    Finished,
    MemoryUsed,
    Started,
    StepDone,
    TileDone,
    TrialDone,
)
from napari_astroseg.engine.history import HISTORY_FILE, History, read_history
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.run import Run, Sweep
from napari_astroseg.engine.runlock import RunLock, is_held
from napari_astroseg.engine.service import Ended, Failure
from napari_astroseg.errors import OutputError, TrainingError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.window import Window

TRAIN = "gui.fake_training:train"


def order_of(folder, epochs=500):
    recipe = Recipe.preset("filaments_small").replace(schedule__epochs=epochs)
    return Order(recipe, Run(folder, folder / "run", "cpu", name="fake"))


def until(what, seconds=20.0):
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


class Follower:
    """All that a log has said so far."""

    def __init__(self, out):
        self._reader, self.said = LogReader(out), []

    def of(self, kind):
        while new := self._reader.read():
            self.said += new
        return [each for each in self.said if isinstance(each, kind)]


def examples(epoch=3):
    stamps = np.zeros((2, 8, 8, 3), np.uint8)
    return ExamplesDone(epoch, ("arm",), stamps, stamps[:, None, ..., 0], stamps[:, None, ..., 1])


# --- the log


def test_what_is_said_comes_back(tmp_path):
    log = EventLog(tmp_path)
    said = [
        Started("a training", 3, "epochs"),
        StepDone(1, 9, 1, 0.5, 100.0),
        MemoryUsed(10, 20, 30),
        EpochDone(1, 3, 0.5, {"dice": 0.25}, 1e-3, True, 1.0),
        TrialDone(0, {"data.threshold": 3}, 0.5, "complete", True),
        Finished({"model": "m"}, 2.0),
        Ended(False),
        Failure("DataError", "no", "trace", True),
    ]
    for each in said:
        log.write(each)
    log.write(TileDone(Window(0, 0, 1, 1), np.zeros((1, 1, 1), np.float32), 1, 1))  # not for a log
    log.write(examples())
    log.close()
    *told, shown = LogReader(tmp_path).read()
    assert told == said
    assert shown.classes == ("arm",)
    assert shown.image.shape == (2, 8, 8, 3)


def test_steps_are_written_ever_more_rarely(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(eventlog.time, "monotonic", lambda: now[0])
    log = EventLog(tmp_path)
    for step in range(200_000):
        now[0] += 0.05
        log.write(StepDone(step + 1, 200_000, 1, 0.1, 1.0))
    log.close()
    steps = Follower(tmp_path).of(StepDone)
    assert 2000 < len(steps) < 6000  # of nearly three hours at 20 steps a second
    assert (tmp_path / "events.jsonl").stat().st_size < 2**20


def test_what_is_no_log_is_left_out(tmp_path):
    log = tmp_path / "events.jsonl"
    lines = ["{", "[]", "1", '{"said": "Event"}', '{"said": "StepDone", "os": 1}', '{"said": []}']
    lines.append('{"said": "MemoryUsed", "main": "<b>much</b>"}')
    good = json.dumps({"said": "Ended", "stopped": True})
    log.write_text("\n".join(lines) + f"\n{good}\n" + good[:9], encoding="utf-8")
    reader = LogReader(tmp_path)
    assert reader.read() == [Ended(True)]
    with log.open("a") as file:
        file.write(good[9:] + "\n")
    assert reader.read() == [Ended(True)]
    assert LogReader(tmp_path / "nowhere").read() == []


def test_a_history_is_read_as_far_as_it_is_one(tmp_path):
    history = History(tmp_path)
    for epoch in (1, 2):
        history.add(EpochDone(epoch, 3, float("nan"), {"dice": 0.25}, 1e-3, True, 1.0))
    assert [each.epoch for each in read_history(tmp_path)] == [1, 2]
    kept = (tmp_path / HISTORY_FILE).read_text()
    wrong = kept.splitlines()[0].replace("0.25", '"high"')
    (tmp_path / HISTORY_FILE).write_text(f"{kept}{wrong}\n{kept}")
    assert [each.epoch for each in read_history(tmp_path)] == [1, 2]


def test_examples_of_strangers_are_looked_at_closely(tmp_path):
    file = tmp_path / "examples.npz"
    good = {name: getattr(examples(), name) for name in ("image", "truth", "answer")}
    good |= {"epoch": np.array(3), "classes": np.array(["arm"])}
    np.savez(file, **good)
    assert [each.epoch for each in read_examples(tmp_path)] == [3]
    assert not list(read_examples(tmp_path, 4))
    huge = np.zeros(20 * 2**20, np.uint8)
    for wrong in (
        {"image": good["image"][..., 0]},
        {"truth": good["truth"].astype(float)},
        {"classes": np.array(["a", "b"])},
        {"classes": np.array([{}], object)},
        {"image": np.array(7, np.uint8)},
        {name: np.repeat(good[name], 50, 0) for name in ("image", "truth", "answer")},
        {"huge": huge},
    ):
        np.savez_compressed(file, **(good | wrong))
        assert not list(read_examples(tmp_path))
    file.write_bytes(b"PK")
    assert not list(read_examples(tmp_path))


# --- orders and locks


def test_an_order_comes_back_from_its_line(tmp_path):
    recipe = Recipe.preset("spiral_arms_small")
    search = Sweep(tmp_path, tmp_path / "s", ("data.threshold=[1, 2]",), grid=True)
    for how in (Run(tmp_path, tmp_path / "run", resume=True), search):
        order = Order(recipe, how)
        order.write()
        assert Order.read(order.out) == order
    assert order.searches
    order.out.rename(tmp_path / "moved")  # it is gone on with where it lies now
    assert Order.read(tmp_path / "moved").out == tmp_path / "moved"
    for wrong in ("", "[]", '{"recipe": "x"}', '{"how": {"data": "a", "out": 3}, "recipe": ""}'):
        with pytest.raises(TrainingError, match="no order"):
            Order.from_json(wrong)
    with pytest.raises(TrainingError, match="no order"):
        Order.read(tmp_path / "nowhere")


def test_a_folder_is_held_by_one(tmp_path):
    assert not is_held(tmp_path)
    with RunLock(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another folder"):
        RunLock(tmp_path / "file")


# --- children


def test_a_training_apart_tells_all_and_ends(tmp_path):
    child = Apart(order_of(tmp_path, 2), TRAIN)
    follower = Follower(child.out)
    assert until(lambda: follower.of(Ended)) == [Ended(False)]
    assert [event.epoch for event in follower.of(EpochDone)] == [1, 2]
    assert follower.of(Finished)
    assert until(lambda: not child.alive)
    assert child.status == 0
    child.close()


def test_it_stops_when_told_by_anyone(tmp_path):
    child = Apart(order_of(tmp_path), TRAIN)
    follower = Follower(child.out)
    assert until(lambda: follower.of(EpochDone))
    assert is_held(child.out)
    with pytest.raises(TrainingError, match="another process trains"):
        Apart(order_of(tmp_path), TRAIN)
    ask_to_stop(child.out)
    assert until(lambda: follower.of(Ended)) == [Ended(True)]
    assert until(lambda: not child.alive)
    assert not is_held(child.out)
    again = Apart(order_of(tmp_path, 1), TRAIN)  # the file `stop` is not taken for this one's
    assert until(lambda: Follower(child.out).of(Ended)) == [Ended(False)]
    for each in (child, again):
        each.close()


def test_a_failure_is_told(tmp_path):
    child = Apart(order_of(tmp_path), "gui.fake_training:nothing_to_learn")
    (failure,) = until(lambda: Follower(child.out).of(Failure))
    assert failure.expected
    assert failure.message == "nothing can be learnt from this; add maps"
    assert until(lambda: child.status) == 1
    child.close()


OWNER = """
import sys, time
from pathlib import Path
from napari_astroseg.engine.apart import Apart
from engine.test_apart import TRAIN, order_of
child = Apart(order_of(Path(sys.argv[1])), TRAIN)
if sys.argv[2] == "keep":
    child.keep()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_child_that_cannot_begin_leaves_its_last_words(tmp_path):
    order = order_of(tmp_path)
    child = Apart(order, TRAIN)
    assert until(lambda: Follower(child.out).of(EpochDone))
    words = [sys.executable, "-m", "napari_astroseg.engine.apartworker"]
    told = json.dumps([TRAIN, order.to_json()]).encode() + b"\n"
    with (child.out / "stderr.txt").open("wb") as file:
        second = subprocess.run(words, input=told, stderr=file, check=False)
    assert second.returncode == 1
    assert "another process trains" in last_words(child.out)
    assert last_words(tmp_path) == ""
    child.close()
    assert child.status == 0


@pytest.mark.parametrize("keep", [True, False])
def test_a_window_that_is_killed_takes_it_along_unless_it_is_kept(tmp_path, keep):
    words = [sys.executable, "-c", OWNER, str(tmp_path), "keep" if keep else "drop"]
    paths = os.pathsep.join(path for path in sys.path if path)
    owner = subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths})
    run = tmp_path / "run"
    follower = Follower(run)
    assert until(lambda: follower.of(EpochDone))
    owner.kill()
    owner.communicate()
    if keep:
        seen = len(follower.of(EpochDone))
        assert until(lambda: len(follower.of(EpochDone)) > seen + 5)
        assert is_held(run)
        ask_to_stop(run)
    assert until(lambda: follower.of(Ended)) == [Ended(True)]
    assert until(lambda: not is_held(run))
    assert (run / STOP_FILE).exists() == keep
