"""Look this installation over: what runs, what is missing, and what to do about it.

The text can go into a bug report as it is: it names no user, no folder of yours and no file.
Nothing is asked of the network.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

import psutil
from packaging.requirements import Requirement

from napari_astroseg import __version__
from napari_astroseg.errors import AstroSegError

HELP = "what runs here, what is missing, and the remedy"

_GIB = 2**30
_LEAST_MEMORY, _LEAST_DISK = 4 * _GIB, 5 * _GIB
_PATIENCE_S = 120


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    name
        What it is.
    told
        What is there.
    remedy
        What to do when it is not as it should be; "" when it is.
    """

    name: str
    told: str
    remedy: str = ""


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("--json", action="store_true", help="print a JSON list")


def run(options: argparse.Namespace) -> int:
    """Print what was found; exit status 1 when something wants a remedy."""
    found = list(findings())
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        wide = max(len(each.name) for each in found)
        for each in found:
            print(f"{'!' if each.remedy else ' '} {each.name:{wide}}  {each.told}")
            if each.remedy:
                print(f"  {'':{wide}}  → {each.remedy}")
    return 1 if any(each.remedy for each in found) else 0


def findings() -> Iterator[Finding]:
    """All that is looked at, one after the other."""
    yield Finding("astroseg", __version__)
    yield Finding("python", platform.python_version())
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield from packages()
    looks: tuple[Callable[[], Finding], ...] = (memory, disk, network, window, models)
    yield from (look() for look in looks)


def packages() -> Iterator[Finding]:
    """What the package needs, against its lower bounds; the extras that are there."""
    needed = [Requirement(line) for line in requires("napari-astroseg") or ()]
    versions = []
    for each in needed:
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        there = _version(each.name)
        if _suits(each):
            versions.append(f"{each.name} {there}")
        else:
            remedy = f"pip install '{each.name}{each.specifier}', in this environment"
            yield Finding(each.name, there or "missing", remedy)
    yield Finding("packages", ", ".join(versions))
    extras = metadata("napari-astroseg").get_all("Provides-Extra") or ()
    whole = [name for name in extras if all(_suits(each) for each in needed if _of(each, name))]
    yield Finding("extras", ", ".join(whole) or "none")


def memory() -> Finding:
    """Cores and memory."""
    told = psutil.virtual_memory()
    words = (
        f"{os.cpu_count()} logical cores, {told.total / _GIB:.0f} GiB of memory, "
        f"{told.available / _GIB:.1f} GiB free"
    )
    short = told.available < _LEAST_MEMORY
    return Finding("machine", words, "close other programs before training" if short else "")


def disk() -> Finding:
    """Room where pyramids and cut-outs are kept, and whether it can be written to."""
    from napari_astroseg.sky.cache import Cache

    folder = Cache("doctor", 0).folder
    place = next(each for each in folder.parents if each.is_dir())
    free = shutil.disk_usage(place).free
    remedy = ""
    if not os.access(place, os.W_OK):
        remedy = "let ASTROSEG_CACHE name a folder that you may write to; till then nothing is kept"
    elif free < _LEAST_DISK:
        remedy = "make room, or let ASTROSEG_CACHE name a folder on a larger disk"
    return Finding("cache", f"{free / _GIB:.0f} GiB free", remedy)


def network() -> Finding:
    """The device that networks would run on."""
    try:
        from napari_astroseg.engine.model import torch_device

        device = str(torch_device("auto"))
        if device == "cuda":
            import torch

            device = f"cuda: {torch.cuda.get_device_name()}"
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        return Finding("networks", f"PyTorch does not load ({reason})", "install torch again")
    return Finding("networks", f"on {device}")


def window() -> Finding:
    """Qt and OpenGL, asked in a process that a bad driver may kill."""
    from napari_astroseg.cli.display import has_display

    if not has_display():
        return Finding("window", "no display here; headless verbs run without one")
    words = [sys.executable, "-m", "napari_astroseg.gui.screen"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        told = None
    if told is None:
        return Finding(
            "window",
            "Qt opens no window",
            "pip install 'napari-astroseg[pyqt6]'; on Linux also the system libraries that "
            "`python3 start.py window` names",
        )
    if not told["renderer"]:
        return Finding("window", f"{told['binding']}, no OpenGL", "install a graphics driver")
    return Finding(
        "window",
        f"{told['binding']} on {told['platform']}, OpenGL {told['opengl']} by {told['renderer']}",
    )


def models() -> Finding:
    """The models that come along: whether each can be read."""
    from napari_astroseg.engine.card import builtin_models, read_card

    names = list(builtin_models())
    for name in names:
        try:
            read_card(name)
        except AstroSegError:
            return Finding("models", f"{name} cannot be read", "install napari-astroseg again")
    return Finding("models", ", ".join(names))


def _of(needed: Requirement, extra: str) -> bool:
    """Whether an extra asks for it here."""
    marker = needed.marker
    return marker is not None and marker.evaluate({"extra": extra}) and "extra" in str(marker)


def _suits(needed: Requirement) -> bool:
    there = _version(needed.name)
    return there is not None and needed.specifier.contains(there, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
