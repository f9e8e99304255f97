"""The window: its docks, its images, its manners; and no torch in it, ever."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import job_threads, own_settings, sky, spin
from qtpy.QtWidgets import QFileDialog

from napari_astroseg.gui import layers
from napari_astroseg.gui.later import Place, dock_of
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.workspace import open_window


@pytest.fixture
def opened(make_napari_viewer: Any, own_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`open_window`, with a viewer that the test plug-in cleans up."""
    import napari

    monkeypatch.setattr(
        napari, "Viewer", lambda title, show: make_napari_viewer(title=title, show=show)
    )
    return open_window


def write(path: Path) -> Path:
    from astropy.io import fits

    fits.writeto(path, sky(64).cutout(layers_window(64)))
    return path


def layers_window(size: int) -> Any:
    from napari_astroseg.sky.window import Window

    return Window.whole((size, size))


def test_it_opens_with_its_docks_and_images(opened: Any, tmp_path: Path) -> None:
    viewer = opened([write(tmp_path / "a.fits"), write(tmp_path / "b.fits")])
    assert viewer.window.dock_widgets["Open"].busy
    assert spin(lambda: not viewer.window.dock_widgets["Open"].busy)
    assert list(viewer.window.dock_widgets) == [
        "Open",
        "Draw",
        "Votes",
        "Data",
        "Train",
        "Predict",
        "Compare",
        "Vet",
        "Results",
    ]
    assert len(viewer.layers) == 2
    assert viewer.title == "AstroSeg"
    assert all(layers.sky_image(layer) is not None for layer in viewer.layers)


def test_docks_are_made_behind_or_when_looked_at(opened: Any) -> None:
    made: list[bool] = []
    viewer = opened(then=lambda: made.append(True))
    places = {name: each for name, each in viewer.window.dock_widgets.items() if name != "Open"}
    assert not any(place.made for place in places.values()), "the first picture waits for none"
    places["Results"].parent().raise_()
    assert spin(lambda: places["Results"].made)
    assert spin(lambda: bool(made))
    for name, place in places.items():
        assert isinstance(place, Place) and place.made, name
        assert place.dock.window() is viewer.window._qt_window


def test_a_bad_file_costs_a_sentence(opened: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.fits"
    bad.write_bytes(b"no FITS at all")
    viewer = opened([bad, write(tmp_path / "a.fits"), tmp_path / "absent.fits"])
    assert spin(lambda: not viewer.window.dock_widgets["Open"].busy)
    assert len(viewer.layers) == 1
    sentences = viewer.window.dock_widgets["Open"].notice.text.splitlines()
    assert len(sentences) == 2
    assert "bad.fits" in sentences[0]
    assert "absent.fits" in sentences[1]


SCRIPT = """
import sys
from pathlib import Path
from gui.fixtures_jobs import sky, spin
from napari_astroseg.gui.later import dock_of
from napari_astroseg.gui.workspace import clear_away, open_window
from napari_astroseg.gui.training.simulating import TARGET
from napari_astroseg.engine.service import Call

tmp = Path(sys.argv[1])
viewer = open_window()
window = viewer.window._qt_window
train, predict = (dock_of(viewer.window.dock_widgets[name]) for name in ("Train", "Predict"))
train.simulate(Call(TARGET, ("filaments", tmp / "skies", 2, 192, 0)))
assert spin(lambda: not train.busy, 240)
tiny = {"family__channels": (4, 8), "family__bottleneck": 8, "schedule__epochs": 1}
train.form.setValue(train.form.value().replace(**tiny))
train.out.set_path(tmp / "run")
train.go.click()
assert spin(lambda: not train.busy, 300)
assert train.curves.epochs, train.progress.words.text()
from napari_astroseg.gui import layers
from napari_astroseg.sky.opening import open_image
layers.add_image(viewer, open_image(tmp / "skies" / "000_image.fits"))
assert spin(lambda: predict.models.card() is not None)
predict.models.choose(tmp / "run")
predict.predict_whole()
assert spin(lambda: not predict.predictions.busy, 120)
assert predict.predictions.current is not None, predict.progress.words.text()
assert spin(lambda: predict.predictions.current.settled)
unwanted = {"torch", "torchvision", "lightning_fabric", "triton"} & set(sys.modules)
viewer.close()
del viewer, window, train, predict
clear_away()
print("unwanted:", sorted(unwanted))
"""


@pytest.mark.once
def test_a_project_is_saved_and_opened_by_the_menu(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = opened([write(tmp_path / "a.fits")])
    window = viewer.window._qt_window
    menu = window.findChild(ProjectMenu)
    assert spin(lambda: len(viewer.layers) == 1)
    path = tmp_path / "work.astroseg.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "work"), ""))
    menu.save_action.trigger()
    assert spin(path.is_file)
    assert spin(lambda: "Saved as" in menu.bar.text)
    assert viewer.title == "work – AstroSeg"
    assert menu.menu in [action.menu() for action in window.menuBar().actions()]
    begun: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda words, **_: begun.append(words))
    viewer.window.dock_widgets["Open"].open_files([path])
    assert begun[0][-2:] == ["window", str(path)], "what is open is not thrown away"
    viewer.layers.clear()
    viewer.window.dock_widgets["Open"].open_files([write(tmp_path / "b.fits")])
    viewer.window.dock_widgets["Open"].open_files([path])
    assert begun[1][-2:] == ["window", str(path)], "nor is what is still being read"
    assert spin(lambda: len(viewer.layers) == 1)
    viewer.layers.clear()
    menu.session.path = None
    menu.recent.aboutToShow.emit()
    menu.recent.actions()[0].trigger()
    assert spin(lambda: not menu.session.busy)
    assert [layer.name for layer in viewer.layers] == ["a"]
    assert menu.session.path == path, (menu.bar.text, menu.dialog)


@pytest.mark.once
def test_the_demo_predicts_by_itself(opened: Any, tmp_path: Path) -> None:
    viewer = opened([write(tmp_path / "a.fits")], predict_with="none of this name")
    dock = dock_of(viewer.window.dock_widgets["Predict"])
    assert spin(lambda: not viewer.window.dock_widgets["Open"].busy)
    assert spin(lambda: dock.predictions.busy or dock.models.card() is None)
    dock.cancel()
    assert spin(lambda: not dock.predictions.busy)


@pytest.mark.once
@pytest.mark.skipif(find_spec("lightning_fabric") is None, reason="this place cannot train")
def test_a_real_training_and_prediction_bring_no_torch_into_the_window(tmp_path: Path) -> None:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "HOME": str(tmp_path),
    }
    (tmp_path / "astropy").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "unwanted: []"


@pytest.mark.once
def test_what_the_first_image_would_wait_for_is_done_before() -> None:
    told = (
        "import gc, pint; from napari_astroseg.gui.workspace import settle_in; settle_in().join();"
        "print(type(pint.application_registry.get()).__name__, gc.get_freeze_count())"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    registry, frozen = done.stdout.split()
    assert registry != "LazyRegistry"
    assert int(frozen) > 100_000
