"""Samples: one simulated sky for each recipe, made once and kept among the user's data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.service import Call
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.settings import data_folder
from napari_astroseg.gui.training.simulating import TARGET

_SEED = 2023


@dataclass(frozen=True)
class Sample:
    """A sky to try things on.

    Parameters
    ----------
    name
        In words.
    kind, size_px
        What is simulated.
    shows
        What to try on it.
    files
        How the names of the files end that are opened.
    needs
        A package without which it cannot be drawn; "" for none.
    """

    name: str
    kind: str
    size_px: int
    shows: str
    files: tuple[str, ...]
    needs: str = ""

    @property
    def lack(self) -> str:
        """Why it cannot be made here; "" where it can."""
        if not self.needs or find_spec(self.needs) is not None:
            return ""
        return f"{self.needs} draws this sky and is not installed: pip install {self.needs}"

    def wanted(self, paths: list[Path]) -> list[Path]:
        """Those of its files that are opened; none where one of them is missing."""
        found = [path for path in sorted(paths) if path.name.endswith(self.files)]
        whole = all(any(path.name.endswith(end) for path in found) for end in self.files)
        return found if whole else []


SAMPLES = (
    Sample(
        "Filaments",
        "filaments",
        768,
        "A column-density map of the Galactic plane; predict with “filaments”",
        ("_image.fits",),
    ),
    Sample(
        "Spiral arms",
        "spirals",
        525,
        "A galaxy as volunteers saw it; open the same file in Votes, too",
        (".fits.gz",),
    ),
    Sample(
        "Bubbles",
        "bubbles",
        768,
        "A Spitzer tile at 24 and 8 µm; predict with “bubbles_small”",
        ("r.fits", "g.fits"),
    ),
    Sample(
        "Stars and galaxies",
        "multiband",
        512,
        "A deep field in g, r and z; predict with “astro_rcnn_small”",
        ("img_g.fits", "img_r.fits", "img_z.fits"),
        "galsim",
    ),
    Sample(
        "Blended galaxies",
        "galaxies",
        512,
        "A field of overlapping galaxies; predict with “blended_galaxies_small”",
        (".fits",),
        "galsim",
    ),
)


class SampleMaker(QObject):
    """Makes samples in a process of their own; `made` names the files to open."""

    made = Signal(object)  # list of Path
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engines = Engines(self)
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether one is being made."""
        return self._job is not None

    def make(self, sample: Sample) -> None:
        """Make a sample, unless it is there from an earlier time."""
        if self.busy:
            return
        folder = data_folder() / "samples" / sample.kind
        there = sample.wanted(list(folder.rglob("*.fits*"))) if folder.is_dir() else []
        if there:
            self.made.emit(there)
            return
        call = Call(TARGET, (sample.kind, folder, 1, sample.size_px, _SEED))
        job = self._job = self._engines.start(call, own_process=True)
        job.finished.connect(partial(self._finished, sample, folder))
        job.failed.connect(lambda error: self._end(str(error)))
        job.stopped.connect(lambda: self._end(""))

    def close(self) -> None:
        """Make nothing more."""
        self._job = None
        self._engines.close()

    def _finished(self, sample: Sample, folder: Path, _result: object = None) -> None:
        self._job = None
        self.made.emit(sample.wanted(list(folder.rglob("*.fits*"))))

    def _end(self, sentence: str) -> None:
        self._job = None
        self.refused.emit(sentence)
