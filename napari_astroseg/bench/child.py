"""Child: a measurement in a process of its own, which prints its result as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from napari_astroseg.errors import SetupError


def run(module: str, *words: str, scratch: Path, cache: Path) -> dict[str, Any]:
    """What `python -m module words…` prints; neither configuration nor cache are the user's.

    Raises
    ------
    SetupError
        When it ends badly.
    """
    own = {
        "NAPARI_CONFIG": str(scratch / "napari.yaml"),
        "XDG_CONFIG_HOME": str(scratch / "configuration"),
        "ASTROSEG_CACHE": str(cache),
    }
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SetupError(
            f"{module} ended with {done.returncode} ({last}); run it by itself to see why"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
