"""A PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_USER = "vetter"


def programs() -> Path:
    """The folder of `initdb` and `pg_ctl`; skips the test where they are not installed."""
    there = shutil.which("pg_ctl")
    places = [Path(there).resolve().parent] if there else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists():
            return place
    pytest.skip("no PostgreSQL server is installed (initdb is not found)")


class Server:
    """A server on a socket of its own, which can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._bin = programs()
        self._folder = folder
        self._as: dict[str, Any] = {}
        if getpass.getuser() == "root":  # whom PostgreSQL refuses
            if subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode:
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        self.url = f"postgresql://{_USER}@/postgres?host={folder}"
        self._call("initdb", "-D", folder / "data", "-U", _USER, "--auth=trust", "-N")

    def start(self) -> None:
        words = f"-k {self._folder} -h ''"
        self._call(
            "pg_ctl", "-D", self._folder / "data", "-w", "-o", words,
            "-l", self._folder / "log", "start",
        )  # fmt: skip

    def stop(self) -> None:
        self._call("pg_ctl", "-D", self._folder / "data", "-w", "-m", "immediate", "stop")

    def _call(self, program: str, *words: str | Path) -> None:
        done = subprocess.run(
            [self._bin / program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, check=False, cwd=self._folder, env=os.environ | {"LC_ALL": "C"}, **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@contextmanager
def running() -> Iterator[Server]:
    """A server that is up."""
    pytest.importorskip("psycopg", reason="psycopg, PostgreSQL's driver, is not installed")
    import tempfile

    # Short, as a socket's name is bounded, and open to the user it runs as.
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
