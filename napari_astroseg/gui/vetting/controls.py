"""VetControls: what the Vet dock shows, from the list to what is learnt from it."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.vetting.giving import Giving
from napari_astroseg.gui.vetting.hiding import Hiding
from napari_astroseg.gui.vetting.judgebox import JudgeBox
from napari_astroseg.gui.vetting.keytable import KeyTable
from napari_astroseg.gui.vetting.learning import Learning
from napari_astroseg.gui.vetting.linking import Linking
from napari_astroseg.gui.vetting.openbox import OpenBox
from napari_astroseg.gui.vetting.queuebox import QueueBox


class VetControls(QWidget):
    """Boxes below one another; those that are seldom needed are folded.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self.open, self.judging, self.keys = OpenBox(self._viewer), JudgeBox(), KeyTable()
        self.queue, self.notice = QueueBox(), Notice()
        self.giving, self.hiding = Giving(self), Hiding(self)
        self.learning, self.linking = Learning(self._viewer, self), Linking(self._viewer, self)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addWidget(Fold("Detections", self.open))
        column.addWidget(self.notice)
        column.addWidget(Fold("Verdict", self.judging))
        for title, box in (
            ("Queue", self.queue),
            ("Hidden objects", self.hiding.box),
            ("Learn from verdicts", self.learning.box),
            ("TOPCAT, Aladin, DS9", self.linking.box),
            ("Keys", self.keys),
        ):
            column.addWidget(Fold(title, box, opened=False))
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
