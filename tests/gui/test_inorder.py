"""InOrder: all that was asked is done, in that order, off the window's thread."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from gui.fixtures_jobs import spin

from napari_astroseg.errors import OutputError
from napari_astroseg.gui import inorder
from napari_astroseg.gui.inorder import InOrder


@pytest.fixture
def work(qtbot: Any) -> InOrder:
    return InOrder()


def test_all_is_done_in_order_and_elsewhere(work: InOrder) -> None:
    done: list[int] = []
    told: list[int] = []
    threads = set()

    def job(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        threads.add(threading.current_thread() is threading.main_thread())
        done.append(number)
        return number

    for number in range(30):
        work.ask(lambda number=number: job(number), told.append)
    assert work.busy
    assert spin(lambda: not work.busy)
    assert done == told == list(range(30))
    assert threads == {False}
    work.ask(lambda: job(30))  # a thread of its own once more
    assert spin(lambda: not work.busy)
    assert done[-1] == 30


def test_one_that_fails_is_told_and_the_next_is_done(work: InOrder) -> None:
    said: list[str] = []
    told: list[str] = []
    work.refused.connect(said.append)

    def fail(error: Exception) -> None:
        raise error

    work.ask(lambda: fail(OutputError("the disk is full; free some space")), told.append)
    work.ask(lambda: fail(ValueError("unforeseen")), told.append)
    work.ask(lambda: "done", told.append)
    assert spin(lambda: not work.busy)
    assert said == ["the disk is full; free some space", "ValueError: unforeseen"]
    assert told == ["done"]


def test_waiting_ends_with_the_last_one_or_in_time(work: InOrder) -> None:
    go = threading.Event()
    assert work.wait(0.1)
    work.ask(lambda: go.wait(10))
    assert not work.wait(0.05)
    go.set()
    assert work.wait(5.0)


def test_a_thread_stays_for_the_next_and_goes_when_it_is_waited_for(
    work: InOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inorder, "_LINGER_S", 60.0)
    seen: list[threading.Thread] = []
    for _ in range(2):
        work.ask(lambda: seen.append(threading.current_thread()))
        assert spin(lambda: not work.busy)
    assert seen[0] is seen[1]
    assert work.wait(15.0)
    seen[0].join(15.0)
    assert not seen[0].is_alive()
