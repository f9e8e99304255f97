"""Steps: from a map to a catalogue, each with the control of its dock."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_astroseg.gui.tour.sky import SAMPLE
from napari_astroseg.gui.tour.step import Scene, Step
from napari_astroseg.gui.tour.vetting import Vet
from napari_astroseg.gui.welcome.page import WelcomePage

_MODEL = "filaments"
_CATALOGUE = "regions.ecsv"
_MIDDLE_OF_THRESHOLDS, _STEP_OF_THRESHOLD = 0.5, 0.15


class Open(Step):
    """Open the sample."""

    title, dock = "Open a sky", "Open"
    doing = "The sky is being made up and opened …"
    outcome = "The map is open; drag and wheel move it."

    @property
    def words(self) -> str:
        """What to do."""
        what = "a simulated map of column density in the Galactic plane, with known filaments"
        if self._row is not None:
            return f"Click <b>{SAMPLE.name}</b> below <i>Samples</i>: {what}."
        if self.there:
            return f"The sample is open already: {what}. <b>Next</b> goes on with it."
        return f"<b>Next</b> opens the sample beside what is open: {what}."

    @property
    def control(self) -> QWidget:
        """The sample's row, or the dock's button where the page is not shown."""
        button: QWidget = self.scene.docks["Open"].open_button
        return self._row or button

    @property
    def now(self) -> Hashable:
        """The layer that draws the sample."""
        layer = self.scene.sky.layer
        return None if layer is None or self.busy else id(layer)

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        return self.scene.sky.busy or bool(self.scene.docks["Open"].busy)

    def act(self) -> str:
        """Make and open it."""
        self.scene.sky.show()
        return "open"

    @property
    def _row(self) -> QWidget | None:
        """The sample's row of the welcome page; None while that is not shown."""
        page = self.scene.window.findChild(WelcomePage)
        if page is None or not page.isVisible():
            return None
        rows = page.findChildren(QPushButton)
        return next((row for row in rows if row.text() == SAMPLE.name), None)


class Predict(Step):
    """Predict the window around a click."""

    title, dock = "Predict at a click", "Predict"
    doing = "The model looks at the middle of the map …"
    outcome = "Lines run round the regions that the model found."

    @property
    def words(self) -> str:
        """What to do."""
        return (
            "Press <b>Click on the image to predict</b>, then click on the picture: the window "
            "around that place is predicted. A drag still pans."
        )

    @property
    def control(self) -> QWidget:
        """What is pressed or moved."""
        button: QWidget = self._dock.place.by_click
        return button

    @property
    def now(self) -> Hashable:
        """The windows that have an answer."""
        found = self._dock.predictions
        if self.busy or found.current is None:
            return None
        return tuple((id(wish.layer), wish.window) for wish, _ in found.answers)

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        found = self._dock.predictions
        return bool(found.busy or (found.current is not None and not found.current.settled))

    def act(self) -> str:
        """Predict the middle of the sample."""
        self.scene.sky.select()
        self._dock.models.choose_named(_MODEL)
        self._dock.predict_middle()
        return "predict"

    def end(self) -> None:
        """A click means a place no more: what follows is done on the same picture."""
        self._dock.place.by_click.setChecked(False)

    @property
    def _dock(self) -> Any:
        return self.scene.docks["Predict"]


class Threshold(Step):
    """Move the threshold."""

    title, dock = "Move the threshold", "Predict"
    failed = "There is nothing to move yet: go back and predict first."

    @property
    def words(self) -> str:
        """What to do."""
        return (
            "Drag <b>Threshold</b>: the regions follow at once. A higher one gives fewer, surer "
            "regions; the probability below them stays as it is."
        )

    @property
    def outcome(self) -> str:
        """What has come of it."""
        threshold = self._panel.cut.threshold
        return f"At a threshold of {threshold:.2f}: {self._panel.summary.text()}."

    @property
    def control(self) -> QWidget:
        """What is pressed or moved."""
        slider: QWidget = self._panel.threshold
        return slider

    @property
    def now(self) -> Hashable:
        """The threshold of what was found."""
        current = self.scene.docks["Predict"].predictions.current
        return None if current is None else float(self._panel.cut.threshold)

    @property
    def there(self) -> bool:
        """Never: it can always be moved."""
        return False

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        current = self.scene.docks["Predict"].predictions.current
        return current is not None and not current.settled

    def act(self) -> str:
        """Move it to the other side of the middle."""
        cut = self._panel.cut
        high = cut.threshold > _MIDDLE_OF_THRESHOLDS
        moved = cut.threshold + (-_STEP_OF_THRESHOLD if high else _STEP_OF_THRESHOLD)
        self._panel.set_cut(replace(cut, threshold=round(moved, 2)))
        return "move"

    @property
    def _panel(self) -> Any:
        return self.scene.docks["Predict"].found


class Compare(Step):
    """See the same sky in the mid-infrared."""

    title, dock = "Compare", "Compare"
    doing = "The mid-infrared view is laid over the map …"
    outcome = "Drag the divider over the picture; Swipe, or W, puts it away."

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._file = "a FITS image"

    @property
    def words(self) -> str:
        """What to do."""
        return (
            f"Press <b>Open file…</b> and choose {self._file} in {self.scene.sky.folder}, then "
            "<b>Swipe</b>. Dense filaments are dark in the mid-infrared."
        )

    @property
    def control(self) -> QWidget:
        """The button of the file; once that is there, the way to see it."""
        button: QWidget = self._dock.bring.file_button
        swipe: QWidget = self._dock.seeing.controls.swipe
        return swipe if self._brought else button

    @property
    def now(self) -> Hashable:
        """Which ways of seeing two pictures are on, and where the divider is."""
        seeing = self._dock.seeing
        on = tuple(way.on for way in (seeing.blink, seeing.swipe, seeing.fade, seeing.beside))
        place = seeing.swipe.place if seeing.swipe.on else None
        return (on, place) if any(on) else None

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        return bool(self._dock.busy)

    def act(self) -> str:
        """Bring the infrared view, then swipe."""
        if self._brought:
            self._dock.seeing.toggle_swipe()
            return "swipe"
        self.scene.sky.select()
        infrared = self.scene.sky.infrared
        if infrared is not None:
            self._dock.show_file(str(infrared))
        return "bring"

    def begin(self) -> None:
        """See what there is to bring."""
        infrared = self.scene.sky.infrared
        if infrared is not None:
            self._file = f"<b>{infrared.name}</b>"

    @property
    def _brought(self) -> bool:
        """Whether something lies over the map, and the two are the pair that is compared."""
        pair = self._dock.seeing.pair or ()
        return any(layer in pair for layer, _, _ in self._dock.origins())

    @property
    def _dock(self) -> Any:
        return self.scene.docks["Compare"]


class Save(Step):
    """Save the catalogue."""

    title, dock = "Save the catalogue", "Predict"
    doing = "The regions are measured …"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said = ""
        self._waits = False

    @property
    def words(self) -> str:
        """What to do."""
        return (
            "Press <b>Save catalogue…</b>: position, area, length, mean value and probability, a "
            f"row for each region. <b>Next</b> saves it as {self._path}."
        )

    @property
    def outcome(self) -> str:
        """What has come of it."""
        return f"{self._said}."

    @property
    def control(self) -> QWidget:
        """What is pressed or moved."""
        button: QWidget = self._panel.save
        return button

    @property
    def now(self) -> Hashable:
        """What the dock says of the file that it has written."""
        return self._said or None

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        return self._waits

    def act(self) -> str:
        """Save beside the sample."""
        if self._panel.save.isEnabled():
            self._panel.write(self._path)
        return "save"

    def begin(self) -> None:
        """Listen to what the dock says."""
        self._said, self._waits = "", False
        self._panel.said.connect(self._hear)

    def end(self) -> None:
        """Listen no more."""
        self._panel.said.disconnect(self._hear)

    def _hear(self, sentence: str, trouble: bool) -> None:
        """The dock says that it measures, then what was written or why not."""
        self._waits = sentence.startswith("Measuring") and not trouble
        self._said = "" if self._waits or trouble else sentence

    @property
    def _path(self) -> Any:
        return self.scene.sky.folder / _CATALOGUE

    @property
    def _panel(self) -> Any:
        return self.scene.docks["Predict"].found


STEPS: tuple[type[Step], ...] = (Open, Predict, Threshold, Compare, Vet, Save)
