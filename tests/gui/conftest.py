"""A real napari window for each test, its plug-in registered, and nothing left behind."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

# Before napari is imported: it looks up its folders once.
_HOME = tempfile.TemporaryDirectory(prefix="astroseg-tests-")
for _name, _folder in {
    "HOME": "",
    "XDG_CONFIG_HOME": ".config",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}.items():
    _path = Path(_HOME.name) / _folder
    _path.mkdir(parents=True, exist_ok=True)
    os.environ[_name] = str(_path)
os.environ["NAPARI_ENSURE_PLUGIN_MAIN_THREAD"] = "1"

if TYPE_CHECKING:
    from napari import Viewer

MANIFEST = Path(__file__).resolve().parents[2] / "napari_astroseg" / "napari.yaml"

IGNORED = [
    # napari's settings still use pydantic's old spelling.
    "ignore:`json_encoders` is deprecated",
    # Qt 5 cannot tell whether the desktop is dark, and napari asks it at each start.
    "ignore:System theme detection requires a Qt6 backend:UserWarning",
]


def pytest_configure(config: pytest.Config) -> None:
    for line in IGNORED:
        config.addinivalue_line("filterwarnings", line)


_ONCE = (
    *("apart", "colours", "growing", "inorder", "jobs", "looks", "objects_shown", "opening"),
    *("patient", "sessions", "sessions_docks", "stacks", "uncertainty"),
)
"""What is drawn through napari or done beside the window, with hardly a word of Qt."""


_WHOLE = ("forms", "data_dock", "screen", "train_dock")
"""Modules that run on either binding from end to end."""

_EITHER = 2
"""Of every other module so many tests, the first, run on either binding."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    counted: Counter[str] = Counter()
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.gui)
        module = item.path.stem.removeprefix("test_")
        counted[module] += 1
        enough = module not in _WHOLE and counted[module] > _EITHER
        if module in _ONCE or enough:
            item.add_marker(pytest.mark.once)


def pytest_collection_finish() -> None:
    """Keep what the imports have made out of the garbage collector's sight.

    A viewer's end is waited for by collecting; a third of a million lasting objects need not be
    looked through each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a process running."""
    threads, processes = set(_threads()), set(_processes())
    yield
    deadline = time.monotonic() + 60.0
    left: set[Any] = set()
    while time.monotonic() < deadline:
        left = (set(_threads()) - threads) | (set(_processes()) - processes)
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"left running: {left}")


_LASTING = ("fsspecIO", "asyncio_")


def _threads() -> Iterator[threading.Thread]:
    for thread in threading.enumerate():
        # Qt's own threads show up as dummies, and never leave that list on Python 3.11.
        # fsspec's loop serves the whole session; the tests' server ends with its clients.
        lasting = thread.name.startswith(_LASTING) or "request_thread" in thread.name
        if thread.is_alive() and not lasting and not isinstance(thread, threading._DummyThread):
            yield thread


def _processes() -> Iterator[psutil.Process]:
    for process in psutil.Process().children(recursive=True):
        try:
            # One of these serves the whole session, and ends with it.
            if not any("resource_tracker" in word for word in process.cmdline()):
                yield process
        except psutil.NoSuchProcess:
            continue


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """No look that an earlier test gave an image."""
    (Path(os.environ["XDG_CONFIG_HOME"]) / "astroseg" / "looks.json").unlink(missing_ok=True)


_PATIENCE_MS = 60_000


@pytest.fixture(autouse=True, scope="session")
def patience() -> Iterator[None]:
    """What is waited for has a minute at least: slow machines need it, only failures take it."""
    from pytestqt.qtbot import QtBot

    def patient(wait: Callable[..., Any]) -> Callable[..., Any]:
        def waiting(*words: Any, timeout: int = 0, **further: Any) -> Any:
            return wait(*words, timeout=max(timeout, _PATIENCE_MS), **further)

        return waiting

    with pytest.MonkeyPatch.context() as patch:
        for name in ("waitUntil", "waitExposed", "waitSignal"):
            patch.setattr(QtBot, name, patient(getattr(QtBot, name)))
        yield


@pytest.fixture(autouse=True, scope="session")
def nothing_for_nobody() -> Iterator[None]:
    """What nobody sees is not done: napari's own settings stay unwritten, its welcome page as is.

    For every viewer it would write them a few times, and draw that page anew for each of its keys.
    """
    from napari._qt.widgets.qt_welcome import QtWelcomeWidget
    from napari.settings import get_settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(get_settings(), "_save_on_change", False)
        patch.setattr(QtWelcomeWidget, "refresh", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def manifest() -> Any:
    """The plug-in's own words about itself."""
    from npe2 import PluginManifest

    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def plugin(npe2pm: Any, manifest: Any) -> Any:
    """The plug-in as its manifest announces it, and no other from this machine."""
    npe2pm.register(manifest)
    return npe2pm


@pytest.fixture
def viewer(plugin: Any, make_napari_viewer: Callable[..., Any]) -> Viewer:
    """A window on the screen."""
    return make_napari_viewer(show=True)


@pytest.fixture
def sentences() -> Callable[[], list[str]]:
    """What napari has told the user since the test began."""
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)
    return lambda: [str(each.message) for each in notification_manager.records[before:]]
