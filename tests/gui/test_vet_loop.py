"""VetDock in a loop: objects are hidden, verdicts teach, newer scores rank, others point."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import own_settings, sky, spin, viewer
from gui.test_vet_dock import centre, dock, press, start
from layouts import bubble_row, write_tile
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.sessions.draft import gather
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.samp import POINT, ROW, TABLE
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.simulate.hidden import HiddenPixels

pytestmark = pytest.mark.once


def test_the_queue_is_filtered_and_shared(dock: Any) -> None:
    start(dock)
    box = dock.queue
    box.least.setText("200")
    box.arrange.click()
    assert spin(lambda: not dock.busy)
    assert len(dock.desk.session.queue) == 2  # of 230 and 345 arcsec
    box.least.setText("many")
    box.arrange.click()
    assert "no least size" in dock.notice.text
    box.least.clear()
    dock.desk.flight.to((300.0, 300.0, 30.0), fitted=True)
    box.in_view.click()
    box.arrange.click()
    assert spin(lambda: not dock.busy)
    assert [dock.desk.session.detections.names[row] for row in dock.desk.session.queue] == ["3"]
    box.region.clear()
    box.team.setText("Ada, Grace")
    box.arrange.click()
    assert spin(lambda: not dock.busy)
    assert 2 <= len(dock.desk.session.queue) <= 3  # her half of five
    box.team.setText("Ben, Grace")
    box.arrange.click()
    assert spin(lambda: not dock.busy)
    assert "Ada is none of" in dock.notice.text


def test_objects_are_hidden_and_what_was_made_of_them_is_told_in_the_end(dock: Any) -> None:
    start(dock)
    hiding, bare = dock.hiding, dock._viewer.layers["ramp"]
    assert "Nothing is hidden" in hiding.how.toolTip()
    hiding.real.setValue(2)
    hiding.empty.setValue(1)
    hiding.go.click()
    assert spin(lambda: not dock.busy and dock.desk is not None and any(dock.desk.session.known))
    session, layer = dock.desk.session, dock.judged.layer
    assert (len(session.queue), len(dock._viewer.layers)) == (8, 3)
    assert not bare.visible
    told = {each.name: each for each in gather(dock._viewer, {}).layers}
    assert told["ramp"].visible, "a project has it as it will be"
    assert told[layer.name].source is None, "and the dock brings the other back"
    assert layer.name == "ramp, some objects hidden"
    assert isinstance(dock.desk.image.pixels, HiddenPixels)
    assert dock.acting.pictures() == [layer]  # the bare image would give them away
    for row in np.flatnonzero(dock.desk.placed.inside).tolist():
        x, y, radius = dock.desk.place_of(row)
        window = np.s_[int(y - radius) : int(y + radius), int(x - radius) : int(x + radius)]
        added = dock.desk.image.pixels[window] - sky().pixels[window]
        assert (added.max() > 0) == (session.known[row] == "real")
    assert "still to be judged" in hiding.how.toolTip()
    for row in list(session.queue):
        name = session.detections.names[row]
        dock.desk.go_to(name)
        press(dock, "1" if session.known[row] != "real" or not session.standing.verdicts else "2")
    hiding.how.click()
    assert "of 2 simulated ones accepted" in hiding.told.text()
    assert "false alarms 100% (1 of 1 empty places)" in hiding.told.text()
    assert "has hidden objects already" in hiding.go.toolTip()
    dock.open.close_button.click()
    assert bare.visible
    assert [each.name for each in dock._viewer.layers] == ["ramp"]


def test_verdicts_become_a_folder_that_train_is_shown(dock: Any, tmp_path: Path) -> None:
    tiles = tmp_path / "tiles"
    for lon in (29.0, 30.0, 31.0):
        write_tile(tiles, lon)
    rows = [bubble_row(n, lon, 0.1, 2.0) for n, lon in enumerate((29.0, 31.0))]
    (tiles / "mwp.dat").write_text("\n".join(rows) + "\n")
    start(dock)
    learning = dock.learning
    assert "Choose the folder" in learning.reap.toolTip()
    press(dock, "1")
    press(dock, "2")
    learning.data.set_path(tiles)
    out = tmp_path / "vetted"
    learning.model.setCurrentText("bubbles_small")
    learning.harvest(out)
    assert spin(lambda: not dock.busy)
    assert "1 added" in dock.judging.counts.text()
    assert "Train dock" in dock.judging.counts.text()
    assert open_dataset(out, "bubbles").items
    proposals = Proposals()
    recipe, folder = proposals.latest()
    assert (recipe.name, folder, proposals.start_from) == ("bubbles_small", out, "bubbles_small")
    fresh = tmp_path / "fresh.csv"  # what the newer model makes of the same places
    found = dock.desk.session.detections
    fresh.write_text(
        "l,b,radius_arcsec,score\n"
        f"{found.lon[2]:.6f},{found.lat[2]:.6f},300,0.5\n"
        f"{found.lon[3]:.6f},{found.lat[3]:.6f},300,0.97\n"
    )
    learning.rank_by(fresh)
    assert spin(lambda: not dock.busy)
    assert "finds 2 of 5" in dock.judging.counts.text()
    session = dock.desk.session
    assert session.detections.score.tolist() == [0.0, 0.0, 0.5, 0.97, 0.0]
    assert session.queue[0] == 2  # the most unsure
    learning.rank_by(tmp_path / "none.csv")
    assert spin(lambda: not dock.busy)
    assert dock.notice.text


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Another program on a hub that only this test knows."""
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:" + (tmp_path / "samp").as_uri())
    monkeypatch.setattr(conf, "use_internet", False)
    hub = SAMPHubServer(
        web_profile=False, mode="single", addr="127.0.0.1", lockfile=str(tmp_path / "samp")
    )
    hub.start()
    client = SAMPIntegratedClient(name="Other", addr="127.0.0.1")
    client.connect()
    client.told = queue.Queue()
    for kind in (POINT, TABLE):
        client.bind_receive_notification(
            kind, lambda _key, _who, kind, words, _more: client.told.put((kind, words))
        )
    yield client
    client.disconnect()
    hub.stop()


def test_others_follow_and_are_followed(dock: Any, other: Any) -> None:
    start(dock)
    linking, found = dock.linking, dock.desk.session.detections
    linking.lead.setCurrentIndex(1)
    assert spin(lambda: not dock.busy)
    assert "Connected with Other" in dock.judging.counts.text()
    press(dock, "E")
    assert spin(lambda: not other.told.empty(), 60)
    kind, words = other.told.get()
    there = found.position[1].icrs
    assert kind == POINT
    assert float(words["ra"]) == pytest.approx(there.ra.deg, abs=1e-6)
    press(dock, "Shift-P")
    assert spin(lambda: not other.told.empty(), 60)
    assert other.told.get() == (kind, words)

    def send(kind: str, **told: str) -> None:
        other.notify_all({"samp.mtype": kind, "samp.params": told})

    place = found.position[2].icrs
    send(POINT, ra=str(place.ra.deg), dec=str(place.dec.deg))
    linking.led.setChecked(True)
    assert spin(lambda: not dock.busy)
    send(POINT, ra=str(place.ra.deg), dec=str(place.dec.deg))
    assert spin(lambda: centre(dock) == (300, 300), 20)
    assert dock.desk.session.current.name == "3"
    empty = sky().sky(450, 450).icrs  # where no object is
    send(POINT, ra=str(empty.ra.deg), dec=str(empty.dec.deg))
    assert spin(lambda: centre(dock) == (450, 450), 20)
    linking.send.click()
    assert spin(lambda: not dock.busy)
    assert spin(lambda: not other.told.empty(), 60)
    kind, words = other.told.get()
    assert kind == TABLE  # whoever pointed was not pointed back
    send(ROW, **{"table-id": words["table-id"], "row": "3"})
    assert spin(lambda: dock.desk.session.current.name == "4", 20)
    linking.lead.setCurrentIndex(2)

    def moved() -> bool:  # as a hand moves on: what comes too soon is not sent
        linking._cursor(None, type("Moved", (), {"position": (300.0, 300.0)}))
        return not other.told.empty()

    assert spin(moved, 60)
    kind, words = other.told.get()
    assert float(words["dec"]) == pytest.approx(place.dec.deg, abs=1e-4)
    linking.lead.setCurrentIndex(0)
    linking.led.setChecked(False)
    assert spin(lambda: not dock.busy)
    assert not linking.linked  # no port stays open


def test_without_a_hub_it_is_told(
    dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:" + (tmp_path / "none").as_uri())
    start(dock)
    dock.linking.led.setChecked(True)
    assert spin(lambda: not dock.busy)
    assert "start TOPCAT" in dock.notice.text
    assert not dock.linking.led.isChecked()
