"""What other systems lack or do otherwise, played on this one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from io import FileIO
from pathlib import Path
from types import ModuleType

import pytest

from napari_astroseg.sky.files import locking
from napari_astroseg.sky.votes.crowdfile import crowd_files


class Msvcrt(ModuleType):
    """Locks as Windows knows them: of bytes from where an open file is, and no two of one byte."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: dict[tuple[int, int], int] = {}

    def locking(self, number: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        place = (os.fstat(number).st_ino, os.lseek(number, 0, os.SEEK_CUR))
        if self.held.setdefault(place, number) != number:
            raise OSError(errno.EACCES, "Permission denied")


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of locks as it is where there is no fcntl."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt())
    spec = spec_from_file_location("locking_there", locking.__file__)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_held_on_windows_and_read_meanwhile(
    on_windows: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "lock"
    path.write_bytes(b"process 7")
    with FileIO(path, "r+") as mine, FileIO(path) as theirs:
        assert not on_windows.is_locked(mine)  # and now it is
        assert on_windows.is_locked(theirs)
        with pytest.raises(PermissionError) as refused:
            on_windows.lock(theirs)
        assert refused.value.errno in on_windows.BUSY
        assert theirs.read(200) == b"process 7"  # the byte that is locked is far behind


def test_maps_of_classes_stay_apart_where_case_is_ignored() -> None:
    names = [each.name for each in crowd_files("out/v.fits.gz", ["Arm", "arm", "ring 1", "ring_1"])]
    assert names == ["v_Arm.fits.gz", "v_arm-2.fits.gz", "v_ring_1.fits.gz", "v_ring_1-2.fits.gz"]
    assert [each.name for each in crowd_files("out/v.fits", ["arm"])] == ["v.fits"]


WALK = """
import asyncio, multiprocessing, concurrent.futures, getpass, os, signal, sys, tempfile
from pathlib import Path

import astropy.wcs, dask.array, fsspec, numba, platformdirs, psutil, pydantic, pyvo, regions
import reproject, requests, skimage, sqlalchemy, zarr

for name in (
    "fork", "getuid", "geteuid", "getgid", "preadv", "pread", "pwrite", "nice", "setpriority",
    "sched_getaffinity", "mkfifo", "killpg", "setsid", "posix_fadvise", "getloadavg",
    "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "link", "uname", "sysconf",
):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGCHLD", "SIGSTOP"):
    if hasattr(signal, name):
        delattr(signal, name)
sys.modules["resource"] = sys.modules["pwd"] = None

import napari_astroseg
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.marks.lock import WriterLock
from napari_astroseg.sky.mosaics.mosaicfile import write_mosaic
from napari_astroseg.sky.simulate.filaments import write_filaments

out = Path(sys.argv[1])
path = write_filaments(out, n=1, size=160, seed=8)[0]
image = napari_astroseg.open_image(path)
WriterLock(out / "lock").release()
cache = Cache("elsewhere", 2**20)
with cache.making("one", 3) as making:
    making.write_bytes(b"sky")
assert cache.find("one").read_bytes() == b"sky"
for _ in write_mosaic(image, out / "mosaic.fits"):
    pass
print(napari_astroseg.open_image(out / "mosaic.fits").shape)
"""


def test_reading_locking_and_writing_need_no_call_that_only_posix_has(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", WALK, str(tmp_path)]
    place = {**os.environ, "ASTROSEG_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=place)
    assert (done.stdout, done.returncode) == ("(160, 160)\n", 0), done.stderr
