"""The cache keeps what was used last, within its limit, and nothing half-made under its name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.cache import Cache, remove
from napari_astroseg.sky.files.handle import LocalHandle

KIB = 1024


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))


def make(cache: Cache, name: str, size: int = KIB, age_s: float = 0.0) -> Path:
    with cache.making(name, size) as path:
        path.write_bytes(bytes(size))
    made = cache.folder / name
    used = time.time() - age_s
    os.utime(made, (used, used))
    return made


def names(cache: Cache) -> set[str]:
    return {path.name for path in cache.folder.iterdir()}


def test_what_was_made_is_found() -> None:
    cache = Cache("things", 10 * KIB)
    assert cache.find("a") is None
    made = make(cache, "a")
    assert cache.find("a") == made
    assert made.stat().st_size == KIB
    assert Cache("others", KIB).find("a") is None


def test_what_was_unused_for_longest_makes_room() -> None:
    cache = Cache("things", 3 * KIB)
    for age, name in enumerate("abc"):
        make(cache, name, age_s=300 - age)
    assert cache.find("a") is not None  # a use
    make(cache, "d")
    assert names(cache) == {"a", "c", "d"}
    make(cache, "e", 2 * KIB)
    assert names(cache) == {"d", "e"}


def test_a_use_is_no_change(tmp_path: Path) -> None:
    cache = Cache("things", 3 * KIB)
    handle = LocalHandle(make(cache, "a", age_s=500))
    identity = handle.identity
    found = cache.find("a")
    assert found is not None
    assert found.stat().st_atime > time.time() - 60
    assert LocalHandle(found).identity == identity


def test_folders_are_entries_too() -> None:
    cache = Cache("things", 3 * KIB)
    with cache.making("old", 2 * KIB) as path:
        path.mkdir()
        (path / "part").write_bytes(bytes(2 * KIB))
    os.utime(cache.folder / "old", (1, 1))
    make(cache, "new", 2 * KIB)
    assert names(cache) == {"new"}


def test_what_fails_leaves_nothing() -> None:
    cache = Cache("things", 3 * KIB)
    with pytest.raises(ZeroDivisionError), cache.making("a", KIB) as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert names(cache) == set()
    assert cache.find("a") is None


def test_half_made_entries_are_not_found() -> None:
    cache = Cache("things", 3 * KIB)
    with cache.making("a", KIB) as path:
        path.write_bytes(b"half")
        assert cache.find("a") is None
    assert cache.find("a") is not None


def test_what_a_dead_process_left_is_swept_and_what_lives_is_not() -> None:
    cache = Cache("things", 30 * KIB)
    make(cache, "a")
    dead, alive = cache.folder / ".making-dead", cache.folder / ".making-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "part").write_bytes(bytes(KIB))
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(dead / "part", (long_ago, long_ago))
    os.utime(dead, (long_ago, long_ago))
    make(cache, "b")
    assert not dead.exists()
    assert alive.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_only_this_user_s_own_files_are_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache("things", 10 * KIB)
    made = make(cache, "a")
    assert [folder.stat().st_mode & 0o777 for folder in (made.parent, tmp_path / "cache")] == [
        0o700,
        0o700,
    ]
    (cache.folder / "link").symlink_to(made)
    assert cache.find("link") is None
    assert make(cache, "link").is_symlink() is False  # it takes the place
    assert cache.find("link") is not None
    monkeypatch.setattr(os, "getuid", lambda: made.stat().st_uid + 1)
    assert cache.find("a") is None
    assert cache.matching("*") == []


def test_what_cannot_fit_is_refused_and_costs_no_other_entry() -> None:
    cache = Cache("things", 3 * KIB)
    make(cache, "a")
    with pytest.raises(OutputError, match=r"no room.*ASTROSEG_CACHE"):
        make(cache, "b", 4 * KIB)
    assert names(cache) == {"a"}
    assert cache.room() == 3 * KIB


def test_a_share_of_the_disk_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache("things", 1000 * KIB)
    make(cache, "old", 2 * KIB, age_s=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100 * KIB, 89 * KIB, 11 * KIB))
    assert cache.room() == 3 * KIB  # a tenth stays free; the old entry may go
    make(cache, "new", 2 * KIB)
    assert names(cache) == {"new"}
    with pytest.raises(OutputError, match="no room"):
        make(cache, "large", 4 * KIB)


def test_a_full_disk_is_one_sentence() -> None:
    cache = Cache("things", 3 * KIB)
    with pytest.raises(OutputError, match=r"No space left.*free some space"), cache.making("a", 1):
        raise OSError(28, "No space left on device")


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "file"))
    cache = Cache("things", KIB)
    assert cache.find("a") is None
    assert cache.room() == 0
    with pytest.raises(OutputError, match=r"cannot be written to.*ASTROSEG_CACHE"):
        make(cache, "a")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_still_serves() -> None:
    cache = Cache("things", 3 * KIB)
    make(cache, "a")
    cache.folder.chmod(0o500)
    try:
        assert cache.find("a") is not None
        with pytest.raises(OutputError, match="cannot be written to"):
            make(cache, "b")
    finally:
        cache.folder.chmod(0o700)


def test_an_entry_whose_use_cannot_be_noted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache("things", 3 * KIB)
    make(cache, "a")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    assert cache.find("a") is not None


@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove what is open")
def test_an_entry_in_use_can_be_evicted_and_read_to_the_end() -> None:
    cache = Cache("things", 2 * KIB)
    with make(cache, "a", 2 * KIB, age_s=100).open("rb") as file:
        make(cache, "b", 2 * KIB)
        assert cache.find("a") is None
        assert len(file.read()) == 2 * KIB


def test_an_entry_that_cannot_be_removed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache("things", 2 * KIB)
    make(cache, "held", age_s=200)
    make(cache, "free", age_s=100)
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path.name == "held":
            raise PermissionError(13, "in use by another program")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    assert not remove(cache.folder / "held")
    make(cache, "new")
    assert names(cache) == {"held", "new"}


@pytest.mark.parametrize("folder", [False, True])
def test_the_faster_of_two_makers_wins_and_the_other_does_not_fail(folder: bool) -> None:
    cache = Cache("things", 30 * KIB)

    def fill(path: Path, text: str) -> None:
        if folder:
            path.mkdir()
            path = path / "part"
        path.write_text(text)

    with cache.making("a", KIB) as slow:
        fill(slow, "slow")
        with cache.making("a", KIB) as fast:
            fill(fast, "fast")
    made = cache.folder / "a"
    assert (made / "part" if folder else made).read_text() == "fast"
    assert names(cache) == {"a"}


_MAKER = """
import sys
from napari_astroseg.sky.cache import Cache
cache = Cache("things", 40 * 1024)
for turn in range(60):
    name = f"{turn % 12}"
    if cache.find(name) is None:
        with cache.making(name, 4096) as path:
            path.write_bytes(sys.argv[1].encode() * 4096)
"""


def test_two_processes_share_one_cache() -> None:
    makers = [
        subprocess.Popen([sys.executable, "-c", _MAKER, letter], stderr=subprocess.PIPE)
        for letter in "xy"
    ]
    for maker in makers:
        _, complaint = maker.communicate(timeout=120)
        assert maker.returncode == 0, complaint.decode()
    cache = Cache("things", 40 * KIB)
    left = [path.read_bytes() for path in cache.folder.iterdir()]
    assert left
    for content in left:
        assert content in (b"x" * 4096, b"y" * 4096)
