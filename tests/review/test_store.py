"""Nothing that was recorded is lost, whatever happens to the process, the disk or the server."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from postgres import running
from sqlalchemy import Connection, text

from napari_astroseg.errors import SetupError, VettingError
from napari_astroseg.review import migrations
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.session import VettingSession
from napari_astroseg.review.spill import Spill
from napari_astroseg.review.store import Store

HERE = Path(__file__).parent


def _judged(names, vetter="Ada", verdict="real"):
    return [Entry(name, vetter, verdict=verdict) for name in names]


def test_a_list_is_kept_once_and_comes_back_as_it_was(tmp_path, detections):
    store = Store(tmp_path / "new" / "verdicts.sqlite")
    number = store.add(detections)
    assert store.add(detections.taken(range(12))) == number
    other = store.add(detections.taken(range(5)))
    found, known = store.detections(number)
    assert found.digest == detections.digest
    assert (found.radius == detections.radius).all()
    assert (found.kinds, set(known)) == (detections.kinds, {""})
    store.append(number, [*_judged(["D0", "D1"]), *_judged(["D0"], "Ben")])
    told = {each.number: (each.detections, each.vetters, each.entries) for each in store.lists()}
    assert told == {number: (12, 2, 3), other: (5, 0, 0)}
    store.close()


def test_entries_are_kept_once_all_or_none(tmp_path, detections):
    store = Store(tmp_path / "verdicts.sqlite")
    number = store.add(detections)
    first, second = _judged(["D0", "D1"])
    store.append(number, [first])
    store.append(number, [first, second])
    store.append(number, [second])
    assert [entry.uid for entry in store.entries(number)] == [first.uid, second.uid]
    numbered = list(store.numbered(number))
    assert [entry.uid for entry in store.entries(number, after=numbered[0][0])] == [second.uid]
    with pytest.raises(VettingError):
        store.append(number + 7, _judged(["D2"]))  # no such list
    store.close()


def test_every_commit_waits_for_the_disk(tmp_path, detections):
    store = Store(tmp_path / "verdicts.sqlite")
    with store._engine.connect() as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "trusted_schema")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "trusted_schema": 0}
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed by POSIX means")
def test_killing_the_process_loses_no_verdict_that_was_told_as_kept(tmp_path, detections):
    place, spill = tmp_path / "verdicts.sqlite", tmp_path / "spill"
    store = Store(place)
    number = store.add(detections)
    store.close()
    done = subprocess.run(
        [sys.executable, HERE / "killed.py", place, spill, "5", "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = set(done.stdout.split())
    store = Store(place)
    kept = {entry.uid for entry in store.entries(number)}
    assert len(told) >= 5
    assert told <= kept
    store.close()


def test_a_locked_store_keeps_verdicts_aside_and_takes_them_later(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    store = Store(place, wait_s=0.05)
    session = VettingSession(store, detections, "Ada")
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = session.judge("real")
    asked = session._keeping._refused_at
    second = session.judge("not")
    assert session._keeping._refused_at == asked  # it does not wait again for each
    assert session.waiting == 2
    assert "written by another process" in session.trouble
    assert session.standing.of("D0").uid == first.uid
    assert len(list((tmp_path / "state").rglob("*.jsonl"))) == 1
    other.execute("ROLLBACK")
    assert session.store_waiting()
    assert (session.waiting, session.trouble) == (0, "")
    assert [entry.uid for entry in store.entries(session.list)] == [first.uid, second.uid]
    assert not list((tmp_path / "state").rglob("*.jsonl"))
    session.close()
    store.close()
    other.close()


def test_what_was_kept_aside_is_stored_by_the_next_session(tmp_path, detections):
    place, spill = tmp_path / "verdicts.sqlite", tmp_path / "spill"
    store = Store(place, wait_s=0.05)
    session = VettingSession(store, detections, "Ada", spill=spill)
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    kept = [session.judge("real"), session.judge("not")]
    other.execute("ROLLBACK")
    other.close()
    # The session dies without a word, half-way through another line.
    session._keeping._spill.close()
    (path,) = spill.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"uid": "half')
    store.close()
    with VettingSession(place, None, "Ada", spill=spill) as session:
        assert session.recovered == 2
        assert [entry.uid for entry in session.store.entries(session.list)] == [e.uid for e in kept]
        assert session.place == 2
    assert not list(spill.iterdir())
    # What a newer version says is not understood, and stays for it.
    newer = b'{"uid": "of tomorrow"}\n'
    path.write_bytes(newer)
    with VettingSession(place, None, "Ada", spill=spill) as session:
        assert session.recovered == 0
    assert path.read_bytes() == newer


def _limit(store, pages):
    """Let the store grow to so many pages, or not at all."""
    with store._engine.connect() as connection:
        pages = pages or connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))


def test_a_full_disk_is_told_and_costs_nothing(tmp_path, detections):
    store = Store(tmp_path / "verdicts.sqlite")
    session = VettingSession(store, detections, "Ada")
    _limit(store, None)  # as good as a disk without room
    for number in range(12):
        session.judge("real", note="x" * 5000, on=f"D{number}")
    assert session.waiting > 0
    assert "disk is full" in session.trouble
    _limit(store, 100_000)
    assert session.store_waiting()
    assert len(store.entries(session.list)) == 12
    session.close()
    store.close()


def test_where_no_disk_takes_them_they_wait_in_memory(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    store = Store(place, wait_s=0.05)
    (tmp_path / "file").write_text("")
    session = VettingSession(store, detections, "Ada", spill=tmp_path / "file" / "spill")
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    session.judge("real"), session.judge("not")
    assert session._keeping.only_in_memory == 2
    assert "free some space" in session.trouble
    other.execute("ROLLBACK")
    assert session.store_waiting()
    assert len(store.entries(session.list)) == 2
    session.close()
    store.close()
    other.close()


@pytest.mark.parametrize(
    "what", ["text", "cut", "scribbled", "foreign", "trigger", "folder", "newer"]
)
def test_what_is_no_store_is_refused_in_a_sentence(tmp_path, detections, what):
    place = tmp_path / "verdicts.sqlite"
    if what == "text":
        place.write_text("no database at all")
    elif what == "folder":
        place.mkdir()
    else:
        store = Store(place)
        store.add(detections)
        store.close()
        if what in ("foreign", "trigger", "newer"):
            with sqlite3.connect(place) as connection:
                connection.execute(
                    {
                        "foreign": "CREATE TABLE songs (name TEXT)",
                        "trigger": "CREATE TRIGGER t AFTER INSERT ON vetting_verdicts BEGIN "
                        "DELETE FROM vetting_verdicts; END",
                        "newer": "UPDATE vetting_about SET value = '99'",
                    }[what]
                )
            connection.close()
        else:
            content = place.read_bytes()
            if what == "cut":
                place.write_bytes(content[: len(content) // 2])
            else:
                place.write_bytes(content[:100] + b"\xff" * 20_000 + content[20_100:])
    before = place.read_bytes() if place.is_file() else b""
    with pytest.raises(VettingError) as told:
        Store(place)
    assert ";" in str(told.value)
    assert "sqlalche" not in str(told.value)
    assert (place.read_bytes() if place.is_file() else b"") == before


def test_a_row_that_makes_no_sense_is_told(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    store = Store(place)
    number = store.add(detections)
    store.append(number, _judged(["D0"]))
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE vetting_verdicts SET told = '{\"uid\": 3}'")
        connection.execute("UPDATE vetting_detections SET lon = 'here'")
    connection.close()
    with pytest.raises(VettingError, match="restore"):
        store.entries(number)
    with pytest.raises(VettingError, match="restore"):
        store.detections(number)
    store.close()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, detections):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    store = Store(tmp_path / "closed" / "verdicts.sqlite")
    store.close()
    (tmp_path / "closed").chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(VettingError, match=r"permissions|copy it"):
        Store(tmp_path / "closed" / "verdicts.sqlite")
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize("place", ["mysql://me@there/db", "sqlite://", "x://"])
def test_an_address_that_is_none_is_told(place):
    with pytest.raises((VettingError, SetupError), match="postgresql://USER@HOST"):
        Store(place)


def test_older_tables_are_brought_up_to_date_with_all_that_is_in_them(
    tmp_path, detections, monkeypatch
):
    place = tmp_path / "verdicts.sqlite"
    store = Store(place)
    number = store.add(detections)
    store.append(number, _judged(["D0"]))
    store.close()

    def with_colour(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE vetting_lists ADD COLUMN colour TEXT"))

    def broken(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE vetting_lists ADD COLUMN size TEXT"))
        raise VettingError("no")

    def migrated(*more):
        steps = (*migrations.STEPS, *more)
        monkeypatch.setattr(
            "napari_astroseg.review.store.migrate",
            lambda connection: migrations.migrate(connection, steps),
        )
        return Store(place)

    with pytest.raises(VettingError, match="no"):
        migrated(with_colour, broken)  # all of the steps, or none
    store = migrated(with_colour)
    assert len(store.entries(number)) == 1
    with store._engine.connect() as connection:
        assert migrations.version_of(connection) == 2
        columns = connection.execute(text("SELECT * FROM vetting_lists")).keys()
    assert "colour" in columns
    assert "size" not in columns
    store.close()


def test_many_threads_write_one_store(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    number = Store(place).add(detections)

    def judge(who: str) -> None:
        store = Store(place, wait_s=10)
        for entry in _judged([f"D{n}" for n in range(10)], who):
            store.append(number, [entry])
        store.close()

    threads = [threading.Thread(target=judge, args=(f"v{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = Store(place)
    assert len(store.entries(number)) == 40
    store.close()


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


def test_a_team_works_on_postgresql(server, detections, tmp_path):
    store = Store(server.url)
    with (
        VettingSession(server.url, detections, "Ada", spill=tmp_path) as ada,
        VettingSession(store, detections, "Ben", blind=False, spill=tmp_path) as ben,
    ):
        ada.judge("real", note="schön", seen={"stretch": "asinh"})
        ben.judge("not")
        assert ben.others("D0")["Ada"].note == "schön"
        assert ada.undo() is not None
        assert ben.others("D0") == {}
        assert ben.detections.digest == detections.digest
        ada.plant(detections.taken([0, 1]))
        assert ada.store.detections(ada.list)[1].count("real") == 2
    assert [(each.vetters, each.entries) for each in store.lists()] == [(2, 3)]
    store.close()


def test_a_server_that_is_lost_costs_nothing(server, detections, tmp_path):
    with VettingSession(server.url, detections, "Cid", spill=tmp_path) as session:
        first = session.judge("real")
        server.stop()
        try:
            second = session.judge("not")
            assert session.waiting == 1
            assert "does not answer" in session.trouble
            assert len(list(tmp_path.glob("*.jsonl"))) == 1
            with pytest.raises(VettingError, match="server"):
                Store(server.url)
        finally:
            server.start()
        assert session.store_waiting()
        kept = [entry.uid for entry in session.store.entries(session.list, "Cid")]
        assert kept == [first.uid, second.uid]
    assert not list(tmp_path.iterdir())


def test_what_was_written_after_a_spill_was_read_stays(tmp_path: Path) -> None:
    """A session that closes just then loses nothing."""
    store = Store(tmp_path / "store.sqlite")
    writing, reading = (Spill(store.url, "list", tmp_path / "spill") for _ in range(2))
    writing.append(Entry("one", "Ada", verdict="real"))
    ((path, left),) = reading.left().items()
    writing.append(Entry("two", "Ada", verdict="not"))
    writing.close()
    reading.forget(path, left.size)
    ((_, both),) = reading.left().items()
    assert [each.detection for each in both.entries] == ["one", "two"]
    reading.forget(path, both.size)
    assert not reading.left()
    store.close()
