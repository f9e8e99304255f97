"""Many machines: the same answer from several processes, whoever of them is lost meanwhile."""

import multiprocessing
import signal
import time
from argparse import Namespace
from functools import partial

import dask
import numpy as np
import pytest
from sharedwork import dying, lagging, own_processes, refusing, squaring, started, waxing

from napari_astroseg.cli.predict import asked_device
from napari_astroseg.engine import dealing
from napari_astroseg.engine.cluster import Cluster, shared_out
from napari_astroseg.engine.events import Started, TileDone
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import ImageError, JobFailed, SetupError

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def running():
    with started(2) as cluster:
        yield cluster


@pytest.fixture
def address(running):
    return running.scheduler_address


def test_each_piece_is_answered_once_by_what_each_worker_made_once(address, tmp_path):
    told = dict(shared_out(Cluster(address=address), partial(squaring, tmp_path), range(30)))
    assert told == {number: number**2 for number in range(30)}
    assert len(list(tmp_path.glob("made-*"))) == 2
    assert len(list(tmp_path.glob("seen-*"))) == 30


def test_no_more_pieces_are_out_than_keep_the_workers_busy(address, tmp_path):
    answers = shared_out(Cluster(address=address), partial(squaring, tmp_path), range(40))
    next(answers)
    time.sleep(0.2)
    assert len(list(tmp_path.glob("seen-*"))) <= 4 + 1
    answers.close()
    time.sleep(0.3)
    assert len(list(tmp_path.glob("seen-*"))) <= 4 + 1


def test_the_scheduler_forgets_what_is_answered(running, address, tmp_path):
    most = 0
    for _ in shared_out(Cluster(address=address), partial(squaring, tmp_path), range(60)):
        most = max(most, len(running.scheduler.tasks))
    assert 0 < most <= 4 + 2  # those out, and those whose end it has not heard of yet


def test_workers_may_come_and_go(tmp_path):
    with started(0) as cluster:
        where = Cluster(address=cluster.scheduler_address)
        cluster.scale(1)
        told = {}
        for number, square in shared_out(where, partial(squaring, tmp_path), range(40)):
            told[number] = square
            if len(told) == 10:
                cluster.scale(2)
            elif len(told) == 30:
                cluster.scale(1)
    assert told == {number: number**2 for number in range(40)}
    assert len(list(tmp_path.glob("made-*"))) == 2


def test_a_cluster_that_grows_by_need_sees_one(tmp_path):
    with started(0) as cluster:
        cluster.adapt(minimum=0, maximum=2, interval="20ms")
        where = Cluster(address=cluster.scheduler_address)
        assert len(list(shared_out(where, partial(squaring, tmp_path), range(9)))) == 9


def test_workers_of_this_machine_come_and_go_with_the_work(tmp_path):
    with dask.config.set({"distributed.adaptive.interval": "50ms"}):
        told = dict(shared_out(Cluster(2, least=0), partial(waxing, tmp_path, 7), range(8)))
    assert told == {**dict.fromkeys(range(7), 1), 7: 0}


@pytest.mark.parametrize(("words", "most", "least"), [("3", 3, None), ("0-2", 2, 0), ("2-2", 2, 2)])
def test_workers_are_a_number_or_a_range(words, most, least):
    asked = asked_device(Namespace(workers=words, cluster=None, device="cpu"))
    assert asked == Cluster(most, device="cpu", least=least)
    assert str(asked) == {"3": "3 workers", "0-2": "0 to 2 workers"}.get(words, "2 workers")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("many", "as 1-4, not 'many'"),
        ("-2", "not '-2'"),
        ("4-2", "4 to 2 is no .* least one first"),
    ],
)
def test_other_numbers_of_workers_are_refused(words, sentence):
    with pytest.raises(SetupError, match=sentence):
        asked_device(Namespace(workers=words, cluster=None, device="cpu"))


def test_losing_the_scheduler_ends_the_work_with_a_sentence(tmp_path, capfd):
    with own_processes() as (scheduler, address):
        answers = shared_out(Cluster(address=address), partial(squaring, tmp_path), range(4000))
        assert sorted(next(answers)[0] for _ in range(5)) == [0, 1, 2, 3, 4]
        scheduler.kill()
        with pytest.raises(JobFailed, match=r"scheduler is gone; .* --resume, which keeps what is"):
            list(answers)
    assert capfd.readouterr().err == ""


def test_a_straggler_is_worked_on_twice(address, tmp_path, monkeypatch):
    monkeypatch.setattr(dealing, "_LATE_S", 0.2)
    monkeypatch.setattr(dealing, "_LOOK_S", 0.1)
    told = list(shared_out(Cluster(address=address), partial(lagging, tmp_path), range(6)))
    assert sorted(told) == [(number, number) for number in range(6)]
    assert (tmp_path / "again").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9")
def test_a_piece_that_ends_every_worker_ends_the_work():
    few = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with few, pytest.raises(JobFailed, match=r"ended several workers .* --resume"):
        list(shared_out(Cluster(1), dying, [3]))


def test_what_goes_wrong_there_is_told_here(address):
    with pytest.raises(ImageError, match="the disk is away; mount it"):
        list(
            shared_out(
                Cluster(address=address), partial(refusing, "the disk is away; mount it"), [1]
            )
        )


@pytest.mark.parametrize("workers, address", [(0, ""), (2, "tcp://127.0.0.1:1"), (-1, "")])
def test_a_cluster_is_here_or_there(workers, address):
    with pytest.raises(SetupError, match="give 1 worker or more, or an address"):
        Cluster(workers, address)


def test_a_cluster_that_is_not_there_is_told_and_dask_computes_here_as_before():
    before = dask.config.get("scheduler", None)
    with pytest.raises(SetupError, match=r"cannot be used .* as by `tcp://HOST:PORT`"):
        list(shared_out(Cluster(address="nonsense://127.0.0.1:1"), squaring, [1]))
    assert dask.config.get("scheduler", None) == before


def test_a_worker_killed_at_work_changes_nothing(random_model, noise_image, tmp_path):
    expected = predicted(predict(random_model, noise_image, device="cpu"))
    before = set(multiprocessing.active_children())
    told = []
    for event in predict(random_model, noise_image, device=Cluster(2), store=tmp_path / "s"):
        told.append(event)
        if isinstance(event, TileDone) and event.done == 1:
            workers = set(multiprocessing.active_children()) - before
            workers.pop().kill()
            assert len(workers) == 1
    assert isinstance(told[0], Started) and told[0].device == "2 workers"
    assert sum(isinstance(event, TileDone) for event in told) == told[0].total
    assert np.array_equal(predicted(iter(told)), expected, equal_nan=True)
    assert set(multiprocessing.active_children()) == before
