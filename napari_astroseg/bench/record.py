"""Measurement: one ratio with its target; the table of several, and the machine they are of."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "numpy", "dask", "astropy", "zarr", "napari")
_HEADINGS = ("what", "measured", "limit", "target", "holds", "how")


@dataclass(frozen=True)
class Measurement:
    """One ratio of what is reached to what is possible.

    Attributes
    ----------
    name
        What was measured.
    value
        The ratio.
    unit
        What it is a ratio to.
    limit
        The value that could not be bettered.
    target
        The value that is asked for.
    holds
        Whether it is met.
    sense
        `≤` where the target bounds the value from above, `≥` from below; for the table.
    how
        Both sides in absolute figures; for the table, not for scripts.
    """

    name: str
    value: float
    unit: str
    limit: float
    target: float
    holds: bool
    sense: str = "≤"
    how: str = ""

    @classmethod
    def at_most(cls, name: str, value: float, unit: str, target: float, how: str) -> Measurement:
        """A ratio of times, which should be small."""
        figures = round(value, 3), unit, 1.0, round(target, 3)
        return cls(name, *figures, value <= target, "≤", how)

    @classmethod
    def at_least(cls, name: str, value: float, unit: str, target: float, how: str) -> Measurement:
        """A ratio of rates, which should be large."""
        figures = round(value, 3), unit, 1.0, round(target, 3)
        return cls(name, *figures, value >= target, "≥", how)

    def described(self) -> dict[str, Any]:
        """The object of `astroseg bench --json`."""
        values = asdict(self)
        for told_only in ("sense", "how"):
            del values[told_only]
        return values


def text_table(measurements: Sequence[Measurement]) -> str:
    """Measurements for a terminal, the absolute figures below each."""
    width = max((len(m.name) for m in measurements), default=0)
    lines = []
    for m in measurements:
        verdict = "holds" if m.holds else "MISSED"
        figures = f"{m.value:.2f} {m.unit}, target {m.sense} {m.target:.2f}"
        lines.append(f"{m.name:<{width}}  {figures}: {verdict}")
        lines.append(f"{'':<{width}}  {m.how}")
    return "\n".join(lines)


def markdown_table(measurements: Sequence[Measurement]) -> str:
    """Measurements as a Markdown table."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS)]
    for m in measurements:
        verdict = "yes" if m.holds else "**no**"
        figures = f"{m.value:.2f} {m.unit}", f"{m.limit:g}", f"{m.sense} {m.target:.2f}"
        rows.append((m.name, *figures, verdict, m.how))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def machine() -> str:
    """The machine and the versions that the figures are of, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    parts = [
        f"{_processor()}, {os.cpu_count()} logical cores, {_memory_gib()} of memory",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, {versions}",
    ]
    return "; ".join(parts)


def _processor() -> str:
    """The processor's name as its system tells it."""
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def _memory_gib() -> str:
    """Physical memory in words."""
    names = getattr(os, "sysconf_names", {})
    if {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(names):
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return "unknown size"
