"""The engine process: events come through, errors keep their words, its ends are clean."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from gui import fake_work
from skies import galactic_wcs

from napari_astroseg.engine.events import Finished, Started, TileDone, Warned
from napari_astroseg.engine.service import Call, Engine, child_environment, receive, send
from napari_astroseg.errors import JobFailed
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

HERE = Window(0, 0, 40, 40)


@pytest.fixture(scope="module")
def image():
    import numpy as np

    values = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    return SkyImage.from_array(values, galactic_wcs())


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.close()
    assert not engine.alive and engine.pid is None


def fake(name, *args, **kwargs):
    return Call(f"{fake_work.__name__}:{name}", args, kwargs)


def test_events_come_through_whole_and_in_order(engine, image):
    events = list(engine.run(fake("predict", "model", image, HERE)))
    assert [type(e) for e in events] == [Started, Warned, *[TileDone] * 4, Finished]
    assert (events[2].probability[0] == image.cutout(events[2].window)).all()


def test_the_engine_stays_warm_between_calls(engine, image):
    list(engine.run(fake("predict", "model", image, HERE)))
    first = engine.pid
    list(engine.run(fake("predict", "model", image, HERE)))
    assert engine.pid == first


def test_what_the_first_call_needs_is_imported_ahead(tmp_path, monkeypatch, image):
    mark = tmp_path / "imported"
    module = f"open({str(mark)!r}, 'w').close()\nimport no_such_module\n"
    (tmp_path / "needed.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    with closing(Engine(ahead="needed")) as engine:
        engine.start()
        deadline = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert mark.exists()
        assert list(engine.run(fake("predict", "model", image, HERE)))  # though that failed


def test_an_expected_error_keeps_its_sentence(engine, image):
    with pytest.raises(JobFailed, match="this image does not suit the model") as failed:
        list(engine.run(fake("misfit", "model", image, HERE)))
    assert failed.value.kind == "MisfitError"
    assert "Traceback" in failed.value.details
    assert list(engine.run(fake("predict", "model", image, HERE)))


def test_what_does_not_exist_is_a_failure_too(engine, image):
    with pytest.raises(JobFailed, match="AttributeError"):
        list(engine.run(fake("nothing", image)))
    with pytest.raises(JobFailed, match="ModuleNotFoundError"):
        list(engine.run(Call("no_such_module:nothing")))


def test_closing_the_events_stops_the_work_and_frees_the_engine(engine, image, tmp_path):
    events = engine.run(fake("slow_and_counted", tmp_path, image, HERE))
    for event in events:
        if isinstance(event, TileDone):
            break
    events.close()
    assert list(engine.run(fake("predict", "model", image, HERE)))
    assert 1 <= int((tmp_path / "tiles").read_text()) < 40  # of which there are so many


def test_stopping_from_another_thread_ends_the_events(engine, image):
    threading.Timer(1.0, engine.stop).start()
    events = list(engine.run(fake("slow", "model", image, HERE)))
    assert not any(isinstance(e, Finished) for e in events)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9")
def test_a_killed_child_is_told_and_replaced(engine, image):
    events = engine.run(fake("slow", "model", image, HERE))
    next(events)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(JobFailed, match="ended unexpectedly"):
        list(events)
    assert list(engine.run(fake("predict", "model", image, HERE)))


def test_the_child_takes_no_module_from_the_current_folder(image, engine, tmp_path, monkeypatch):
    (tmp_path / "platformdirs.py").write_text("open('ran', 'w')\n")
    (tmp_path / "numpy.py").write_text("open('ran', 'w')\n")
    monkeypatch.chdir(tmp_path)
    assert list(engine.run(fake("predict", "model", image, HERE)))
    assert not (tmp_path / "ran").exists()


def test_the_child_ends_with_its_parent():
    script = (
        "from napari_astroseg.engine.service import Engine\n"
        "import os\n"
        "engine = Engine(); engine.start(); print(engine.pid, flush=True); os._exit(1)"
    )
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=here, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 60
    while _exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _exists(pid)


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_frame_cut_short_is_the_end():
    pipe = io.BytesIO()
    send(pipe, {"a": 1})
    whole = pipe.getvalue()
    assert receive(io.BytesIO(whole)) == {"a": 1}
    for length in (0, 4, len(whole) - 1):
        with pytest.raises(EOFError):
            receive(io.BytesIO(whole[:length]))


def test_threads_are_told_to_the_child_before_it_loads_anything(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    told = child_environment(3)
    assert told["OPENBLAS_NUM_THREADS"] == "3" and told["OMP_NUM_THREADS"] == "7"
