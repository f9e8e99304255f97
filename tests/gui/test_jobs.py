"""Jobs: events in order, one ending, no orphans."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import alive, job_threads, sky, spin
from qtpy.QtCore import QCoreApplication, QEvent, QObject

from napari_astroseg.engine.events import Started, StepDone, TileDone, Warned
from napari_astroseg.engine.service import Call
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui
WINDOW = Window(0, 0, 64, 64)


class Ear:
    """Hears a job."""

    def __init__(self, job: Job) -> None:
        self.events: list[Any] = []
        self.ends: list[tuple[str, Any]] = []
        self.threads: set[threading.Thread] = set()
        job.event.connect(self._hear)
        job.finished.connect(lambda result: self.ends.append(("finished", result)))
        job.failed.connect(lambda error: self.ends.append(("failed", error)))
        job.stopped.connect(lambda: self.ends.append(("stopped", None)))

    def _hear(self, event: Any) -> None:
        self.threads.add(threading.current_thread())
        self.events.append(event)


@pytest.fixture
def owner(qapp: Any) -> Any:
    owner = QObject()
    owner.engines = Engines(owner)
    yield owner
    pids = owner.engines.pids
    owner.engines.close()
    assert not any(alive(pid) for pid in pids)
    assert not job_threads()


def fake(name: str, *args: Any, **kwargs: Any) -> Call:
    return Call(f"gui.fake_work:{name}", args, kwargs)


def test_events_come_in_order_in_the_windows_thread(owner: Any) -> None:
    ear = Ear(owner.engines.start(fake("predict", "m", sky(64), WINDOW)))
    assert spin(lambda: ear.ends)
    kinds = [type(event) for event in ear.events]
    assert kinds == [Started, Warned, TileDone, TileDone, TileDone, TileDone]
    assert ear.ends == [("finished", {"window": WINDOW, "threshold": 0.5})]
    assert ear.threads == {threading.main_thread()}


def test_cancel_stops_it_and_the_engine_stays_warm(owner: Any) -> None:
    job = owner.engines.start(fake("slow", "m", sky(64), WINDOW))
    ear = Ear(job)
    assert spin(lambda: len(ear.events) > 3)
    pids, heard = owner.engines.pids, len(ear.events)
    job.cancel()
    job.cancel()
    assert spin(lambda: ear.ends)
    assert ear.ends == [("stopped", None)]
    assert len(ear.events) == heard
    again = Ear(owner.engines.start(fake("predict", "m", sky(64), WINDOW)))
    assert spin(lambda: again.ends)
    assert again.ends[0][0] == "finished"
    assert owner.engines.pids == pids


def test_a_cancelled_call_does_not_stop_the_next_one(owner: Any) -> None:
    for _ in range(10):
        first = owner.engines.start(fake("predict", "m", sky(64), WINDOW))
        first.cancel()
        ear = Ear(owner.engines.start(fake("predict", "m", sky(64), WINDOW)))
        assert spin(lambda ear=ear: ear.ends)
        assert ear.ends[0][0] == "finished"
        assert len(ear.events) == 6


def test_a_flood_of_steps_is_thinned_and_ends_with_the_last(owner: Any) -> None:
    ear = Ear(owner.engines.start(fake("flood", 20_000)))
    beats = []
    assert spin(lambda: beats.append(0) or ear.ends)
    steps = [event.step for event in ear.events if isinstance(event, StepDone)]
    assert steps[-1] == 20_000
    assert steps == sorted(steps)
    assert len(steps) < 20_000
    assert len(beats) > 5
    assert ear.ends == [("finished", {"steps": 20_000})]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (fake("misfit", "m", sky(64), WINDOW), "MisfitError", "choose another"),
        (fake("bug"), "ZeroDivisionError", "one over nothing"),
        (fake("nothing_of_the_sort"), "AttributeError", "nothing_of_the_sort"),
        (fake("predict", lambda: 0), "", "pickle"),
    ],
)
def test_a_failure_is_one_sentence(owner: Any, call: Call, kind: str, words: str) -> None:
    ear = Ear(owner.engines.start(call))
    assert spin(lambda: ear.ends)
    ((end, error),) = ear.ends
    assert end == "failed"
    assert error.kind == kind or not kind
    assert words in str(error)
    assert "\n" not in str(error)


def test_an_image_that_is_gone_is_a_sentence_and_not_a_silence(owner: Any, tmp_path: Path) -> None:
    from astropy.io import fits

    from napari_astroseg.sky.opening import open_image

    file = tmp_path / "sky.fits"
    fits.writeto(file, sky(64).cutout(WINDOW))
    image = open_image(file)
    file.unlink()
    ear = Ear(owner.engines.start(fake("predict", "m", image, WINDOW)))
    assert spin(lambda: ear.ends)
    assert ear.ends[0][0] == "failed"
    again = Ear(owner.engines.start(fake("flood", 3)))
    assert spin(lambda: again.ends)
    assert again.ends[0][0] == "finished"


def test_a_killed_engine_is_a_sentence_and_the_next_call_works(
    owner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTROSEG_FAKE_MARK", str(tmp_path / "mark"))
    ear = Ear(owner.engines.start(fake("dies_once", "m", sky(64), WINDOW)))
    assert spin(lambda: ear.ends)
    assert "try again" in str(ear.ends[0][1])
    again = Ear(owner.engines.start(fake("dies_once", "m", sky(64), WINDOW)))
    assert spin(lambda: again.ends)
    assert again.ends[0][0] == "finished"


@pytest.mark.parametrize("how", ["close", "destroy", "forget"])
def test_nothing_outlives_the_owner_even_if_it_does_not_listen(qapp: Any, how: str) -> None:
    owner = QObject()
    owner.engines = Engines(owner)
    ears = [Ear(owner.engines.start(fake("stubborn"), own_process=own)) for own in (False, True)]
    assert spin(lambda: all(ear.events for ear in ears))
    pids = owner.engines.pids
    assert len(pids) == 2
    if how == "close":
        owner.engines.close()
    elif how == "destroy":
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    else:
        del owner
        gc.collect()
    assert spin(lambda: not any(alive(pid) for pid in pids) and not job_threads())


def test_a_process_of_its_own_ends_with_its_job(owner: Any) -> None:
    ear = Ear(owner.engines.start(fake("predict", "m", sky(64), WINDOW), own_process=True))
    assert spin(lambda: ear.ends)
    assert spin(lambda: not owner.engines.pids)


def test_the_interpreter_ends_and_takes_its_engine_along(tmp_path: Path) -> None:
    """A script that forgets everything: atexit is the last resort."""
    script = """
import sys, time
from qtpy.QtCore import QCoreApplication, QObject
from napari_astroseg.gui.jobs import Engines
from napari_astroseg.engine.service import Call
app = QCoreApplication([])
owner = QObject()
engines = Engines(owner)
heard = []
job = engines.start(Call("gui.fake_work:stubborn"))
job.event.connect(heard.append)
while not heard:
    app.processEvents()
    time.sleep(0.01)
print(*engines.pids)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**__import__("os").environ, "PYTHONPATH": ":".join(sys.path)},
    )
    (pid,) = map(int, done.stdout.split())
    assert spin(lambda: not alive(pid))
    assert done.stderr == ""
