"""TourSky: the sample that the tour is on, whether it is open, and what lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.layers import ROLE, sky_image
from napari_astroseg.gui.settings import data_folder
from napari_astroseg.gui.welcome.samples import SAMPLES, Sample, SampleMaker

SAMPLE = next(each for each in SAMPLES if each.kind == "filaments")


class TourSky(QObject):
    """One sample of a viewer; made when it is asked for, unless it is there.

    Parameters
    ----------
    viewer
        Where it is shown.
    open_files
        Opens files there.
    sample
        Which one.
    """

    refused = Signal(str)

    def __init__(
        self,
        viewer: Any,
        open_files: Callable[[Sequence[str]], Any],
        sample: Sample = SAMPLE,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._sample = bare(viewer), sample
        self._maker = SampleMaker(self)
        self._maker.made.connect(lambda paths: open_files([str(path) for path in paths]))
        self._maker.refused.connect(self.refused)

    @property
    def folder(self) -> Path:
        """Where its files are, and what the tour writes."""
        return data_folder() / "samples" / self._sample.kind

    @property
    def layer(self) -> Any:
        """The layer that draws it; None while it is not open."""
        return next((each for each in reversed(self._viewer.layers) if self._draws(each)), None)

    @property
    def infrared(self) -> Path | None:
        """The same sky in the mid-infrared; None where there is no such file."""
        return next(iter(sorted(self.folder.glob("*_infrared.fits"))), None)

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return self._maker.busy

    def show(self) -> None:
        """Open it, and make it before where it is not there yet."""
        self._maker.make(self._sample)

    def select(self) -> None:
        """Select its layer, which every dock then works on."""
        if self.layer is not None:
            self._viewer.layers.selection.active = self.layer

    def close(self) -> None:
        """Make nothing more."""
        self._maker.close()

    def _draws(self, layer: Any) -> bool:
        image = sky_image(bare(layer))
        if image is None or image.reference is None or ROLE in layer.metadata:
            return False
        path = Path(image.reference.place)
        return path.parent == self.folder and path.name.endswith(self._sample.files)
