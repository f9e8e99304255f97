"""Asking: what takes long to read under the cursor, read off the window's thread."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from weakref import WeakSet

from qtpy.QtCore import QCoreApplication, QObject, Signal

from napari_astroseg.gui.latest import Latest
from napari_astroseg.sky.image import SkyImage

AWAITED = "…"
"""What is told until the answer has come."""
_MOST = 64
"""Answers that are remembered."""
_SLOW_S = 0.01
"""An image whose pixel took longer than this is asked in the background from then on."""


class Asking(QObject):
    """Answers one question at a time; a newer one takes the place of one that waits.

    Images that are quick to read, as most are, answer at once, in the caller's thread.
    """

    answered = Signal()  # ask again, and the text will be there

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._latest = Latest(self)
        self._latest.answered.connect(self._take)
        self._slow: WeakSet[SkyImage] = WeakSet()
        self._known: OrderedDict[Hashable, str] = OrderedDict()
        self._asked: Hashable = None

    def text(self, image: SkyImage, place: Hashable, find: Callable[[], str]) -> str:
        """What `find` says of a place of an image; `AWAITED` while it is being found."""
        if not self._is_slow(image):
            begun = time.perf_counter()
            text = find()
            if time.perf_counter() - begun > _SLOW_S:
                self._slow.add(image)
            return text
        question = (id(image), place)
        if question in self._known:
            return self._known[question]
        if self._asked != question:
            self._asked = question
            self._latest.ask(partial(_answer, question, find))
        return AWAITED

    def _is_slow(self, image: SkyImage) -> bool:
        """Whether it lies behind a network, or has been slow before."""
        remote = image.reference is not None and image.reference.path is None
        return remote or image in self._slow

    def _take(self, known: tuple[Hashable, str]) -> None:
        question, text = known
        self._known[question] = text
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        if self._asked == question:  # else a newer one is on its way
            self._asked = None
        self.answered.emit()


def asking() -> Asking | None:
    """The application's one; None without an application, where nobody minds waiting."""
    application = QCoreApplication.instance()
    if application is None:
        return None
    found = next((c for c in application.children() if isinstance(c, Asking)), None)
    return found or Asking(application)


def _answer(question: Hashable, find: Callable[[], str]) -> tuple[Hashable, str]:
    return question, find()
