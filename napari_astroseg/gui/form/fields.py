"""Fields: one control per kind of value, each with `value()`, `setValue()` and `valueChanged`.

Numbers keep every digit (1e-3 and 4.160104636600882e20 come back exactly), bounds are the
recipe's own, and the wheel scrolls the form, not the numbers, until a control has focus.
"""
# ruff: noqa: N802, N815 (Qt's spelling)

from __future__ import annotations

import math
from contextlib import suppress
from decimal import Decimal
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)
from superqt import QLargeIntSpinBox


class _FocusedWheel:
    """Mix-in: a wheel over a control without focus scrolls what lies behind."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Take the wheel only with focus."""
        if self.hasFocus():  # type: ignore[attr-defined]
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class IntField(_FocusedWheel, QLargeIntSpinBox):
    """A whole number of any size between two bounds."""

    def __init__(self, low: int | None, high: int | None, step: int = 1) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setRange(-(2**63) if low is None else low, 2**63 if high is None else high)
        self.setSingleStep(step)


class FloatField(_FocusedWheel, QAbstractSpinBox):
    """A floating-point number kept exactly; a step changes its second digit.

    Parameters
    ----------
    low, high
        Bounds, or None.
    open_low
        Whether `low` itself is out of bounds.
    """

    valueChanged = Signal(float)

    def __init__(
        self, low: float | None = None, high: float | None = None, open_low: bool = False
    ) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._low, self._high, self._open_low = low, high, open_low
        self._value = 0.0
        self._show()
        self.lineEdit().textEdited.connect(self._read)
        self.editingFinished.connect(self._show)

    def value(self) -> float:
        """The number."""
        return self._value

    def setValue(self, value: float) -> None:
        """Show `value`, whole."""
        changed = value != self._value
        self._value = float(value)
        self._show()
        if changed:
            self.valueChanged.emit(self._value)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Acceptable when it is a number within bounds."""
        state = QValidator.State
        try:
            number = float(text)
        except ValueError:
            typing = set(text) <= set("0123456789+-.eE")
            return (state.Intermediate if typing else state.Invalid), text, position
        return (state.Acceptable if self._holds(number) else state.Intermediate), text, position

    def stepBy(self, steps: int) -> None:
        """Change the second significant digit by `steps`."""
        exact = Decimal(repr(self._value))
        place = exact.adjusted() - 1 if exact else -1
        stepped = float(exact + steps * Decimal(10) ** place)
        if self._holds(stepped):
            self.setValue(stepped)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Up and down; a step beyond the bounds does nothing."""
        flag = QAbstractSpinBox.StepEnabledFlag
        return flag.StepUpEnabled | flag.StepDownEnabled

    def _holds(self, number: float) -> bool:
        if not math.isfinite(number) or (self._high is not None and number > self._high):
            return False
        if self._low is None:
            return True
        return number > self._low if self._open_low else number >= self._low

    def _read(self, text: str) -> None:
        with suppress(ValueError):
            number = float(text)
            if self._holds(number) and number != self._value:
                self._value = number
                self.valueChanged.emit(number)

    def _show(self) -> None:
        short = f"{self._value:g}"
        self.lineEdit().setText(short if float(short) == self._value else repr(self._value))


class TextField(QLineEdit):
    """One line of text."""

    valueChanged = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.textChanged.connect(self.valueChanged)

    def value(self) -> str:
        """The text."""
        return str(self.text())

    def setValue(self, value: str) -> None:
        """Show `value` from its beginning."""
        self.setText(str(value))
        self.setCursorPosition(0)


class NumbersField(TextField):
    """Numbers, or words, with commas between; what is none is left for the recipe to refuse."""

    def __init__(self, kind: type[int] | type[float] | type[str] = int) -> None:
        super().__init__()
        self._kind = kind

    def value(self) -> Any:
        """A tuple of them, or the text where it is not that."""
        parts = [part for part in self.text().replace(",", " ").split() if part]
        try:
            return tuple(self._kind(part) for part in parts)
        except ValueError:
            return self.text()

    def setValue(self, value: Any) -> None:
        """Show the numbers."""
        super().setValue(", ".join(str(number) for number in value))


class ChoiceField(_FocusedWheel, QComboBox):
    """One of a few values."""

    valueChanged = Signal(object)

    def __init__(self, choices: tuple[Any, ...]) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._choices = choices
        self.addItems([str(choice).replace("_", " ") for choice in choices])
        self.currentIndexChanged.connect(lambda _: self.valueChanged.emit(self.value()))

    def value(self) -> Any:
        """The chosen value."""
        return self._choices[self.currentIndex()]

    def setValue(self, value: Any) -> None:
        """Choose `value`."""
        self.setCurrentIndex(self._choices.index(value))


class SwitchField(QCheckBox):
    """Yes or no."""

    valueChanged = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.toggled.connect(self.valueChanged)

    def value(self) -> bool:
        """Whether it is on."""
        return bool(self.isChecked())

    def setValue(self, value: bool) -> None:
        """Turn it on or off."""
        self.setChecked(value)


class OptionalField(QWidget):
    """A field that may be left out: a box that switches another control on."""

    valueChanged = Signal(object)

    def __init__(self, inner: Any, start: Any) -> None:
        super().__init__()
        self._box, self._inner = QCheckBox(), inner
        if start is not None:
            inner.setValue(start)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        row.addWidget(inner, 1)
        inner.setEnabled(False)
        self._box.toggled.connect(inner.setEnabled)
        self._box.toggled.connect(lambda _: self.valueChanged.emit(self.value()))
        inner.valueChanged.connect(lambda *_: self.valueChanged.emit(self.value()))

    def value(self) -> Any:
        """The inner value, or None where the box is off."""
        return self._inner.value() if self._box.isChecked() else None

    def setValue(self, value: Any) -> None:
        """Show `value`; None switches the box off."""
        self._box.setChecked(value is not None)
        if value is not None:
            self._inner.setValue(value)
