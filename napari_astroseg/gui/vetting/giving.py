"""Giving: what was judged written down: a catalogue, regions, or a report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.review.outcome import Outcome, catalogue_of, write_outcome
from napari_astroseg.review.report import write_report
from napari_astroseg.review.reportpdf import write_pdf

_WRITTEN = (
    "Catalogue (*.ecsv);;Catalogue (*.vot);;Catalogue (*.fits);;Catalogue (*.csv);;"
    "DS9 regions (*.reg);;Report to be printed (*.pdf);;Report as a page (*.html)"
)


class Giving(QObject):
    """Writes off the window's thread."""

    said = Signal(str)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = Latest(self)
        self._work.answered.connect(self.said.emit)
        self._work.refused.connect(self.refused)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._work.busy

    def wait(self) -> None:
        """Let what is being written end."""
        self._work.wait()

    def write(self, desk: Desk, path: Path) -> None:
        """Write what was judged, as the file's ending says."""
        self._work.ask(partial(_written, desk, path))

    def ask(self, desk: Desk, parent: QWidget) -> None:
        """Ask for a name, and write."""
        name, _ = QFileDialog.getSaveFileName(parent, "Export", "vetted.ecsv", _WRITTEN)
        if name:
            path = Path(name)
            self.write(desk, path if path.suffix else path.with_suffix(".ecsv"))


def _written(desk: Desk, path: Path) -> str:
    """Write the outcome of a session's list; what was said, for the window."""
    session: Any = desk.session
    outcome = Outcome.of(session.store, session.list)
    left = f"; {session.waiting:,} that wait for the store are left out" if session.waiting else ""
    if path.suffix.lower() in (".pdf", ".html"):
        write = write_pdf if path.suffix.lower() == ".pdf" else write_report
        write(path, outcome, desk.image)
        return f"Report written to {path}{left}"
    catalogue = catalogue_of(outcome, "judged")
    write_outcome(path, outcome, catalogue, "judged")
    return f"{len(catalogue):,} judged detections written to {path}{left}"
