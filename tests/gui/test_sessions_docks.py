"""Each dock gives what it is set to and takes it again, its own layers with it."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import job_threads, model, own_settings, sky, spin
from gui.fixtures_marks import kept
from gui.test_sessions import opened, saved, write
from napari.components import ViewerModel

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.choices import Choices
from napari_astroseg.gui.compare import CompareDock
from napari_astroseg.gui.comparing.brought import compared
from napari_astroseg.gui.data import DataDock
from napari_astroseg.gui.draw import DrawDock
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.cuts import Cut, Known
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.predicting.place import PlacePanel
from napari_astroseg.gui.results import ResultsDock
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.vet import VetDock
from napari_astroseg.gui.votes import VotesDock
from napari_astroseg.projects.projectfile import read_project
from napari_astroseg.sky.known import Rule
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.votes.votemap import VoteMap
from napari_astroseg.sky.votes.writing import write_votes
from napari_astroseg.sky.window import Window


@pytest.fixture
def window(own_settings: Path, qapp: Any) -> Any:
    """Viewers without a window, with the docks that are asked for, and a session."""
    made: list[Any] = []

    def make(**kinds: Any) -> tuple[Any, dict[str, Any], Session]:
        viewer = ViewerModel()
        docks = {name: kind(viewer) for name, kind in kinds.items()}
        session = Session(viewer, docks)
        session.sentences = []
        session.said.connect(session.sentences.append)
        made.extend([*docks.values(), session])
        return viewer, docks, session

    yield make
    for each in reversed(made):
        each.shut_down()
    assert spin(lambda: not job_threads())


def predicting(viewer: Any) -> PredictDock:
    return PredictDock(viewer, target="gui.fake_work:predict")


def test_predictions_are_made_again_and_marks_opened(
    window: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    viewer, docks, session = window(Predict=predicting, Draw=DrawDock)
    predict, draw = docks["Predict"], docks["Draw"]
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    predict.models.choose_named("fake")
    predict.found.set_cut(Cut(0.4, 3))
    (tmp_path / "known.csv").write_text("ra,dec\n10,20\n")
    predict.known.set_known(Known(tmp_path / "known.csv", Rule(within_arcsec=42.0)))
    predict.predict_whole()
    assert spin(lambda: not predict.predictions.busy)
    predict.found.threshold.setValue(0.8)
    predict.predictions.start(_wish(predict, Window(5, 6, 20, 30)))
    assert spin(lambda: not predict.predictions.busy)
    for layer in viewer.layers:
        if layer.name.startswith("regions"):
            layer.visible = False
    draw.who.setText("Ada")
    folder = tmp_path / "own.marks"
    draw.folder.set_path(folder)
    draw.start_drawing()
    assert spin(lambda: not draw.busy and draw.painting is not None)
    names = [layer.name for layer in viewer.layers]
    path = saved(session, tmp_path / "work.astroseg.json")
    draw.stop_drawing()
    assert spin(lambda: not draw.busy)

    other, again, last = window(Predict=predicting, Draw=DrawDock)
    opened(last, path)
    assert last.sentences == []
    early = last.draft().docks["Predict"]["answers"]
    assert len(early) == 2, "what has not come yet is not lost"
    assert spin(lambda: not again["Predict"].again.busy and not again["Predict"].predictions.busy)
    assert spin(lambda: again["Draw"].painting is not None)
    assert spin(lambda: [layer.name for layer in other.layers] == names)
    answers = again["Predict"].predictions.answers
    assert [answer.window for _, answer in answers] == [
        answer.window for _, answer in predict.predictions.answers
    ]
    for (_, before), (_, after) in zip(predict.predictions.answers, answers, strict=True):
        assert np.array_equal(before.probability, after.probability)
        assert before.cut == after.cut
    assert answers[0][0].run, "the whole image goes on as a run"
    assert not other.layers[names[2]].visible
    assert other.layers[names[1]].visible
    assert again["Predict"].known.known == predict.known.known is not None
    assert again["Draw"].who.text() == "Ada", "whoever opens it draws in their own name"
    assert again["Predict"].models.card().name == "fake"


def _wish(dock: PredictDock, place: Window) -> Any:
    from napari_astroseg.gui.predicting.predictions import Wish

    layer = dock.place.images.layer()
    image = dock.place.images.image()
    return Wish(layer, image, place, dock.models.card(), Cut(0.6, 0), {"device": "cpu"})


def test_what_is_compared_and_judged_comes_back(window: Any, tmp_path: Path) -> None:
    kinds = {"Compare": CompareDock, "Vet": VetDock}
    viewer, docks, session = window(**kinds)
    compare, vet = docks["Compare"], docks["Vet"]
    layer = layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    compare.show_file(str(write(tmp_path / "b.fits", 3, 5)))
    assert spin(lambda: not compare.busy and len(viewer.layers) == 2)
    over = viewer.layers[1]
    looks.wear(over, looks.Look("sqrt", Limits(3.1, 3.9), None, "viridis", 1.0))
    compare.seeing.controls.rate.setValue(3.5)
    compare.seeing.controls.amount.setValue(20)
    rows = "\n".join(f"{n},{10 + n},{20 + n},3" for n in range(5))
    (tmp_path / "found.csv").write_text(f"id,x,y,radius\n{rows}\n")
    vet.open.choose_file(tmp_path / "found.csv")
    vet.open.who.setText("Ada")
    vet.open.store.setText(str(tmp_path / "verdicts.sqlite"))
    vet.start()
    assert spin(lambda: vet.desk is not None and not vet.busy)
    vet.act("next")
    vet.act("next")
    assert vet.desk.session.current.name == "2"
    viewer.layers.selection.active = layer
    path = saved(session, tmp_path / "work.astroseg.json")
    vet.stop()

    other, again, last = window(**kinds)
    opened(last, path)
    assert last.sentences == []
    assert spin(lambda: not again["Compare"].busy and not again["Vet"].busy)
    assert [each.name for each in other.layers][:2] == [each.name for each in viewer.layers][:2]
    assert compared(other.layers[1]) is not None
    assert looks.look_of(other.layers[1]) == looks.look_of(over)
    controls = again["Compare"].seeing.controls
    assert (controls.rate.value(), controls.amount.value()) == (3.5, 20)
    assert [each.name for each in again["Compare"].seeing.pair] == [
        each.name for each in compare.seeing.pair
    ]
    assert again["Vet"].desk.session.current.name == "2"
    assert again["Vet"].desk.session.vetter == "Ada"


def test_a_list_of_what_is_predicted_again_comes_from_its_store(
    window: Any, tmp_path: Path
) -> None:
    viewer, docks, session = window(Vet=VetDock)
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    note = {"window": Window(0, 0, 64, 64)}
    blobs = np.zeros((64, 64), np.int32)
    blobs[5:9, 5:9], blobs[30:40, 20:30], blobs[50:52, 40:60] = 1, 2, 3
    viewer.add_labels(blobs, name="regions", metadata={METADATA: note})
    vet = docks["Vet"]
    assert vet.open.layer.name == "regions"
    vet.open.who.setText("Ada")
    vet.open.store.setText(str(tmp_path / "verdicts.sqlite"))
    vet.start()
    assert spin(lambda: vet.desk is not None and not vet.busy)
    vet.act("real")
    assert spin(lambda: not vet.busy)
    path = saved(session, tmp_path / "work.astroseg.json")
    vet.stop()

    other, again, last = window(Vet=VetDock)
    opened(last, path)
    assert last.sentences == []
    assert spin(lambda: again["Vet"].desk is not None and not again["Vet"].busy)
    assert [each.name for each in other.layers] == ["a", "vetting"]
    assert again["Vet"].desk.session.current.name == "2"
    assert again["Vet"].judging.counts.text() == "1 real"


def test_settings_come_back_and_what_is_no_setting_is_told(window: Any, tmp_path: Path) -> None:
    kinds = {
        "Open": MosaicDock, "Votes": VotesDock, "Data": DataDock, "Train": TrainDock,
        "Further": TrainDock, "Results": ResultsDock,
    }  # fmt: skip
    viewer, docks, session = window(**kinds)
    (tmp_path / "skies").mkdir()
    docks["Open"].aids.choose(Choices(grid=True, compass=False, frame="galactic"))
    counts = np.tile(np.arange(8), (8, 1))
    docks["Votes"].open_votes(write_votes(tmp_path / "votes.fits", VoteMap.from_array(counts)))
    assert spin(lambda: not docks["Votes"].busy)
    docks["Votes"].number.setValue(6)
    docks["Data"].folder.set_path(tmp_path / "skies")
    docks["Data"].threshold.setValue(7)
    train = docks["Train"]
    train.preset.setCurrentText("bubbles_small")
    recipe = train.form.value().replace(schedule__epochs=3)
    train.form.setValue(recipe)
    train.weights.setValue("bubbles_small")
    (own := tmp_path / "own.safetensors").write_bytes(b"weights")
    docks["Further"].weights.setValue(str(own))
    train.data.set_path(tmp_path / "skies")
    train.out.set_path(tmp_path / "runs" / "one")
    docks["Results"].models.choose_named("bubbles_small")
    docks["Results"].data.set_path(tmp_path / "skies")
    path = saved(session, tmp_path / "work.astroseg.json")
    assert read_project(path).project.places["p1"].path == "votes.fits"

    other, again, last = window(**kinds)
    opened(last, path)
    assert spin(lambda: not again["Votes"].busy)
    assert last.sentences == []
    assert again["Open"].aids.choices == docks["Open"].aids.choices
    assert (again["Votes"].threshold, again["Votes"].votes.most) == (6, 7)
    assert again["Data"].folder.path() == tmp_path / "skies"
    assert again["Data"].threshold.value() == 7
    assert again["Train"].form.value() == recipe
    assert again["Train"].weights.value() == "bubbles_small"
    assert again["Further"].weights.value() == str(own)
    assert again["Train"].out.path() == tmp_path / "runs" / "one"
    assert again["Results"].models.card().name == "bubbles_small"
    assert [each.name for each in other.layers] == [each.name for each in viewer.layers]
    assert last.draft().docks == session.draft().docks

    told = json.loads(path.read_text(encoding="utf-8"))
    told["docks"]["Data"]["threshold"] = "rm"
    told["docks"]["Train"]["recipe"]["schedule"]["epochs"] = -1
    told["docks"]["Elsewhere"] = {"anything": [1]}
    path.write_text(json.dumps(told), encoding="utf-8")
    _, third, stranger = window(**kinds)
    stranger.open(path)
    assert spin(lambda: not stranger.busy)
    assert spin(lambda: not third["Votes"].busy)
    assert any("Data was left as it is: threshold" in each for each in stranger.sentences)
    assert any("Train: " in each and "epochs" in each for each in stranger.sentences)
    assert third["Results"].models.card().name == "bubbles_small", "others are as they were"
