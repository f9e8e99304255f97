"""What was drawn is what is read, after any undo, any end of the process, and any damage told."""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from skies import galactic_wcs

from napari_astroseg.errors import AstroSegError, MarkError, OutputError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks import lock as lock_module
from napari_astroseg.sky.marks import store as store_module
from napari_astroseg.sky.marks.about import About
from napari_astroseg.sky.marks.journal import Journal
from napari_astroseg.sky.marks.steps import Edit, Step
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window

SHAPE = (1100, 700)  # 3 × 2 chunks
HERE = Window(500, 400, 60, 130)  # over the corner of four of them


def image(shape: tuple[int, int] = SHAPE, lon: float = 30.0) -> SkyImage:
    nothing = np.broadcast_to(np.zeros((), np.float32), shape)
    wcs = galactic_wcs(lon=lon)
    return SkyImage(ArrayPixels(nothing), wcs, wcs.to_header(), name="field")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MarkStore]:
    with MarkStore.create(tmp_path / "field.marks", image()) as made:
        yield made


def whole(store: MarkStore, annotator: str = "") -> np.ndarray:
    return store.read(Window.whole(store.shape), annotator)


# --- drawing, taking back, doing again ----------------------------------------------------------


def test_what_is_written_is_read(store: MarkStore) -> None:
    labels = np.arange(HERE.width * HERE.height).reshape(HERE.shape)
    change = store.write(HERE, labels, "stroke", "Ada")
    assert np.array_equal(store.read(HERE, "Ada"), labels)
    assert not store.read(HERE).any()  # nobody's mask but Ada's
    assert change is not None
    drawn = np.zeros(SHAPE, bool)
    for who, window in change.places:
        assert who == "Ada"
        drawn[window.slices] = True
    assert drawn.sum() == drawn[HERE.slices].sum() == labels.size
    assert [(each.name, each.who) for each in store.done] == [("stroke", "Ada")]


def test_what_hangs_over_the_edge_is_left_out(store: MarkStore) -> None:
    store.write(Window(-10, -20, 30, 40), np.full((40, 30), 7))
    assert whole(store).sum() == 7 * 20 * 20
    assert store.read(Window(-10, -20, 30, 40))[:20].sum() == 0


def test_nothing_new_is_no_step(store: MarkStore) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    assert store.write(HERE, np.ones(HERE.shape, bool)) is None
    assert store.write(Window(0, 0, 5, 5), np.zeros((5, 5), int), annotator="Ada") is None
    assert len(store.done) == 1
    assert store.annotators == ("",)


@pytest.mark.parametrize(
    "labels",
    [np.ones((3, 3)), np.full(HERE.shape, -1), np.full(HERE.shape, 65536), np.ones(HERE.shape)],
)
def test_what_are_no_labels_is_refused(store: MarkStore, labels: np.ndarray) -> None:
    with pytest.raises(MarkError, match=r"labels .*; (pass|round)"):
        store.write(HERE, labels)
    assert not store.done


def test_a_step_that_fails_never_was(store: MarkStore) -> None:
    with pytest.raises(ZeroDivisionError), store.step("import") as draft:
        draft.write(HERE, np.ones(HERE.shape, int))
        draft.set("shape/1", {"kind": "circle"})
        assert draft.read(HERE).all()
        raise ZeroDivisionError
    assert not whole(store).any()
    assert not store.values()
    assert not store.done


def test_labels_and_values_go_and_come_together(store: MarkStore) -> None:
    with store.step("both") as draft:
        draft.write(HERE, np.ones(HERE.shape, int))
        draft.write(HERE.moved(20, 0), np.full(HERE.shape, 2))
        draft.set("shape/1", {"kind": "circle"})
    assert store.value("shape/1") == {"kind": "circle"}
    assert np.bincount(whole(store).ravel()).tolist()[1:] == [20 * 130, 60 * 130]
    back = store.undo()
    assert back is not None
    assert "shape/1" in back.values
    assert {who for who, _ in back.places} == {""}
    assert store.values() == {}
    assert not whole(store).any()
    store.redo()
    assert store.values("shape/") == {"shape/1": {"kind": "circle"}}
    assert np.bincount(whole(store).ravel()).tolist()[1:] == [20 * 130, 60 * 130]
    assert store.redo() is None


class Plain:
    """What the store should hold, the simple way."""

    def __init__(self) -> None:
        self.states = [{name: np.zeros(SHAPE, np.uint16) for name in ("", "Ada")}]
        self.at = 0

    def write(self, window: Window, labels: np.ndarray, who: str) -> None:
        new = {name: each.copy() for name, each in self.states[self.at].items()}
        inside = window.overlap(Window.whole(SHAPE))
        if inside is not None:
            new[who][inside.slices] = labels[inside.moved(-window.x, -window.y).slices]
        if any((new[name] != each).any() for name, each in self.states[self.at].items()):
            self.states[self.at + 1 :] = [new]
            self.at += 1

    def move(self, by: int) -> None:
        self.at = min(max(self.at + by, 0), len(self.states) - 1)


strokes = st.tuples(
    st.builds(
        Window, st.integers(-50, 720), st.integers(-50, 1120), st.integers(1, 600), st.just(40)
    ),
    st.integers(0, 3),
    st.sampled_from(["", "Ada"]),
)
acts = st.one_of(strokes, st.sampled_from(["undo", "redo", "undo", "flush", "reopen"]))


@given(st.lists(acts, max_size=12))
@settings(max_examples=60)
def test_any_strokes_undone_and_redone(
    tmp_path_factory: pytest.TempPathFactory, todo: list[object]
) -> None:
    plain = Plain()
    path = tmp_path_factory.mktemp("any") / "field.marks"
    store = MarkStore.create(path, image())
    for act in todo:
        if act == "undo":
            assert (store.undo() is None) == (plain.at == 0)
            plain.move(-1)
        elif act == "redo":
            assert (store.redo() is None) == (plain.at == len(plain.states) - 1)
            plain.move(1)
        elif act == "flush":
            store.flush()
        elif act == "reopen":
            store.close()
            store = MarkStore.open(path)
        else:
            window, label, who = act
            labels = np.full(window.shape, label)
            store.write(window, labels, annotator=who)
            plain.write(window, labels, who)
    assert len(store.done) == plain.at
    assert len(store.undone) == len(plain.states) - 1 - plain.at
    with MarkStore.open(path, writing=False) as seen:
        for who, expected in plain.states[plain.at].items():
            assert np.array_equal(whole(store, who), expected)
            assert np.array_equal(whole(seen, who), expected)
    store.close()


def test_the_history_is_kept_over_many_flushes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_MOST_STEPS", 7)
    with MarkStore.create(tmp_path / "a.marks", image()) as store:
        for n in range(40):
            store.write(Window(n, n, 3, 3), np.full((3, 3), n + 1), f"stroke {n}")
        assert (tmp_path / "a.marks/labels/applied.json").exists()
        before = whole(store)
    with MarkStore.open(tmp_path / "a.marks") as store:
        assert [each.name for each in store.done] == [f"stroke {n}" for n in range(40)]
        for _ in range(40):
            store.undo()
        assert not whole(store).any()
        for _ in range(40):
            store.redo()
        assert np.array_equal(whole(store), before)


# --- on disk ------------------------------------------------------------------------------------


def test_the_masks_are_zarr(store: MarkStore) -> None:
    store.write(HERE, np.full(HERE.shape, 5), annotator="Ada")
    store.flush()
    array = zarr.open_array(store.path / "labels/0", mode="r")
    assert array.shape == SHAPE
    assert np.array_equal(array[:], whole(store, "Ada"))
    store.undo()
    store.flush()
    assert not list((store.path / "labels/0/c").glob("*/*"))  # what is empty does not exist


def test_an_image_of_any_size_costs_what_is_drawn(tmp_path: Path) -> None:
    tracemalloc.start()
    with MarkStore.create(tmp_path / "a.marks", image((100_000, 100_000))) as store:
        for n in (0, 50_000, 99_000):
            store.write(Window(n, n, 1000, 1000), np.full((1000, 1000), 3))
        assert store.read(Window(99_999, 99_998, 5, 5)).sum() == 6
        store.undo()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50e6
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 200_000


def test_one_writes_and_others_read(store: MarkStore) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    with pytest.raises(MarkError, match=f"drawn on by process {os.getpid()} on .*; close it"):
        MarkStore.open(store.path)
    with MarkStore.open(store.path, writing=False) as reader:
        assert reader.read(HERE).all()
        with pytest.raises(MarkError, match="for reading only"):
            reader.write(HERE, np.zeros(HERE.shape, int))
        with pytest.raises(MarkError, match="for reading only"):
            reader.undo()
    store.close()
    store.close()
    MarkStore.open(store.path).close()


def test_reading_changes_nothing_on_the_disk(store: MarkStore) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    with (store.path / "journal").open("ab") as file:
        file.write(b"STEP half")
    before = {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()}
    with MarkStore.open(store.path, writing=False) as reader:
        assert reader.rolled_back
        assert reader.read(HERE).all()
        reader.flush()
    assert before == {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()}


def test_a_disk_that_cannot_be_written_is_read(
    store: MarkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    store.close()
    plain = os.open

    def refusing(path: os.PathLike[str], flags: int, *rest: int) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return plain(path, flags, *rest)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(MarkError, match=r"read-only file system\); open it for reading"):
        MarkStore.open(store.path)
    with MarkStore.open(store.path, writing=False) as reader:
        assert reader.read(HERE).all()


def test_a_full_disk_refuses_the_step_and_keeps_the_rest(
    store: MarkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    with monkeypatch.context() as patch:

        def full(number: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"no space left on device.*; free some"):
            store.write(HERE, np.full(HERE.shape, 2))
    assert (store.read(HERE) == 1).all()
    store.write(HERE, np.full(HERE.shape, 3))
    store.close()
    with MarkStore.open(store.path) as again:
        assert (again.read(HERE) == 3).all()
        assert len(again.done) == 2


def test_masks_that_the_disk_refuses_are_still_in_the_journal(
    store: MarkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    (store.path / "labels").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        store.flush()
    store.close()
    (store.path / "labels").unlink()
    with MarkStore.open(store.path) as again:
        assert again.read(HERE).all()


# --- killed -------------------------------------------------------------------------------------

ZYGOTE = """
import os, sys
import numpy as np
from napari_astroseg.sky.marks import store
from napari_astroseg.sky.window import Window
store._MOST_STEPS = 5
sys.path.insert(0, sys.argv[1])
from test_marks import acted
for line in sys.stdin:
    path, seed = line.split()
    child = os.fork()
    if not child:
        print(os.getpid(), flush=True)
        opened = store.MarkStore.open(path)
        rng = np.random.default_rng(int(seed))
        while True:
            acted(opened, rng)
            os.write(1, b"+")
    os.waitpid(child, 0)
    os.write(1, b"!")
"""


def acted(store: MarkStore, rng: np.random.Generator) -> None:
    """One more entry for the journal."""
    chance = rng.random()
    if chance < 0.2 and store.done:
        store.undo()
    elif chance < 0.3 and store.undone:
        store.redo()
    else:
        x, y = rng.integers(0, [650, 1050])
        label = int(rng.integers(1, 60000))
        store.write(Window(int(x), int(y), 50, 50), np.full((50, 50), label))


@pytest.fixture
def zygote() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has imported what it needs, and forks one that draws whenever it is asked."""
    work = subprocess.Popen(
        [sys.executable, "-c", ZYGOTE, str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        bufsize=0,
    )
    with work:
        yield work
        assert work.stdin is not None
        work.stdin.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals and fork")
def test_killed_at_any_moment_nothing_told_is_lost(
    tmp_path: Path, zygote: subprocess.Popen[bytes]
) -> None:
    assert zygote.stdin is not None
    assert zygote.stdout is not None
    rng = np.random.default_rng(0)
    for number in range(20):
        path = tmp_path / f"{number}.marks"
        MarkStore.create(path, image()).close()
        zygote.stdin.write(f"{path} {number}\n".encode())
        child = int(zygote.stdout.readline())
        wanted, told = int(rng.integers(0, 25)), 0
        while told < wanted:
            told += zygote.stdout.read(1) == b"+"
        time.sleep(float(rng.uniform(0, 0.01)))  # somewhere within a step
        os.kill(child, signal.SIGKILL)
        while (byte := zygote.stdout.read(1)) != b"!":
            assert byte == b"+"
            told += 1
        with (
            MarkStore.open(path) as found,
            MarkStore.create(tmp_path / f"{number}-again.marks", image()) as again,
        ):
            entries = len(found._journal.entries)
            assert told <= entries <= told + 1
            same = np.random.default_rng(number)
            for _ in range(entries):
                acted(again, same)
            assert np.array_equal(whole(found), whole(again))
            assert len(found.done) == len(again.done)
            assert len(found.undone) == len(again.undone)


def test_a_writer_killed_before_its_first_mask(store: MarkStore) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    store.close()
    _without_masks(store.path)
    (store.path / "labels/0").mkdir(parents=True)
    with MarkStore.open(store.path) as again:
        assert again.read(HERE).all()


@pytest.mark.parametrize("kept", [1, 20, 40, 100, -1])
def test_a_half_written_step_is_rolled_back(store: MarkStore, kept: int) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    whole_length = (store.path / "journal").stat().st_size
    store.write(HERE, np.full(HERE.shape, 2))
    store.close()
    journal = (store.path / "journal").read_bytes()
    cut = journal[: whole_length + kept] if kept > 0 else journal[:kept]
    _without_masks(store.path)
    (store.path / "journal").write_bytes(cut)
    with MarkStore.open(store.path) as again:
        assert again.rolled_back
        assert (again.read(HERE) == 1).all()
        again.write(HERE, np.full(HERE.shape, 3))
    with MarkStore.open(store.path) as again:
        assert not again.rolled_back
        assert (again.read(HERE) == 3).all()


def test_a_last_step_of_zeros_is_rolled_back(store: MarkStore) -> None:
    """As a disk leaves it whose power failed: the length is there, the bytes are not."""
    store.write(HERE, np.ones(HERE.shape, int))
    store.write(HERE, np.full(HERE.shape, 2))
    store.close()
    entry = store.done[-1]
    _without_masks(store.path)
    with (store.path / "journal").open("r+b") as file:
        file.seek(entry.end - entry.length)
        file.write(bytes(entry.length))
    with MarkStore.open(store.path) as again:
        assert again.rolled_back
        assert (again.read(HERE) == 1).all()


def _without_masks(path: Path) -> None:
    for each in sorted((path / "labels").rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    (path / "labels").rmdir()


# --- damaged, or a stranger's -------------------------------------------------------------------


def test_damage_in_the_middle_of_the_journal_is_told(store: MarkStore) -> None:
    for label in (1, 2, 3):
        store.write(HERE, np.full(HERE.shape, label))
    store.close()
    _without_masks(store.path)
    path = store.path / "journal"
    sound = path.read_bytes()
    entry = store.done[1]
    for at in (entry.start + 2, entry.start + 9, entry.start + 40, entry.end - 5):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x55]) + sound[at + 1 :])
        with pytest.raises(MarkError, match=f"damaged at byte {entry.start:,}; restore"):
            MarkStore.open(store.path)
        assert path.stat().st_size == len(sound)  # nothing was cut off


def test_masks_that_are_damaged_are_made_again_from_the_journal(store: MarkStore) -> None:
    store.write(HERE, np.full(HERE.shape, 3))
    store.close()
    for damage in (b"", b"no gzip", os.urandom(600_000)):
        (store.path / "labels/0/c/0/0").write_bytes(damage)
        with (
            MarkStore.open(store.path) as again,
            pytest.raises(MarkError, match=r"delete the folder .*labels: it is made again"),
        ):
            again.read(HERE)
    for name, text in (("0/zarr.json", "{"), ("0/zarr.json", "{}"), ("applied.json", "[]")):
        path = store.path / "labels" / name
        sound = path.read_text()
        path.write_text(text)
        with (
            pytest.raises(MarkError, match=r"delete the folder .*labels: it is made again"),
            MarkStore.open(store.path) as again,
        ):
            again.read(HERE)
        path.write_text(sound)
    _without_masks(store.path)
    with MarkStore.open(store.path) as again:
        assert (again.read(HERE) == 3).all()


def test_the_masks_of_another_journal_are_told(store: MarkStore) -> None:
    store.write(HERE, np.full(HERE.shape, 3))
    store.close()
    journal = (store.path / "journal").read_bytes()
    (store.path / "journal").write_bytes(journal[:24])
    with pytest.raises(MarkError, match="not of this journal; delete the folder"):
        MarkStore.open(store.path)
    about = json.loads((store.path / "about.json").read_text())
    (store.path / "about.json").write_text(json.dumps(about | {"key": "0" * 32}))
    with pytest.raises(MarkError, match="not the journal of these marks"):
        MarkStore.open(store.path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "else"},
        {"version": 2},
        {"shape": [0, 5]},
        {"shape": [2**40, 5]},
        {"shape": [1.5, 5]},
        {"shape": [True, 5]},
        {"shape": 7},
        {"key": "../../etc"},
        {"cards": 5},
        {"name": None},
    ],
)
def test_a_strangers_description_is_checked(store: MarkStore, change: dict[str, object]) -> None:
    store.close()
    path = store.path / "about.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(MarkError, match=r"about\.json does not describe marks .*; restore"):
        MarkStore.open(store.path)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "5", " " * 2_000_000, "\xff"])
def test_what_is_no_description_is_told(store: MarkStore, text: str) -> None:
    store.close()
    (store.path / "about.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(MarkError, match=r"about\.json does not describe marks"):
        MarkStore.open(store.path)
    for other in (store.path / "labels", store.path / "journal", store.path / "none"):
        with pytest.raises(MarkError, match=f"{other.name} is no folder of marks, for it has no"):
            MarkStore.open(other)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_step(body: bytes) -> None:
    try:
        step = Step.unpack(body)
    except ValueError:
        return
    assert Step.unpack(step.pack()) == step


def test_a_step_that_unpacks_to_too_much(store: MarkStore) -> None:
    """A stranger's journal: whatever it holds, its labels are as many as a box has."""
    patch = store.write(HERE, np.ones(HERE.shape, int)).step.patches[0]  # type: ignore[union-attr]
    bomb = type(patch)(0, 9, 9, patch.box, patch.before, patch.after)
    big = type(patch)(0, 0, 0, Window(0, 0, 2, 2), patch.before, patch.after)
    for each, reason in ((bomb, "no chunk 9, 9"), (big, "not 8 bytes")):
        with pytest.raises(ValueError, match=reason):
            store._state.apply(Step.unpack(Step((each,)).pack()))
    with pytest.raises(ValueError, match="without a mask"):
        store._state.apply(Step((), (Edit("annotator/x", None, {"mask": "../x"}),)))


def test_something_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a.marks").mkdir()
    MarkStore.create(tmp_path / "a.marks", image()).close()
    with pytest.raises(MarkError, match="in the way; open it"):
        MarkStore.create(tmp_path / "a.marks", image())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.marks"]
    (tmp_path / "file").write_text("")
    with pytest.raises(AstroSegError, match="choose another folder"):
        MarkStore.create(tmp_path / "file" / "a.marks", image())


# --- which image --------------------------------------------------------------------------------


def test_marks_know_their_image(store: MarkStore) -> None:
    store.close()
    told = About.read(store.path / "about.json")
    assert told == store.about
    here = told.field.sky(10, 20)
    assert here.separation(image().sky(10, 20)).arcsec < 1e-6
    assert told.misfit(image()) == ""
    assert "lies elsewhere on the sky; export" in told.misfit(image(lon=31.0))
    assert "1100 × 700" not in told.misfit(image((5, 6)))
    assert "700 × 1100 pixels, and field has 6 × 5" in told.misfit(image((5, 6)))
    plain = SkyImage.from_array(np.zeros(SHAPE))
    assert "has no sky coordinates" in told.misfit(plain)
    assert About.of(plain).misfit(plain) == ""
    assert About.of(plain).misfit(image()) == ""


# --- what a stranger's folder may hold ----------------------------------------------------------


def forged(store: MarkStore, body: bytes, edits: bool) -> None:
    """An entry as nobody here would write it, sums and all."""
    store.close()
    journal = Journal.open(store.path / "journal", store.about.key, True)
    journal.append("do", "forged", "", datetime.now(UTC), body, edits)
    journal.close()


def patch_of(mask: int, before: bytes, after: bytes) -> bytes:
    return struct.pack("<IHIIHHHHII", 0, mask, 0, 0, 0, 0, 2, 2, len(before), len(after)) + (
        before + after
    )


def test_a_lock_that_is_a_link_is_not_written_through(store: MarkStore, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "precious").write_text("all I have")
    (store.path / "lock").unlink()
    (store.path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(MarkError, match=r"lock is a link.* delete it"):
        MarkStore.open(store.path)
    assert (tmp_path / "precious").read_text() == "all I have"
    MarkStore.open(store.path, writing=False).close()


@pytest.mark.skipif(sys.platform == "win32", reason="a device")
def test_a_lock_is_held_on_a_full_disk(store: MarkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(FileIO):
        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    store.close()
    monkeypatch.setattr(lock_module, "FileIO", Full)
    with (
        MarkStore.open(store.path) as held,
        pytest.raises(MarkError, match="drawn on by another process"),
    ):
        assert held.writable
        MarkStore.open(store.path)


@pytest.mark.parametrize(
    "text", [b"123", b"null", b"[1]", b'[["annotator/x", null, {"mask": 70000}]]']
)
def test_forged_edits_are_damage(store: MarkStore, text: bytes) -> None:
    packed = zlib.compress(text)
    forged(store, struct.pack("<I", len(packed)) + packed, True)
    with pytest.raises(MarkError, match=r"journal is damaged at byte \d+; restore"):
        MarkStore.open(store.path)


def test_a_forged_patch_of_nobodys_mask_is_taken_back(store: MarkStore) -> None:
    nothing, ones = (zlib.compress(np.full(4, n, "<u2").tobytes()) for n in (0, 1))
    forged(store, patch_of(7, nothing, ones), False)
    with MarkStore.open(store.path) as again:
        change = again.undo()
        assert change is not None
        assert change.places == ()


def test_what_cannot_be_taken_back_is_not_begun(store: MarkStore) -> None:
    store.write(HERE, np.ones(HERE.shape, int))
    forged(store, patch_of(0, b"none", zlib.compress(np.ones(4, "<u2").tobytes())), False)
    with MarkStore.open(store.path) as again:
        size = (store.path / "journal").stat().st_size
        with pytest.raises(MarkError, match="journal is damaged at byte"):
            again.undo()
        assert (store.path / "journal").stat().st_size == size
        assert [each.name for each in again.done][-1] == "forged"
        assert again.undone == ()


def test_an_endless_number_of_bytes_is_of_no_journal(store: MarkStore) -> None:
    store.close()
    (store.path / "labels").mkdir(exist_ok=True)
    told = f'{{"key": "{store.about.key}", "journal": 1e999}}'
    (store.path / "labels/applied.json").write_text(told)
    with pytest.raises(MarkError, match="is not of this journal; delete the folder"):
        MarkStore.open(store.path)
