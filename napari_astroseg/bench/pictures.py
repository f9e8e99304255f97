"""Pictures: large files in a window, ours beside what people do today.

First picture, pan and zoom, memory: each opening in a process and a viewer of its own, over the
same for an array of 1000² pixels that is in memory. *Cold* files are dropped from the system's
cache before.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_astroseg.bench import child
from napari_astroseg.bench.fields import write_survey
from napari_astroseg.bench.memory import free_bytes
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import words
from napari_astroseg.bench.ways import ARRAY, OTHERS, OURS, Way

_WARM, _KEPT, _COLD = 1.2, 1.3, 2.0
_MEMORY_MIB, _BLOCK_MS, _DRAWS = 64.0, 100.0, 1.5
_SPARE_BYTES = 2 * 2**30
_WALKS = 5

Files = tuple[str, ...]


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """Every size, from the smallest."""
    for side in plan.large_px:
        path = write_survey(scratch / f"survey-{side}.fits", side)
        yield from _Pictures(plan, path, side, scratch).measurements()
        path.unlink()


@dataclass(frozen=True)
class _Pictures:
    """The pictures of one file."""

    plan: Plan
    path: Path
    side: int
    scratch: Path

    def measurements(self) -> Iterator[Measurement]:
        kind = "sparse " if self.path.name.startswith("sparse") else ""
        what = f"{kind}{self.side}²"
        kept = self.scratch / "kept"
        cold = (str(self.path),)
        array, ours = self._in_turn()
        walked = cold if self.plan.openings > 1 else None
        others = {each.name: self._once(each, (), walked) for each in OTHERS}
        yield self._opening(f"first picture {what}", (array, ours), _WARM, others)
        yield self._memory(what, ours, others)
        yield from self._walk(what, cold, others)
        pair = self._in_turn(cold)
        strided = {OTHERS[-1].name: self._once(OTHERS[-1], cold)}
        yield self._opening(f"first picture {what}, cold", pair, _COLD, strided)
        child.run(
            "napari_astroseg.bench.growing", *(str(self.path), "0"),
            scratch=self.scratch, cache=kept,
        )  # fmt: skip
        pyramids = tuple(str(each) for each in (kept / "pyramids").iterdir())
        pair = self._in_turn((*cold, *pyramids), kept)
        name = f"first picture {what}, cold, pyramid kept"
        yield self._opening(name, pair, _KEPT, strided)

    def _in_turn(
        self, cold: Files = (), kept: Path | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The array and our opening, one after the other, as often as the plan says."""
        array, ours = [], []
        if not cold:
            _remember(self.path)
        for _ in range(self.plan.openings):
            array.append(self._draw(ARRAY, ()))
            ours.append(self._draw(OURS, cold, kept=kept))
        return array, ours

    def _once(self, way: Way, cold: Files, walk: Files | None = None) -> dict[str, Any] | str:
        """Another way's opening, or why it was not tried."""
        wanted = int(way.appetite * self.path.stat().st_size) + _SPARE_BYTES
        if wanted > free_bytes():
            return f"not tried, wants {wanted / 2**30:.0f} GiB"
        if not cold:
            _remember(self.path)
        return self._draw(way, cold, walk)

    def _draw(
        self, way: Way, cold: Files, walk: Files | None = None, kept: Path | None = None
    ) -> dict[str, Any]:
        """One child's word; without a `kept` cache it has one of its own, which is empty."""
        order = {"way": way.name, "path": str(self.path), "cold": cold, "walk": walk}
        module = "napari_astroseg.bench.first_draw"
        with tempfile.TemporaryDirectory(dir=self.scratch) as own:
            cache = kept or Path(own)
            return child.run(module, json.dumps(order), scratch=self.scratch, cache=cache)

    def _opening(
        self,
        name: str,
        pair: tuple[list[dict[str, Any]], list[dict[str, Any]]],
        target: float,
        others: dict[str, dict[str, Any] | str],
    ) -> Measurement:
        """Our time to the first picture over the array's, taken in turn."""
        bare, mine = (statistics.median(each["seconds"] for each in side) for side in pair)
        right = "" if all(each["right"] for each in pair[1]) else ", picture black or white"
        how = f"{words(mine)} / {words(bare)}{right}; {self._beside(others, bare)}"
        return Measurement.at_most(name, mine / bare, "× 1000² in memory", target, how)

    def _beside(self, others: dict[str, dict[str, Any] | str], bare: float) -> str:
        told = []
        for name, found in others.items():
            if isinstance(found, str):
                told.append(f"{name} {found}")
            else:
                wrong = "" if found["right"] else " (black or white)"
                told.append(f"{name} {found['seconds'] / bare:.1f} ×{wrong}")
        return ", ".join(told)

    def _memory(
        self, what: str, ours: list[dict[str, Any]], others: dict[str, dict[str, Any] | str]
    ) -> Measurement:
        peak = round(max(each["peak_mib"] for each in ours), 1)
        beside = _figures(others, "peak_mib", "{:.0f} MiB")
        how = f"most memory over the empty viewer until the first picture; {beside}"
        figures = peak, "MiB", 0.0, _MEMORY_MIB
        name = f"first picture {what}, memory"
        return Measurement(name, *figures, peak <= _MEMORY_MIB, "≤", how)

    def _walk(
        self,
        what: str,
        cold: Files,
        others: dict[str, dict[str, Any] | str],
    ) -> Iterator[Measurement]:
        self._draw(OURS, (), cold)  # the driver compiles shaders for each kind of texture, once
        walks = [self._draw(OURS, (), cold) for _ in range(min(_WALKS, self.plan.openings))]
        blocks = sorted(1e3 * each["worst_s"] for each in walks)
        worst = round(statistics.median(blocks), 1)
        draws = round(statistics.median(each["draws"] for each in walks), 3)
        beside = _figures(others, "worst_s", "{:.2f} s")
        how = (
            "longest that a step of a walk kept the window's thread, file cold: of "
            f"{len(walks)} walks the median, {blocks[0]:.0f} to {blocks[-1]:.0f} ms; {beside}"
        )
        figures = worst, "ms", 0.0, _BLOCK_MS
        yield Measurement(f"pan and zoom {what}", *figures, worst <= _BLOCK_MS, "≤", how)
        how = f"pictures drawn for each step; {_figures(others, 'draws', '{:.2f}')}"
        figures = draws, "draws", 1.0, _DRAWS
        yield Measurement(f"pan and zoom {what}, draws", *figures, draws <= _DRAWS, "≤", how)


def _figures(others: dict[str, dict[str, Any] | str], which: str, form: str) -> str:
    """One figure of every other way that has it, or why there is none."""
    told = []
    for name, found in others.items():
        if isinstance(found, str):
            told.append(f"{name} {found}")
        elif found[which] is not None:
            told.append(f"{name} {form.format(found[which])}")
    return ", ".join(told) or "others not measured"


def _remember(path: Path) -> None:
    """Let the system write a file out, and have it in its cache, as far as that can hold it."""
    buffer = bytearray(2**24)
    with path.open("rb", buffering=0) as file:
        os.fsync(file.fileno())
        while file.readinto(buffer):
            pass
