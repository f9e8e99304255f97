"""Work for the processes of a cluster that loads nothing heavy."""

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from napari_astroseg.errors import ImageError


def squaring(folder):
    """What squares a number; notes where it was made and which numbers it was given."""
    (folder / f"made-{os.getpid()}-{time.monotonic_ns()}").touch()

    def square(number):
        (folder / f"seen-{number}-{time.monotonic_ns()}").touch()
        time.sleep(0.02)
        return number**2

    return square


def lagging(folder):
    """What is late with number 3 until it is asked for it again."""

    def answer(number):
        if number == 3 and (folder / "late").exists():
            (folder / "again").touch()
        elif number == 3:
            (folder / "late").touch()
            end = time.monotonic() + 30
            while not (folder / "again").exists() and time.monotonic() < end:
                time.sleep(0.05)
        return number

    return answer


def waxing(folder, last):
    """What answers once another process is there, too; the number `last`, once it is gone."""
    import psutil  # it comes with Dask's scheduler

    (folder / f"made-{os.getpid()}").touch()

    def others():
        made = (path.name.removeprefix("made-") for path in folder.glob("made-*"))
        return [pid for pid in made if int(pid) != os.getpid() and psutil.pid_exists(int(pid))]

    def answer(number):
        end = time.monotonic() + 60
        while bool(others()) == (number == last) and time.monotonic() < end:
            time.sleep(0.02)
        return len(others())

    return answer


def refusing(words):
    """What cannot answer, and says so."""

    def answer(_):
        raise ImageError(words)

    return answer


def dying():
    """What dies of every number."""
    return lambda _: os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def started(workers):
    """A cluster that somebody else has started; its workers are threads, for they start at once."""
    import distributed

    how = {"n_workers": workers, "threads_per_worker": 1, "processes": False, "protocol": "tcp"}
    quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(**how, **quiet) as cluster:
        yield cluster


SCHEDULER = """
from sharedwork import started
with started(0) as cluster:
    print(cluster.scheduler_address, flush=True)
    input()
"""


@contextmanager
def own_processes():
    """A scheduler in a process of its own, and its address; a worker of it in another."""
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    asked = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], env=here, text=True, **asked
    ) as scheduler:
        address = scheduler.stdout.readline().strip()
        words = [address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        module = "distributed.cli.dask_worker"
        with subprocess.Popen([sys.executable, "-m", module, *words], env=here, **asked) as worker:
            try:
                yield scheduler, address
            finally:
                worker.kill()
                scheduler.kill()


def backwards(_device, make):
    """Has pieces answered elsewhere and in another order, like a cluster."""
    answer = make("cpu")
    return lambda pieces: ((piece, answer(piece)) for piece in reversed(pieces))
