"""A simulated sky whose second item takes its process along, as a lack of memory would."""

from __future__ import annotations

import os
from pathlib import Path


def write(out: Path, number: int, size: int, seed: int) -> list[Path]:
    """Write a letter, or die."""
    if number == 1:
        os._exit(9)
    path = out / f"{number}.txt"
    path.write_text(f"{size} {seed}")
    return [path]
