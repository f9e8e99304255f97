"""Forms: a pydantic record becomes controls, and the controls become the record again.

The controls follow from the record's own annotations, bounds and descriptions, so a new field
or network family needs no change here. What the controls cannot refuse (two fields that
contradict each other), the record itself refuses, in its own sentence.
"""
# ruff: noqa: N802, N815 (Qt's spelling)

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_astroseg.errors import RecipeError
from napari_astroseg.gui.form.sections import Section
from napari_astroseg.gui.theme import trouble_colour


class Form(QWidget):
    """A record's form: `value()`, `setValue()`, `valueChanged`, and `problem()` in one sentence.

    Parameters
    ----------
    record
        What to show at first; its class decides the controls.
    opened
        Names of the parts shown unfolded; all by default.
    """

    valueChanged = Signal()

    def __init__(self, record: BaseModel, opened: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self._record = record
        self.section = Section(type(record), opened)
        self._quiet = False
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.section)
        column.addWidget(self._sentence)
        self.section.valueChanged.connect(self._changed)
        self.setValue(record)

    def value(self) -> Any:
        """The record that the controls say.

        Raises
        ------
        RecipeError
            When it is not valid; the sentence names the field.
        """
        values = self.section.values()
        if hasattr(self._record, "replace"):
            return self._record.replace(**values)
        try:
            return type(self._record).model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RecipeError(f"{place or 'it'} is wrong: {first['msg']}; correct it") from error

    def problem(self) -> str:
        """What is wrong with the controls' values, or ''."""
        try:
            self.value()
        except RecipeError as error:
            return str(error)
        return ""

    def setValue(self, record: BaseModel) -> None:
        """Show `record`."""
        self._quiet = True
        self._record = record
        self.section.show_values(record)
        self._quiet = False
        self._changed()

    def _changed(self) -> None:
        if not self._quiet:
            problem = self.problem()
            self._sentence.setStyleSheet(f"color: {trouble_colour()};")
            self._sentence.setText(problem)
            self._sentence.setVisible(bool(problem))
            self.valueChanged.emit()
