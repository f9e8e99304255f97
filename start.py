#!/usr/bin/env python3
"""Install and run napari-astroseg from this folder, with nothing but Python 3.11 or newer.

    python3 start.py demo               the main job on the sample: in the window where there is
                                        a display, else headless, leaving a picture and a catalogue
    python3 start.py window [FILE ...]  the window, with images open
    python3 start.py test               install what testing needs and pass the tests

Everything goes into `.venv` beside this file: the packages, and the settings and caches of what
runs here. Nothing else is touched, and deleting that folder undoes it all. The one exception is
a bare Debian or Ubuntu without a display and with root's rights (a container, a build machine):
there the system libraries that are missing are installed with apt-get. Elsewhere they are named,
and installing them is left to you.
"""

import argparse
import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 (older ones shall read a sentence, not a traceback)
    sys.exit(
        f"napari-astroseg needs Python 3.11 or newer, and this is {platform.python_version()}; "
        "install a newer one (Debian 12 and Ubuntu 24.04 bring it as python3; python.org, conda "
        "and pyenv have it for every system) and run start.py with that"
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "astroseg-installed.json"  # what was installed; says too that the folder is ours
LOG = VENV / "install.log"
PYQT5 = sys.platform != "linux" or platform.machine() == "x86_64"  # published for this machine

# What Qt 5 and 6 load from a Linux system to open a window and draw in it. What these need in
# turn, Mesa's drivers too, comes along with their packages.
LIBRARIES = (
    "libGL.so.1 libEGL.so.1 libglib-2.0.so.0 libdbus-1.so.3 libfontconfig.so.1 libfreetype.so.6 "
    "libX11-xcb.so.1 libXext.so.6 libxkbcommon.so.0 libxkbcommon-x11.so.0 libxcb-cursor.so.0 "
    "libxcb-glx.so.0 libxcb-icccm.so.4 libxcb-image.so.0 libxcb-keysyms.so.1 libxcb-randr.so.0 "
    "libxcb-render.so.0 libxcb-render-util.so.0 libxcb-shape.so.0 libxcb-shm.so.0 "
    "libxcb-sync.so.1 libxcb-util.so.1 libxcb-xfixes.so.0 libxcb-xinerama.so.0 libxcb-xkb.so.1"
)


def say(message: str) -> None:
    """One line to whoever started this, at once."""
    print(message, flush=True)


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform != "linux" or os.environ.get("WAYLAND_DISPLAY"):
        return True
    name = os.environ.get("DISPLAY", "")
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", name)
    if not local:
        return bool(name)  # a display of another machine: taken at its word
    for address in (f"\0/tmp/.X11-unix/X{local[1]}", f"/tmp/.X11-unix/X{local[1]}"):
        with socket.socket(socket.AF_UNIX) as server:
            if server.connect_ex(address) == 0:
                return True
    return False


def debian_package(library: str) -> str:
    """The package of a shared library, by Debian's rule for naming them."""
    name, version = library.lower().replace("glib-2", "glib2").split(".so.")
    return f"{name}-{version}" if name[-1].isdigit() else name + version


def missing_packages(display: bool) -> list[str]:
    """Debian packages whose libraries cannot be loaded here; Xvfb where there is no display."""
    missing = []
    for library in LIBRARIES.split() if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(debian_package(library))
    if not display and not shutil.which("Xvfb"):
        missing.append("xvfb")
    return missing


def provide(packages: list[str], what: str, display: bool, needed: bool) -> None:
    """Install system packages where this may (see the top), else say what is missing."""
    if not packages:
        return
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if display or not apt or os.geteuid() != 0:
        remedy = "sudo apt-get install" if apt else "your system's packages for what Debian calls"
        if needed:
            sys.exit(f"error: {what} missing; install them first: {remedy} {names}")
        say(f"Note: {what} missing, which a window needs: {remedy} {names}")
        return
    say(f"Installing system packages: {names}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        command = [apt, "-q", *step]
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{(done.stdout + done.stderr)[-2000:]}\nerror: `apt-get {step[0]}` failed")


def environment() -> dict[str, str]:
    """Variables for what runs here: settings and caches stay inside `.venv`.

    pip compiles nothing, so what Python compiles on first use is kept, whatever the user's habit.
    """
    variables = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": ""}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("config", "cache", "data", "state"):
        folder = VENV / "home" / name
        folder.mkdir(parents=True, exist_ok=True)
        variables[f"XDG_{name.upper()}_HOME"] = str(folder)
    return variables


def make_venv(display: bool) -> None:
    """Create `.venv` with pip in it, unless it is there and runs."""
    check = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    if PYTHON.exists() and subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return
    if VENV.exists() and not STAMP.exists():
        sys.exit(f"error: {VENV} is not of this script's making; move it away and start again")
    if not importlib.util.find_spec("ensurepip"):  # Debian keeps it in a package of its own
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        provide([package], "parts of Python are", display, needed=True)
    say(f"Creating {VENV}")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    STAMP.write_text("{}")
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        sys.exit(f"error: {VENV} cannot be created; the lines above say why")


def install(extras: set[str], display: bool) -> None:
    """Install the package from this folder with `extras`, unless that is done already."""
    make_venv(display)
    state = (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    digest = hashlib.sha256(state).hexdigest()
    stamp = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    if stamp.get("digest") == digest and extras <= set(stamp["extras"]):
        return
    wanted = sorted(extras | set(stamp.get("extras", ())))
    STAMP.write_text("{}")
    say(f"Installing napari-astroseg [{', '.join(wanted)}] into {VENV}")
    say("  the first time this fetches about 3.5 GB on Linux (PyTorch), less elsewhere")
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    # Most modules are never imported; those that are get compiled then.
    command += ["--no-compile", "--no-cache-dir", "-e", f"{ROOT}[{','.join(wanted)}]"]
    with tempfile.TemporaryDirectory(dir=VENV) as scratch, LOG.open("w", encoding="utf-8") as log:
        env, pipe = {**environment(), "TMPDIR": scratch}, subprocess.PIPE
        pip = subprocess.Popen(
            command, env=env, text=True, errors="replace", stdout=pipe, stderr=subprocess.STDOUT
        )
        for line in pip.stdout or ():
            log.write(line)
            big = re.match(r" *Downloading ([\w.]+)-([\w.+]+)-.*\((\d{2,}\.\d MB|.* GB)\)", line)
            if big:
                say(f"  fetching {big[1]} {big[2]} ({big[3]})")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {line.count(',') + 1} packages")
    if pip.wait():
        tail = "".join(LOG.read_text(encoding="utf-8").splitlines(keepends=True)[-15:])
        sys.exit(f"{tail}error: the packages could not be installed; the whole story is in {LOG}")
    STAMP.write_text(json.dumps({"digest": digest, "extras": wanted}))


@contextmanager
def screen(display: bool) -> Iterator[dict[str, str]]:
    """Variables that lead Qt to a screen: a virtual one where Xvfb is at hand or must be."""
    if sys.platform != "linux" or (display and not shutil.which("Xvfb")):
        yield {}
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        number = os.fdopen(read).readline().strip()
        if not number:
            sys.exit("error: Xvfb does not start; run it by hand to see why: Xvfb :99")
        # Qt and PyOpenGL both talk to this server, whatever session it runs in.
        yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "PYOPENGL_PLATFORM": "glx"}
    finally:
        server.terminate()
        server.wait()


def start(
    command: list[str], variables: dict[str, str], binding: str, **further: Any
) -> subprocess.Popen[str]:
    """A command at work, for which every library chooses the same Qt binding."""
    library = {"pyqt5": "PyQt5", "pyqt6": "PyQt6"}[binding]
    choice = {"QT_API": binding, "PYTEST_QT_API": binding, "PYQTGRAPH_QT_LIB": library}
    return subprocess.Popen(
        command, env={**environment(), **variables, **choice}, text=True, **further
    )


def run(command: list[str], variables: dict[str, str], binding: str) -> int:
    """Exit status of a command, as `start` starts it."""
    with start(command, variables, binding) as process:
        return process.wait()


def suites() -> list[tuple[str, str, list[str]]]:
    """Title, binding and pytest's words of each part of the tests."""
    every = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "gui").glob("test_*"))
    five = ("the window on PyQt5", "pyqt5", ["tests/gui", "-m", "not once"])
    apart = ["tests/test_docs.py", "tests/test_imports.py", "tests/test_release.py"]
    rest = [f"--ignore={path}" for path in apart]
    below = ("all that lies below the window", "pyqt6", ["--cov", "--cov-report=term", *rest])
    sixes = [
        (f"the window on PyQt6, part {number} of 6", "pyqt6", every[number - 1 :: 6])
        for number in range(1, 7)
    ]
    told = ("docs, imports and archives", "pyqt6", apart)
    return [*([five] if PYQT5 else []), below, *sixes, told]


def tested(words: list[str], binding: str, display: bool) -> tuple[int, str]:
    """Exit status and output of one part of the tests, on a screen of its own."""
    command = [str(PYTHON), "-m", "pytest", *words, "--durations=15"]
    # The small networks below the window need no second thread.
    threads = {"OMP_NUM_THREADS": "1"} if "--cov" in words else {}
    with screen(display) as shown, tempfile.TemporaryFile("w+", errors="replace") as told:
        variables = {**shown, **threads}
        running = start(command, variables, binding, stdout=told, stderr=subprocess.STDOUT)
        status = running.wait()
        told.seek(0)
        return status, told.read()


def test(display: bool) -> int:
    """The window's tests on either binding, and all others with their coverage.

    Two parts at a time, where each can have a screen to itself.
    """
    os.chdir(ROOT)
    alone = sys.platform != "linux" or (display and not shutil.which("Xvfb"))
    parts, failed = suites(), []
    say(f"\nTesting in {len(parts)} parts; each is told when it has passed or failed")
    with ThreadPoolExecutor(1 if alone else 2) as lanes:
        running = [
            (what, lanes.submit(tested, words, binding, display)) for what, binding, words in parts
        ]
        for what, part in running:
            status, told = part.result()
            say(f"\nTesting {what}\n{told}")
            if status:
                lines = re.findall(r"^(?:FAILED|ERROR) .*", told, re.MULTILINE)
                failed.append("\n  ".join([f"{what} (exit status {status})", *lines]))
    if failed:
        say("error: tests failed; see above:\n" + "\n".join(failed))
    return 1 if failed else 0


def main() -> int:
    """Do what the command line asks."""
    if isinstance(sys.stdout, TextIOWrapper):  # what a pipe on Windows cannot take is spelt out
        sys.stdout.reconfigure(errors="backslashreplace")
    layout = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("command", choices=["demo", "window", "test", "install"])
    parser.add_argument("--qt", choices=["pyqt6", "pyqt5"], default="pyqt6", help="Qt binding")
    asked, rest = parser.parse_known_args()
    display = has_display()
    needed = asked.command in {"window", "test"} or display
    provide(missing_packages(display), "system libraries are", display, needed)
    if asked.command in {"install", "test"}:  # `install dev`: for CI and developers
        further = set(rest) if asked.command == "install" else set()
        install({"test", "pyqt6", *(["pyqt5"] if PYQT5 else []), *further}, display)
        return test(display) if asked.command == "test" else 0
    install({asked.qt}, display)
    command = [str(PYTHON), "-m", "napari_astroseg"]
    if asked.command == "demo":
        command += ["demo"] if display or "--headless" in rest else ["demo", "--headless"]
    return run([*command, *rest], {}, asked.qt)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
